"""Choose REM's preset for one kind of data by the held-out-F rule; ground truth and test data are never read.

    python -m benchmarks.choose_presets digits

Random configurations are scored on the plane of regularity × discovery with seeds that no reported number uses; the best
go on to more seeds. Writes ``benchmarks/presets_<dataset>.json``: what was tried, every score, versions and time.
"""

from __future__ import annotations

import argparse
import copy
import functools
import json
import math
import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import torch

from unlearn_core.engine.stages import environment
from unlearn_core.evaluation import build_arena
from unlearn_core.methods import UnlearningTask, registry
from unlearn_core.models import RedirectNet, build_model
from unlearn_core.presets import make_scenario
from unlearn_core.specs import Scenario
from unlearn_core.training import SilentReporter, Trainer
from unlearn_core.tuning import held_out_score

REGULARITY, DISCOVERY = (0.0, 0.5, 1.0), (0.1, 0.3, 1.0)
FIRST_SEEDS, MORE_SEEDS = (100,), (101, 102)
SPACE: dict[str, dict[str, list[float]]] = {
    "digits": {
        "epochs": [3, 4, 5, 6],
        "learning_rate": [0.03, 0.05, 0.1],
        "batch_size": [128, 256],
        "mask_share": [0.05, 0.1, 0.2],
        "forget_share": [0.5, 1.0],
        "forget_weight": [0.3, 0.5, 1.0],
        "forget_per_batch": [16, 32],
        "flush_threshold": [0.1, 0.2],
        "flush_rate": [2.0, 4.0, 6.0],
        "redirect_rate": [1.0, 3.0],
        "weight_decay": [5e-4, 5e-3, 1e-2],
    },
    "points": {
        "epochs": [2, 4, 8, 12],
        "learning_rate": [0.01, 0.03, 0.1],
        "batch_size": [32, 64, 128],
        "mask_share": [0.1, 0.2, 0.5],
        "forget_share": [0.5, 1.0],
        "forget_weight": [0.0, 0.3, 1.0],
        "forget_per_batch": [0, 16],
        "flush_threshold": [0.1, 0.2],
        "flush_rate": [1.0, 3.0],
        "redirect_rate": [1.0, 3.0],
        "weight_decay": [0.0, 5e-3],
    },
}


@functools.lru_cache(maxsize=64)
def _trained(dataset: str, regularity: float, seed: int) -> tuple[Scenario, UnlearningTask, torch.Tensor]:
    scenario = make_scenario(dataset, regularity=regularity, seed=seed)
    arena = build_arena(scenario, torch.device("cpu"))
    shape, classes, spec = arena.corrupted.train.shape, arena.train.classes, scenario.model
    model = build_model(spec, shape, classes, seed)
    everyone = torch.arange(len(arena.train))
    Trainer(model, arena.train, scenario.training, seed, SilentReporter(), snapshots=False).fit(everyone)

    def fresh(seed: int) -> RedirectNet:
        return build_model(spec, shape, classes, seed)

    task = UnlearningTask(model, arena.train, everyone[:0], everyone, fresh, scenario.training, seed)
    # The order of discovery is all that leaves the ground truth: which examples a practitioner would know at each rate.
    return scenario, task, arena.corrupted.truth.corrupted


def score(dataset: str, params: dict[str, float], regularity: float, discovery: float, seed: int) -> dict[str, float]:
    """The held-out score of one configuration in one cell."""
    torch.set_num_threads(1)
    _, task, order = _trained(dataset, regularity, seed)
    forget = order[: int(discovery * len(order) + 0.5)].sort().values
    retain = task.everything[~torch.isin(task.everything, forget)]

    def make_task() -> UnlearningTask:
        return UnlearningTask(copy.deepcopy(task.original), task.data, forget, retain, task.fresh_model, task.recipe, task.seed)

    start = time.perf_counter()
    result = held_out_score(registry.get("rem"), {**params, "keep_best": False}, make_task, seed)
    return {
        "healed": result.healed,
        "retain": result.retain,
        "retain_full": result.retain_full,
        "score": result.score if math.isfinite(result.score) else 0.0,
        "seconds": time.perf_counter() - start,
    }


def evaluate(
    pool: ProcessPoolExecutor, dataset: str, configs: list[dict[str, float]], seeds: tuple[int, ...]
) -> list[list[dict]]:
    """Every configuration in every cell; progress on stderr."""
    jobs = [(k, r, d, s) for k in range(len(configs)) for r in REGULARITY for d in DISCOVERY for s in seeds]
    pending = [pool.submit(score, dataset, configs[k], r, d, s) for k, r, d, s in jobs]
    rows: list[list[dict]] = [[] for _ in configs]
    for n, ((k, r, d, s), future) in enumerate(zip(jobs, pending, strict=True), 1):
        rows[k].append({"regularity": r, "discovery": d, "seed": s} | future.result())
        if n % 20 == 0:
            print(f"{n} / {len(jobs)} cells", file=sys.stderr, flush=True)
    return rows


def rank(rows: list[dict]) -> float:
    """Geometric mean of the cells' mean scores: no cell may be given up for another."""
    cells: dict[tuple[float, float], list[float]] = {}
    for row in rows:
        cells.setdefault((row["regularity"], row["discovery"]), []).append(row["score"])
    means = [sum(v) / len(v) for v in cells.values()]
    return math.exp(sum(math.log(max(m, 1e-3)) for m in means) / len(means))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset")
    parser.add_argument("--tries", type=int, default=24)
    parser.add_argument("--finalists", type=int, default=4)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    family = "digits" if options.dataset == "digits" else "points"
    generator = random.Random(2026)
    space = SPACE[family]
    tried = [{name: generator.choice(values) for name, values in space.items()} for _ in range(options.tries)]
    start = time.time()
    with ProcessPoolExecutor(options.workers) as pool:
        first = evaluate(pool, options.dataset, tried, FIRST_SEEDS)
        best = sorted(range(len(tried)), key=lambda k: -rank(first[k]))[: options.finalists]
        more = evaluate(pool, options.dataset, [tried[k] for k in best], MORE_SEEDS)
    finals = [
        {"params": tried[k], "rank": rank(first[k] + rows), "rows": first[k] + rows} for k, rows in zip(best, more, strict=True)
    ]
    finals.sort(key=lambda final: -final["rank"])
    report = {
        "rule": "geometric mean over the plane of held-out healing × retain accuracy × retain accuracy with all of F",
        "dataset": options.dataset,
        "chosen": finals[0]["params"],
        "seeds": [*FIRST_SEEDS, *MORE_SEEDS],
        "minutes": (time.time() - start) / 60,
        "environment": environment(torch.device("cpu")),
        "finalists": [{"params": f["params"], "rank": f["rank"]} for f in finals],
        "cells": finals[0]["rows"],
        "first_round": [{"params": p, "rank": rank(rows)} for p, rows in zip(tried, first, strict=True)],
    }
    target = Path(__file__).with_name(f"presets_{options.dataset}.json")
    target.write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report["finalists"], indent=1))


if __name__ == "__main__":
    main()
