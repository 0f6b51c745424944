"""What happens on a worker: run one stage, report, stop when asked, and turn every error into one sentence."""

from __future__ import annotations

import contextlib
import functools
import importlib
import math
import os
import time
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING

from unlearn_core.engine.backends.protocol import Event, Outcome, Request
from unlearn_core.engine.lease import hold
from unlearn_core.errors import Cancelled, StoreAway, UserError
from unlearn_core.plugins import place_of
from unlearn_core.stages.stage import warm_up_stages
from unlearn_core.store import MissingArtifact, Store
from unlearn_core.store.waiting import telling

if TYPE_CHECKING:
    import torch

INTERVAL = 0.2
"""Least seconds between two progress messages of one stage."""

STORE_SECONDS = 600.0
"""How long a stage waits for a store that is locked or away, in place of the minute that a person waits: what was computed is
worth it, and the stages of a night must not fail one after the other while a server is started again."""

Emit = Callable[[Event], None]

_cancelled: set[str] = set()


def cancel(tokens: list[str]) -> None:
    """Ask the submissions with these tokens, which run in threads of this process, to stop at their next batch."""
    _cancelled.update(tokens)


def warm() -> None:
    """Compile what the first stage of this process would otherwise compile while the user waits."""
    warm_up_stages()


class WorkerReporter:
    """Passes progress on, at most one message every :data:`INTERVAL`; numbers leave the device only then."""

    def __init__(self, token: str, emit: Emit, cancelled: Callable[[], bool]) -> None:
        self._token, self._emit, self._is_cancelled = token, emit, cancelled
        self._next = 0.0
        self._scalars: dict[str, float | torch.Tensor] = {}

    def step(self, done: int, total: int, **scalars: float | torch.Tensor) -> None:
        self._scalars.update(scalars)
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + INTERVAL
        numbers = {name: float(value) for name, value in self._scalars.items()}
        finite = {name: value for name, value in numbers.items() if math.isfinite(value)}
        self._emit({"event": "progress", "token": self._token, "done": int(done), "total": int(total), "scalars": finite})

    def cancelled(self) -> bool:
        return self._token in _cancelled or self._is_cancelled()


def execute(request: Request, emit: Emit, cancelled: Callable[[], bool] = lambda: False) -> Outcome:
    """Compute one stage unless the store has it. Never raises: the traceback of an error goes into the store.

    ``cancelled``: asked before every batch; the stage stops once it says so.
    """
    stage = request.stage
    emit({"event": "started", "token": request.token, "pid": os.getpid()})
    reporter = WorkerReporter(request.token, emit, cancelled)
    store = None
    try:
        with telling(lambda why: emit({"event": "held", "token": request.token, "why": why})):
            store = _open(request.store, request.store_id)
            if store.has([stage.key]):
                return Outcome("done")
            if reporter.cancelled():
                return Outcome("cancelled")
            with hold(store, stage.key, request.token, request.over, stage.needs) as other:
                if other is not None:
                    return Outcome("elsewhere", lease=other)
                return _compute(request, store, reporter)
    except Cancelled:
        return Outcome("cancelled")
    except StoreAway as error:  # nothing is wrong with the stage, and nothing can be remembered there
        return Outcome("failed", sentence(error))
    except Exception as error:  # noqa: BLE001 - a stage runs foreign code: whatever it raises must reach the user
        return _failed(store, request, sentence(error), traceback.format_exc())
    finally:
        _cancelled.discard(request.token)
        emit({"event": "ended", "token": request.token})


def _compute(request: Request, store: Store, reporter: WorkerReporter) -> Outcome:
    """Compute the stage, under its lease."""
    stage = request.stage
    if store.has([stage.key]):  # another program finished it between our look and our lease
        return Outcome("done")
    if store.failure(stage.key) is not None:
        store.clear_failure(stage.key)
    _runner(request.runner)(stage, store, request.device, reporter)
    if store.has([stage.key]):
        return Outcome("done")
    return _failed(store, request, "The stage ended without a result.", "")


def sentence(error: BaseException) -> str:
    """One line for people: our own errors as they are, others with their type, those of a plug-in with file and line."""
    text = " ".join(str(error).split())
    if isinstance(error, UserError | MissingArtifact):
        return text
    place = place_of(error)
    told = f"{text} ({place})" if place else text
    return f"{type(error).__name__}: {told}" if told else f"{type(error).__name__}."


def _failed(store: Store | None, request: Request, message: str, detail: str) -> Outcome:
    if store is not None:
        try:
            store.fail(request.stage.key, request.stage.kind, message, detail)
        except UserError as error:  # the store is what failed: say so as well
            message = f"{message} ({error})" if str(error) not in message else message
        with contextlib.suppress(UserError):
            return Outcome("failed", message, tuple(sorted(set(request.stage.needs) - store.has(request.stage.needs))))
    return Outcome("failed", message)


@functools.lru_cache(maxsize=8)
def _open(location: str, identity: str) -> Store:
    return Store.join(location, identity, STORE_SECONDS)


@functools.lru_cache(maxsize=8)
def _runner(name: str) -> Callable[..., None]:
    module, _, function = name.partition(":")
    runner: Callable[..., None] = getattr(importlib.import_module(module), function)
    return runner


def device_kind(device: str) -> str:
    """ "cpu" or "cuda": where this process computes when asked for ``device``."""
    if device != "auto":
        return device
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
