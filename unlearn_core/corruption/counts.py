"""How many examples are corrupted and how many of them discovered, and what cannot be."""

from __future__ import annotations

from collections.abc import Sequence

from unlearn_core.corruption.base import registry
from unlearn_core.errors import UserError
from unlearn_core.specs import Scenario


def count_for_amount(amount: float, train_size: int) -> int:
    """``amount`` (count or fraction) as a number of training examples, possible or not."""
    return amount if isinstance(amount, int) else int(amount * train_size + 0.5)


def count_for_rate(rate: float, corrupted: int) -> int:
    """How many of ``corrupted`` examples are known at ``rate``, even where that is none."""
    return int(rate * corrupted + 0.5)


def discovered_count(corrupted: int, rate: float) -> int:
    """How many of ``corrupted`` examples are known at ``rate``; ``UserError`` if a rate above 0 gives none."""
    count = count_for_rate(rate, corrupted)
    if rate > 0 and count == 0:
        raise UserError(
            f"A discovery rate of {rate:g} finds none of the {corrupted} corrupted examples; "
            f"use at least {0.5 / corrupted:.2g}."
        )
    return count


def check_forget(forget: Sequence[int], train_size: int) -> None:
    """Raise :class:`UserError` where an edited forget set (ascending indices) does not fit the training set."""
    if forget[-1] >= train_size:
        raise UserError(f"There is no training example {forget[-1]}: the training set has {train_size:,}, numbered from 0.")
    if len(forget) > train_size // 2:
        raise UserError(
            f"{len(forget):,} examples are too many for a forget set: at most half of the {train_size:,} training examples."
        )


def corrupted_count(amount: float, train_size: int) -> int:
    """``amount`` (count or fraction) as a number of training examples; ``UserError`` if that cannot be."""
    count = count_for_amount(amount, train_size)
    if count < 1:
        raise UserError(f"An amount of {amount:g} corrupts none of the {train_size} training examples.")
    if count > (train_size + 1) // 2:
        raise UserError(f"{count} corrupted examples are too many: at most half of the {train_size} training examples.")
    return count


def check_counts(scenario: Scenario, train_size: int) -> None:
    """Raise :class:`UserError` for an amount or a discovery rate that cannot be on so many training examples. A corruption
    that the data bring along, or whose own parameters say how many, has no amount, and an edited forget set no discovery rate:
    there is nothing to check."""
    spec = scenario.corruption
    own = bool(spec.kind) and registry.get(spec.kind).own_amount
    if not scenario.edited and not spec.found and not own:
        discovered_count(corrupted_count(spec.amount, train_size), scenario.discovery)
