"""How long the teaching grid on digits takes from an empty store, with two workers, as a person would run it.

    python -m benchmarks run teaching_grid [--store FOLDER]

Runs ``sweep benchmarks/plans/teaching_grid.yaml`` in a store that is thrown away, or in a new one that is kept, and writes
``benchmarks/results/teaching_grid.json``. Asked for: at most 12 minutes. Run it with nothing else going on.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from benchmarks.paths import PLANS, RESULTS
from benchmarks.target import Target
from unlearn_core.stages.execution import environment
from unlearn_core.store import Store

PLAN = PLANS / "teaching_grid.yaml"
WORKERS, ASKED_MINUTES = 2, 12.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path, help="a folder that does not exist yet; it is kept")
    kept = parser.parse_args().store
    if kept is not None and kept.exists():
        parser.error(f"{str(kept)!r} exists already, and the time counts from an empty store.")
    with contextlib.nullcontext(str(kept)) if kept is not None else tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        command = [sys.executable, "-m", "unlearn_core", "sweep", str(PLAN), "--workers", str(WORKERS), "--store", folder]
        subprocess.run(command, check=True)
        minutes = (time.perf_counter() - start) / 60
        store = Store.open(folder)
        runs = store.find("run")
        spent: dict[str, float] = {}
        for record in runs:
            name = record.payload["method"]
            spent[name] = spent.get(name, 0.0) + record.payload["seconds"]
    found = {
        "minutes": round(minutes, 2),
        "asked": ASKED_MINUTES,
        "workers": WORKERS,
        "runs": len(runs),
        "seconds_of_the_methods": {name: round(value, 1) for name, value in sorted(spent.items(), key=lambda item: -item[1])},
        "environment": environment(torch.device("cpu")),
    }
    (RESULTS / "teaching_grid.json").write_text(json.dumps(found, indent=1) + "\n")
    print(Target.at_most(minutes, ASKED_MINUTES, f"minutes for {found['runs']} runs").line())
