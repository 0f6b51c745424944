"""Stages that another program on the same store computes: watched until their result is there or their holder is gone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unlearn_core.engine.lease import expired, has_ended
from unlearn_core.errors import UserError

if TYPE_CHECKING:
    from unlearn_core.store import Lease, Store

POLL_SECONDS = 0.5


@dataclass
class _Watched:
    lease: Lease
    since: float
    """When its beat was seen to change last, by our clock."""


class Elsewhere:
    """Keys that others hold. ``on_free(key, lease)`` is called from a thread when one is worth another try: its result is
    there, its lease is gone, or it was abandoned (then with the lease that may be taken over)."""

    def __init__(self, store: Callable[[], Store], on_free: Callable[[str, Lease | None], None]) -> None:
        self._store, self._on_free = store, on_free
        self._lock = threading.Lock()
        self._watched: dict[str, _Watched] = {}
        self._running = False

    def watch(self, lease: Lease) -> None:
        """Follow this key from now on."""
        with self._lock:
            self._watched[lease.key] = _Watched(lease, time.monotonic())
            if self._running:
                return
            self._running = True
        threading.Thread(target=self._poll, name="eunoe-elsewhere", daemon=True).start()

    def forget(self, key: str) -> None:
        """Follow this key no longer."""
        with self._lock:
            self._watched.pop(key, None)

    def _poll(self) -> None:
        while True:
            time.sleep(POLL_SECONDS)
            with self._lock:
                if not self._watched:
                    self._running = False
                    return
                keys = list(self._watched)
            try:
                there, held = self._store().has(keys), self._store().leases.of(keys)
            except UserError:  # the store is away: asked again soon
                continue
            for key, over in self._take_free(there, held):
                self._on_free(key, over)

    def _take_free(self, there: set[str], held: dict[str, Lease]) -> list[tuple[str, Lease | None]]:
        """What is worth another try, no longer watched from here on."""
        found: list[tuple[str, Lease | None]] = []
        now = time.monotonic()
        with self._lock:
            for key, watched in list(self._watched.items()):
                lease = held.get(key)
                if lease is not None and lease != watched.lease:
                    watched.lease, watched.since = lease, now
                abandoned = lease is not None and (has_ended(lease) or expired(now - watched.since))
                if key in there or lease is None or abandoned:
                    del self._watched[key]
                    found.append((key, lease if abandoned else None))
        return found
