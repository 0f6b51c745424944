"""Choosing hyperparameters with what a practitioner has: a held-out part of the forget set, and the retain accuracy.

A method's own stopping rules score the forget set it was given, which says nothing of the corruption it was not given.
Hiding half of F in the retain set, wrong labels and all, makes half of the known corruption stand for the unknown. Neither
clean labels nor test data nor the undiscovered corruption are read.
"""

from __future__ import annotations

import copy
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

from unlearn_core.datasets import registry as datasets
from unlearn_core.errors import UserError
from unlearn_core.evaluation import build_arena
from unlearn_core.methods import Method, UnlearningTask, accuracy_on
from unlearn_core.methods import registry as methods
from unlearn_core.models import RedirectNet, build_model
from unlearn_core.presets import make_scenario
from unlearn_core.specs import LOCATION, Scalar
from unlearn_core.training import Reporter, SilentReporter, Trainer

MIN_FORGET = 4
RULE = (
    "geometric mean over the plane of: held-out half of F no longer predicted as given × retain accuracy "
    "× retain accuracy with all of F"
)


@dataclasses.dataclass(frozen=True)
class HeldOutScore:
    """All three are shares on given labels. ``healed``: of the held-out half of F no longer predicted as given;
    ``retain``: accuracy outside F of that same run; ``retain_full``: accuracy outside F of a run with all of F."""

    healed: float
    retain: float
    retain_full: float

    @property
    def score(self) -> float:
        """The product: healing that breaks the rest is worth little."""
        return self.healed * self.retain * self.retain_full


def held_out_score(
    method: type[Method],
    params: dict[str, Any],
    make_task: Callable[[], UnlearningTask],
    seed: int,
    reporter: Reporter | None = None,
) -> HeldOutScore:
    """Score ``params`` on the task; ``make_task`` gives a fresh copy each time (methods consume the original).

    Raises :class:`UserError` with fewer than ``MIN_FORGET`` known corrupted examples.
    """
    task, report = make_task(), reporter or SilentReporter()
    if len(task.forget) < MIN_FORGET:
        raise UserError(f"Holding out half of the forget set needs at least {MIN_FORGET} examples (got {len(task.forget)}).")
    order = torch.randperm(len(task.forget), generator=torch.Generator().manual_seed(seed)).to(task.device)
    known = task.forget[order[: len(order) // 2]].sort().values
    held = task.forget[order[len(order) // 2 :]].sort().values
    rest = task.retain
    half = dataclasses.replace(task, forget=known, retain=torch.cat([rest, held]).sort().values)
    model = method(method.params(params)).unlearn(half, report)
    healed, retain = 1 - accuracy_on(model, half, held), accuracy_on(model, half, rest)
    full = make_task()
    return HeldOutScore(healed, retain, accuracy_on(method(method.params(params)).unlearn(full, report), full, rest))


@dataclasses.dataclass(frozen=True)
class Cell:
    """One place on the plane, with a seed."""

    regularity: float
    discovery: float
    seed: int


Overrides = tuple[tuple[str, Scalar], ...]
"""What differs from the dataset's preset, as ("section.field", value): hashable, so that trained originals are kept."""


@functools.lru_cache(maxsize=32)
def _trained(dataset: str, regularity: float, seed: int, overrides: Overrides) -> tuple[UnlearningTask, torch.Tensor]:
    scenario = make_scenario(dataset, regularity=regularity, seed=seed, overrides=dict(overrides))
    arena = build_arena(scenario, torch.device("cpu"))
    shape, classes, spec = arena.corrupted.train.shape, arena.train.classes, scenario.model
    moments = arena.train.moments
    model = build_model(spec, shape, classes, seed, moments)
    everyone = torch.arange(len(arena.train))
    Trainer(model, arena.train, scenario.training, seed, SilentReporter(), snapshots=False).fit(everyone)

    def fresh(seed: int) -> RedirectNet:
        return build_model(spec, shape, classes, seed, moments)

    task = UnlearningTask(model, arena.train, everyone[:0], everyone, fresh, scenario.training, seed)
    # The order of discovery is all that leaves the ground truth: which examples a practitioner would know at each rate.
    return task, arena.corrupted.truth.corrupted


def score_cell(dataset: str, method: str, params: dict[str, Scalar], cell: Cell, overrides: Overrides = ()) -> dict[str, float]:
    """Held-out score of one configuration in one cell; 0 where the method fails or diverges."""
    torch.set_num_threads(1)
    task, order = _trained(dataset, cell.regularity, cell.seed, overrides)
    forget = order[: int(cell.discovery * len(order) + 0.5)].sort().values
    retain = task.everything[~torch.isin(task.everything, forget)]

    def make_task() -> UnlearningTask:
        return dataclasses.replace(task, original=copy.deepcopy(task.original), forget=forget, retain=retain)

    start = time.perf_counter()
    result = held_out_score(methods.get(method), params, make_task, cell.seed)
    score = result.score if math.isfinite(result.score) else 0.0
    return dataclasses.asdict(cell) | dataclasses.asdict(result) | {"score": score, "seconds": time.perf_counter() - start}


def rank(rows: Sequence[dict[str, float]]) -> float:
    """Geometric mean of the scores: no cell, and no seed, may be given up for another."""
    return math.exp(sum(math.log(max(row["score"], 1e-2)) for row in rows) / len(rows))


def candidates(method: type[Method], family: str, tries: int, augment: bool = False) -> list[dict[str, Scalar]]:
    """The preset, then every combination of the method's search space, or ``tries`` of them drawn with a fixed seed."""
    space = method.search_space
    every = [dict(zip(space, values, strict=True)) for values in itertools.product(*space.values())] if space else []
    if len(every) > tries:
        every = random.Random(2026).sample(every, tries)
    base = method.presets.get(family, {}) | (method.presets.get(f"{family}, augmented", {}) if augment else {})
    return [base, *({**base, **extra} for extra in every)]


def tune(
    dataset: str,
    method: str,
    pool: Executor,
    *,
    tries: int = 24,
    finalists: int = 4,
    regularity: Sequence[float] = (0.0, 0.5, 1.0),
    discovery: Sequence[float] = (0.1, 0.3, 1.0),
    first_seeds: Sequence[int] = (100, 101),
    more_seeds: Sequence[int] = (102, 103),
    progress: Callable[[int, int], None] | None = None,
    overrides: Mapping[str, Scalar] | None = None,
) -> dict[str, Any]:
    """Score candidates on the plane, then the preset and the best others on more seeds; returns the choice and its grounds.

    ``overrides``: parts of the scenario that differ from the preset, such as {"dataset.limit": 2000}. The seeds must be
    none that any reported number uses. Raises :class:`UserError` for oracles.
    """
    chosen = methods.get(method)
    if chosen.oracle:
        raise UserError(f"{chosen.label} is an oracle and is not tuned.")
    start, fixed = time.time(), tuple((overrides or {}).items())
    augment = make_scenario(dataset, overrides=overrides).training.augment
    tried = candidates(chosen, datasets.get(dataset).family, tries, augment)
    finalists = min(finalists, len(tried) - 1)
    total = len(regularity) * len(discovery) * (len(tried) * len(first_seeds) + (1 + finalists) * len(more_seeds))
    done = 0

    def scores(configs: list[dict[str, Scalar]], seeds: Sequence[int]) -> list[list[dict[str, float]]]:
        nonlocal done
        cells = [Cell(r, d, s) for r in regularity for d in discovery for s in seeds]
        pending = [[pool.submit(score_cell, dataset, method, params, cell, fixed) for cell in cells] for params in configs]
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
        "tried": len(tried),
        "seeds": [*first_seeds, *more_seeds],
        "minutes": round((time.time() - start) / 60, 2),
        "finalists": [{"params": final["params"], "score": final["score"]} for final in finals],
        "cells": finals[0]["cells"],
    } | ({"overrides": told} if (told := _without_places(overrides or {})) else {})


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
