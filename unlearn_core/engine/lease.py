"""Holding a stage while it is computed: a lease in the store with a heartbeat, which others respect until it stands still."""

from __future__ import annotations

import contextlib
import functools
import os
import socket
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from unlearn_core.errors import UserError

if TYPE_CHECKING:
    from unlearn_core.store import Lease, Store

BEAT_SECONDS = 5.0
EXPIRES_SECONDS = 30.0
"""A lease whose beat stood still for so long, by the reader's own clock, is abandoned: its holder was killed, or cut off."""


@contextlib.contextmanager
def hold(store: Store, key: str, holder: str, over: Lease | None = None, needs: Iterable[str] = ()) -> Iterator[Lease | None]:
    """Hold ``key`` with a heartbeat: yields None, or the lease of another who is computing it.

    ``over``: a lease that was found abandoned. One of a process of this machine that is no more is taken over at once.
    ``needs``: what it builds on, which nobody prunes meanwhile.
    """
    other = store.leases.take(key, holder, this_process(), over, needs)
    if other is not None and has_ended(other):
        other = store.leases.take(key, holder, this_process(), other, needs)
    if other is not None:
        yield other
        return
    stop = threading.Event()
    beating = threading.Thread(target=_beat, args=(store, key, holder, stop), name="eunoe-lease", daemon=True)
    beating.start()
    try:
        yield None
    finally:
        stop.set()
        with contextlib.suppress(UserError):  # the store is away: the lease stands still from now on, and counts as abandoned
            store.leases.drop(key, holder, EXPIRES_SECONDS)


def _beat(store: Store, key: str, holder: str, stop: threading.Event) -> None:
    number = 0
    while not stop.wait(BEAT_SECONDS):
        number += 1
        with contextlib.suppress(UserError):  # the store is away; the next beat may find it
            if not store.leases.beat(key, holder, number):
                return  # taken over while we were suspended: both results are the same, the first is kept


def expired(seconds: float) -> bool:
    """Whether a lease is abandoned whose beat stood still for so long."""
    return seconds > EXPIRES_SECONDS


@functools.cache
def _machine() -> str:
    """This machine, or container: process numbers mean something only within it."""
    with contextlib.suppress(OSError):
        return f"{socket.gethostname()}/{os.stat('/proc/self/ns/pid').st_ino}"
    return socket.gethostname()


def this_process() -> str:
    """Names this process, so that others on this machine can see whether it lives."""
    return f"{_machine()[:200]} {os.getpid()} {_started(os.getpid())}"


def has_ended(lease: Lease) -> bool:
    """Whether the holder was a process of this machine that is no more."""
    machine, _, process = lease.place.partition(" ")
    number, _, started = process.partition(" ")
    if machine != _machine() or not number.isdecimal():
        return False
    return _started(int(number)) != started


def _started(number: int) -> str:
    """When a process began; empty where there is none: numbers are used again.

    On Linux in ticks since the machine started. By the time of day, which psutil reckons from that, two processes would not
    agree once the clock was set between their starts, and each would take the other for gone.
    """
    import psutil

    try:
        process = psutil.Process(number)
        if process.status() == psutil.STATUS_ZOMBIE:
            return ""
        try:
            about = Path(f"/proc/{number}/stat").read_text()
        except OSError:
            return f"{process.create_time():.2f}"
        return about.rpartition(")")[2].split()[19]  # starttime, the 22nd field: proc(5)
    except psutil.Error:
        return ""
