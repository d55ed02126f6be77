"""What executors bring for many jobs at once."""

from __future__ import annotations

from aerjob_cli.states import Status
from aerjob_cli.store import claims, deliveries, jobs
from aerjob_cli.store.database import Store
from tests.store.conftest import SubmitJob

NOW_US = 2_000_000_000_000_000


def test_verdicts_of_one_batch_need_not_all_have_an_estimate(store: Store, submit: SubmitJob) -> None:
    made = [submit() for _ in range(4)]
    estimates = [5, None, 7, None]
    with store.writing() as tx:
        held = [item.claim for item in claims.claim_validations(tx, "w", limit=4, now_us=NOW_US)]
        verdicts = [(claim, 1, 1, estimate) for claim, estimate in zip(held, estimates, strict=True)]
        assert len(deliveries.accept(tx, verdicts, now_us=NOW_US)) == 4
        found = [jobs.find(tx, job.job_id) for job in made]
    assert [(job.status, job.estimated_bytes) for job in found] == [(Status.QUEUED, each) for each in estimates]
