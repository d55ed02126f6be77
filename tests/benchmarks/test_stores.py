"""A store that was built from a few jobs is a store like any other."""

from __future__ import annotations

import uuid
from pathlib import Path

from benchmarks.stores import build
from tests.support.command_line import CommandLine


def test_a_built_store_is_sound_and_its_jobs_are_listed(home: Path, aerjob: CommandLine) -> None:
    build(home, jobs=600, queued=3)

    listed = aerjob.json("list", "--limit", "1000")["jobs"]
    assert len(listed) == 600
    assert [job["status"] for job in listed[:4]] == ["QUEUED", "QUEUED", "QUEUED", "DONE"]
    assert {job["status"] for job in listed[4:]} == {"DONE", "ERROR", "CANCELLED"}
    assert [job["submitted_at"] for job in listed] == sorted((job["submitted_at"] for job in listed), reverse=True)
    assert all(uuid.UUID(job["job_id"]).version == 4 for job in listed)
    assert [job["job_id"] for job in aerjob.json("list", "--tag", "once")["jobs"]] == [listed[-1]["job_id"]]
    assert sum(aerjob.json("result", listed[-1]["job_id"])["experiments"][0]["counts"].values()) == 1024
    assert aerjob.json("store", "check")["problems_total"] == 0
