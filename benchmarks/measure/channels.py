"""Where REM's redirect channels make a difference, on digits.

    python -m benchmarks run channels [--store FOLDER] [--seeds 40 41 …]

How wide the network is, how much is corrupted, how much of it is known, how long it was trained: one thing is changed at a
time, from the preset of digits with a tenth known. REM is compared with REM without channels, seed by seed; both have the
values that were found for them, which on digits are the same. Nothing was developed on the seeds 40 to 45. About three
quarters of an hour on two idle cores.
Writes ``benchmarks/results/channels.json`` and the table in docs/why-different.md.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from scipy import stats

from benchmarks.computing import complete
from benchmarks.paths import RESULTS, ROOT
from benchmarks.report.sections import markdown_table, write_section
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results.tables import original_metrics
from unlearn_core.specs import MethodSpec, Scalar, Scenario
from unlearn_core.store import Store

SEEDS = tuple(range(40, 46))
REGULARITY = (0.0, 0.5, 1.0)


class Change(NamedTuple):
    """What differs from the preset with a tenth known."""

    overrides: Mapping[str, Scalar] = MappingProxyType({})
    amount: float | None = None
    discovery: float = 0.1


SETTINGS = {
    "the preset": Change(),
    "a quarter of the width": Change({"model.width": 4}),
    "half of the width": Change({"model.width": 8}),
    "twice the width": Change({"model.width": 32}),
    "3 % corrupted": Change(amount=0.03),
    "12 % corrupted": Change(amount=0.12),
    "20 % corrupted": Change(amount=0.2),
    "30 % known": Change(discovery=0.3),
    "all known": Change(discovery=1.0),
    "10 epochs": Change({"training.epochs": 10}),
    "90 epochs": Change({"training.epochs": 90}),
}
"""In words → what is changed."""
METHODS = ("rem", "rem_no_redirect")
MARK = "<!-- channels, written by benchmarks run channels -->"


class Row(NamedTuple):
    """One task and seed: healed × utility of REM, and of REM ``without`` channels; ``memorised``: the share of the wrong labels
    that the original had learned."""

    setting: str
    regularity: float
    seed: int
    memorised: float
    rem: float
    without: float


def scenario_of(setting: str, regularity: float, seed: int) -> Scenario:
    """The task."""
    overrides, amount, discovery = SETTINGS[setting]
    return make_scenario("digits", regularity=regularity, amount=amount, discovery=discovery, seed=seed, overrides=overrides)


def specs_of(scenario: Scenario) -> list[MethodSpec]:
    """REM, and REM without channels."""
    return [make_method(name, scenario) for name in METHODS]


def read(store: Store, setting: str, scenario: Scenario) -> Row:
    """What the store has of a task."""
    found = []
    for spec in specs_of(scenario):
        record = store.get(scenario.run_key(spec))
        assert record is not None
        found.append(round(record.payload["metrics"]["healed_x_utility"], 4))
    memorised = original_metrics(store, scenario)["memorised"]
    assert memorised is not None
    return Row(setting, scenario.corruption.regularity, scenario.seed, round(memorised, 4), *found)


def lead(rows: Sequence[Row]) -> tuple[float, float]:
    """REM's mean lead, seed by seed, and half the width of its 95 % interval (Student's t)."""
    leads = [row.rem - row.without for row in rows]
    half = float(stats.t.ppf(0.975, len(leads) - 1)) * statistics.stdev(leads) / math.sqrt(len(leads))
    return statistics.mean(leads), half


def table(rows: Sequence[Row]) -> list[str]:
    """A line for each setting: what was learned, REM, and its lead at each regularity, bold where it is beyond chance."""
    lines = []
    for setting in dict.fromkeys(row.setting for row in rows):
        mine = [row for row in rows if row.setting == setting]
        learned, healed = (statistics.mean(values) for values in zip(*((row.memorised, row.rem) for row in mine), strict=True))
        line = [setting, f"{learned:.2f}", f"{healed:.3f}"]
        for middle, half in (lead([row for row in mine if row.regularity == r]) for r in REGULARITY):
            words = f"{middle:+.3f} ± {half:.3f}"
            line.append(f"**{words}**" if abs(middle) > half else words)
        lines.append(line)
    heads = ["", "learned by heart", "REM", *(f"lead at r {r:g}" for r in REGULARITY)]
    return [*markdown_table(heads, lines), "", sentence(rows)]


def sentence(rows: Sequence[Row]) -> str:
    """Where the channels help, and where they cost, beyond chance."""
    found: dict[int, list[str]] = {1: [], -1: []}
    for setting in dict.fromkeys(row.setting for row in rows):
        for r in REGULARITY:
            mine = [row for row in rows if (row.setting, row.regularity) == (setting, r)]
            middle, half = lead(mine) if mine else (0.0, 0.0)
            if abs(middle) > half:
                found[1 if middle > 0 else -1].append(f"{setting} at r {r:g}")
    helped, cost = ("; ".join(found[sign]) or "nowhere" for sign in (1, -1))
    count = len({(row.setting, row.regularity) for row in rows})
    return (
        f"Of {count} intervals about {count / 20:.1f} lie beside 0 by chance. The channels help: {helped}. They cost: {cost}."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", default=None)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    asked = parser.parse_args()
    store = Store.open(asked.store)
    tasks = [(s, scenario_of(s, r, seed)) for seed in asked.seeds for s in SETTINGS for r in REGULARITY]
    complete(store, [(scenario, specs_of(scenario)) for _, scenario in tasks], "channels")
    rows = [read(store, setting, scenario) for setting, scenario in tasks]
    about = next(iter(store.find("run"))).environment
    content = {"seeds": asked.seeds, "rows": [row._asdict() for row in rows], "environment": about}
    (RESULTS / "channels.json").write_text(json.dumps(content, indent=1) + "\n")
    print("\n".join(table(rows)))
    write_section(ROOT / "docs" / "why-different.md", MARK, table(rows))
