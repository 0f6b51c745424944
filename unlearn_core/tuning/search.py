"""Choosing hyperparameters with what a practitioner has: a held-out part of the forget set, and the retain accuracy.

A method's own stopping rules score the forget set it was given, which says nothing of the corruption it was not given.
Hiding half of F in the retain set, wrong labels and all, makes half of the known corruption stand for the unknown. Neither
clean labels nor test data nor the undiscovered corruption are read.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import torch
from torch import nn

from unlearn_core.datasets import Recipe
from unlearn_core.datasets import registry as datasets
from unlearn_core.errors import UserError
from unlearn_core.evaluation import build_scenario_data
from unlearn_core.methods import Method, UnlearningTask
from unlearn_core.methods import registry as methods
from unlearn_core.models import RedirectNet, build_model
from unlearn_core.presets import make_scenario
from unlearn_core.specs import LOCATION, Scalar, Scenario
from unlearn_core.training import Reporter, SilentReporter, Trainer
from unlearn_core.tuning.held_out import MIN_FORGET, cross_validate

RULE = (
    "geometric mean over the plane of: mean probability that is no longer given to the wrong labels of the held-out half of F "
    "× accuracy on the labels outside F; 0 where a whole class is lost"
)
"""What :class:`unlearn_core.tuning.held_out.Trial` scores, by which the self-tuning methods go as well."""
TRIES, FINALISTS = 11, 3
"""Configurations beside the preset, and of these so many that go on to more seeds: the same for every method."""


@dataclasses.dataclass(frozen=True)
class Cell:
    """One place on the plane, with a seed."""

    regularity: float
    discovery: float
    seed: int


@dataclasses.dataclass(frozen=True)
class Setting:
    """What methods are tuned for: a dataset, its recipe (None: as :func:`make_scenario` chooses), and what differs from its
    preset, as ("section.field", value). Hashable, so that trained originals are kept."""

    dataset: str
    overrides: tuple[tuple[str, Scalar], ...] = ()
    recipe: Recipe | None = None

    def scenario(self, regularity: float = 0.0, seed: int = 0) -> Scenario:
        """The task at this position of the dial."""
        return make_scenario(self.dataset, regularity=regularity, seed=seed, overrides=dict(self.overrides), recipe=self.recipe)


@functools.lru_cache(maxsize=32)
def _trained(setting: Setting, regularity: float, seed: int) -> tuple[UnlearningTask, torch.Tensor]:
    scenario = setting.scenario(regularity, seed)
    arena = build_scenario_data(scenario, torch.device("cpu"))
    shape, classes, spec = arena.corrupted.train.shape, arena.train.classes, scenario.model
    moments = arena.train.mean_std
    model = build_model(spec, shape, classes, seed, moments)
    everyone = torch.arange(len(arena.train))
    Trainer(model, arena.train, scenario.training, seed, SilentReporter(), snapshots=False).fit(everyone)

    def fresh(seed: int) -> RedirectNet:
        return build_model(spec, shape, classes, seed, moments)

    task = UnlearningTask(model, arena.train, everyone[:0], everyone, fresh, scenario.training, seed)
    # The order of discovery is all that leaves the ground truth: which examples a practitioner would know at each rate.
    return task, arena.corrupted.truth.corrupted


def score_cell(setting: Setting, method: str, params: dict[str, Scalar], cell: Cell) -> dict[str, float]:
    """Held-out score of one configuration in one cell; 0 where the method diverges, or loses a whole class.

    Raises :class:`UserError` where too few are known to hold half of them out.
    """
    torch.set_num_threads(1)
    chosen = methods.get(method)
    task, order = _trained(setting, cell.regularity, cell.seed)
    forget = order[: int(cell.discovery * len(order) + 0.5)].sort().values
    if len(forget) < MIN_FORGET:
        raise UserError(f"Holding out half of the forget set needs at least {MIN_FORGET} examples (got {len(forget)}).")
    retain = task.everything[~torch.isin(task.everything, forget)]

    def run(values: dict[str, Any], half: UnlearningTask, reporter: Reporter) -> nn.Module:
        return chosen(chosen.params(values)).unlearn(half, reporter)

    start = time.perf_counter()
    trial = cross_validate(run, params, dataclasses.replace(task, forget=forget, retain=retain), cell.seed, [SilentReporter()])
    healed = trial.healed.mean().nan_to_num().item()  # JSON knows no NaN
    found = {"healed": healed, "retain": trial.retain, "score": trial.score, "lost": trial.lost}
    return dataclasses.asdict(cell) | found | {"seconds": time.perf_counter() - start}


def rank(rows: Sequence[dict[str, float]]) -> float:
    """Geometric mean of the scores: no cell, and no seed, may be given up for another."""
    return math.exp(sum(math.log(max(row["score"], 1e-2)) for row in rows) / len(rows))


def candidates(method: type[Method[Any]], family: str, tries: int, augment: bool = False) -> list[dict[str, Scalar]]:
    """The preset, then every combination of the method's search space, or ``tries`` of them drawn with a fixed seed."""
    space = method.search_space
    every = [dict(zip(space, values, strict=True)) for values in itertools.product(*space.values())] if space else []
    base = method.presets.get(family, {}) | (method.presets.get(f"{family}, augmented", {}) if augment else {})
    usual = method.all_params(base)
    others = [base | extra for extra in every if any(usual[name] != value for name, value in extra.items())]
    return [base, *(random.Random(2026).sample(others, tries) if len(others) > tries else others)]


def tune(
    setting: Setting,
    method: str,
    pool: Executor,
    *,
    tries: int = TRIES,
    finalists: int = FINALISTS,
    regularity: Sequence[float] = (0.0, 0.5, 1.0),
    discovery: Sequence[float] = (0.1, 0.5),
    first_seeds: Sequence[int] = (100,),
    more_seeds: Sequence[int] = (101, 102),
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Score candidates on the plane, then the preset and the best others on more seeds; returns the choice and its grounds.

    The seeds must be none that any reported number uses. Raises :class:`UserError` for oracles.
    """
    chosen = methods.get(method)
    if chosen.oracle:
        raise UserError(f"{chosen.label} is an oracle and is not tuned.")
    start, training = time.time(), setting.scenario().training
    tried = candidates(chosen, datasets.get(setting.dataset).family, tries, training.augment)
    finalists = min(finalists, len(tried) - 1)
    total = len(regularity) * len(discovery) * (len(tried) * len(first_seeds) + (1 + finalists) * len(more_seeds))
    done = 0

    def scores(configs: list[dict[str, Scalar]], seeds: Sequence[int]) -> list[list[dict[str, float]]]:
        nonlocal done
        cells = [Cell(r, d, s) for r in regularity for d in discovery for s in seeds]
        pending = [[pool.submit(score_cell, setting, method, params, cell) for cell in cells] for params in configs]
        rows: list[list[dict[str, float]]] = []
        for futures in pending:
            rows.append([])
            for future in futures:
                rows[-1].append(future.result())
                done += 1
                if progress is not None:
                    progress(done, total)
        return rows

    first = scores(tried, first_seeds)
    # The preset goes on in any case: only on the same seeds is a difference one.
    best = [0, *sorted(range(1, len(tried)), key=lambda k: -rank(first[k]))[:finalists]]
    more = scores([tried[k] for k in best], more_seeds)
    finals = [
        {"params": tried[k], "score": rank(first[k] + rows), "cells": first[k] + rows}
        for k, rows in zip(best, more, strict=True)
    ]
    preset_score = finals[0]["score"]
    finals.sort(key=lambda final: -float(final["score"]))  # type: ignore[arg-type]
    return {
        "params": finals[0]["params"],
        "score": finals[0]["score"],
        "preset_score": preset_score,
        "rule": RULE,
        "budget": {
            "configurations": len(tried),
            "finalists": len(best),
            "regularity": list(regularity),
            "discovery": list(discovery),
            "seeds": list(first_seeds),
            "more_seeds": list(more_seeds),
            "runs": total,
        },
        "seeds": [*first_seeds, *more_seeds],
        "minutes": round((time.time() - start) / 60, 2),
        "finalists": [{"params": final["params"], "score": final["score"]} for final in finals],
        "cells": finals[0]["cells"],
        "training": training.model_dump(mode="json"),
    } | ({"overrides": told} if (told := _without_places(dict(setting.overrides))) else {})


def _without_places(overrides: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Overrides for the record: where files lie on one machine means nothing on another."""
    return {key: value for key, value in overrides.items() if key.partition(".")[2] not in LOCATION}


def write_tuned(path: Path, dataset: str, results: dict[str, dict[str, Any]], environment: dict[str, Any]) -> None:
    """Merge ``results`` (method → what :func:`tune` returned) into the committed file at ``path``."""
    known: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"dataset": dataset, "rule": RULE, "methods": {}}
    for name, result in results.items():
        known["methods"][name] = result | {"environment": environment}
    known["methods"] = dict(sorted(known["methods"].items()))
    path.write_text(json.dumps(known, indent=1) + "\n")
