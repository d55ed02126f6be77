"""How much was done lately: of jobs that ended, and of those that still run."""

from __future__ import annotations

import pytest

from aerjob_cli.cli.live.throughput import Ran, experiments_per_s, jobs_per_s

S = 1_000_000  # microseconds
NOW_US = 1_700_000_000 * S


@pytest.mark.parametrize(
    ("ran", "jobs", "experiments"),
    [
        (Ran(NOW_US - 5 * S, NOW_US - 3 * S, 40), 1, 40),
        # Half of its time lies in the last ten seconds.
        (Ran(NOW_US - 15 * S, NOW_US - 5 * S, 40), 1, 20),
        (Ran(NOW_US - 30 * S, NOW_US - 20 * S, 40), 0, 0),
        (Ran(NOW_US - 40 * S, None, 40), 0, 10),
        (Ran(NOW_US - 2 * S, None, 40), 0, 40),
        # Ended before it began, as far as a job without a start can.
        (Ran(None, NOW_US - 1 * S, 0), 1, 0),
        # Shorter than the clock can tell.
        (Ran(NOW_US - 1 * S, NOW_US - 1 * S, 3), 1, 3),
        (Ran(NOW_US - 20 * S, NOW_US - 20 * S, 3), 0, 0),
        # The clock was set back, and it began in what is the future now: all it did was done of late.
        (Ran(NOW_US + 5 * S, None, 3), 0, 3),
    ],
)
def test_the_rates_of_one_job(ran: Ran, jobs: int, experiments: int) -> None:
    assert jobs_per_s([ran], now_us=NOW_US, window_s=10) == pytest.approx(jobs / 10)
    assert experiments_per_s([ran], now_us=NOW_US, window_s=10) == pytest.approx(experiments / 10)


def test_the_rates_of_all_are_added_up() -> None:
    ran = [Ran(NOW_US - 2 * S, NOW_US - 1 * S, 5), Ran(NOW_US - 2 * S, None, 5)] * 3
    assert jobs_per_s(ran, now_us=NOW_US, window_s=10) == pytest.approx(0.3)
    assert experiments_per_s(ran, now_us=NOW_US, window_s=10) == pytest.approx(3.0)
    assert experiments_per_s([], now_us=NOW_US, window_s=10) == 0
