"""Which runs paid with the network's usefulness: they are shown, said to have done so, and win no comparison; and which turned
answers that were right into wrong ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

KEPT = 0.8
"""Share of the original's utility below which a run is called costly: far outside what seeds or healing do to it."""

FLIPS = 0.01
"""Share of clean test examples, right before and wrong after, above which it is said: a user of the model notices that."""


_NAMED = 5
"""Classes that a sentence names."""


def costly(metrics: Mapping[str, float | None], original: Mapping[str, float | None] | None) -> bool:
    """Whether a run's utility is under :data:`KEPT` of the original's; False where either is unknown."""
    now, before = metrics.get("utility"), (original or {}).get("utility")
    return now is not None and before is not None and now < KEPT * before


def costs_utility(frame: pd.DataFrame) -> pd.Series:
    """bool, one for each row of a comparison: :func:`costly`.

    ``frame``: columns method and utility, the original's row among them (``results.tables.comparison``). False throughout
    where there is no such row, or no utility.
    """
    before = frame.loc[frame["method"] == "original", "utility"].dropna() if "utility" in frame else pd.Series(dtype=float)
    if before.empty:
        return pd.Series(False, index=frame.index, dtype=bool)
    return frame["utility"].astype(float) < KEPT * float(before.iloc[0])


def harm_in_words(label: str, metrics: Mapping[str, float | None], original: Mapping[str, float | None]) -> str:
    """One sentence for a run that cost utility, else ""."""
    if not costly(metrics, original):
        return ""
    return (
        f"{label} costs utility: {metrics['utility']:.1%} where the original has {original['utility']:.1%}. "
        "It gets no star and is on no front."
    )


def small_in_words(counts: Mapping[str, int], least: int) -> str:
    """One sentence for the classes (name → test examples) with fewer than ``least`` of them; "" where there is none."""
    few = sorted((count, name) for name, count in counts.items() if count < least)
    if not few:
        return ""
    told = ", ".join(f"{name} {count}" for count, name in few[:_NAMED]) + (
        f" and {len(few) - _NAMED} more" * (len(few) > _NAMED)
    )
    return f"Not counted in the worst class or group, for want of {least} test examples: {told}."


def flips_in_words(flips: Sequence[tuple[str, float | None]]) -> str:
    """One sentence for the methods (label, negative flips) above :data:`FLIPS`, the worst first; "" where there is none."""
    above = sorted(((label, value) for label, value in flips if value is not None and value > FLIPS), key=lambda one: -one[1])
    if not above:
        return ""
    told = ", ".join(f"{label} {value:.1%}" for label, value in above)
    return f"Clean test examples that were right before and are wrong now (negative flips above {FLIPS:.0%}): {told}."
