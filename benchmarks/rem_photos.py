"""REM's learning rate for photographs, chosen by the held-out-F rule with the recipe that photographs get in the app.

    python -m benchmarks.rem_photos --data FOLDER [--images 2500] [--seeds 100] [--regularity 0 0.5 1] [--discovery 0.3]

``FOLDER`` holds train/<class>/… and test/<class>/… (CIFAR-10 as image files). ``tune`` had found REM's values on networks an
eighth as wide, trained on 1,000 images without crops and flips; this asks whether they hold for the network and the recipe of
the app. Neither ground truth nor test data is looked at: half of F is left in the retain set with its wrong labels, and what
counts is how much of it is healed and how much of the rest survives (``unlearn_core.tuning``). Seeds are none that any reported
number uses. Writes ``benchmarks/rem_photos.json``; seconds are of one processor, two REM runs each.
"""

from __future__ import annotations

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from unlearn_core.engine.stages import environment
from unlearn_core.methods._redirection import PRESETS
from unlearn_core.tuning import Cell, rank, score_cell

RATES = (0.1, 0.02, 0.005)


def cell_rows(cell: Cell, overrides: tuple[tuple[str, Any], ...]) -> list[dict[str, Any]]:
    """A row for each learning rate: one process keeps the trained original."""
    rows, usual = [], PRESETS["photos"] | PRESETS["photos, augmented"]
    for rate in RATES:
        row = score_cell("images", "rem", usual | {"learning_rate": rate}, cell, overrides)
        rows.append({"learning_rate": rate} | row)
        print(json.dumps(rows[-1]), flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--images", type=int, default=2500)
    parser.add_argument("--seeds", nargs="+", type=int, default=[100])
    parser.add_argument("--regularity", nargs="+", type=float, default=[0.0, 0.5, 1.0])
    parser.add_argument("--discovery", type=float, default=0.3)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    overrides = (("dataset.data", str(options.data)), ("dataset.limit", options.images), ("dataset.test_limit", 200))
    cells = [Cell(r, options.discovery, seed) for seed in options.seeds for r in options.regularity]
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        rows = [row for rows in pool.map(cell_rows, cells, [overrides] * len(cells)) for row in rows]
    lines = []
    for rate in RATES:
        here = [row for row in rows if row["learning_rate"] == rate]
        parts = ", ".join(
            f"regularity {row['regularity']:g}: healed {row['healed']:.2f}, "
            f"retain {row['retain']:.2f} and {row['retain_full']:.2f}"
            for row in here
        )
        lines.append(f"learning rate {rate:g}: {rank(here):.3f} ({parts})")
    print("\n".join(lines))
    setting = f"{options.images:,} images, discovery {options.discovery:g}, seeds {', '.join(map(str, options.seeds))}"
    content = {"setting": setting, "lines": lines, "rows": rows, "environment": environment(torch.device("cpu"))}
    Path(__file__).with_suffix(".json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
