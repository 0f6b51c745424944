"""The workers of one engine: started in the background when they are first needed, there until they are closed or lost."""

from __future__ import annotations

import threading
from collections.abc import Callable

from unlearn_core.engine.backends.protocol import Backend, Listener
from unlearn_core.engine.status import EngineState, WorkerView
from unlearn_core.errors import UserError


class WorkerPool:
    """At most one backend at a time. ``changed`` is the condition of the engine's lock, notified when the state changes.

    ``address``, ``count`` and ``spare``: as the engine has them.
    """

    def __init__(self, changed: threading.Condition, address: str, count: int | None, spare: int) -> None:
        self._changed = changed
        self._address, self._count, self._spare = address, count, spare
        self._backend: Backend | None = None
        self.state: EngineState = "off"
        self.message = ""
        """Why it is lost."""

    @property
    def ready(self) -> Backend | None:
        """The backend, once stages can run on it."""
        return self._backend if self.state == "ready" else None

    @property
    def address(self) -> str:
        """Where it is: of the scheduler once there is one, else what was asked for."""
        backend = self.ready
        return self._address if backend is None else backend.address

    def workers(self) -> list[WorkerView]:
        """What is there; empty unless the pool is ready."""
        backend = self.ready
        return [] if backend is None else backend.workers()

    def slots(self) -> int:
        """How many long stages run at a time; 1 while there are no workers."""
        return max(1, sum(not (view.spare or view.refused) for view in self.workers()))

    def launch(self, listener: Listener, on_ready: Callable[[], None]) -> None:
        """Start the workers unless they are there, and return at once. ``on_ready`` is called under the engine's lock."""
        with self._changed:
            if self.state in ("starting", "ready"):
                return
            self.state, self.message = "starting", ""
            self._backend = backend = self._make_backend(listener)
        threading.Thread(target=self._start, args=(backend, listener, on_ready), name="eunoe-start", daemon=True).start()

    def wait_until_ready(self) -> None:
        """Block while the workers start; raises :class:`UserError` where they could not."""
        with self._changed:
            self._changed.wait_for(lambda: self.state != "starting")
            if self.state != "ready":
                raise UserError(self.message or "The engine was closed while it started.")

    def lose(self, backend: Backend, message: str) -> bool:
        """Give up this backend, whose workers are gone; False if it is not the present one. Call it under the engine's lock."""
        if self._backend is not backend:
            return False
        self._backend, self.state, self.message = None, "lost", message
        return True

    def detach(self) -> Backend | None:
        """Turn the pool off; returns the backend that is left to close, outside the engine's lock."""
        backend, self._backend, self.state = self._backend, None, "off"
        return backend

    def _make_backend(self, listener: Listener) -> Backend:
        # Dask is imported only where a cluster starts.
        if self._address == "inline":
            from unlearn_core.engine.backends.inline import InlineBackend

            return InlineBackend(listener)
        from unlearn_core.engine.backends.dask import DaskBackend

        return DaskBackend(listener, self._address, self._count, self._spare)

    def _start(self, backend: Backend, listener: Listener, on_ready: Callable[[], None]) -> None:
        try:
            backend.start()
        except UserError as error:
            listener.on_lost(backend, str(error))
            return
        except Exception as error:  # noqa: BLE001 - in a thread: those who wait must get the cause
            listener.on_lost(backend, f"The engine could not start: {type(error).__name__}: {error}")
            return
        with self._changed:
            if self._backend is not backend:  # closed in the meantime
                threading.Thread(target=backend.close, daemon=True).start()
                return
            self.state = "ready"
            on_ready()
            self._changed.notify_all()
