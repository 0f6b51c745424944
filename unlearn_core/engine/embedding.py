"""The stage that computes coordinates of stored models' features, so that no page waits for UMAP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from unlearn_core.engine.recorder import Recorder
from unlearn_core.errors import Cancelled
from unlearn_core.insight.embedding import embed, embedding_key, ordered
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.store import Store

if TYPE_CHECKING:
    from unlearn_core.engine.stages import Stage


def plan_embedding(scenario: Scenario, specs: Sequence[MethodSpec]) -> list[Stage]:
    """Everything for the embedding of the original and these methods: their runs, PCA, then UMAP."""
    from unlearn_core.engine.stages import Stage, plan_runs

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


def embedding(stage: Stage, scenario: Scenario, store: Store, device: torch.device, reporter: Recorder) -> None:
    """Compute one embedding and store its arrays."""
    from unlearn_core.engine.stages import environment

    specs = [MethodSpec.parse(spec) for spec in stage.payload["methods"]]

    def step(done: int, total: int) -> None:
        if reporter.cancelled():
            raise Cancelled
        reporter.step(done, total)

    found = embed(store, scenario, specs, stage.payload["way"], step)
    store.put(
        stage.key,
        "embedding",
        dict(stage.payload),
        {"way": found.way, "models": list(found.models), "total": found.total},
        environment(device),
        {"embedding": {"points": found.points, "places": found.places, "neighbours": found.neighbours}},
    )
