"""In which order a job's stages are computed: as planned, but nothing so late that it is computed alone at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unlearn_core.stages.stage import Stage


def arrange(stages: Sequence[Stage], workers: int) -> dict[str, int]:
    """Key → turn, for stages that are given as planned, dependencies first; ``weight``: what they are expected to cost.

    A plan's own order finishes scenario after scenario, and a person who looks in sees whole ones. With n workers it has its
    price at the end: a long stage that comes last goes on alone. So each stage gets the earlier of two turns, in seconds of
    work done by all together: the planned one, which is what comes before it; and the last one at which it and the longest
    chain of what needs it still end with the rest, which is all work − n × (chain + the longest stage). The longest stage is
    for the worker that has just begun it when the turn comes. With one worker the plan's order stays.
    """
    if workers <= 1 or not stages:
        return {stage.key: number for number, stage in enumerate(stages)}
    chains = chain_costs(stages)
    total, longest = sum(stage.weight for stage in stages), max(stage.weight for stage in stages)
    turns, before = [], 0.0
    for number, stage in enumerate(stages):
        turns.append((min(before, total - workers * (chains[stage.key] + longest)), number, stage.key))
        before += stage.weight
    return {key: turn for turn, (_, _, key) in enumerate(sorted(turns))}


def chain_costs(stages: Sequence[Stage]) -> dict[str, float]:
    """Key → cost of the longest chain that begins with this stage: itself, what needs it, what needs that."""
    after: dict[str, float] = {}
    found: dict[str, float] = {}
    for stage in reversed(stages):
        found[stage.key] = stage.weight + after.get(stage.key, 0.0)
        for need in stage.needs:
            after[need] = max(after.get(need, 0.0), found[stage.key])
    return found
