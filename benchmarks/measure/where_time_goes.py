"""Where the time goes: a profile of one training epoch, one REM round and one evaluation.

    python -m benchmarks run where_time_goes [--device cpu]

On the digits CNN and on ResNet-9 at a quarter of its width. Writes ``benchmarks/results/where_time_goes.json``: seconds of each
piece of work (the best of three without a profiler) and the operators that take most of it (their own time, one profiled pass).
"""

from __future__ import annotations

import argparse
import copy
import json
import time
from collections.abc import Callable
from typing import Any

import torch

from benchmarks.paths import RESULTS
from unlearn_core.bench.loops import random_images
from unlearn_core.methods import UnlearningTask, registry
from unlearn_core.models import build_model
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.specs import ModelSpec
from unlearn_core.stages.execution import environment, resolve_device
from unlearn_core.training import DeviceData, SilentReporter, Trainer, deterministic, predict

CASES = {
    "digits CNN": (make_scenario("digits").model, (1, 8, 8), 1437, 64),
    "ResNet-9, quarter width": (ModelSpec(name="resnet9", params={"width": 0.25}), (3, 32, 32), 1536, 256),
}
FORGET, TOP = 26, 6


def pieces(
    spec: ModelSpec, shape: tuple[int, ...], count: int, batch: int, device: torch.device
) -> dict[str, Callable[[], Any]]:
    """The three pieces of work on noise images; each call starts from the same model."""
    data = DeviceData.place(random_images(count, shape), device)
    model = build_model(spec, shape, data.classes, 0).to(device)
    scenario = make_scenario("digits")
    recipe = scenario.training.model_copy(update={"epochs": 1, "batch_size": batch})
    everyone = torch.arange(count, device=device)
    rem = registry.get("rem")
    params = rem.params(make_method("rem", scenario).params | {"epochs": 1, "batch_size": batch, "flush_passes": 1})

    def round_of_rem() -> None:
        task = UnlearningTask(
            original=copy.deepcopy(model).eval(), data=data, forget=everyone[:FORGET], retain=everyone[FORGET:],
            fresh_model=lambda seed: build_model(spec, shape, data.classes, seed), recipe=recipe, seed=0,
        )  # fmt: skip
        rem(params).unlearn(task, SilentReporter())

    def epoch() -> None:
        Trainer(copy.deepcopy(model), data, recipe, 0, SilentReporter(), snapshots=False).fit(everyone)

    return {"training epoch": epoch, "REM round": round_of_rem, "evaluation": lambda: predict(model.eval(), data)}


def measure(work: Callable[[], Any], device: torch.device) -> dict[str, Any]:
    """Best of three, and the operators of one more pass with the profiler on."""
    work()
    times = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - start)
    activities = [torch.profiler.ProfilerActivity.CPU]
    if device.type == "cuda":
        activities.append(torch.profiler.ProfilerActivity.CUDA)
    with torch.profiler.profile(activities=activities) as profile:
        work()
    own = "self_device_time_total" if device.type == "cuda" else "self_cpu_time_total"
    rows = sorted(((getattr(row, own), row.key, row.count) for row in profile.key_averages()), reverse=True)
    total = sum(row[0] for row in rows)
    top = [{"operator": name, "share": round(spent / total, 3), "calls": calls} for spent, name, calls in rows[:TOP]]
    return {"seconds": round(min(times), 4), "operators": top}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    device = resolve_device(parser.parse_args().device)
    found: dict[str, Any] = {}
    with deterministic(threads=1):
        for case, (spec, shape, count, batch) in CASES.items():
            for name, work in pieces(spec, shape, count, batch, device).items():
                row = found[f"{case}: {name}"] = measure(work, device)
                said = ", ".join(f"{part['operator']} {part['share']:.0%}" for part in row["operators"])
                print(f"{case}: {name}: {row['seconds']:.3f} s; {said}", flush=True)
    content = {"work": found, "environment": environment(device)}
    (RESULTS / "where_time_goes.json").write_text(json.dumps(content, indent=1) + "\n")
