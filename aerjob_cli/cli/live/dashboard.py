"""The screen that shows what goes on until somebody leaves it, or until there is nothing to wait for any more."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable

from rich.console import Console

from aerjob_cli.cli.live.gauge import Gauge
from aerjob_cli.cli.live.screen import Screen, full_screen
from aerjob_cli.cli.screens.dashboard import frame
from aerjob_cli.errors import StoreBusy

# When nothing changes, the clocks on the screen still run.
_STILL_S = 1.0
_ATTEND_EVERY_S = 1.0
# How soon a change is seen once the shortest time between two frames is over.
_LOOK_EVERY_S = 0.1
# What a look may cost at most, as a share of the time: a huge queue is looked at less often.
_SHARE_OF_TIME = 0.1
_LEAVING_KEYS = frozenset("qQ")


def show(
    gauge: Gauge,
    *,
    interval_s: float,
    attend: Callable[[], None],
    is_over: Callable[[], bool],
    footer: str,
) -> bool:
    """Show the gauge on the whole terminal; return whether it was over, and not left before by a key.

    ``interval_s`` is the shortest time between two frames. ``attend`` is called at once and then every second.
    """
    attended_s = -math.inf
    with full_screen() as screen:
        while True:
            begun_s = time.monotonic()
            _draw(screen, gauge, footer)
            if is_over():
                return True
            spent_s = time.monotonic() - begun_s
            if begun_s - attended_s >= _ATTEND_EVERY_S:
                attend()
                attended_s = begun_s
            if _is_left(screen, gauge, begun_s=begun_s, pause_s=max(interval_s, spent_s / _SHARE_OF_TIME)):
                return False


def _draw(screen: Screen, gauge: Gauge, footer: str) -> None:
    try:
        dashboard = gauge.look()
    except StoreBusy:
        # What the screen shows is as good as anything until the writer has done.
        return
    columns, rows = screen.size
    width = columns - 1  # some terminals wrap when the last column is filled
    console = Console(
        file=io.StringIO(), force_terminal=True, width=columns, highlight=False, markup=False, emoji=False
    )
    lines = frame(dashboard, width=width, height=max(rows - 1, 1))[: max(rows - 1, 1)]
    lines += [lines[0].blank_copy()] * (rows - 1 - len(lines))
    with console.capture() as captured:
        for line in lines:
            line.truncate(width)
            console.print(line, no_wrap=True, crop=False)
        console.print(footer[:width], style="dim", no_wrap=True, end="")
    screen.draw(captured.get().split("\n")[:rows])


def _is_left(screen: Screen, gauge: Gauge, *, begun_s: float, pause_s: float) -> bool:
    """Wait for the next frame; return True when a key says to leave."""
    still_until_s = begun_s + max(pause_s, _STILL_S)
    while (now_s := time.monotonic()) < still_until_s:
        next_look_s = max(begun_s + pause_s, now_s + _LOOK_EVERY_S)
        keys, is_outdated = screen.wait(min(next_look_s, still_until_s) - now_s)
        if _LEAVING_KEYS.intersection(keys):
            return True
        if is_outdated or (time.monotonic() >= begun_s + pause_s and gauge.changed()):
            return False
    return False
