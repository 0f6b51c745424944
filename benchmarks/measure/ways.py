"""Ways to be faster on a processor, each against what is done today: what each is worth, and whether it is kept.

    python -m benchmarks run ways [--repeats 5] [--only a b c d e]

In one thread, alternating, so that a busy machine hits both sides: (a) several seeds of the digits CNN in one stacked training,
(b) batch norm of base and redirect channels in one call, (c) ``torch.compile``, where a compiler is there, (d) bfloat16 on a
processor (``bench --sections halved``), (e) one evaluation pass over several networks. Writes ``benchmarks/results/ways.json``;
``python -m benchmarks report performance`` says what followed.
"""

from __future__ import annotations

import argparse
import copy
import json
import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.measure.gpu.stacked import StackedTrainer
from benchmarks.paths import RESULTS
from unlearn_core.bench.loops import NETWORKS, halved, random_images, recipe
from unlearn_core.bench.measure import Measurement, alternate, summarise
from unlearn_core.methods import UnlearningTask, registry
from unlearn_core.models import RedirectNet, RedirectNorm2d, build_model
from unlearn_core.models.cnn import CnnNet
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.stages.execution import environment
from unlearn_core.training import DeviceData, SilentReporter, Trainer, deterministic, make_optimizer, predict

CPU = torch.device("cpu")
DIGITS = make_scenario("digits")
SHAPE, COUNT, FORGET = (1, 8, 8), 1437, 26
HUNDRED = 100
SEVERAL = 5
"""Networks of one evaluation: as many as ``run`` compares when no method is named."""


def a_stacked(repeats: int) -> Iterator[Measurement]:
    """An epoch of K networks one after another over the same, stacked: what a process of two cores could win by it."""
    one_epoch = DIGITS.training.model_copy(update={"epochs": 1})
    for count in (2, 4, 8):
        sets = [DeviceData.place(random_images(COUNT, SHAPE), CPU) for _ in range(count)]
        models = [_digits_cnn(seed) for seed in range(count)]
        stacked = StackedTrainer(models, sets, one_epoch, range(count))

        def apart(models: list[CnnNet] = models, sets: list[DeviceData] = sets) -> None:
            for seed, (model, data) in enumerate(zip(models, sets, strict=True)):
                Trainer(model, data, one_epoch, seed, SilentReporter(), snapshots=False).fit(torch.arange(COUNT))

        yield _times("a", f"{count} seeds of the digits CNN, stacked", apart, stacked.fit, repeats)
        yield _times("a", f"a convolution of {count} networks as one with groups", *_grouped(count), repeats)


def _grouped(
    networks: int, inputs: int = 16, outputs: int = 32, batch: int = 64
) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """The digits CNN's second convolution with its gradient, network after network and as one with groups, a hundred times."""
    weights = [torch.randn(outputs, inputs, 3, 3, requires_grad=True) for _ in range(networks)]
    images = [_images(batch, inputs) for _ in range(networks)]
    weight = torch.cat([one.detach() for one in weights]).requires_grad_()
    image = _images(batch, networks * inputs)

    def apart() -> None:
        for _ in range(HUNDRED):
            for w, x in zip(weights, images, strict=True):
                F.conv2d(x, w, padding=1).sum().backward()

    def as_one() -> None:
        for _ in range(HUNDRED):
            F.conv2d(image, weight, padding=1, groups=networks).sum().backward()

    return apart, as_one


def _images(batch: int, channels: int) -> torch.Tensor:
    return torch.randn(batch, channels, 8, 8).contiguous(memory_format=torch.channels_last).requires_grad_()


def b_one_call(repeats: int) -> Iterator[Measurement]:
    """A round of REM on the digits CNN with the channels normalised apart, over the same in one call."""
    apart, at_once = (_round_of_rem(whole) for whole in (False, True))
    yield _times("b", "REM on the digits CNN, one batch norm", apart, at_once, repeats)


def c_compiled(repeats: int) -> Iterator[Measurement]:
    """Training steps as they are over compiled ones; the note says what compiling took. Nothing without a compiler."""
    if shutil.which("g++") is None and shutil.which("clang++") is None:
        return
    import torch._inductor.config as inductor

    inductor.force_disable_caches = True  # what an earlier call compiled would take no time
    for name, spec, shape, batch, steps, _ in NETWORKS:
        x = torch.rand(batch, *shape).contiguous(memory_format=torch.channels_last)
        y = torch.arange(batch) % 10
        plain, model = (build_model(spec, shape, 10, 0).train() for _ in range(2))
        compiled: Any = torch.compile(model)
        runs = [_steps(one, x, y, count) for one, count in ((plain, steps), (compiled, 1), (compiled, steps))]
        start = time.perf_counter()
        runs[1]()
        note = f"compiling the first step took {time.perf_counter() - start:.0f} s"
        yield _times("c", f"{name}, compiled", runs[0], runs[2], repeats, note)


def d_halved(repeats: int) -> Iterator[Measurement]:
    """Float32 over bfloat16."""
    for row in halved(repeats, CPU):
        yield Measurement("d", f"{row.name}, bfloat16", row.value, row.unit, row.low, row.high, note=row.note)


def e_evaluation(repeats: int) -> Iterator[Measurement]:
    """Predictions of five networks one after another over one pass that hands each batch to all of them."""
    for name, spec, shape, batch, steps, _ in NETWORKS:
        data = DeviceData.place(random_images(batch * steps, shape), CPU)
        models = [build_model(spec, shape, 10, seed).eval() for seed in range(SEVERAL)]

        def apart(models: list[RedirectNet] = models, data: DeviceData = data) -> None:
            for model in models:
                predict(model, data)

        def together(models: list[RedirectNet] = models, data: DeviceData = data) -> None:
            with torch.no_grad():
                for ids in data.eval_batches(torch.arange(len(data))):
                    x = data.batch(ids)
                    for model in models:
                        model(x)

        yield _times("e", f"{SEVERAL} networks like {name} evaluated together", apart, together, repeats)


WAYS: dict[str, Callable[[int], Iterator[Measurement]]] = {
    "a": a_stacked,
    "b": b_one_call,
    "c": c_compiled,
    "d": d_halved,
    "e": e_evaluation,
}


def _digits_cnn(seed: int) -> CnnNet:
    model = build_model(DIGITS.model, SHAPE, 10, seed)
    assert isinstance(model, CnnNet)
    return model


def _round_of_rem(whole: bool) -> Callable[[], Any]:
    data = DeviceData.place(random_images(COUNT, SHAPE), CPU)
    model, everyone = _digits_cnn(0), torch.arange(COUNT)
    for norm in (module for module in model.modules() if isinstance(module, RedirectNorm2d)):
        norm.whole = whole
    rem = registry.get("rem")
    params = rem.params(make_method("rem", DIGITS).params | {"epochs": 1, "flush_passes": 1})

    def run() -> None:
        task = UnlearningTask(
            original=copy.deepcopy(model).eval(), data=data, forget=everyone[:FORGET], retain=everyone[FORGET:],
            fresh_model=_digits_cnn, recipe=DIGITS.training, seed=0,
        )  # fmt: skip
        rem(params).unlearn(task, SilentReporter())

    return run


def _steps(model: Any, x: torch.Tensor, y: torch.Tensor, count: int) -> Callable[[], Any]:
    optimizer = make_optimizer(model, recipe(len(x)))

    def run() -> None:
        for _ in range(count):
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()

    return run


def _times(
    way: str, name: str, today: Callable[[], Any], other: Callable[[], Any], repeats: int, note: str = ""
) -> Measurement:
    pairs = alternate(today, other, repeats, CPU)
    return summarise(way, name, [before / after for before, after in pairs], "times faster", note=note)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=WAYS, default=list(WAYS))
    options = parser.parse_args()
    path = RESULTS / "ways.json"
    kept = json.loads(path.read_text())["measurements"] if path.exists() else []
    rows = [row for row in kept if row["section"] not in options.only]
    with deterministic(threads=1):
        for way in options.only:
            for row in WAYS[way](options.repeats):
                span = f"{row.value:.2f} {row.unit} ({row.low:.2f} to {row.high:.2f})"
                print(f"({row.section}) {row.name}: {span} {row.note}".rstrip(), flush=True)
                rows.append(row.plain())
        content = {"measurements": sorted(rows, key=lambda row: str(row["section"])), "environment": environment(CPU)}
    path.write_text(json.dumps(content, indent=1) + "\n")
