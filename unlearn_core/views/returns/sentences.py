"""What further training did, in words, and as a table."""

from __future__ import annotations

import pandas as pd

from unlearn_core.results.returns import AFTER
from unlearn_core.views.picture import percent, short, short_labels

HELD = 0.05
"""Healed × utility that a model may lose and is still said to keep what it healed."""
HEALS = 0.5
"""Healed × utility from which on there is something that can be lost."""
NOBODY = "knows the truth"
GROUPS = {"forget": "F", "retain": "the rest", "test": "test images"}
"""What margins are compared on."""


def in_words(after: pd.DataFrame, epochs: int = AFTER) -> str:
    """Who loses most by ``epochs`` of ordinary training, why, and who keeps it. ``after``: from ``results.returns.afterwards``;
    oracles are told apart, and what never healed has nothing to lose."""
    healed = after[after["now"] >= HEALS]
    rivals, above = healed[~healed["oracle"]], healed[healed["oracle"] & (healed["lost"] > HELD)]
    parts = [_loses(row, epochs) for _, row in rivals[rivals["lost"] > HELD].nlargest(1, "lost").iterrows()]
    parts += [_keeps(row) for _, row in rivals[rivals["lost"] <= HELD].nlargest(1, "after").iterrows()]
    if len(above):
        parts.append(f"{short(above.iloc[0]['label'])} falls too: no model is safe from what its data still hold.")
    return " ".join(parts) or "No model here healed enough to lose it."


def _loses(row: pd.Series, epochs: int) -> str:
    label, now, after, clean = (row[name] for name in ("label", "now", "after", "without_undiscovered"))
    fall = f"After {epochs} more epochs on what is left {short(label)} falls from {percent(now)} to {percent(after)}"
    if clean >= now - HELD:
        return f"{fall} healed × utility: the undiscovered teach it again, for without them it has {percent(clean)}."
    return f"{fall} healed × utility."


def _keeps(row: pd.Series) -> str:
    found = f", whose user leaves out the {int(row['left_out'])} that it found as well," if row["left_out"] else ""
    return f"{short(row['label'])}{found} keeps what it healed: {percent(row['now'])} before, {percent(row['after'])} after."


def margin_table(found: pd.DataFrame) -> pd.DataFrame:
    """Margin gaps and divergences as text, a row for each model. ``found``: from ``results.margins.margin_frame``."""
    rows = []
    for label, part in zip(short_labels(found.drop_duplicates("method")["label"]), _by_method(found), strict=True):
        row = {"Model": label + (f" ({NOBODY})" if part["oracle"].iloc[0] else ""), "Seeds": str(int(part["models"].iloc[0]))}
        for _, one in part.iterrows():
            name = GROUPS[one["group"]]
            row[f"Margin gap, {name}"] = f"{one['gap']:.2f} (95 %: {one['gap_p95']:.2f})"
            if pd.notna(one["divergence"]):
                row[f"KLoM, {name}"] = f"{one['divergence']:.2f} (95 %: {one['divergence_p95']:.2f})"
        rows.append(row)
    return pd.DataFrame(rows)


def _by_method(found: pd.DataFrame) -> list[pd.DataFrame]:
    return [part for _, part in found.groupby("method", sort=False)]


def after_table(after: pd.DataFrame, barriers: pd.DataFrame, epochs: int = AFTER) -> pd.DataFrame:
    """The numbers as text, a row for each model; ``barriers``: from ``results.returns.barriers``, perhaps empty."""
    height = barriers.drop_duplicates("method").set_index("method")["barrier"] if len(barriers) else pd.Series(dtype=float)
    names = [
        name + (f" ({NOBODY})" if oracle else "")
        for name, oracle in zip(short_labels(after["label"]), after["oracle"], strict=True)
    ]
    columns = {
        "Model": names,
        "Left out beside F": [f"{int(n)} that it found" if n else "–" for n in after["left_out"]],
        "Healed × utility": [percent(value, 1) for value in after["now"]],
        f"after {epochs} more epochs of ordinary training": [percent(value, 1) for value in after["after"]],
        f"the same without the undiscovered ({NOBODY})": [percent(value, 1) for value in after["without_undiscovered"]],
        "Attack success": [percent(value, 1) for value in after["attack_now"]],
        f"after {epochs} epochs": [percent(value, 1) for value in after["attack_after"]],
        "F’s labels that return": ["–" if pd.isna(value) else f"{100 * value:+.1f} %" for value in after["returned"]],
        "Barrier to the original": ["–" if pd.isna(v) else f"{v:.2f}" for v in (height.get(m) for m in after["method"])],
    }
    shown = {name: cells for name, cells in columns.items() if name == "Model" or set(cells) != {"–"}}
    return pd.DataFrame(shown)
