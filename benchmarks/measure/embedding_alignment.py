"""Which way of drawing several models' features together: three candidates, measured on stored runs.

    python -m benchmarks run embedding_alignment [--store FOLDER] [--json FILE]

Penultimate features of the original and of two methods, standardised per model, are laid out in the plane by

- ``shared``: one UMAP of the concatenated features;
- ``aligned``: ``umap.AlignedUMAP``, which draws each model and regularises each towards its neighbours in the list;
- ``tied``: one layout of the union of the models' own neighbour graphs, an example's copies tied by an edge
  (what :mod:`unlearn_core.views.embedding.data` does).

For each: seconds of processor time in a warm process (the second of two fits), whether two fits agree bit for bit,
trustworthiness (k = 15) of every model's panel, and median displacements as a share of the picture's spread (root mean square
distance from the centre): of clean examples that keep their prediction (small is good) and of corrupted ones whose prediction
changes (large is good; but how much a change of prediction is one of features is the data's to say).
Missing runs are computed first.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from sklearn.manifold import trustworthiness

from unlearn_core.engine import Engine
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results.reader import groups_of, scenario_data
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.views.embedding.data import NEIGHBOURS, features_of, layout, standardised

CASES = (
    ("digits", 1.0, ("finetune", "rem")),
    ("digits", 1.0, ("retrain", "rem")),
    ("digits", 0.0, ("retrain", "rem")),
    ("spirals", 1.0, ("retrain", "rem")),
)
Layout = Callable[[Sequence[np.ndarray]], np.ndarray]


def shared(features: Sequence[np.ndarray]) -> np.ndarray:
    """One UMAP of all models' features, one below the other."""
    import umap
    from sklearn.neighbors import NearestNeighbors

    stacked = np.concatenate(features)
    distances, indices = NearestNeighbors(n_neighbors=NEIGHBOURS).fit(stacked).kneighbors(stacked)
    known = (indices.astype(np.int32), distances.astype(np.float32), None)
    fit = umap.UMAP(n_neighbors=NEIGHBOURS, random_state=0, precomputed_knn=known)
    return np.asarray(fit.fit_transform(stacked)).reshape(len(features), -1, 2)


def aligned(features: Sequence[np.ndarray]) -> np.ndarray:
    """AlignedUMAP with the library's own settings; every example is related to itself."""
    import umap

    relations = [{k: k for k in range(len(features[0]))} for _ in features[1:]]
    fit = umap.AlignedUMAP(n_neighbors=NEIGHBOURS, random_state=0)
    return np.stack([np.asarray(panel) for panel in fit.fit_transform(list(features), relations=relations)])


LAYOUTS: dict[str, Layout] = {"shared": shared, "aligned": aligned, "tied": layout}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", default=None)
    parser.add_argument("--json", default=None, help="write the numbers here as well")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    store = Store.open(options.store)
    rows = [row for case in CASES for row in measure(store, *case)]
    columns = list(rows[0])
    print(" | ".join(columns))
    for row in rows:
        print(" | ".join(str(row[name]) for name in columns))
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=1) + "\n")


def measure(store: Store, dataset: str, regularity: float, names: Sequence[str]) -> list[dict[str, object]]:
    """One row per candidate."""
    scenario = make_scenario(dataset, regularity=regularity, discovery=0.3)
    specs = [make_method(name, scenario) for name in names]
    engine = Engine(store, address="inline")
    engine.wait(engine.submit(plan_runs(scenario, specs), "embedding"))
    engine.close()
    every = np.arange(len(scenario_data(scenario).train))
    features = [standardised(features_of(store, scenario, spec, every)) for spec in (None, *specs)]
    keys = [scenario.original_key, *(scenario.run_key(spec) for spec in specs)]
    answers = [store.arrays(key, "logits")["train"].argmax(1) for key in keys]
    clean = groups_of(scenario) == 0
    rows = []
    for name, draw in LAYOUTS.items():
        first = draw(features)
        start = time.process_time()
        places = draw(features)
        seconds = time.process_time() - start
        spread = np.sqrt(np.square(places - places.reshape(-1, 2).mean(0)).sum(-1).mean())
        moved = np.linalg.norm(places[1:] - places[:1], axis=-1) / spread
        quiet = [float(np.median(m[clean & (a == answers[0])])) for m, a in zip(moved, answers[1:], strict=True)]
        changed = [m[~clean & (a != answers[0])] for m, a in zip(moved, answers[1:], strict=True)]
        trust = [float(trustworthiness(f, p, n_neighbors=15)) for f, p in zip(features, places, strict=True)]
        rows.append(
            {
                "task": f"{dataset} r={regularity:g}",
                "models": "original, " + ", ".join(names),
                "layout": name,
                "cpu_seconds": round(seconds, 2),
                "same_twice": bool(np.array_equal(first, places)),
                "trust": [round(value, 3) for value in trust],
                "clean_moved": [round(value, 3) for value in quiet],
                "changed_moved": [round(float(np.median(m)), 3) if len(m) else None for m in changed],
            }
        )
    return rows
