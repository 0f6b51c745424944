"""What a person should know about a method before believing its numbers: from the registry and the presets, in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unlearn_core.datasets import registry as datasets
from unlearn_core.methods import Method
from unlearn_core.methods import registry as methods
from unlearn_core.presets import Values, tuned_entries, tuned_entry, tuned_without_crops, value_sets, values_of
from unlearn_core.specs import Scalar

Interval = tuple[float, float]

_ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")


@dataclass(frozen=True)
class About:
    """One method in words. ``paper`` is Markdown with links; ``needs`` and ``without`` name what it takes and does without.

    ``source`` says where its parameters come from on this data; ``preset`` are those that differ from its defaults. ``sets``:
    parameter → tuned and published value, where they differ; ``both`` says what there is instead where they don't.
    """

    name: str
    label: str
    family: str
    paper: str
    summary: str
    needs: tuple[str, ...]
    without: tuple[str, ...]
    regularity: Interval
    discovery: Interval
    aim: str
    oracle: bool
    source: str
    preset: Mapping[str, Scalar]
    sets: Mapping[str, tuple[Scalar, Scalar]]
    both: str

    def aims_at(self, regularity: float, discovery: float) -> bool:
        """Whether this point of the plane lies within the region that the method's paper aims at."""
        (x0, x1), (y0, y1) = self.regularity, self.discovery
        return x0 <= regularity <= x1 and y0 <= discovery <= y1


def method_card(name: str, dataset: str, augment: bool = False, values: Values = "tuned", foreign: bool = False) -> About:
    """Everything the app says about a method on this dataset; ``augment``: whether training crops and flips, ``values``: which
    of its two sets is meant, ``foreign``: whether the network was trained elsewhere.

    Raises :class:`UserError` for unknown names.
    """
    method = methods.get(name)
    needs, without = _needs(method)
    region = method.designed_for
    return About(
        name=method.name,
        label=method.label,
        family=method.family,
        paper=linked(method.paper),
        summary=method.summary,
        needs=needs,
        without=without,
        regularity=region.regularity,
        discovery=region.discovery,
        aim=aim(region.regularity, region.discovery),
        oracle=method.oracle,
        source=published(method) if values == "paper" and method.published is not None else source(name, dataset, augment),
        preset=values_of(name, dataset, augment, values, foreign),
        sets=(sets := value_sets(name, dataset, augment, foreign)),
        both="" if sets else one_set(method),
    )


def published(method: type[Method[Any]]) -> str:
    """Where the values of a method's paper come from, as one sentence."""
    return f"As published ({linked(method.paper)}), as far as that carries over." if method.Params.model_fields else ""


def one_set(method: type[Method[Any]]) -> str:
    """Why there is nothing to choose between, as one sentence."""
    if not method.Params.model_fields:
        return "It has none."
    return "It was never published, and has one set of values." if method.published is None else "Both sets of values agree."


def linked(paper: str) -> str:
    """A citation as Markdown: every "arXiv:…" becomes a link."""
    return _ARXIV.sub(r"[arXiv:\1](https://arxiv.org/abs/\1)", paper)


def aim(regularity: Interval, discovery: Interval) -> str:
    """A region of the plane in words, such as "triggers (regularity 0.75 to 1), at any discovery rate"."""
    return f"{_corruption(regularity)}, {_discovery(discovery)}"


def _corruption(interval: Interval) -> str:
    low, high = interval
    if (low, high) == (0.0, 1.0):
        return "any corruption"
    # The dial's named positions: random labels at 0, interclass confusion at 0.5, a trigger at 1.
    named = [word for at, word in ((0.0, "random labels"), (0.5, "confusion"), (1.0, "triggers")) if low <= at <= high]
    return f"{' and '.join(named) or 'mixtures'} (regularity {low:g} to {high:g})"


def _discovery(interval: Interval) -> str:
    low, high = interval
    if (low, high) == (0.0, 1.0):
        return "at any discovery rate"
    if high == 1.0:
        return f"with at least {100 * low:.0f} % of it discovered"
    return f"with {100 * low:.0f} to {100 * high:.0f} % of it discovered"


def _needs(method: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    wanted = {
        "the forget set": method.needs_forget,
        "the retain set": method.needs_retain,
        # Not every method says whether it reads labels; what isn't said is not shown.
        "labels": getattr(method, "needs_labels", None),
        "right labels": True if method.needs_right_labels else None,
        "checked examples": True if method.needs_trusted and not method.stands_in else None,
        "checked examples, or a stand-in for them": True if method.stands_in else None,
        "an original of its own": True if method.needs_own_original else None,
        "the ground truth": True if method.oracle else None,
    }
    needs = tuple(word for word, needed in wanted.items() if needed) or ("nothing but the model",)
    return needs, tuple(word for word, needed in wanted.items() if needed is False)


def source(name: str, dataset: str, augment: bool = False) -> str:
    """Where a method's parameters come from on this dataset, as one sentence or two."""
    method, family = methods.get(name), datasets.get(dataset).family
    found = tuned_entry(name, dataset)
    if found:
        own = bool(tuned_entries(dataset).get(method.name))
        words = ("" if own else f"As {methods.get(method.tuned_as).label}: ") + _tuned(found)
        if not (augment and tuned_without_crops(found)):
            return words
        values = _with_crops(method, family)
        return words + " That was without crops and flips" + (f"; with them it has {values}." if values else ".")
    if method.presets.get(family):
        words = f"Defaults of its paper, adapted to small data of this kind by its preset for {family}; not tuned."
        values = _with_crops(method, family) if augment else ""
        return words + (f" That is without crops and flips; with them it has {values}." if values else "")
    return "Defaults of its paper; not tuned on this kind of data." if not method.oracle else "Fixed: an oracle is not tuned."


def _with_crops(method: Any, family: str) -> str:
    """What a method's preset for training with crops and flips sets, in words; empty where it has none."""
    other = method.presets.get(f"{family}, augmented", {})
    return ", ".join(f"{key} {str(value).lower() if isinstance(value, bool) else f'{value:g}'}" for key, value in other.items())


def _tuned(found: Mapping[str, Any]) -> str:
    """``found``: an entry of a tuned file; only what it records is said."""
    words = "Tuned by the held-out-F rule"
    seeds = found.get("seeds") or []
    if seeds:
        words += f" on seed{'s' if len(seeds) > 1 else ''} {', '.join(str(seed) for seed in seeds)}"
    if found.get("score") is not None:
        words += f", score {found['score']:.2f}"
        if found.get("preset_score") is not None:
            words += f" (its preset: {found['preset_score']:.2f})"
    tried = found.get("budget", {}).get("configurations") or found.get("tried")
    if tried:
        words += f", {tried} configurations tried"
    return words + "."
