"""How far a computation is, shown while it runs: a bar on a terminal or in a notebook, nothing elsewhere."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import torch
    from torch import nn

    from unlearn_core.engine import Engine, JobView

LOOK_SECONDS = 0.2
STOP_SECONDS = 10.0
"""So long Ctrl-C waits for the stage in flight to hear of it."""


class Display(Protocol):
    """Where progress is shown."""

    def show(self, share: float, words: str) -> None:
        """``share``: what is done, 0 to 1; ``words``: what is being done."""


class _Silent:
    def show(self, share: float, words: str) -> None: ...


class _Notebook:
    """A line of HTML that changes in place, in Jupyter's own output: it needs no widgets."""

    def __init__(self) -> None:
        shown: Any = importlib.import_module("IPython.display")  # there in every notebook, and no dependency anywhere else
        self._html = shown.HTML
        self._handle = shown.display(shown.HTML(""), display_id=True)

    def show(self, share: float, words: str) -> None:
        from unlearn_core.views.picture import escape_html

        self._handle.update(self._html(f'<progress value="{share:.3f}" style="width:16em"></progress> {escape_html(words)}'))

    def clear(self) -> None:
        self._handle.update(self._html(""))


@contextmanager
def display(wanted: bool | None = None) -> Iterator[Display]:
    """A bar for as long as the block runs. ``wanted``: None shows it on a terminal and in a notebook, True on any output,
    False never."""
    if wanted is False or (wanted is None and not (in_notebook() or sys.stderr.isatty())):
        yield _Silent()
    elif in_notebook():
        bar = _Notebook()
        try:
            yield bar
        finally:
            bar.clear()
    else:
        with terminal_bar() as shown:
            yield shown


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    return type(shell).__name__ == "ZMQInteractiveShell"


@contextmanager
def terminal_bar() -> Iterator[Display]:
    """Rich's bar on stderr, gone at the end."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (BarColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=1.0)

        class Bar:
            def show(self, share: float, words: str) -> None:
                progress.update(task, description=words, completed=share)

        yield Bar()


def follow(engine: Engine, job_id: str, wanted: bool | None = None) -> JobView:
    """Wait for a job and show how far it is; Ctrl-C cancels it, and goes on as ``KeyboardInterrupt`` once it has stopped."""
    with display(wanted) as shown:
        try:
            while True:
                view = engine.wait(job_id, LOOK_SECONDS)
                if view.state != "running":
                    return view
                running = ", ".join(stage.title for stage in view.stages if stage.state == "running")
                shown.show(share_done(view), f"{running or 'starting'} · {headline(engine, view)}")
        except KeyboardInterrupt:
            engine.cancel(job_id)
            engine.wait(job_id, STOP_SECONDS)
            raise


def share_done(view: JobView) -> float:
    """How much of a job is done, 0 to 1, every stage counting alike."""
    done = sum(1.0 if s.state not in ("waiting", "running") else s.done / s.total if s.total else 0.0 for s in view.stages)
    return done / max(1, view.total)


def headline(engine: Engine, view: JobView) -> str:
    """How far a job is, in words."""
    status = engine.status()
    if status.state == "starting":
        return "starting workers"
    if status.message and not status.running:
        return status.message
    eta = "" if view.eta is None else f", about {clock(view.eta)} left"
    return f"{view.done} of {view.total} stages{eta}"


def clock(seconds: float) -> str:
    """ "9 s", "3 min 20 s", "2 h 5 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


class MethodReporter:
    """The reporter of a method that runs in this thread: its steps are shown, and nothing cancels it but Ctrl-C."""

    def __init__(self, shown: Display, words: str) -> None:
        self._shown, self._words, self._due = shown, words, 0.0

    def step(self, done: int, total: int, **scalars: float | torch.Tensor) -> None:
        if (now := time.monotonic()) >= self._due:
            self._due = now + LOOK_SECONDS
            self._shown.show(done / max(1, total), self._words)

    def snapshot(self, model: nn.Module) -> None: ...

    def cancelled(self) -> bool:
        return False
