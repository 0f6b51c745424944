"""Everything that one call on a GPU can tell, the most telling first, each result written as soon as it is there.

    python -m benchmarks run gpu --minutes 8 --out DIR --data cifar10-jpeg.tar.xz [--have FILE] [--scale 0.01] [--device cpu]

Stops by itself before ``--minutes`` are over, counted from its start, and goes on with what an earlier call wrote (``--have``).
``--scale 0.01`` does about a hundredth of everything, to try the whole command out on a processor; ``--dry-run`` prints the
plan. On a GPU the work is done in a process of its own: where that dies, another one goes on after what killed it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.paths import ROOT

if TYPE_CHECKING:
    from benchmarks.measure.gpu.plan import Item
    from benchmarks.measure.gpu.sizes import Settings

AGAIN = 3
"""Processes at most: one that the GPU was lost to is followed by another."""
LOST = 70
"""Exit status of a process that can use its GPU no more."""


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    found = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("--minutes", type=float, default=8.0, help="stop by itself before so many minutes are over")
    found.add_argument("--out", type=Path, help="folder to write gpu.json and the trained originals into")
    found.add_argument("--have", type=Path, help="gpu.json of an earlier call to go on with; its originals lie beside it")
    found.add_argument("--data", type=Path, help="cifar10-jpeg.tar.xz, or the folder that it unpacks to")
    found.add_argument("--scale", type=float, default=1.0, help="part of everything, to try the command out (default: 1)")
    found.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    found.add_argument("--workers", type=int, default=0, help="processes that decode images; 0 for one a core")
    found.add_argument("--most", type=int, default=0, help="go no further than so many items of the plan; 0 for all")
    found.add_argument("--dry-run", action="store_true", help="print the plan and what each item is expected to take")
    found.add_argument("--in-process", action="store_true", help=argparse.SUPPRESS)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status, 2 with one line for what cannot be."""
    started = time.monotonic()
    options = parser().parse_args(arguments)
    problem = refuse(options)
    if problem:
        print(problem, file=sys.stderr)
        return 2
    if options.device == "cuda" and not options.in_process and not options.dry_run:
        return supervise(options, started)
    return run(options, started)


def refuse(options: argparse.Namespace) -> str:
    """Why these options cannot be, in one sentence; empty where they can."""
    if not 0 < options.scale <= 1:
        return f"--scale must be above 0 and at most 1 (got {options.scale:g})."
    if options.dry_run:
        return ""
    if options.out is None or options.data is None:
        return "Give the folder for the results with --out and the images with --data."
    there = options.out / "gpu.json"
    if there.exists() and (options.have is None or options.have.resolve() != there.resolve()):
        return f"{str(there)!r} is there already: go on with it (--have), or give another folder."
    if options.have is not None and not options.have.exists():
        return f"There is no file {str(options.have)!r} to go on with."
    return ""


def supervise(options: argparse.Namespace, started: float) -> int:
    """Run the command in another process; where that is lost, once more with the time that is left."""
    have, status = options.have, LOST
    for _ in range(AGAIN):
        left = options.minutes - (time.monotonic() - started) / 60
        command = [sys.executable, "-m", "benchmarks.measure.gpu.command", "--in-process", "--minutes", f"{left:.3f}"]
        for name in ("out", "data", "scale", "device", "workers", "most"):
            value = getattr(options, name)
            command += [f"--{name}", str(value.resolve() if isinstance(value, Path) else value)]
        if have is not None:
            command += ["--have", str(have.resolve())]
        status = subprocess.call(command, cwd=ROOT)
        if status in (0, 2) or not (options.out / "gpu.json").exists() or left < 1:
            break
        have = options.out / "gpu.json"
    return status


def print_plan(items: Sequence[Item]) -> None:
    """A line for each item, with the seconds that it is expected to take."""
    from benchmarks.measure.gpu.plan import SECONDS

    for item in items:
        print(f"{item.key}: about {SECONDS.get(item.like) or SECONDS[item.like.partition('/')[0]]:.0f} s at full size")


def run(options: argparse.Namespace, started: float) -> int:
    """Measure in this process, or print what would be measured."""
    import torch

    from benchmarks.measure.gpu.plan import plan
    from benchmarks.measure.gpu.sizes import Settings

    settings = Settings(options.scale, options.device)
    items = plan(settings.sizes)[: options.most or None]
    if options.dry_run:
        print_plan(items)
        return 0
    if options.device == "cuda" and not torch.cuda.is_available():
        print("This machine has no usable CUDA device; --device cpu --scale 0.01 tries the command out.", file=sys.stderr)
        return 2
    options.out.mkdir(parents=True, exist_ok=True)
    return measure(options, settings, items, started)


def measure(options: argparse.Namespace, settings: Settings, items: list[Item], started: float) -> int:
    """Go through the plan and write each result as soon as it is there; returns the exit status."""
    import torch

    from benchmarks.measure.gpu.bench import Bench
    from benchmarks.measure.gpu.images import NoData, Photographs, read
    from benchmarks.measure.gpu.ledger import NAME, Ledger, Unusable
    from benchmarks.measure.gpu.work import DeviceBroken, Originals, about, go

    times: dict[str, float] = {}

    def photographs() -> Photographs:
        start = time.monotonic()
        found = read(options.data, settings.sizes.images, options.workers)
        times["decoding"] = round(time.monotonic() - start, 2)
        return found

    device = torch.device(options.device)
    try:
        ledger = Ledger(options.out / NAME, settings, about(device), options.have)
        bench = Bench(settings.sizes, device, started + 60 * options.minutes, photographs, ledger.result)
        if options.have is not None:
            Originals(bench, options.out).load(options.have.parent)
        if time.monotonic() < bench.ends:
            _ = bench.split  # before CUDA is touched, and before anything is timed
        call = {"minutes": options.minutes, "times": times, "about": ledger.about}
        go(bench, ledger, items, options.out, started, call)
    except (NoData, Unusable) as error:
        print(error, file=sys.stderr)
        return 2
    except DeviceBroken as error:
        print(f"The GPU is lost to this process: {error}", file=sys.stderr)
        return LOST
    done = sum(entry["status"] == "done" for entry in ledger.items)
    print(json.dumps({"file": str(ledger.path), "done": done, "rows": len(ledger.rows), "left": len(ledger.left)}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
