"""REM's preset for photographs beside other values, by the held-out-F rule, with either recipe for photographs.

    python -m benchmarks run rem_photos --data FOLDER [--images 10000] [--seeds 100] [--regularity 0 1] [--discovery 0.1]
                                    [--changes '{}' '{"round_steps": 0, "removal_cap": 100}'] [--recipe accurate]

``FOLDER`` holds train/<class>/… and test/<class>/… (CIFAR-10 as image files). ``tune`` had found REM's values on networks an
eighth as wide, trained on 1,000 images without crops and flips; this asks what holds for the network, the recipe and the
numbers of images of the app. ``--changes``: what differs from the preset, one JSON object for each setting. Neither ground
truth nor test data is looked at: half of F is left in the retain set with its wrong labels, and what counts is how much of it
is healed and how much of the rest survives (``unlearn_core.tuning.search``). Seeds are none that any reported number uses.
Writes ``benchmarks/results/rem_photos.json``, where other settings are kept; seconds are of one processor. (The rows there were
scored when the rule also ran every configuration with all of F, which is their second number for the rest.)
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch

from benchmarks.paths import RESULTS
from unlearn_core.presets import preset_params
from unlearn_core.stages.execution import environment
from unlearn_core.tuning.search import Cell, Setting, rank, score_cell

BEFORE = {"round_steps": 0, "removal_cap": 100.0}
"""An epoch a round and the full force of the removal, as in the paper."""


def rows_of(cells: list[Cell], changes: list[dict[str, Any]], setting: Setting) -> list[dict[str, Any]]:
    """A row for each cell and setting; the trained originals are kept between settings."""
    rows, usual = [], preset_params("rem", "images", augment=setting.scenario().training.augment)
    for cell in cells:
        for change in changes:
            rows.append({"changed": change} | score_cell(setting, "rem", usual | change, cell))
            print(json.dumps(rows[-1]), flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--seeds", nargs="+", type=int, default=[100])
    parser.add_argument("--regularity", nargs="+", type=float, default=[0.0, 1.0])
    parser.add_argument("--discovery", type=float, default=0.1)
    parser.add_argument("--recipe", choices=("accurate", "memorising"), default="accurate")
    parser.add_argument("--changes", nargs="+", type=json.loads, default=[{}, BEFORE])
    options = parser.parse_args()
    overrides = (("dataset.data", str(options.data)), ("dataset.limit", options.images), ("dataset.test_limit", 200))
    cells = [Cell(r, options.discovery, seed) for seed in options.seeds for r in options.regularity]
    write(options, rows_of(cells, options.changes, Setting("images", overrides, options.recipe)))


def write(options: argparse.Namespace, rows: list[dict[str, Any]]) -> None:
    """A line for each setting, on the screen and in the file."""
    lines = []
    for change in options.changes:
        here = [row for row in rows if row["changed"] == change]
        parts = ", ".join(
            f"regularity {row['regularity']:g}: healed {row['healed']:.2f}, retain {row['retain']:.2f}" for row in here
        )
        name = ", ".join(f"{key} {value:g}" for key, value in change.items()) or "the preset"
        lines.append(f"{name}: {rank(here):.3f} ({parts})")
    print("\n".join(lines))
    listed = {name: ", ".join(f"{value:g}" for value in getattr(options, name)) for name in ("regularity", "seeds")}
    setting = f"{options.images:,} images, regularity {listed['regularity']}, discovery {options.discovery:g}"
    setting += f", seeds {listed['seeds']}" + (", memorising" if options.recipe == "memorising" else "")
    target = RESULTS / "rem_photos.json"
    runs = json.loads(target.read_text())["runs"] if target.exists() else {}
    runs[setting] = {"lines": lines, "rows": rows, "environment": environment(torch.device("cpu"))}
    target.write_text(json.dumps({"runs": runs}, indent=1, ensure_ascii=False) + "\n")
