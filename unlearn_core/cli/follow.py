"""Watching a job from a terminal: a bar where there is a terminal, lines where there is none. Always on stderr."""

from __future__ import annotations

import sys
import time

from unlearn_core.cli.options import say
from unlearn_core.engine import Engine, JobView, StageView
from unlearn_core.front_door.watching import headline, share_done

LINE_SECONDS = 10.0
LOOK_SECONDS = {True: 0.2, False: 1.0}
"""How often the job is looked at, with details or without: a picture of thousands of stages takes time from the workers."""


def follow(engine: Engine, job_id: str, details: bool) -> JobView:
    """Wait for a job and show how far it is; Ctrl-C cancels it and goes on as ``KeyboardInterrupt``.

    ``details``: a line for every stage (a few of them), else only failures (a sweep).
    """
    try:
        show = _bar if sys.stderr.isatty() else _lines
        return show(engine, job_id, details)
    except KeyboardInterrupt:
        engine.cancel(job_id)
        raise


def failure(view: JobView) -> str:
    """Why a job ended without being done; empty where it is done."""
    broken = next((stage for stage in view.stages if stage.state == "failed"), None)
    if view.state == "done":
        return ""
    return broken.message if broken else "The run was cancelled."


def _lines(engine: Engine, job_id: str, details: bool) -> JobView:
    told: set[str] = set()
    due = time.monotonic() + LINE_SECONDS
    while True:
        view = engine.wait(job_id, LOOK_SECONDS[details])
        for line in [*_notes(engine, told), *news(view, told, details)]:
            say(line)
        if view.state != "running":
            return view
        if time.monotonic() > due:
            due = time.monotonic() + LINE_SECONDS
            say(headline(engine, view))


def _bar(engine: Engine, job_id: str, details: bool) -> JobView:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    told: set[str] = set()
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[note]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("", total=1.0, note="")
        while True:
            view = engine.wait(job_id, LOOK_SECONDS[details])
            for line in [*_notes(engine, told), *news(view, told, details)]:
                progress.console.print(line, highlight=False, markup=False)
            if view.state != "running":
                return view
            running = ", ".join(stage.title for stage in view.stages if stage.state == "running")
            progress.update(bar, description=running or "starting", completed=share_done(view), note=headline(engine, view))


def _notes(engine: Engine, told: set[str]) -> list[str]:
    """What is wrong with the workers, each sentence once, also while others compute."""
    message = engine.status().message
    new = [message] if message and message not in told else []
    told.update(new)
    return new


def news(view: JobView, told: set[str], details: bool) -> list[str]:
    """A line for each stage that has finished, was restarted or is held up by something since the last call."""
    lines = []
    for stage in view.stages:
        mark = f"{stage.key}:{stage.state if stage.state in ('done', 'failed') else f'{stage.attempt}:{stage.message}'}"
        held = stage.state == "running" and bool(stage.message)
        worth = stage.state == "failed" or (details and stage.state == "done") or held
        if worth and mark not in told:
            told.add(mark)
            lines.append(_line(stage))
    return lines


def _line(stage: StageView) -> str:
    if stage.state == "failed":
        return f"✗ {stage.title}: {stage.message}"
    if stage.state == "running":
        return f"… {stage.title}: {stage.message}"
    return f"✓ {stage.title} ({stage.elapsed:.1f} s)"
