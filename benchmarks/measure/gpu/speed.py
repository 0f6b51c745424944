"""How quick training is: of the large network against the measured peak, of REM, and of small networks alone and stacked."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.measure.gpu.bench import Bench, OutOfTime, difference, forget_memory, peak_memory, seconds, switched, wait
from benchmarks.measure.gpu.cells import make_task
from benchmarks.measure.gpu.sizes import Sizes
from benchmarks.measure.gpu.stacked import StackedTrainer
from unlearn_core.datasets import LabelledData
from unlearn_core.evaluation import build_scenario_data
from unlearn_core.methods import registry as methods
from unlearn_core.models import RedirectNet, build_model
from unlearn_core.models.cnn import CnnNet
from unlearn_core.presets import make_scenario
from unlearn_core.specs import Scenario
from unlearn_core.training import Augmentation, DeviceData, Loss, SilentReporter, Trainer, cross_entropy, full_precision, seeded
from unlearn_core.training.cuda_graph import WARM, graphs_wanted

REM_ROUNDS = 10
EPOCHS_TIMED = 2


def peak(bench: Bench) -> dict[str, Any]:
    """The measured ceiling: a product of two bfloat16 matrices of random numbers, and a copy within the device's memory."""
    side, device = bench.sizes.matrix, bench.device
    generator = torch.Generator(device).manual_seed(0)
    a, b = (torch.randn(side, side, generator=generator, device=device).bfloat16() for _ in range(2))
    c, times = torch.empty_like(a), bench.sizes.part(10, 1)  # several at once: waiting for one costs a hundredth of it
    product = _median(lambda: [torch.mm(a, b, out=c) for _ in range(times)], device, bench.sizes.part(10, 3)) / times
    source = torch.randn(bench.sizes.part(2**28, 2**16), generator=generator, device=device)
    target = torch.empty_like(source)
    copy = _median(lambda: target.copy_(source), device, bench.sizes.part(10, 3))
    return {"side": side, "flops": 2 * side**3 / product, "bytes_per_second": 2 * source.nbytes / copy}


def _median(work: Callable[[], Any], device: torch.device, repeats: int) -> float:
    for _ in range(3):
        work()
    return statistics.median(seconds(work, device) for _ in range(repeats))


def noise(count: int) -> LabelledData:
    """Images and labels at random: for timing what they show does not matter."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (count, 3, 32, 32), generator=generator, dtype=torch.uint8)
    return LabelledData(images, torch.randint(0, 10, (count,), generator=generator), tuple(map(str, range(10))))


def step_flops(model: RedirectNet, side: int = 32) -> float:
    """Operations of forward and backward of one image, counted by torch (products and convolutions alone)."""
    x = torch.randn(2, 3, side, side, device=next(model.parameters()).device)
    model.train()
    with FlopCounterMode(display=False) as counter:
        model(x).sum().backward()
    model.zero_grad(set_to_none=True)
    return float(counter.get_total_flops() / len(x))


def epoch(bench: Bench, variant: str) -> dict[str, Any]:
    """An epoch of ResNet-9 at full width with the core's loop, cropped and flipped, and its step alone."""
    with switched(graphs=variant.startswith("graph"), search=variant.endswith("searched")):
        found = time_epoch(bench.sizes, place_images(bench), bench.reporter.cancelled)
    return found | _shares(bench, found)


def place_images(bench: Bench) -> DeviceData:
    return DeviceData.place(bench.split.train, bench.device, Augmentation(flip=True))


def time_epoch(sizes: Sizes, data: DeviceData, cancelled: Callable[[], bool], loss: Loss = cross_entropy) -> dict[str, Any]:
    """Seconds of an epoch and of a step, the first epoch (recording, compiling, searching) apart, and the peak of memory."""
    device = data.device
    forget_memory(device)
    model = build_model(sizes.network(sizes.full_width), (3, 32, 32), data.classes, 0, data.mean_std).to(device)
    flops = step_flops(model) * sizes.batch
    trainer = Trainer(model, data, sizes.recipe(1), 0, SilentReporter(), loss, snapshots=False)
    everyone = torch.arange(len(data), device=device)
    first = seconds(lambda: trainer.fit(everyone), device)
    if cancelled():
        raise OutOfTime
    model.train()
    ids = everyone[: sizes.batch]
    epochs = [seconds(lambda: trainer.fit(everyone), device) for _ in range(EPOCHS_TIMED)]
    model.train()

    def steps(count: int) -> float:
        return seconds(lambda: [trainer.step(ids) for _ in range(count)], device) / count

    steps(WARM + 4 if graphs_wanted(device) else 1)  # where the epoch has less, the recorder has not seen enough yet
    return {
        "images": len(data),
        "epoch_seconds": min(epochs),
        "first_epoch_seconds": first,
        "step_seconds": min(steps(sizes.part(40, 2)) for _ in range(3)),
        "step_flops": flops,
        "memory": peak_memory(device),
    }


def _shares(bench: Bench, found: dict[str, Any]) -> dict[str, Any]:
    """The step's operations a second, and their share of the measured peak."""
    rate = found["step_flops"] / found["step_seconds"]
    ceiling = bench.result("speed/peak")
    return {"flops": rate, "share_of_peak": None if ceiling is None else rate / ceiling["flops"]}


def rem(bench: Bench, scenario: Scenario) -> dict[str, Any]:
    """REM with ten rounds and the paper's other values on a trained original of the restricted base."""
    method = methods.get("rem")
    short = {"steps": 0, "epochs": REM_ROUNDS if bench.sizes.whole else 1, "batch_size": bench.sizes.batch}
    params = method.params(method.full_params({**bench.sizes.method_values("rem"), **short}))
    arena = bench.arena(scenario)
    task = make_task(bench, scenario, arena, False)
    counted: list[int] = []

    class Counting(SilentReporter):
        def step(self, done: int, total: int, **scalars: float | torch.Tensor) -> None:
            counted.append(done)

        def cancelled(self) -> bool:
            return bench.reporter.cancelled()

    forget_memory(bench.device)
    with bench.fast(), seeded(0):
        spent = seconds(lambda: method(params).unlearn(task, Counting()), bench.device)
    return {
        "rounds": params.epochs,
        "steps": len(counted),
        "seconds": spent,
        "memory": peak_memory(bench.device),
        "graphs": bench.graphs,
    }


def digits(sizes: Sizes) -> Scenario:
    return make_scenario("digits", overrides={"training.epochs": 10 if sizes.whole else 1})


def small_pieces(bench: Bench, count: int) -> tuple[list[CnnNet], list[DeviceData], Scenario]:
    """Networks of the digits preset, one a seed, with the data of their cells: the dial stands elsewhere for each."""
    scenario, models = digits(bench.sizes), []
    sets: list[DeviceData] = []
    for seed in range(count):
        cell = scenario.model_copy(
            update={"corruption": scenario.corruption.model_copy(update={"regularity": (seed % 3) / 2}), "seed": 0}
        )
        sets.append(first(build_scenario_data(cell, bench.device).train, bench.sizes.digits) if seed < 3 else sets[seed % 3])
        model = build_model(cell.model, (1, 8, 8), 10, seed).to(bench.device)
        assert isinstance(model, CnnNet)
        models.append(model)
    return models, sets, scenario


def first(data: DeviceData, count: int) -> DeviceData:
    """The first ``count`` examples alone."""
    return replace(data, inputs=data.inputs[:count], labels=data.labels[:count])


def small_alone(bench: Bench) -> dict[str, Any]:
    """Steps a second of one small network after the other with the core's loop, plain and recorded."""
    found: dict[str, Any] = {}
    for name, graphs in (("plain", False), ("graph", True)):
        models, sets, scenario = small_pieces(bench, 2)
        with switched(graphs):
            rates = []
            for seed, (model, data) in enumerate(zip(models, sets, strict=True)):
                trainer = Trainer(model, data, scenario.training, seed, SilentReporter(), snapshots=False)
                everyone = torch.arange(len(data), device=bench.device)
                trainer.fit(everyone)  # recorded by now
                spent = seconds(lambda t=trainer, ids=everyone: t.fit(ids), bench.device)  # type: ignore[misc]
                rates.append(scenario.training.epochs * -(-len(data) // scenario.training.batch_size) / spent)
        found[f"{name}_steps_per_second"] = max(rates)
    return found


def small_stacked(bench: Bench) -> dict[str, Any]:
    """Steps a second of many small networks at once, all together, beside those of one after the other."""
    found: dict[str, Any] = {"stacks": [], "agrees": stacked_agree(bench)}
    for count in bench.sizes.stacks:
        models, sets, scenario = small_pieces(bench, count)
        forget_memory(bench.device)
        with switched(bench.graphs):
            trainer = StackedTrainer(models, sets, scenario.training, range(count))
            trainer.fit()
            wait(bench.device)
            start = time.perf_counter()
            steps = trainer.fit()
            wait(bench.device)
        rate = count * steps / (time.perf_counter() - start)
        found["stacks"].append({"networks": count, "steps_per_second": rate, "memory": peak_memory(bench.device)})
        if bench.reporter.cancelled():
            raise OutOfTime
    alone = bench.result("speed/small/alone") or {}
    best = max(stack["steps_per_second"] for stack in found["stacks"])
    for name, rate in alone.items():
        found[f"times_{name.removesuffix('_steps_per_second')}"] = best / rate
    return found


def stacked_agree(bench: Bench) -> dict[str, Any]:
    """Weights of three networks after six steps together, against each trained alone, both in float32. Later the last digits,
    in which they differ, decide which of two pixels is the larger, and steps magnify that."""
    models, sets, scenario = small_pieces(bench, 3)
    size = 6 * scenario.training.batch_size
    sets = [first(data, size) for data in sets]
    recipe = scenario.training.model_copy(update={"epochs": 1})
    with full_precision(), switched(False):
        trainer = StackedTrainer(models, sets, recipe, range(3))
        trainer.fit()
        worst = 0.0
        for seed, (model, data, state) in enumerate(zip(models, sets, trainer.model.states(), strict=True)):
            Trainer(model, data, recipe, seed, SilentReporter(), snapshots=False).fit(
                torch.arange(len(data), device=bench.device)
            )
            alone = model.state_dict()
            worst = max(worst, *(difference(value, alone[name]) for name, value in state.items()))
    return {"difference": worst, "tolerance": 1e-4, "within": worst <= 1e-4}
