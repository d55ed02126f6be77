"""When the executor of a job is to be noted: once, for jobs that have been running for a while, and for no other."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from aerjob_cli.settings import StorePaths
from aerjob_cli.store.database import Store
from aerjob_cli.worker.outcomes import Cancelled
from tests.worker.test_answers import holding_in


@pytest.fixture
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = Store.open(StorePaths(tmp_path_factory.mktemp("home")))
    yield opened
    opened.close()


def test_an_executor_is_noted_once_and_late(store: Store) -> None:
    holding = holding_in(store)
    holding.begun_s = math.inf  # its executor is still being started
    assert holding.note_due_s == math.inf
    holding.begun_s = 100.0
    assert holding.note_due_s == 100.5
    holding.executor_is_noted = True
    assert holding.note_due_s == math.inf


def test_no_executor_is_noted_that_is_being_ended_or_only_validates(store: Store) -> None:
    holding = holding_in(store)
    holding.ending = Cancelled()
    assert holding.note_due_s == math.inf
    assert holding_in(store, validation=True).note_due_s == math.inf
