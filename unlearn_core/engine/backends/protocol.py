"""What the engine expects of the thing that runs stages, and what it hears back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NotRequired, Protocol, TypedDict

from unlearn_core.engine.status import WorkerView
from unlearn_core.stages.stage import Stage

if TYPE_CHECKING:
    from unlearn_core.store import Lease


@dataclass(frozen=True)
class Request:
    """One submission of one stage: everything a worker needs, small and picklable.

    ``runner``: "module:function" with the signature of :func:`unlearn_core.stages.execution.run_stage`. ``over``: another's
    lease on this stage that was found abandoned.
    """

    token: str
    stage: Stage
    store: str
    store_id: str
    device: str
    runner: str
    priority: int = 0
    over: Lease | None = None


@dataclass(frozen=True)
class Outcome:
    """How a submission ended. "killed": the worker process died, the stage itself did nothing wrong that we know of.

    ``gone``: keys of what a failed stage needs and the store does not have: it was damaged, and dropped when it was read.
    "elsewhere": nothing was done, because another program on this store computes it and holds the ``lease``.
    """

    status: Literal["done", "failed", "cancelled", "killed", "elsewhere"]
    message: str = ""
    gone: tuple[str, ...] = ()
    lease: Lease | None = None


class StartedEvent(TypedDict):
    """A worker process begins a submission; ``worker`` and ``device`` are there where the backend has several."""

    event: Literal["started"]
    token: str
    pid: int
    worker: NotRequired[str]
    device: NotRequired[str]


class ProgressEvent(TypedDict):
    """``done`` of ``total`` steps, and the numbers that the stage reported last."""

    event: Literal["progress"]
    token: str
    done: int
    total: int
    scalars: dict[str, float]


class HeldEvent(TypedDict):
    """What keeps the submission from going on, in a sentence; "" when it goes on."""

    event: Literal["held"]
    token: str
    why: str


class EndedEvent(TypedDict):
    """The worker has nothing to do with the submission any more; its outcome comes on another way."""

    event: Literal["ended"]
    token: str


Event = StartedEvent | ProgressEvent | HeldEvent | EndedEvent
"""What a worker tells its backend while it computes: plain data, which Dask sends as it is."""


class Listener(Protocol):
    """The engine, as a backend sees it. Every method may be called from any thread."""

    def on_started(self, token: str, worker: str, moved: bool = False) -> None:
        """A worker begins. ``moved``: another one had begun and left in good order, which is no fault of the stage."""

    def on_progress(self, token: str, done: int, total: int, scalars: dict[str, float]) -> None: ...

    def on_held(self, token: str, why: str) -> None: ...

    def on_finished(self, token: str, outcome: Outcome) -> None: ...

    def on_lost(self, backend: Backend, message: str) -> None: ...


def pass_on(event: ProgressEvent | HeldEvent, listener: Listener) -> None:
    """Tell the engine what a submission that runs says of itself."""
    if event["event"] == "progress":
        listener.on_progress(event["token"], event["done"], event["total"], event["scalars"])
    else:
        listener.on_held(event["token"], event["why"])


class Backend(Protocol):
    """Runs requests somewhere and reports to the listener it was made with."""

    address: str

    def start(self) -> None:
        """Block until stages can run; raises ``UserError``."""

    def run(self, request: Request) -> None:
        """Queue one request; returns at once."""

    def cancel(self, tokens: list[str]) -> None:
        """Stop these submissions as soon as possible; returns at once."""

    def workers(self) -> list[WorkerView]: ...

    def note(self) -> str:
        """What keeps stages waiting, in a sentence; "" where nothing does."""

    def device(self) -> str:
        """ "cpu" or "cuda", or "" while that is not known."""

    def find_device(self) -> None:
        """Ask one of our own workers which device it would take, so that it is known before anything runs; returns at once."""

    def warm(self, address: str) -> None:
        """Let this worker compile what its first UMAP would, and wait for it; nothing where that has no use."""

    def close(self) -> None: ...
