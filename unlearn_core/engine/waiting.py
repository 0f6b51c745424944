"""What a stage waits for, in words and seconds: pure book-keeping over the stages that are active."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from unlearn_core.engine.jobs import Task
from unlearn_core.engine.status import EngineState

Waits = Callable[[Task], tuple[str, float | None]]


def waits_of(active: Mapping[str, Task], state: EngineState, now: float) -> Waits:
    """A function of a task: what it waits for ("" where it does not wait), and for how many seconds if that is counted."""

    def waits(task: Task) -> tuple[str, float | None]:
        if task.state != "waiting":
            return "", None
        needed = [active[key] for key in task.stage.needs if key in active]
        if needed:
            longest = max(needed, key=lambda other: _left(other, now))
            return f"“{longest.stage.title}”", longest.remaining(now, None)
        if task.elsewhere:
            return "another program on this store, which computes it", None
        if state != "ready":
            return "the workers, which start", None
        running = [other for other in active.values() if other.state == "running"]
        if not running:
            return "a worker", None
        first = min(running, key=lambda other: _left(other, now))
        return f"a free worker: “{first.stage.title}” is being computed", first.remaining(now, None)

    return waits


def _left(task: Task, now: float) -> float:
    left = task.remaining(now, None)
    return float("inf") if left is None else left
