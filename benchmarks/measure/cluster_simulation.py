"""What becomes of a plan on so many workers: an event-driven simulation of the engine, with the seconds of stages as given."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from unlearn_core.engine.order import chain_costs
from unlearn_core.stages.stage import Stage


@dataclass(frozen=True)
class Outcome:
    """``makespan``: seconds until the last stage ends; ``idle``: share of the workers' seconds until then without a stage
    (those of a worker that was lost count until it was); ``repeated``: seconds of work that were lost with a worker."""

    makespan: float
    idle: float
    repeated: float = 0.0


@dataclass
class _State:
    ready: list[tuple[int, str]] = field(default_factory=list)
    running: list[tuple[float, float, str]] = field(default_factory=list)
    """(end, begin, key)"""
    now: float = 0.0


def simulate(
    stages: Sequence[Stage], turns: Mapping[str, int], takes: Mapping[str, float], workers: int, lost_at: float | None = None
) -> Outcome:
    """Give every free worker the ready stage whose turn is first, until all are done.

    ``turns`` and ``takes``: by key. ``lost_at``: when one worker goes for good, the one that would lose most: its stage
    begins again on another. With a single worker another one takes its place at once.
    """
    open_needs = {stage.key: len(stage.needs) for stage in stages}
    after: dict[str, list[str]] = {}
    for stage in stages:
        for need in stage.needs:
            after.setdefault(need, []).append(stage.key)
    state, slots, repeated, done, gone = _State(), workers, 0.0, 0, 0.0
    state.ready = [(turns[key], key) for key, count in open_needs.items() if not count]
    heapq.heapify(state.ready)
    while done < len(stages):
        while state.ready and len(state.running) < slots:
            _, key = heapq.heappop(state.ready)
            heapq.heappush(state.running, (state.now + takes[key], state.now, key))
        if lost_at is not None and state.running[0][0] >= lost_at:
            state.now = lost_at
            if len(state.running) == slots:
                repeated = _lose(state, turns)
            slots, gone, lost_at = max(1, slots - 1), lost_at, None
            continue
        state.now, _, key = heapq.heappop(state.running)
        done += 1
        for other in after.get(key, ()):
            open_needs[other] -= 1
            if not open_needs[other]:
                heapq.heappush(state.ready, (turns[other], other))
    there = workers * state.now if slots == workers else (workers - 1) * state.now + gone
    return Outcome(state.now, 1 - (sum(takes[stage.key] for stage in stages) + repeated) / there, repeated)


def _lose(state: _State, turns: Mapping[str, int]) -> float:
    """Take the stage that was begun first from its worker; returns the seconds that were for nothing."""
    oldest = min(state.running, key=lambda entry: entry[1])
    state.running.remove(oldest)
    heapq.heapify(state.running)
    heapq.heappush(state.ready, (turns[oldest[2]], oldest[2]))
    return state.now - oldest[1]


def least(stages: Sequence[Stage], takes: Mapping[str, float], workers: int) -> float:
    """Seconds below which no order ends: the longest chain, or all work shared evenly."""
    real = [Stage(stage.kind, stage.key, "", {}, stage.needs, takes[stage.key]) for stage in stages]
    return max(max(chain_costs(real).values()), sum(stage.weight for stage in real) / workers)
