"""Goes through the plan until the time is over: what is there is left alone, what fails is noted, and the next one follows."""

from __future__ import annotations

import platform
import sys
import time
import traceback
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.measure.gpu import agree, cells, choose, compiled, recipes, speed
from benchmarks.measure.gpu.bench import Bench, OutOfTime, device_name, pack, unpack
from benchmarks.measure.gpu.ledger import Ledger, write_whole
from benchmarks.measure.gpu.plan import SECONDS, Item
from benchmarks.measure.gpu.sizes import REGULARITIES
from unlearn_core.errors import Cancelled

SAFETY = 1.15
"""What an item is expected to take is taken for so many times as much."""
SCALED = 0.05
"""Below full size: share of the expected seconds at full size."""
BROKEN = ("CUDA error", "device-side assert", "an illegal memory access", "CUBLAS_STATUS", "CUDNN_STATUS_EXECUTION")


class DeviceBroken(Exception):
    """The process can use its GPU no more: another process goes on."""


Measure = Callable[[Bench, Item, Path], dict[str, Any]]


def go(bench: Bench, ledger: Ledger, items: list[Item], out: Path, started: float, call: dict[str, Any]) -> None:
    """Measure what is missing of ``items``, in order, as far as the time goes; ``started``: on :func:`time.monotonic`."""
    margin = 12.0 if bench.sizes.whole else 0.0
    ledger.calls.append(call)
    settle(bench, ledger)
    weights = Originals(bench, out)
    skipped: list[str] = []
    for item in items:
        if ledger.is_done(item):
            continue
        need = SAFETY * expected(bench, ledger, item) + margin
        if item.key in ledger.died or time.monotonic() + need > bench.ends:
            skipped.append(item.key)
            continue
        one(bench, ledger, item, weights, out)
        settle(bench, ledger)
    ledger.left = skipped
    call["seconds"] = round(time.monotonic() - started, 1)
    ledger.write()


def one(bench: Bench, ledger: Ledger, item: Item, weights: Originals, out: Path) -> None:
    """Measure one item and write what came of it, whatever that is. Raises :class:`DeviceBroken`."""
    ledger.starts(item)
    start = time.monotonic()
    try:
        if item.kind == "run":
            weights.provide(item)
        found = measure(bench, item, out)
        if item.kind == "original":
            weights.keep(item)
    except (Cancelled, OutOfTime):
        ledger.ends(item, "out of time", time.monotonic() - start)
        say(item, "out of time")
        return
    except Exception as error:  # whatever goes wrong in one item is noted, and the next one follows
        text = f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"
        lost = bench.device.type == "cuda" and any(word in text for word in BROKEN)
        died = {"died": True} if lost else {}
        ledger.ends(item, "failed", time.monotonic() - start, error=text, where=traceback.format_exc()[-1500:], **died)
        say(item, f"failed: {text}")
        if lost:
            raise DeviceBroken(text) from error
        return
    spent = time.monotonic() - start
    card = device_name(bench.device)
    if item.kind == "run":
        ledger.ends(item, "done", spent, device=card, row=found)
    else:
        ledger.ends(item, "skipped" if "skipped" in found else "done", spent, device=card, result=found)
    say(item, f"{spent:.1f} s {brief(found)}")


def measure(bench: Bench, item: Item, out: Path) -> dict[str, Any]:
    """What there is to find out about this item."""
    if item.kind == "agree":
        return agree.compare(bench)
    if item.kind == "original":
        return cells.train_original(bench, item)
    if item.kind == "recipe":
        return recipes.measure(bench, item.key.removeprefix("recipes/"))
    if item.kind == "choose":
        return choose.values_of_rem(bench)
    if item.kind == "run":
        return cells.run_method(bench, item)
    name = item.key.removeprefix("speed/")
    if name == "epoch/compiled":
        if bench.device.type != "cuda":
            return {"skipped": "compiled training is measured on a GPU alone"}
        limit = bench.ends - time.monotonic() - 5
        return compiled.measure_apart(bench.sizes.scale, bench.device.type, min(limit, SECONDS[item.key]), out)
    if name.startswith("epoch/"):
        return speed.epoch(bench, name.removeprefix("epoch/"))
    if name == "rem":
        scenario = bench.sizes.scenario(1.0, 0.1, 0)
        if scenario.original_key not in bench.weights:
            cells.train_original(bench, Item("", "original", "original", scenario))
        return speed.rem(bench, scenario)
    return {"peak": speed.peak, "small/alone": speed.small_alone, "small/stacked": speed.small_stacked}[name](bench)


def settle(bench: Bench, ledger: Ledger) -> None:
    """Draw the conclusions of what was measured so far: graphs where they agree, and the quicker way to choose kernels."""
    agreement = ledger.result("agree")
    bench.graphs = bench.device.type == "cuda" and bool(agreement and agreement["graphs_agree"]) and len(ledger.died) < 2
    way = "graph" if bench.graphs else "eager"
    usual, searched = (ledger.result(f"speed/epoch/{way}{end}") for end in ("", ", kernels searched"))
    # A search takes its time for every new shape, and evaluation has many.
    bench.search = bool(usual and searched and searched["epoch_seconds"] < 0.9 * usual["epoch_seconds"])


def expected(bench: Bench, ledger: Ledger, item: Item) -> float:
    """Seconds that an item will take, by the slowest of its sort so far, or else by what was put down for it; an original that
    has to be trained first counts too."""
    known = ledger.costs()

    def guess(like: str) -> float:
        name = like.partition("/")[0] if like not in SECONDS else like
        return known.get(like) or SECONDS[name] * (1.0 if bench.sizes.whole else SCALED)

    needs_original = item.kind == "run" and item.scenario is not None and item.scenario.original_key not in bench.weights
    return guess(item.like) + (guess("original") if needs_original else 0.0)


class Originals:
    """Trained originals, kept for this call in memory and for a later one in a file for each seed beside the results."""

    def __init__(self, bench: Bench, out: Path) -> None:
        self.bench, self.out = bench, out
        self.failed: dict[str, str] = {}

    def load(self, folder: Path) -> None:
        """Those that an earlier call left in ``folder``."""
        for path in sorted(folder.glob("originals-*.npz")):
            with np.load(path, allow_pickle=False) as arrays:
                self.bench.weights |= unpack(dict(arrays))

    def provide(self, item: Item) -> None:
        """Train what a run starts from, where it is not there; once, where that fails."""
        scenario = cells.scenario_of(item)
        key = scenario.original_key
        if key in self.failed:
            raise RuntimeError(f"its original failed: {self.failed[key]}")
        if key not in self.bench.weights:
            try:
                cells.train_original(self.bench, item)
            except (Cancelled, OutOfTime):
                raise
            except Exception as error:  # said of every run that starts from it, in place of training it again for each
                self.failed[key] = str(error)
                raise
            self.keep(item)

    def keep(self, item: Item) -> None:
        """Write the originals of this item's seed."""
        seed = cells.scenario_of(item).seed
        mine = {self.bench.sizes.scenario(r, 1.0, seed).original_key for r in REGULARITIES}
        states = {key: state for key, state in self.bench.weights.items() if key in mine}
        path = self.out / f"originals-{seed}.npz"
        buffer = path.with_suffix(".partial")
        with buffer.open("wb") as file:
            np.savez(file, allow_pickle=False, **pack(states))
        write_whole(path, buffer.read_bytes())
        buffer.unlink()


def about(device: torch.device) -> dict[str, Any]:
    """What all of this call's numbers depend on."""
    names = ("torch", "torchvision", "numpy", "pandas", "scikit-learn", "pydantic")
    found: dict[str, Any] = {"device": device_name(device), "python": platform.python_version()}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        found |= {"memory": properties.total_memory, "multiprocessors": properties.multi_processor_count}
        found |= {"cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()}
    return found | {"threads": torch.get_num_threads()}


def say(item: Item, text: str) -> None:
    print(f"{item.key}: {text}", file=sys.stderr, flush=True)


def brief(found: dict[str, Any]) -> str:
    """The few numbers of an outcome that are worth a line."""
    names = ("healed", "utility", "memorised", "agrees", "graphs_agree", "epoch_seconds", "share_of_peak", "skipped")
    shown = [f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}" for name in names
             if (value := found.get(name)) is not None]  # fmt: skip
    return ", ".join(shown)
