"""The stage that computes coordinates of stored models' features, so that no page waits for UMAP."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch

from unlearn_core.results.embedding_keys import embedding_key, ordered
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.stages.execution import environment, report_step, scenario_stage
from unlearn_core.stages.recorder import Recorder
from unlearn_core.stages.stage import Stage, register_warm_up
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.views.embedding.data import embed, warm_up

register_warm_up(warm_up)


def plan_embedding(scenario: Scenario, specs: Sequence[MethodSpec]) -> list[Stage]:
    """Everything for the embedding of the original and these methods: their runs, PCA, then UMAP."""
    runs = plan_runs(scenario, specs)
    data = {
        "scenario": scenario.model_dump(mode="json"),
        "methods": [spec.model_dump(mode="json") for spec in ordered(specs)],
    }
    needs = tuple(stage.key for stage in runs)
    pca, umap = (embedding_key(scenario, specs, way) for way in ("pca", "umap"))
    return [
        *runs,
        Stage("embedding", pca, "Features and PCA", data | {"way": "pca"}, needs, 0.1, "look"),
        Stage("embedding", umap, "UMAP", data | {"way": "umap"}, needs, 0.5 * (1 + len(specs)), "look"),
    ]


@scenario_stage("embedding")
def embedding(stage: Stage, scenario: Scenario, store: Store, device: torch.device, reporter: Recorder) -> None:
    """Compute one embedding and store its arrays."""
    specs = [MethodSpec.parse(spec) for spec in stage.payload["methods"]]

    found = embed(store, scenario, specs, stage.payload["way"], functools.partial(report_step, reporter))
    store.put(
        stage.key,
        "embedding",
        dict(stage.payload),
        {"way": found.way, "models": list(found.models), "total": found.total},
        environment(device),
        {"embedding": {"points": found.points, "places": found.places, "neighbours": found.neighbours}},
    )
