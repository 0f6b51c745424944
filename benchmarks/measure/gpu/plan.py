"""What is measured, in order of worth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from benchmarks.measure.gpu.sizes import Sizes
from unlearn_core.presets import Values, make_method
from unlearn_core.specs import MethodSpec, Scenario

Kind = Literal["agree", "speed", "choose", "original", "run", "recipe"]
ORACLE = "oracle_retrain"

SECONDS = {
    "agree": 25.0,
    "speed/peak": 3.0,
    "speed/epoch/eager": 6.0,
    "speed/epoch/eager, kernels searched": 8.0,
    "speed/epoch/graph": 6.0,
    "speed/epoch/graph, kernels searched": 8.0,
    "speed/small/alone": 6.0,
    "speed/small/stacked": 10.0,
    "speed/rem": 30.0,
    "speed/epoch/compiled": 80.0,
    "choose": 90.0,
    "original": 25.0,
    "recipes": 25.0,
    "retrain": 25.0,
    ORACLE: 25.0,
    "rem": 20.0,
    "rem_no_redirect": 15.0,
    "scrub": 20.0,
    "potion": 15.0,
    "npo": 8.0,
    "bad_teacher": 8.0,
    "rem_discover": 120.0,
}
"""What an item is expected to take at full size until one like it was measured; generous."""

CHOOSE = "choose/rem"
CHOSEN = ("rem", "rem_no_redirect", "rem_discover")
"""Methods whose tuned values are those that :data:`CHOOSE` found."""
COMPILED = "speed/epoch/compiled"
SPEED = [key for key in SECONDS if key.startswith("speed/") and key != COMPILED]
QUICK, PAPERS = ("npo", "rem_no_redirect"), ("scrub", "potion", "bad_teacher")


@dataclass(frozen=True)
class Item:
    """One thing to measure. ``key``: its name in the file; ``like``: items with the same take about as long."""

    key: str
    kind: Kind
    like: str
    scenario: Scenario | None = None
    method: MethodSpec | None = None
    values: Values = "paper"

    @property
    def identity(self) -> str:
        """Changes where the same name would mean another computation."""
        if self.scenario is None:
            return self.key
        return self.scenario.original_key if self.method is None else self.scenario.run_key(self.method)


def plan(sizes: Sizes) -> list[Item]:
    """Everything there is to measure, the most telling first.

    Agreement and speed; REM's values for the tuned rows; then, for each seed, on the cells of regularity × discovery .1, .5, 1:
    at .1 REM, the quick methods and the oracle; REM elsewhere; the compiled epoch, which takes long; retraining and the quick
    methods elsewhere; the other methods, with their papers' values; discovery at .1; tuned values; the other discovery rates.
    Last, recipes for the original.
    """
    items = [Item("agree", "agree", "agree"), *(Item(key, "speed", key) for key in SPEED), Item(CHOOSE, "choose", "choose")]
    for seed in sizes.seeds:
        items += _seed(sizes, seed)
    items += [Item(f"recipes/{name}", "recipe", "recipes") for name in sizes.recipes]
    return list({item.key: item for item in items}.values())


def _seed(sizes: Sizes, seed: int) -> Iterator[Item]:
    both: list[tuple[str, Values]] = [("rem", "paper"), ("rem", "tuned")]
    quick: list[tuple[str, Values]] = [*((name, "paper") for name in QUICK), ("rem_no_redirect", "tuned")]
    references: list[tuple[str, Values]] = [("retrain", "paper"), (ORACLE, "paper")]
    others: list[tuple[str, Values]] = [(name, "paper") for name in PAPERS]
    tuned: list[tuple[str, Values]] = [(name, "tuned") for name in ("npo", *PAPERS)]
    low, higher = sizes.first_rates[:1], sizes.first_rates[1:]
    yield from _cells(sizes, seed, low, [*both, *quick])
    yield from _cells(sizes, seed, low, references[1:])
    yield from _cells(sizes, seed, higher, both)
    yield Item(COMPILED, "speed", COMPILED)
    yield from _cells(sizes, seed, sizes.first_rates, references)
    yield from _cells(sizes, seed, higher, quick)
    yield from _cells(sizes, seed, sizes.first_rates, others)
    yield from _cells(sizes, seed, low, [("rem_discover", "tuned")])
    yield from _cells(sizes, seed, sizes.first_rates, tuned)
    yield from _cells(sizes, seed, sizes.other_rates, [*both, *quick, *references, *others, *tuned])


def _cells(sizes: Sizes, seed: int, rates: Sequence[float], methods: list[tuple[str, Values]]) -> Iterator[Item]:
    for discovery in rates:
        for regularity in sizes.regularities:
            scenario = sizes.scenario(regularity, discovery, seed)
            place = f"seed {seed}/regularity {regularity:g}"
            yield Item(f"{place}/original", "original", "original", scenario)
            for name, values in methods:
                spec = make_method(name, scenario, sizes.method_values(name), values)
                if name == ORACLE:  # knows everything, whatever was discovered: once for all rates
                    known = scenario.at_rate(1.0)
                    yield Item(f"{place}/{name}", "run", name, known, spec)
                else:
                    key = f"{place}/discovery {discovery:g}/{name}/{values}"
                    yield Item(key, "run", f"{name}/{values}", scenario, spec, values)
