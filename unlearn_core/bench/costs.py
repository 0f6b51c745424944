"""What methods cost beside retraining, what masks cost in memory, and how the cost grows."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence

import torch

from unlearn_core.bench.loops import random_images, recipe
from unlearn_core.bench.measure import Measurement, exponent, seconds, summarise
from unlearn_core.evaluation import build_scenario_data
from unlearn_core.methods import registry as registered
from unlearn_core.models import build_model, example_masks
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.specs import ModelSpec
from unlearn_core.stages.execution import run_stage
from unlearn_core.stages.inputs import make_task
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.support.scratch import scratch_folder
from unlearn_core.training import DeviceData, SilentReporter, Trainer

REFERENCE = "retrain"
MASKS_TARGET = 500.0
AMOUNTS, WIDTHS = (500, 1000, 2000), (0.125, 0.25, 0.5)
LINEAR = 1.1


def methods(repeats: int, device: torch.device, names: Sequence[str] = ()) -> list[Measurement]:
    """Processor seconds of each method (all, or ``names``) over those of retraining, on the digits preset (trigger, 30 %
    discovered, seed 0): every pass runs all of them, so that a slow moment hits all. On a GPU, wall seconds."""
    scenario = make_scenario("digits", regularity=1.0, discovery=0.3, seed=0)
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    chosen = [method for method in registered if not names or method.name in (*names, REFERENCE)]
    spent: dict[str, list[float]] = {method.name: [] for method in chosen}
    with scratch_folder() as folder:
        store = Store.open(folder)
        run_stage(plan_runs(scenario, [])[0], store, device.type, SilentReporter())
        arena = build_scenario_data(scenario, device)
        for _ in range(repeats):
            for method in chosen:
                ready = method(method.params(make_method(method.name, scenario).params))
                task = make_task(store, scenario, arena, method.oracle)
                start = clock()
                ready.unlearn(task, SilentReporter())
                spent[method.name].append(clock() - start)
    base = statistics.median(spent[REFERENCE])
    found = [
        summarise("methods", name, [value / base for value in values], "of retraining", seconds=statistics.median(values))
        for name, values in spent.items()
    ]
    return sorted(found, key=lambda row: row.value)


def masks(_: int, device: torch.device) -> list[Measurement]:
    """Bytes of the masks of a batch of 512 over the paper's base (ResNet-9, half width): a float for every channel and
    position, as public code has them, against ours, a bit (kept as a byte) for every channel."""
    batch, side = 512, (32, 16, 16, 8, 8, 1)
    network = build_model(ModelSpec(name="resnet9", params={"width": 0.5}), (3, 32, 32), 10, 0)
    network.widen(1.0, 0)
    positions = sum(channels * size * size for channels, size in zip(network.redirect_layers, side, strict=True))
    made = example_masks(torch.arange(batch, device=device), network.redirect_channels, 0.2, 0)
    ours, theirs = made.numel() * made.element_size(), 4 * positions * batch
    note = f"{theirs / 1e6:.0f} MB against {ours / 1e6:.2f} MB a batch; they are made from a hash and stored nowhere"
    return [summarise("masks", "per position / ours", [theirs / ours], "times smaller", target=MASKS_TARGET, note=note)]


def growth(repeats: int, device: torch.device) -> list[Measurement]:
    """Seconds of one epoch against the amount of data and against the width, with the exponent of the fit."""
    found = []
    by_amount = {count: _epoch(0.25, count, repeats, device) for count in AMOUNTS}
    by_width = {width: _epoch(width, AMOUNTS[0], repeats, device) for width in WIDTHS}
    for name, table, target in (("data", by_amount, LINEAR), ("width", by_width, None)):
        power = exponent(list(table), list(table.values()))
        note = ", ".join(f"{size:g}: {spent:.2f} s" for size, spent in table.items())
        found.append(summarise("growth", name, [power], "exponent", target=target, least=False, note=note))
    return found


def _epoch(width: float, count: int, repeats: int, device: torch.device) -> float:
    shape = (3, 32, 32)
    data = DeviceData.place(random_images(count, shape), device)
    model = build_model(ModelSpec(name="resnet9", params={"width": width}), shape, data.classes, 0).to(device)
    trainer = Trainer(model, data, recipe(100), 0, SilentReporter(), snapshots=False)
    everyone = torch.arange(count, device=device)
    trainer.fit(everyone[:200])
    return min(seconds(lambda: trainer.fit(everyone), device) for _ in range(repeats))
