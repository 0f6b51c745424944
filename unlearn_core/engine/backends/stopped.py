"""Processes of the embedded cluster that stand still: stopped by a signal, they compute nothing and may hold a lock."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator

STOPPED_SECONDS = 20.0
"""A process that stands still for so long is put an end to: less than others wait for a lock that it may hold."""
_MOST = 3.0
"""Seconds that one look counts for at most: after a pause of our own nothing is known about the time between."""


class Stopped:
    """Counts how long processes have been seen standing still."""

    def __init__(self, most: float) -> None:
        """``most``: seconds that are too long."""
        self._most = most
        self._seconds: dict[int, float] = {}

    def look(self, processes: Iterable[int], passed: float) -> list[int]:
        """Those that have stood still for too long. ``passed``: seconds since the last look."""
        still = {number for number in processes if stands_still(number)}
        self._seconds = {number: self._seconds.get(number, 0.0) + min(passed, _MOST) for number in still}
        return [number for number, seconds in self._seconds.items() if seconds >= self._most]


def end_stopped(processes: Callable[[], Iterable[int]], most: float) -> Iterator[None]:
    """Whenever it is asked for the next one: put an end to those that have stood still for more than ``most`` seconds."""
    stopped, last = Stopped(most), time.monotonic()
    while True:
        passed, last = time.monotonic() - last, time.monotonic()
        for number in stopped.look(processes(), passed):
            with contextlib.suppress(OSError):
                os.kill(number, getattr(signal, "SIGKILL", signal.SIGTERM))
        yield


def stands_still(number: int) -> bool:
    """Whether a process was stopped by a signal; one that a debugger holds was not."""
    import psutil

    try:
        return bool(psutil.Process(number).status() == psutil.STATUS_STOPPED)
    except psutil.Error:
        return False
