"""Whether a processor and the GPU compute the same, and recorded steps the same as plain ones: one small cell, start to end.

One pass, and the gradient of one batch, of the same weights in float32. The whole cell in float64: every step magnifies what
the steps before it differed in, so that after some thirty of them in float32 two runs on one card differ by a hundredth, and
nothing could be told from that. In float64 the same magnification starts from 1e-16.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.measure.gpu.bench import Bench, difference, switched
from benchmarks.measure.gpu.cells import fresh, make_task
from benchmarks.measure.gpu.sizes import Sizes
from unlearn_core.datasets import LabelledData, Split
from unlearn_core.evaluation import ScenarioData, build_scenario_data
from unlearn_core.methods import registry as methods
from unlearn_core.models import RedirectNet
from unlearn_core.specs import Scenario
from unlearn_core.training import Trainer, autocast, full_precision, predict, seeded
from unlearn_core.training.cuda_graph import WARM

TOLERANCES = {
    "pass": 1e-4,
    "gradient": 1e-3,
    "bf16 pass": 5e-2,
    "training": 1e-6,
    "rem": 1e-6,
    "graph training": 1e-6,
    "graph rem": 1e-6,
}
"""Largest ‖difference‖ / ‖value‖ of test logits (of the gradient) that counts as agreement: GPU against processor, both in
float32 ("bf16": the GPU in bfloat16) for a pass and a gradient, both in float64 for the cell; "graph": recorded steps against
plain ones, both on the GPU in float64."""
EXACT = {"learning_rate": 2.0**-5, "warmup": 0.0, "final": 1.0}
"""Of the cell's training: a rate that float32 holds to the last digit, in which recorded steps read it. REM's is 2⁻⁷."""


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
    expected = play(bench, scenario, split, cpu, graphs=False)
    plain = play(bench, scenario, split, device, graphs=False)
    graph = play(bench, scenario, split, device, graphs=True)
    half = play(bench, scenario, split, device, graphs=True, dtype=None)
    found |= _differences("", plain, expected) | _differences("graph ", graph, plain) | _differences("bf16 ", half, expected)
    within = {name: found[name] <= limit for name, limit in TOLERANCES.items()}
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
    images, batch = sizes.part(512, 128), sizes.part(64, 64)
    epochs = sizes.part(3, 1)
    scenario = sizes.scenario(1.0, 0.5, 0)
    scenario = scenario.model_copy(
        update={
            "corruption": scenario.corruption.model_copy(update={"amount": images // 16}),
            "model": sizes.network(0.125 if sizes.whole else 0.0625, whole_blocks=True),
            "training": sizes.recipe(epochs).model_copy(update={"batch_size": batch} | EXACT),
        }
    )
    parts = []
    for data, count in ((split.train, images), (split.test, sizes.part(500, 100))):
        ids = torch.randperm(len(data), generator=torch.Generator().manual_seed(0))[:count]
        parts.append(LabelledData(data.inputs[ids], data.labels[ids], data.class_names))
    return scenario, Split(parts[0], parts[1])


def one_pass(scenario: Scenario, split: Split, device: torch.device) -> tuple[dict[str, float], dict[str, torch.Tensor]]:
    """Differences of logits and of a gradient at the same weights, and those weights."""
    arenas = {place.type: build_scenario_data(scenario, place, split) for place in (torch.device("cpu"), device)}
    models = {kind: fresh(scenario, arena, 0).train() for kind, arena in arenas.items()}

    def logits(kind: str) -> torch.Tensor:
        ids = torch.arange(min(64, len(arenas[kind].train)), device=arenas[kind].train.device)
        with torch.no_grad(), autocast(arenas[kind].train.device):
            found: torch.Tensor = models[kind](arenas[kind].train.batch(ids)).float()
            return found

    with full_precision():
        expected = logits("cpu")
        found = {"pass": difference(logits(device.type), expected)}
        gradients = [_gradient(models[kind], arena) for kind, arena in arenas.items()]
        found["gradient"] = difference(gradients[-1], gradients[0])
    found["bf16 pass"] = difference(logits(device.type), expected)
    return found, models["cpu"].state_dict()


def _gradient(model: RedirectNet, arena: ScenarioData) -> torch.Tensor:
    ids = torch.arange(min(64, len(arena.train)), device=arena.train.device)
    model.zero_grad()
    loss = F.cross_entropy(model(arena.train.batch(ids)), arena.train.labels[ids])
    loss.backward()
    # Where a bias is left out it has no gradient, and elsewhere nothing but rounding about zero.
    return torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad).flatten().cpu() for p in model.parameters()])


def play(
    bench: Bench,
    scenario: Scenario,
    split: Split,
    device: torch.device,
    graphs: bool,
    dtype: torch.dtype | None = torch.float64,
) -> Outcome:
    """Train the cell's original, then REM with the paper's values, on ``device``; ``dtype`` None: as usual there."""
    place = Bench(bench.sizes, device, bench.ends, bench.photographs, bench.result)
    arena = build_scenario_data(scenario, device, split)
    start = time.perf_counter()
    exact = contextlib.nullcontext() if dtype is None else full_precision(dtype)
    with switched(graphs), seeded(0), exact:
        model = fresh(scenario, arena, 0).to(dtype or torch.float32)
        Trainer(model, arena.train, scenario.training, 0, bench.reporter, snapshots=False).fit(
            torch.arange(len(arena.train), device=device)
        )
        trained = predict(model, arena.test).cpu()
        place.weights[scenario.original_key] = {name: value.cpu() for name, value in model.state_dict().items()}
        rem = methods.get("rem")
        steps = bench.sizes.part(2 * WARM, 2)
        values = {"steps": steps, "flush_passes": bench.sizes.part(WARM + 3, 1), "batch_size": scenario.training.batch_size}
        task = make_task(place, scenario, arena, False)
        task.original.to(dtype or torch.float32).load_state_dict(model.state_dict())
        params = rem.params(rem.full_params(values | {"learning_rate": 2.0**-7}))
        unlearned = rem(params).unlearn(task, bench.reporter)
        found = predict(unlearned, arena.test).cpu()
    return Outcome(trained, found, time.perf_counter() - start)


def _differences(name: str, found: Outcome, expected: Outcome) -> dict[str, float]:
    return {
        f"{name}training": difference(found.trained, expected.trained),
        f"{name}rem": difference(found.unlearned, expected.unlearned),
    }
