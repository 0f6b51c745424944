"""What assets/gallery/kinds/ is made of: every kind of corruption of a plan's dataset that has no place on its map.

``python assets/make_gallery.py --kinds --store FOLDER`` calls this.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import pandas as pd

from unlearn_core import view_state as vs
from unlearn_core.evaluation import registry as metrics
from unlearn_core.presets import make_method
from unlearn_core.results import gallery as g
from unlearn_core.results import tables
from unlearn_core.specs import Scenario, SweepSpec
from unlearn_core.store import Store


def scenarios(plan: SweepSpec) -> list[Scenario]:
    """Each kind at the plan's discovery rates and seeds; its regularities are those of the map, which are left out."""
    found = []
    for seed, discovery in itertools.product(plan.seeds, plan.discovery):
        state, _ = vs.decode(f"dataset={plan.dataset}&discovery={discovery}&seed={seed}")
        on_map = vs.to_scenario(state).setting_key
        kinds = (vs.to_scenario(view) for view in vs.kind_states(state).values())
        found += [what for what in kinds if what.setting_key != on_map]
    return found


def table(store: Store, wanted: Sequence[Scenario], methods: Sequence[str]) -> pd.DataFrame:
    """Every stored run of these methods' presets, every metric measured, and a row for each original."""
    keys = {what.run_key(make_method(name, what)) for what in wanted for name in methods}
    dataset = wanted[0].dataset.name
    runs = tables.results(store, dataset=dataset)
    rows = with_originals(store, dataset, runs[runs["key"].isin(keys)], wanted)
    rows = rows[rows["key"] == g.keys_today(rows)]
    return rows.sort_values(["options", "discovery", "seed", "method"], kind="stable", ignore_index=True)


def with_originals(store: Store, dataset: str, runs: pd.DataFrame, scenarios: Iterable[Scenario]) -> pd.DataFrame:
    """``runs`` of this dataset as the gallery has them, with every metric, and the stored originals of these scenarios."""
    # Metrics that compare a run with retraining are known only now that retraining has been computed as well,
    # and what has another definition since a run was computed is measured anew.
    for name in (metric.name for metric in metrics if metric.compares_with or metric.revision != 1):
        late = tables.results(store, name, dataset).set_index("key")[name]
        runs = runs.assign(**{name: runs["key"].map(late)})
    originals = [
        tables.task_of(what)
        | {"seed": what.seed, "method": tables.ORIGINAL, "label": "Original", "oracle": False, "variant": ""}
        | tables.original_metrics(store, what)
        | {"device": record.payload["device"], "key": record.key}
        for what in scenarios
        if (record := store.get(what.original_key)) is not None
    ]
    return pd.concat([pd.DataFrame(originals, columns=g.COLUMNS), runs], ignore_index=True)[g.COLUMNS]


def lacking(rows: pd.DataFrame, tasks: int, methods: Sequence[str]) -> str:
    """Which runs of a plan with so many ``tasks`` (seeds counted) are not there, in a sentence; "" where all are."""
    counts = rows["method"].value_counts()
    short = [f"{name} has {counts.get(name, 0)} of {tasks}" for name in methods if counts.get(name, 0) < tasks]
    return f"Not every run was computed: {', '.join(short)}." if short else ""
