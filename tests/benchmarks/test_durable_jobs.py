"""Many small jobs given to a warm worker are run and committed by the time that the clock stops."""

from __future__ import annotations

import random
from pathlib import Path

from benchmarks.circuits import two_qubit_texts
from benchmarks.durable_jobs import DurableJobs, circuits_of
from benchmarks.site import site_in
from tests.support.command_line import CommandLine


def test_jobs_queue_while_the_worker_is_held_and_are_done_afterwards(home: Path, aerjob: CommandLine) -> None:
    texts = two_qubit_texts(4, random.Random(1))
    with site_in(home) as site:
        site.start_worker()
        durable = DurableJobs(site, warm_up=2)
        with site.held_worker():
            durable.backend.run_many(circuits_of(texts))
            assert [job["status"] for job in aerjob.json("list", "--limit", "4")["jobs"]] == ["QUEUED"] * 4
        durable.await_ends()
        durable.queued(texts)
        durable.texts_s(texts)
    listed = aerjob.json("list", "--limit", "100")["jobs"]
    assert len(listed) == 2 + 2 + 4 + 4 + 4
    assert {job["status"] for job in listed} == {"DONE"}
