"""Which recipe of 4,018 steps makes the paper's base learn its corrupted labels by heart, on these JPEGs (random labels)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from benchmarks.measure.gpu import cells
from benchmarks.measure.gpu.bench import Bench, seconds
from benchmarks.measure.gpu.sizes import RECIPES
from unlearn_core.training import SilentReporter, Trainer, predict, seeded


def measure(bench: Bench, name: str) -> dict[str, Any]:
    """What an original with this recipe has learned: shares of the given labels that it says, and its utility."""
    scenario = bench.sizes.scenario(0.0, 0.1, 0)
    recipe = scenario.training.model_copy(update=RECIPES[name])
    arena = bench.arena(scenario)
    augmentation = arena.train.augmentation
    assert augmentation is not None
    changed = replace(augmentation, padding=recipe.crop) if recipe.augment else None
    model = cells.fresh(scenario, arena, 0)
    with bench.fast(), seeded(0):
        trainer = Trainer(model, replace(arena.train, augmentation=changed), recipe, 0, SilentReporter(), snapshots=False)
        spent = seconds(lambda: trainer.fit(torch.arange(len(arena.train), device=bench.device)), bench.device)
    fits = (predict(model, arena.train).argmax(1) == arena.train.labels).float()
    return {
        "seconds": spent,
        "memorised": fits[arena.corrupted.truth.corrupted.to(bench.device)].mean().item(),
        "fit": fits.mean().item(),
        "utility": cells.look(model, arena, scenario)["utility"],
    }
