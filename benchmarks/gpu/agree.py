"""Whether a processor and the GPU compute the same, and recorded steps the same as plain ones: one small cell, start to end.

Strict where rounding is all that differs: one pass, and the gradient of one batch, of the same weights. Looser for a whole
cell: every step magnifies what the steps before it differed in, and a threshold may be crossed one pass earlier.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.gpu.bench import Bench, difference, switched
from benchmarks.gpu.cells import fresh, make_task
from benchmarks.gpu.sizes import Sizes
from unlearn_core.capture import WARM
from unlearn_core.datasets import LabelledData, Split
from unlearn_core.evaluation import Arena, build_arena
from unlearn_core.methods import registry as methods
from unlearn_core.models import RedirectNet
from unlearn_core.specs import Scenario
from unlearn_core.training import Trainer, autocast, full_precision, predict, seeded

TOLERANCES = {
    "pass": 1e-4,
    "gradient": 1e-3,
    "bf16 pass": 5e-2,
    "training": 1e-2,
    "rem": 1e-1,
    "graph training": 1e-2,
    "graph rem": 1e-1,
}
"""Largest ‖difference‖ / ‖value‖ of test logits (of the gradient) that counts as agreement: GPU against processor, both in
float32; "bf16": the GPU in bfloat16; "graph": recorded steps against plain ones, both on the GPU in float32."""


@dataclass(frozen=True)
class Outcome:
    """Test logits of the cell after training and after REM, on the CPU, and the seconds that both took."""

    trained: torch.Tensor
    unlearned: torch.Tensor
    seconds: float


def compare(bench: Bench) -> dict[str, Any]:
    """Differences, the tolerances they were held to, and whether graphs may be used."""
    cpu, device = torch.device("cpu"), bench.device
    scenario, split = small_cell(bench.sizes, bench.split)
    found, state = one_pass(scenario, split, device)
    with full_precision():
        expected = play(bench, scenario, split, cpu, graphs=False)
        plain = play(bench, scenario, split, device, graphs=False)
        again = play(bench, scenario, split, device, graphs=False)
        graph = play(bench, scenario, split, device, graphs=True)
    half = play(bench, scenario, split, device, graphs=True)
    found |= _differences("", plain, expected) | _differences("repeated ", again, plain) | _differences("graph ", graph, plain)
    found |= _differences("bf16 ", half, expected)
    within = {name: found[name] <= limit for name, limit in TOLERANCES.items()}
    for name in ("training", "rem"):  # kernels that add up in no fixed order repeat themselves no better than that
        within[f"graph {name}"] |= found[f"graph {name}"] <= 3 * found[f"repeated {name}"]
    same = [(a.argmax(1) == b.argmax(1)).float().mean().item() for a, b in ((plain.unlearned, expected.unlearned),)]
    return {
        "difference": found,
        "tolerance": TOLERANCES,
        "within": within,
        "agrees": all(within[name] for name in ("pass", "gradient", "bf16 pass", "training", "rem")),
        "graphs_agree": within["graph training"] and within["graph rem"],
        "same_predictions": same[0],
        "seconds": {"processor": expected.seconds, "plain": plain.seconds, "graph": graph.seconds, "bf16": half.seconds},
        "weights": sum(value.numel() for value in state.values()),
    }


def small_cell(sizes: Sizes, split: Split) -> tuple[Scenario, Split]:
    """A cell with a trigger on a few of the images, so short that a processor does it in seconds, and its data.

    So many steps that recorded ones are among them; at full size the paper's values of REM but for their number.
    """
    images, batch = sizes.part(1024, 128), sizes.part(128, 64)
    epochs = sizes.part(3, 1)
    scenario = sizes.scenario(1.0, 0.5, 0)
    scenario = scenario.model_copy(
        update={
            "corruption": scenario.corruption.model_copy(update={"amount": images // 16}),
            "model": sizes.network(0.125 if sizes.whole else 0.0625, whole_blocks=True),
            "training": sizes.recipe(epochs).model_copy(update={"batch_size": batch}),
        }
    )
    parts = []
    for data, count in ((split.train, images), (split.test, sizes.part(500, 100))):
        ids = torch.randperm(len(data), generator=torch.Generator().manual_seed(0))[:count]
        parts.append(LabelledData(data.inputs[ids], data.labels[ids], data.class_names))
    return scenario, Split(parts[0], parts[1])


def one_pass(scenario: Scenario, split: Split, device: torch.device) -> tuple[dict[str, float], dict[str, torch.Tensor]]:
    """Differences of logits and of a gradient at the same weights, and those weights."""
    arenas = {place.type: build_arena(scenario, place, split) for place in (torch.device("cpu"), device)}
    models = {kind: fresh(scenario, arena, 0).train() for kind, arena in arenas.items()}

    def logits(kind: str) -> torch.Tensor:
        ids = torch.arange(min(64, len(arenas[kind].train)), device=arenas[kind].train.device)
        with torch.no_grad(), autocast(arenas[kind].train.device):
            return models[kind](arenas[kind].train.batch(ids)).float()

    with full_precision():
        expected = logits("cpu")
        found = {"pass": difference(logits(device.type), expected)}
        gradients = [_gradient(models[kind], arena) for kind, arena in arenas.items()]
        found["gradient"] = difference(gradients[-1], gradients[0])
    found["bf16 pass"] = difference(logits(device.type), expected)
    return found, models["cpu"].state_dict()


def _gradient(model: RedirectNet, arena: Arena) -> torch.Tensor:
    ids = torch.arange(min(64, len(arena.train)), device=arena.train.device)
    model.zero_grad()
    F.cross_entropy(model(arena.train.batch(ids)), arena.train.labels[ids]).backward()
    return torch.cat([p.grad.flatten().cpu() for p in model.parameters() if p.grad is not None])


def play(bench: Bench, scenario: Scenario, split: Split, device: torch.device, graphs: bool) -> Outcome:
    """Train the cell's original, then REM with the paper's values, on ``device``."""
    place = Bench(bench.sizes, device, bench.ends, bench.photographs, bench.result)
    arena = build_arena(scenario, device, split)
    start = time.perf_counter()
    with switched(graphs), seeded(0):
        model = fresh(scenario, arena, 0)
        Trainer(model, arena.train, scenario.training, 0, bench.reporter, snapshots=False).fit(
            torch.arange(len(arena.train), device=device)
        )
        trained = predict(model, arena.test).cpu()
        place.weights[scenario.original_key] = {name: value.cpu() for name, value in model.state_dict().items()}
        rem = methods.get("rem")
        steps = bench.sizes.part(2 * WARM, 2)
        values = {"steps": steps, "flush_passes": bench.sizes.part(3, 1), "batch_size": scenario.training.batch_size}
        unlearned = rem(rem.params(rem.full_params(values))).unlearn(make_task(place, scenario, arena, False), bench.reporter)
        found = predict(unlearned, arena.test).cpu()
    return Outcome(trained, found, time.perf_counter() - start)


def _differences(name: str, found: Outcome, expected: Outcome) -> dict[str, float]:
    return {
        f"{name}training": difference(found.trained, expected.trained),
        f"{name}rem": difference(found.unlearned, expected.unlearned),
    }
