"""Stages as Dask futures, on the embedded cluster or on any scheduler by address: the same code either way."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import signal
import threading
import time
import uuid
from typing import Any

from unlearn_core.engine import worker
from unlearn_core.engine.backends.dask_task import compute
from unlearn_core.engine.backends.dask_workers import DaskWorkers
from unlearn_core.engine.backends.local_cluster import ClusterProcess
from unlearn_core.engine.backends.protocol import Event, Listener, Outcome, Request, pass_on
from unlearn_core.engine.backends.stopped import STOPPED_SECONDS, end_stopped
from unlearn_core.engine.lanes import Lanes
from unlearn_core.engine.status import WorkerView
from unlearn_core.errors import UserError

CONNECT_SECONDS = 10.0
CONNECT_TRIES = 3
WARM_SECONDS = 120.0
STOP_SECONDS = 2.0
"""A stage that still runs so long after it was cancelled is stopped with its worker (embedded cluster only)."""
_FETCH_SECONDS = 60.0
"""For an outcome to come from its worker: one that does not counts as a dead worker, and on a busy machine a few seconds
are not enough."""


class DaskBackend:
    """``address`` "local" starts the embedded cluster; "tcp://…" or "tls://…" uses a running scheduler."""

    def __init__(self, listener: Listener, address: str, workers: int | None, spare: int = 0) -> None:
        self.address = address
        self._listener = listener
        self._embedded = address == "local"
        self._count = workers or min(available_cores(), 8)
        self._lanes = Lanes(self._count, spare)
        self._topic = f"lethe-{uuid.uuid4().hex[:8]}"
        self._client: Any = None  # a distributed.Client, which is not annotated
        self._server: ClusterProcess | None = None
        self._lock = threading.Lock()
        self._futures: dict[str, Any] = {}
        self._running: dict[str, str] = {}  # token → worker address
        self._workers = DaskWorkers(self._embedded)
        self._wants_gpu = False
        self._device = ""
        self._asked: Any = None  # the future of the question which device there is
        self._closed = False

    def start(self) -> None:
        """Start or find the cluster; raises ``UserError`` with the reason when that fails."""
        if self._embedded:
            self._server = ClusterProcess(self._count, self._lanes.spare)
        import distributed  # noqa: F401 - slow, and the server imports at the same time

        # What goes wrong reaches the person through on_lost, in one sentence; Dask would log tracebacks as well.
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
        security = None  # another's scheduler: what Dask's own configuration says
        if self._server is not None:
            self.address = self._server.wait_for_address()
            security = self._server.security()
        try:
            self._client = self._connect(security)
            self._client.subscribe_topic(self._topic, self._hear)
            self._workers.refresh(self._client)
        except TypeError as error:  # Dask's word for an address tls:// without a certificate
            self.close()
            raise UserError(
                f"The scheduler at {self.address} wants a certificate, and none is configured: name it in "
                "DASK_DISTRIBUTED__COMM__TLS__CA_FILE, …__TLS__CLIENT__CERT and …__TLS__CLIENT__KEY (docs/cluster.md)."
            ) from error
        except (OSError, ValueError, TimeoutError) as error:
            self.close()
            raise UserError(f"There is no Dask scheduler at {self.address} ({worker.sentence(error)}).") from None
        threading.Thread(target=self._watch, name="eunoe-watch", daemon=True).start()

    def _connect(self, security: Any) -> Any:
        """A ``distributed.Client``. Dask's expects its greeting alone in the first message, by an assertion; the scheduler
        adds what it tells every client in the same two milliseconds, such as a stage that another one cancelled."""
        import distributed

        options = {"set_as_default": False, "name": "lethe", "direct_to_workers": False, "security": security}
        for _ in range(CONNECT_TRIES):
            with contextlib.suppress(AssertionError):
                return distributed.Client(self.address, timeout=CONNECT_SECONDS, **options)
        raise ValueError("it does not greet as a scheduler does")

    @property
    def _gone(self) -> str:
        if self._embedded:
            return "The engine's processes have ended."
        return f"The connection to the scheduler at {self.address} is lost."

    def run(self, request: Request) -> None:
        with self._lock:
            self._lanes.add(request)
        self._wants_gpu |= self._needs_gpu(request)
        self._fill()

    def _needs_gpu(self, request: Request) -> bool:
        """One slot a stage, where slots are offered: results of one sweep then come from one kind of device."""
        if self._embedded:
            return False
        return request.device == "cuda" or (request.device == "auto" and self._workers.gpus > 0)

    def _fill(self) -> None:
        """Hand out what there is room for. The scheduler gets no more stages than workers: it would let short ones wait
        behind long ones, and deal all others out to the workers that are there before one joins late."""
        with self._lock:
            if not self._embedded and self._lanes.waiting:
                self._lanes.long = self._workers.room(self._needs_gpu(next(iter(self._lanes.waiting.values()))))
            ready = self._lanes.ready()
        for request, resource in ready:
            own = self._embedded
            self._submit(request, {resource: 1} if own else self._workers.resources(self._needs_gpu(request)))

    def _submit(self, request: Request, resources: dict[str, int]) -> None:
        future = self._client.submit(
            compute, request, self._topic, key=request.token, pure=False, retries=0, priority=request.priority,
            resources=resources,
        )  # fmt: skip
        with self._lock:
            self._futures[request.token] = future
            late = request.token not in self._lanes.taken
        if late:  # cancelled while it was handed out
            self._cancel([request.token])
        future.add_done_callback(lambda done: self._finished(request.token, done))

    def cancel(self, tokens: list[str]) -> None:
        threading.Thread(target=self._cancel, args=(tokens,), name="eunoe-cancel", daemon=True).start()

    def workers(self) -> list[WorkerView]:
        return list(self._workers.views)

    def note(self) -> str:
        return self._workers.complaint(self.address, self._wants_gpu)

    def device(self) -> str:
        return self._device

    def find_device(self) -> None:
        if self._embedded:  # others' workers may be of several kinds
            self._asked = self._client.submit(worker.device_kind, "auto", key=f"device-{uuid.uuid4().hex}", pure=False)
            self._asked.add_done_callback(self._found_device)

    def _found_device(self, done: Any) -> None:
        with contextlib.suppress(Exception):  # the cluster is gone: nothing is lost
            self._device = self._device or done.result(timeout=_FETCH_SECONDS)

    def warm(self, address: str) -> None:
        if not self._embedded:  # others' workers are not ours to keep busy
            return
        future = self._client.submit(
            worker.warm, key=f"warm-{uuid.uuid4().hex}", workers=[address], allow_other_workers=False, pure=False,
            retries=0, priority=-(10**12),
        )  # fmt: skip
        with contextlib.suppress(Exception):  # the worker or the cluster is gone: nothing is lost
            future.result(timeout=WARM_SECONDS)

    def close(self) -> None:
        self._closed = True
        with self._lock:
            self._futures.clear()
        if self._client is not None:
            with contextlib.suppress(Exception):  # it may be closing because everything is broken
                self._client.close(timeout=1)
        if self._server is not None:
            self._server.close()

    def _hear(self, message: tuple[float, Event]) -> None:
        """One event from a worker, with its time; runs in the client's event loop and must be quick."""
        event = message[1]
        token = event["token"]
        if event["event"] == "started":
            with self._lock:
                moved = self._running.get(token) in self._workers.left
                self._running[token] = event["worker"]
                self._workers.pids[event["worker"]] = event["pid"]
            self._device = event["device"]
            self._listener.on_started(token, event["worker"], moved)
        elif event["event"] == "ended":
            with self._lock:
                self._running.pop(token, None)
        else:
            pass_on(event, self._listener)

    def _finished(self, token: str, future: Any) -> None:
        with self._lock:
            known = self._futures.pop(token, None) is not None
            if known:  # one that we cancelled counts as running until its worker says that it has stopped
                self._running.pop(token, None)
                self._lanes.release([token])
        if known and not self._closed:
            try:
                outcome = self._outcome(future)
                if outcome is not None:
                    self._listener.on_finished(token, outcome)
            finally:
                self._fill()  # last: what needed this stage may have its turn before what waits

    def _outcome(self, future: Any) -> Outcome | None:
        from distributed.scheduler import KilledWorker

        if future.status == "finished":
            try:
                result: Outcome = future.result(timeout=_FETCH_SECONDS)
            except Exception as error:  # noqa: BLE001 - whatever went wrong on the way, the record decides on the next try
                return Outcome("killed", worker.sentence(error))
            # Not our own cancelling (below): the scheduler took it from this worker, for another one.
            return Outcome("killed") if result.status == "cancelled" else result
        if future.status == "error":
            cause = future.exception(timeout=_FETCH_SECONDS)
            if isinstance(cause, KilledWorker):
                return Outcome("killed")
            return Outcome("failed", f"The workers of {self.address} cannot run this: {worker.sentence(cause)}")
        # Not our own cancelling (those futures are forgotten first): Dask cancels all when the scheduler is gone.
        self._report(self._gone)
        return None

    def _cancel(self, tokens: list[str]) -> None:
        with self._lock:
            futures = [self._futures.pop(token) for token in tokens if token in self._futures]
            self._lanes.release(tokens)
            asked = {token: self._running[token] for token in tokens if token in self._running}
        try:
            self._client.cancel(futures)  # what runs asks its worker before every batch, and stops
            self._fill()
            if asked and self._embedded:
                self._stop_stubborn(asked)
        except Exception:  # noqa: BLE001 - a cluster that is gone has nothing to cancel; _watch reports it
            return

    def _stop_stubborn(self, asked: dict[str, str]) -> None:
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            with self._lock:
                asked = {token: address for token, address in asked.items() if self._running.get(token) == address}
            if not asked:
                return
            time.sleep(0.05)
        with self._lock:
            pids = {self._workers.pids[address] for address in asked.values()}
            for token in asked:
                self._running.pop(token, None)
        for pid in pids:
            # Dask would first ask it politely, for seconds. Its nanny starts a new one at once.
            with contextlib.suppress(OSError):
                os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))

    def _watch(self) -> None:
        """Keep the list of workers, and tell the listener when the scheduler is gone, or stands still."""
        broken_since: float | None = None
        server = self._server
        stopped = end_stopped(lambda: [] if server is None else [server.pid], STOPPED_SECONDS)
        for tick in itertools.count(1):
            time.sleep(0.25)
            if self._closed:
                return
            if self._server is not None and not self._server.alive:
                self._report(self._gone)
                return
            next(stopped)
            if self._client.status == "running":
                broken_since = None
                if tick % 4 == 0:
                    with contextlib.suppress(Exception):  # a hiccup of the connection: asked again soon
                        self._workers.refresh(self._client)
                        self._fill()  # one may have joined
            elif broken_since is None:
                broken_since = time.monotonic()
            elif time.monotonic() - broken_since > 3:
                self._report(self._gone)
                return

    def _report(self, message: str) -> None:
        """The cluster is gone. In a thread of its own: the caller may be one that closing waits for."""

        def tell() -> None:
            if self._server is not None:  # first: a command that hears of it may end before the rest is done
                self._server.close()
            self._listener.on_lost(self, message)
            self.close()

        with self._lock:
            first, self._closed = not self._closed, True
        if first:
            threading.Thread(target=tell, name="eunoe-lost", daemon=True).start()


def available_cores() -> int:
    """Cores this process may use (a container's limit included, where the system tells)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1
