"""``methods``, ``datasets`` and ``metrics``: what is registered, as small tables."""

from __future__ import annotations

import pandas as pd

from unlearn_core.front_door.text_table import Table

_SHOWN = ("name", "label", "family", "line")


def methods() -> Table:
    """The unlearning methods; columns name, label, family, line (what it does), paper, oracle, and needs_forget.

    Example:
        >>> import unlearn_core as eunoe
        >>> "rem" in eunoe.methods()
        True
        >>> eunoe.methods().frame.set_index("name").loc["rem", "paper"]
        'arXiv:2505.17730'
    """
    from unlearn_core.methods import registry

    rows = [
        (part.name, part.label, part.family, _first(part.summary), part.paper, part.oracle, part.needs_forget)
        for part in registry
    ]
    return Table(pd.DataFrame(rows, columns=[*_SHOWN, "paper", "oracle", "needs_forget"]), _SHOWN)


def datasets() -> Table:
    """The datasets; columns name, label, family, line (what it is), train and test (examples, where known before loading),
    network (the usual one), and needs_data (whether files must be given).

    Example:
        >>> import unlearn_core as eunoe
        >>> print(eunoe.datasets().frame.set_index("name").loc["digits", "train"])
        1437
    """
    from unlearn_core.datasets import registry

    rows = [
        (part.name, part.label, part.family, _first(part.summary), *(part.sizes or (None, None)), part.preset.model,
         part.needs_data)
        for part in registry
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=[*_SHOWN, "train", "test", "network", "needs_data"])
    return Table(frame.astype({"train": "Int64", "test": "Int64"}), _SHOWN)


def metrics() -> Table:
    """The metrics; columns name, label, family (the data it is measured on), line (its formula), direction ("higher" or
    "lower" is better, or "none") and unit ("share": 0 to 1, "s": seconds).

    Example:
        >>> import unlearn_core as eunoe
        >>> eunoe.metrics().frame.set_index("name").loc["healed", "direction"]
        'higher'
    """
    from unlearn_core.evaluation import registry

    rows = [(part.name, part.label, part.split, part.formula, part.direction, part.unit) for part in registry]
    return Table(pd.DataFrame(rows, columns=[*_SHOWN, "direction", "unit"]), _SHOWN)


def _first(summary: str) -> str:
    """A summary's first sentence."""
    head, stop, _ = summary.partition(". ")
    return head + "." if stop else summary
