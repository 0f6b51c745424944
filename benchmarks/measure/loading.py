"""How long a folder of images takes to load, the first time and from the cache, and how much memory.

    python -m benchmarks run loading [--images 50000] [--size 32] [--form folder]

Makes a folder (or a zip, or a CSV beside it) of synthetic JPEG files in a temporary directory, loads it in a fresh process
with an empty cache, then in two others with the cache, one of which goes on to where training could start. Prints JSON:
seconds (wall and CPU, without the imports) and the peak memory of each process. Run it with nothing else going on.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.paths import ROOT

CLASSES = 10
TARGETS = {"first": 60.0, "cached": 3.0}
MOST_MEMORY = 4.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=50_000)
    parser.add_argument("--size", type=int, default=32, help="side of the files in pixels")
    parser.add_argument("--form", choices=("folder", "zip", "csv"), default="folder")
    parser.add_argument("--child", nargs=2, metavar=("STEP", "PATH"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(child(*options.child)))
        return
    with tempfile.TemporaryDirectory() as folder:
        os.environ["UNLEARN_CACHE"] = str(Path(folder) / "cache")
        start = time.perf_counter()
        path = make(Path(folder), options.images, options.size, options.form)
        report: dict[str, Any] = {"made_s": round(time.perf_counter() - start, 1), "cores": len(os.sched_getaffinity(0))}
        for step in ("first", "cached", "corrupted"):
            report[step] = run(step, path)
    report["within"] = {step: report[step]["wall_s"] < most for step, most in TARGETS.items()}
    report["within"]["memory"] = max(report[step]["peak_gb"] for step in ("first", "cached", "corrupted")) < MOST_MEMORY
    print(json.dumps(report, indent=1))


def make(folder: Path, count: int, size: int, form: str) -> Path:
    """Five sixths for training, one sixth for testing, as in CIFAR-10."""
    rng = np.random.default_rng(0)
    root = folder / "images"
    noise = rng.integers(0, 60, (64, size, size, 3), dtype=np.uint8)
    names = []
    for k in range(count):
        label, half = k % CLASSES, "test" if k % 6 == 5 else "train"
        name = f"{half}/class{label}/{k:06}.jpg"
        path = root / name
        if k < 6 * CLASSES:
            path.parent.mkdir(parents=True, exist_ok=True)
        smooth = np.array(rng.integers(0, 190, (4, 4, 3), dtype=np.uint8))
        image = np.asarray(Image.fromarray(smooth).resize((size, size))) + noise[k % len(noise)]
        Image.fromarray(image).save(path, quality=90)
        names.append((name, label, half))
    if form == "zip":
        with zipfile.ZipFile(folder / "images.zip", "w") as file:
            for name, _, _ in names:
                file.write(root / name, name)
        return folder / "images.zip"
    if form == "csv":
        (root / "list.csv").write_text("path,label,split\n" + "".join(f"{n},{label},{half}\n" for n, label, half in names))
        return root / "list.csv"
    return root


def run(step: str, path: Path) -> dict[str, Any]:
    """One step in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.measure.loading", "--child", step, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return dict(json.loads(done.stdout))


def child(step: str, path: str) -> dict[str, Any]:
    """Load; for "corrupted" go on to the corrupted data on the device, as every worker does."""
    import torch

    from unlearn_core.datasets import load_dataset
    from unlearn_core.evaluation import build_scenario_data
    from unlearn_core.presets import make_scenario

    wall, cpu = time.perf_counter(), time.process_time()
    scenario = make_scenario("images", overrides={"dataset.data": path})
    planned = time.perf_counter() - wall
    split = load_dataset(scenario.dataset, 0)
    if step == "corrupted":
        build_scenario_data(scenario, torch.device("cpu"))
    return {
        "wall_s": round(time.perf_counter() - wall, 2),
        "cpu_s": round(time.process_time() - cpu, 2),
        "listing_s": round(planned, 2),
        "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
        "train": len(split.train),
        "test": len(split.test),
    }


if __name__ == "__main__":
    main()
