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
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import torch
from torch import nn

from unlearn_core.corruption import type_labels
from unlearn_core.datasets import Recipe
from unlearn_core.datasets import registry as datasets
from unlearn_core.errors import UserError
from unlearn_core.evaluation import build_scenario_data
from unlearn_core.methods import Method, UnlearningTask
from unlearn_core.methods import registry as methods
from unlearn_core.models import RedirectNet, build_model
from unlearn_core.presets import make_scenario
from unlearn_core.specs import LOCATION, Scalar, Scenario
from unlearn_core.training import FreshTrainer, Reporter, SilentReporter
from unlearn_core.tuning.held_out import MIN_FORGET, Values, cross_validate

RULE = (
    "geometric mean over the plane of: mean probability that is no longer given to the wrong labels of the held-out half of F "
    "× accuracy on the labels outside F; 0 where a whole class is lost"
)
"""What :class:`unlearn_core.tuning.held_out.Trial` scores, by which the self-tuning methods go as well."""
Row = dict[str, float]
"""What a cell gives for one configuration, by name: its coordinates, its score and what that is made of."""
TRIES, FINALISTS = 11, 3
"""Configurations beside the preset, and of these so many that go on to more seeds: the same for every method."""


@dataclasses.dataclass(frozen=True)
class Cell:
    """One position on the plane, with a seed."""

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
def train_original(setting: Setting, regularity: float, seed: int) -> tuple[UnlearningTask, torch.Tensor, torch.Tensor]:
    """A task without a forget set, with a trained original; the corrupted examples in the order of discovery; and the labels
    that a person types for them once they are discovered, without a slip."""
    scenario = setting.scenario(regularity, seed)
    data = build_scenario_data(scenario, torch.device("cpu"))
    shape, classes, spec = data.corrupted.train.shape, data.train.classes, scenario.model
    mean_std = data.train.mean_std
    model = build_model(spec, shape, classes, seed, mean_std)
    everyone = torch.arange(len(data.train))
    FreshTrainer(model, data.train, scenario.training, seed, SilentReporter(), snapshots=False).fit(everyone)

    def fresh(seed: int) -> RedirectNet:
        return build_model(spec, shape, classes, seed, mean_std)

    task = UnlearningTask(model, data.train, everyone[:0], everyone, fresh, scenario.training, seed)
    # This is all that leaves the ground truth: which examples a practitioner would know at each rate, and what of these.
    truth = data.corrupted.truth
    return task, truth.corrupted, type_labels(truth, truth.corrupted, 1.0, 0.0, seed, data.train.classes)


def score_cell(setting: Setting, method: str, params: dict[str, Scalar], cell: Cell) -> Row:
    """Held-out score of one configuration in one cell; 0 where the method diverges, or loses a whole class.

    Raises :class:`UserError` where too few are known to hold half of them out.
    """
    torch.set_num_threads(1)
    chosen = methods.get(method)
    task, order, typed = train_original(setting, cell.regularity, cell.seed)
    forget, places = order[: int(cell.discovery * len(order) + 0.5)].sort()
    if len(forget) < MIN_FORGET:
        raise UserError(f"Holding out half of the forget set needs at least {MIN_FORGET} examples (got {len(forget)}).")
    retain = task.everything[~torch.isin(task.everything, forget)]
    known = dataclasses.replace(task, forget=forget, retain=retain, right=typed[places] if chosen.needs_right_labels else None)

    def run(values: Values, half: UnlearningTask, reporter: Reporter) -> nn.Module:
        model: nn.Module = chosen(chosen.params(values)).unlearn(half, reporter)
        return model

    start = time.perf_counter()
    trial = cross_validate(run, params, known, cell.seed, [SilentReporter()])
    healed = trial.healed.mean().nan_to_num().item()  # JSON knows no NaN
    found = {"healed": healed, "retain": trial.retain, "score": trial.score, "lost": trial.lost}
    return dataclasses.asdict(cell) | found | {"seconds": time.perf_counter() - start}


def rank(rows: Sequence[Row]) -> float:
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


@dataclasses.dataclass
class PlaneScorer:
    """Scores configurations at all ``places`` (regularity, discovery) of the plane, side by side in ``pool``, and says how many
    of ``total`` runs are done."""

    setting: Setting
    method: str
    pool: Executor
    places: Sequence[tuple[float, float]]
    total: int
    progress: Callable[[int, int], None] | None
    done: int = 0

    def score(self, configs: Sequence[dict[str, Scalar]], seeds: Sequence[int]) -> list[list[Row]]:
        """The rows of each configuration, one for each place and seed."""
        cells = [Cell(regularity, discovery, seed) for regularity, discovery in self.places for seed in seeds]
        pending = [[self.pool.submit(score_cell, self.setting, self.method, one, cell) for cell in cells] for one in configs]
        return [[self._await(future) for future in futures] for futures in pending]

    def _await(self, future: Future[Row]) -> Row:
        row = future.result()
        self.done += 1
        if self.progress is not None:
            self.progress(self.done, self.total)
        return row


@dataclasses.dataclass(frozen=True)
class Finalist:
    """A configuration with its rows on all seeds."""

    params: dict[str, Scalar]
    cells: list[Row]

    @property
    def score(self) -> float:
        return rank(self.cells)


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
    places = list(itertools.product(regularity, discovery))
    total = len(places) * (len(tried) * len(first_seeds) + (1 + finalists) * len(more_seeds))
    scorer = PlaneScorer(setting, method, pool, places, total, progress)
    finals = select_finalists(scorer, tried, finalists, first_seeds, more_seeds)
    budget = {
        "configurations": len(tried),
        "finalists": len(finals),
        "regularity": list(regularity),
        "discovery": list(discovery),
        "seeds": list(first_seeds),
        "more_seeds": list(more_seeds),
        "runs": total,
    }
    choice = _choice(finals, budget, round((time.time() - start) / 60, 2))
    overrides = _without_locations(dict(setting.overrides))
    return choice | {"training": training.model_dump(mode="json")} | ({"overrides": overrides} if overrides else {})


def select_finalists(
    scorer: PlaneScorer, tried: list[dict[str, Scalar]], count: int, first_seeds: Sequence[int], more_seeds: Sequence[int]
) -> list[Finalist]:
    """The preset, then the best ``count`` of the other configurations, each scored on all seeds."""
    first = scorer.score(tried, first_seeds)
    # The preset goes on in any case: only on the same seeds is a difference one.
    best = [0, *sorted(range(1, len(tried)), key=lambda k: -rank(first[k]))[:count]]
    more = scorer.score([tried[k] for k in best], more_seeds)
    return [Finalist(tried[k], first[k] + rows) for k, rows in zip(best, more, strict=True)]


def _choice(finals: list[Finalist], budget: dict[str, Any], minutes: float) -> dict[str, Any]:
    """The best of ``finals``, whose first is the preset, and what it rests on, for the record."""
    ranked = sorted(finals, key=lambda final: -final.score)
    return {
        "params": ranked[0].params,
        "score": ranked[0].score,
        "preset_score": finals[0].score,
        "rule": RULE,
        "budget": budget,
        "seeds": [*budget["seeds"], *budget["more_seeds"]],
        "minutes": minutes,
        "finalists": [{"params": final.params, "score": final.score} for final in ranked],
        "cells": ranked[0].cells,
    }


def _without_locations(overrides: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Overrides for the record: where files lie on one machine means nothing on another."""
    return {key: value for key, value in overrides.items() if key.partition(".")[2] not in LOCATION}


def write_tuned(path: Path, dataset: str, results: dict[str, dict[str, Any]], environment: dict[str, Any]) -> None:
    """Merge ``results`` (method → what :func:`tune` returned) into the committed file at ``path``."""
    known: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"dataset": dataset, "rule": RULE, "methods": {}}
    for name, result in results.items():
        known["methods"][name] = result | {"environment": environment}
    known["methods"] = dict(sorted(known["methods"].items()))
    path.write_text(json.dumps(known, indent=1) + "\n")
