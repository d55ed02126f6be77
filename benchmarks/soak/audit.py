"""Compares what the store holds with what the clients were told; run in a fresh process that took no part.

`python -m benchmarks.soak.audit DIR HOME` prints one JSON value: what there is, and what should not be.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from aerjob_cli import BasicAerProvider
from aerjob_cli.settings import StorePaths
from aerjob_cli.states import Status
from aerjob_cli.store import events
from aerjob_cli.store.inspection import inspect_store
from aerjob_cli.store.listing import JobFilter
from aerjob_cli.store.records import JobRecord
from benchmarks.soak.endings import ending_of
from benchmarks.soak.history import ends_in, faults_of
from benchmarks.soak.ledger import Ledger
from benchmarks.soak.outcomes import outcome_of, undisturbed
from benchmarks.soak.tasks import Task, number_in, task

_EXPECTED = "expected.json"
# What is wrong, by its name in the report; each must stay empty.
FAULTS = (
    "lost",  # an acknowledged id that is not in the store
    "duplicated",  # two jobs of one submission, two results of one experiment, two ends of one job
    "stuck",  # a job that did not end
    "unequal",  # a result that is not what an undisturbed run gives
    "changed",  # an end that a client has seen and that is now another one
    "wrong end",  # an end that nothing documented leads to
    "broken answer",  # a cancel that was answered with what did not come to be; a refusal after which the job is there
    "history",  # an illegal move, a missing attempt
    "unknown",  # a job that nobody submitted
    "store",  # what the inspection of the store finds
    "bugs",  # what a client must never see
)


class Audit:
    """One comparison."""

    def __init__(self, folder: Path, home: Path) -> None:
        self._folder = folder
        self._home = home
        self._ledger = Ledger.of(folder)
        assert self._ledger.mix is not None
        assert self._ledger.seed is not None
        self._mix, self._seed = self._ledger.mix, self._ledger.seed
        self._provider = BasicAerProvider(home)
        self._expected: dict[str, str] = {}
        self.faults: dict[str, list[str]] = {name: [] for name in FAULTS}
        self.endings: Counter[str] = Counter()
        self.results = 0

    def make(self) -> dict[str, Any]:
        """Look at everything, and give the findings."""
        self._read_expected()
        records = self._provider.client.listed(JobFilter(), limit=None, descending=False)
        by_number: dict[int, list[JobRecord]] = {}
        for record in records:
            number = number_in(record.name)
            if number is None or number not in self._ledger.intended:
                self._fault("unknown", record.job_id, f"nobody submitted {record.name!r}")
            else:
                by_number.setdefault(number, []).append(record)
                self._look_at(record, task(self._seed, number, self._mix))
        self._compare_acknowledged(by_number, {record.job_id for record in records})
        findings = inspect_store(StorePaths(self._home))
        self.faults["store"] += [problem.message for problem in findings.problems]
        self.faults["bugs"] += self._ledger.bugs
        self._write_expected()
        return self._findings(len(records), by_number, findings.checked)

    def _look_at(self, record: JobRecord, item: Task) -> None:
        client = self._provider.client
        with client.store.reading() as tx:
            history = events.history(tx, record.seq)
        for fault in faults_of(record, history):
            self._fault("history", record.job_id, fault)
        if ends_in(history) > 1:
            self._fault("duplicated", record.job_id, f"{ends_in(history)} ends")
        if not record.status.is_final:
            self._fault("stuck", record.job_id, f"it is {record.status}")
            return
        ending, is_documented = ending_of(record, item, history, self._ledger)
        self.endings[ending] += 1
        if not is_documented:
            self._fault("wrong end", record.job_id, f"{item.kind}: {ending}, {record.message}")
        outcome = self._compare_result(record, item) if record.status is Status.DONE else None
        seen = self._ledger.finals.get(item.number)
        if seen is not None and seen != [record.status, record.reason, record.finished_us, outcome]:
            self._fault("changed", record.job_id, f"a client saw {seen}")
        answer = self._ledger.cancelled.get(item.number)
        if answer is not None and answer != (record.status is Status.CANCELLED):
            self._fault("broken answer", record.job_id, f"cancel() answered {answer}, and it is {record.status}")

    def _compare_result(self, record: JobRecord, item: Task) -> str:
        positions = [result.position for result in self._provider.client.results(record)]
        if positions != list(range(len(item.texts))):
            kind = "duplicated" if len(set(positions)) < len(positions) else "unequal"
            self._fault(kind, record.job_id, f"it has the results {positions}")
        outcome = outcome_of(self._provider.retrieve_job(record.job_id).result(), item)
        self.results += len(positions)
        if outcome != self._undisturbed(item):
            self._fault("unequal", record.job_id, f"{item.kind} {item.variant}")
        return outcome

    def _compare_acknowledged(self, by_number: dict[int, list[JobRecord]], ids: set[str]) -> None:
        for number, job_id in self._ledger.acknowledged.items():
            if job_id not in ids:
                self._fault("lost", job_id, f"task {number}")
        for number, several in self._ledger.ambiguous.items():
            self._fault("duplicated", str(sorted(several)), f"all acknowledged for task {number}")
        for number, found in by_number.items():
            if len(found) > 1:
                self._fault("duplicated", found[0].job_id, f"{len(found)} jobs of task {number}")
            refused = self._ledger.refused.get(number)
            is_keyed = task(self._seed, number, self._mix).is_keyed
            if refused is not None and not is_keyed:
                self._fault("broken answer", found[0].job_id, f"it was refused ({refused}), and is there")
        for number, seen in self._ledger.changed.items():
            self._fault("changed", self._ledger.acknowledged[number], f"clients saw {seen}")

    def _findings(self, total: int, by_number: dict[int, list[JobRecord]], checked: dict[str, int]) -> dict[str, Any]:
        return {
            "intended": len(self._ledger.intended),
            "acknowledged": len(self._ledger.acknowledged),
            "committed without acknowledgement": len(by_number.keys() - self._ledger.acknowledged.keys()),
            "refused": dict(self._ledger.refusals),
            "jobs": total,
            "endings": dict(sorted(self.endings.items())),
            "results compared": self.results,
            "seen by clients": len(self._ledger.finals),
            "checksums verified": checked,
            "faults": self.faults,
        }

    def _undisturbed(self, item: Task) -> str:
        key = f"{item.kind}/{item.variant}"
        if key not in self._expected:
            self._expected[key] = undisturbed(item)
        return self._expected[key]

    def _read_expected(self) -> None:
        path = self._folder / _EXPECTED
        if path.exists():
            self._expected = json.loads(path.read_text(encoding="utf-8"))

    def _write_expected(self) -> None:
        draft = self._folder / f"{_EXPECTED}.new"
        draft.write_text(json.dumps(self._expected, indent=1), encoding="utf-8")
        draft.replace(self._folder / _EXPECTED)

    def _fault(self, kind: str, job_id: str, sentence: str) -> None:
        self.faults[kind].append(f"{job_id}: {sentence}")


if __name__ == "__main__":
    print(json.dumps(Audit(Path(sys.argv[1]), Path(sys.argv[2])).make()))
