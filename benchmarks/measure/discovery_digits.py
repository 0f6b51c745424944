"""Discovery on digits: what was asked for beside what is measured, seeds 0, 1, 2.

    python -m benchmarks run discovery_digits [--sections plane clean other tuned] [--seeds 0 1 2] [--workers 2]
                                              [--parts FOLDER]

- ``plane``: ``rem_discover`` with REM's preset at regularity 0 to 1 and discovery 0.1 and 0.3, ``rem`` beside it.
- ``clean``: no corruption at all; the forget set is drawn at random from clean data. Such a task can't be made in the app.
- ``other``: tasks that discovery was not developed on: other classes, another trigger, other amounts.
- ``tuned``: ``rem_tuned`` beside ``rem`` on the tasks of ``other``. Their cells of the map are in
  docs/results.md, which is made from a sweep.

Healed and utility are computed from the ground truth here, after the methods have run; methods never see it. Seconds are
seconds of one processor. ``--parts`` keeps the rows in a folder, so that a run that was interrupted goes on.
Writes ``benchmarks/results/discovery_digits.json``, replacing the sections that were run; ``python -m benchmarks report
discovery`` puts the table into ``docs/discovery.md``.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import torch

from benchmarks.paths import RESULTS
from benchmarks.report.rows import Row, mean, pick
from benchmarks.target import Target
from unlearn_core.corruption import GroundTruth, discovered_count
from unlearn_core.datasets import load_dataset
from unlearn_core.evaluation import ScenarioData, build_scenario_data
from unlearn_core.methods import OracleTask, UnlearningTask
from unlearn_core.methods import registry as methods
from unlearn_core.models import build_model
from unlearn_core.presets import make_scenario, preset_params
from unlearn_core.stages.execution import environment
from unlearn_core.training import DeviceData, SilentReporter, Trainer, predict

SEEDS, REGULARITY = (0, 1, 2), (0.0, 0.25, 0.5, 0.75, 1.0)
TRIGGER = {"trigger.size": 3, "trigger.corner": "top-left", "trigger.value": 160, "corruption.target_class": 7}
OTHER: dict[str, dict[str, Any]] = {
    "classes 4 and 9": {"regularity": 0.5, "overrides": {"corruption.class_a": 4, "corruption.class_b": 9}},
    "grey 3×3 trigger, top left, to 7": {"regularity": 1.0, "overrides": TRIGGER},
    "3 %, random labels": {"regularity": 0.0, "amount": 0.03},
    "3 %, trigger": {"regularity": 1.0, "amount": 0.03},
    "12 %, random labels": {"regularity": 0.0, "amount": 0.12},
    "12 %, trigger": {"regularity": 1.0, "amount": 0.12},
}
HEALED = {0.1: 0.87, 0.3: 0.93}


@dataclasses.dataclass(frozen=True)
class Work:
    """One trained original and everything that is run on it."""

    section: str
    task: str
    seed: int
    scenario: tuple[tuple[str, Any], ...]
    methods: tuple[str, ...]
    discovery: tuple[float, ...] = (0.1, 0.3)
    dataset: str = "digits"

    @property
    def name(self) -> str:
        return "".join(c if c.isalnum() else "-" for c in f"{self.section} {self.task} {self.seed}")


def make_work(sections: Sequence[str], seeds: Sequence[int]) -> Iterable[Work]:
    """The work of these sections."""
    plane = {f"regularity {r:g}": {"regularity": r} for r in REGULARITY}
    for seed in seeds:
        for task, scenario in plane.items():
            items = tuple(scenario.items())
            if "plane" in sections:
                yield Work("plane", task, seed, items, ("rem", "rem_discover"))
        for task, scenario in OTHER.items():
            items = tuple(scenario.items())
            if "other" in sections:
                yield Work("other", task, seed, items, ("rem", "rem_discover"), (0.1,))
            if "tuned" in sections:
                yield Work("tuned", task, seed, items, ("rem", "rem_tuned"))
        if "clean" in sections:
            yield Work("clean", "no corruption", seed, (), ("rem_discover",))


def prepare(work: Work) -> tuple[UnlearningTask, ScenarioData, torch.Tensor, GroundTruth]:
    """A task with an empty forget set, its data, the corrupted examples in order of discovery, and the ground truth."""
    scenario = make_scenario(work.dataset, seed=work.seed, **dict(work.scenario))
    arena = build_scenario_data(scenario, torch.device("cpu"))
    truth = arena.corrupted.truth
    order = truth.corrupted
    if work.section == "clean":
        split = load_dataset(scenario.dataset, work.seed)
        train = DeviceData.place(split.train, torch.device("cpu"))
        arena = dataclasses.replace(arena, train=train, test=DeviceData.place(split.test, train.device, like=train))
        order = torch.randperm(len(train), generator=torch.Generator().manual_seed(work.seed))[: len(order)]
    shape, classes = arena.corrupted.train.shape, arena.train.classes

    def fresh(seed: int) -> Any:
        return build_model(scenario.model, shape, classes, seed)

    everyone = torch.arange(len(arena.train))
    model = fresh(work.seed)
    Trainer(model, arena.train, scenario.training, work.seed, SilentReporter(), snapshots=False).fit(everyone)
    task = UnlearningTask(model, arena.train, everyone[:0], everyone, fresh, scenario.training, work.seed)
    return task, arena, order, truth


def run(work: Work, done: Sequence[Row], keep: Callable[[list[Row]], None]) -> list[Row]:
    """All rows of one piece of work, of which some are ``done``; ``keep`` gets what there is after each."""
    torch.set_num_threads(1)
    task, arena, order, truth = prepare(work)
    rows = list(done)
    for rate in work.discovery:
        forget = order[: discovered_count(len(order), rate)].sort().values
        retain = task.everything[~torch.isin(task.everything, forget)]
        for name in work.methods:
            if pick(rows, discovery=rate, method=name):
                continue
            start = time.process_time()
            model = unlearned(name, dataclasses.replace(task, forget=forget, retain=retain), truth, work.dataset)
            row: Row = {"section": work.section, "task": work.task, "seed": work.seed, "discovery": rate, "method": name}
            row |= {"known": len(forget), "seconds": round(time.process_time() - start, 2)}
            said = predict(model, arena.test).argmax(1)
            row["utility"] = (said == arena.test.labels).float().mean().item()
            if work.section != "clean":
                healed = predict(model, arena.train, order).argmax(1) == truth.clean_labels[order]
                row["healed"] = healed.float().mean().item()
            report = getattr(model, "report", {})
            row |= {"tuning": report["tuning"]["changed"]} if "tuning" in report else {}
            rows.append(row | (found(report["discovery"], work, order, forget) if "discovery" in report else {}))
            keep(rows)
            print(json.dumps(rows[-1]), flush=True)
    return rows


def unlearned(name: str, task: UnlearningTask, truth: GroundTruth, dataset: str) -> torch.nn.Module:
    """The outcome of a method with its preset, or "original": the network before unlearning. Only oracles get the truth."""
    given = dataclasses.replace(task, original=copy.deepcopy(task.original))
    if name == "original":
        return given.original
    method = methods.get(name)
    if method.oracle:
        given = OracleTask(**vars(given), truth=truth)
    ready = method(method.params(preset_params(name, dataset, task.recipe.augment)))
    model: torch.nn.Module = ready.unlearn(given, SilentReporter())
    return model


def found(report: dict[str, Any], work: Work, order: torch.Tensor, forget: torch.Tensor) -> Row:
    """What was added, how much of it is corrupted, and what was expected."""
    added = torch.tensor([entry["index"] for entry in report["added"]], dtype=torch.long)
    left = order[~torch.isin(order, forget)] if work.section != "clean" else order[:0]
    hits = int(torch.isin(added, left).sum())
    last = report["rounds"][-1]
    row: Row = {"state": report["state"], "stopped": report["stopped"], "rounds": len(report["rounds"]), "added": len(added)}
    row |= {"left_out": len(report["left_out"]), "undiscovered": len(left)}
    row |= {"precision": hits / len(added) if len(added) else None, "recall": hits / len(left) if len(left) else None}
    return row | {
        f"expected_{key}": last.get(key)
        for key in ("precision", "precision_low", "precision_high", "recall", "recall_low", "recall_high", "undiscovered")
    }


def measured(work: Work, parts: Path | None) -> list[Row]:
    """The rows of this work; those that an earlier run left in ``parts`` are not computed again."""
    path = parts / f"{work.name}.json" if parts else None
    rows = list(json.loads(path.read_text())) if path is not None and path.exists() else []

    def keep(rows: list[Row]) -> None:
        if path is not None:
            path.write_text(json.dumps(rows))

    if any(not pick(rows, discovery=rate, method=name) for rate in work.discovery for name in work.methods):
        rows = run(work, rows, keep)
    return [row for row in rows if row["discovery"] in work.discovery and row["method"] in work.methods]


def targets(rows: Sequence[Row]) -> list[Target]:
    """What was asked for beside what was measured."""
    return [*healed_targets(rows), *judgement_targets(rows), *clean_targets(rows), *tuned_targets(rows)]


def healed_targets(rows: Sequence[Row]) -> Iterator[Target]:
    """Healed, utility and precision of ``rem_discover`` in every task."""
    for section in ("plane", "other"):
        for rate, least in HEALED.items():
            for task in dict.fromkeys(row["task"] for row in pick(rows, section=section, discovery=rate)):
                here = pick(rows, section=section, task=task, discovery=rate, method="rem_discover")
                asked = {"healed": least, "utility": 0.96, "precision": 0.92}
                for key, value in asked.items():
                    got, error = mean(here, key)
                    goal = section == "plane" and (key == "healed" or rate == 0.1)
                    name = f"{task}, discovery {rate}: {'precision of added' if key == 'precision' else key}"
                    yield Target(name, f"≥ {value}" if goal else "—", got, got >= value if goal else None, error)
                before, error = mean(pick(rows, section=section, task=task, discovery=rate, method="rem"), "healed")
                yield Target(f"{task}, discovery {rate}: healed by rem", "—", before, None, error)


def judgement_targets(rows: Sequence[Row]) -> Iterator[Target]:
    """Whether the precision that is expected is the one that comes out."""
    judged = [row for row in rows if row.get("expected_precision") is not None and row.get("precision") is not None]
    for section in ("plane", "other"):
        here = pick(judged, section=section)
        if here:
            close = [abs(row["expected_precision"] - row["precision"]) <= 0.1 for row in here]
            inside = [row["expected_precision_low"] <= row["precision"] <= row["expected_precision_high"] for row in here]
            share = sum(close) / len(close)
            yield Target(f"{section}: estimated precision within 0.1 ({len(here)} runs)", "≥ 0.9", share, share >= 0.9)
            yield Target(f"{section}: true precision in the interval", "0.9", sum(inside) / len(inside), None)


def clean_targets(rows: Sequence[Row]) -> Iterator[Target]:
    """What is added where nothing is corrupted, and the longest run."""
    for row in pick(rows, section="clean"):
        share = row["added"] / 1437
        what = f"clean, {row['known']} at random, seed {row['seed']}: added, and says “{row['state']}”"
        yield Target(what, "≤ 0.01, clean", share, share <= 0.01 and row["state"] == "clean")
    spent = [row["seconds"] for row in rows if row["method"] == "rem_discover" and row["section"] != "clean"]
    if spent:
        yield Target("seconds of one processor, longest", "≤ 30 on two", max(spent), max(spent) <= 30)


def tuned_targets(rows: Sequence[Row]) -> Iterator[Target]:
    """``rem_tuned`` beside ``rem``."""
    for task, rate in dict.fromkeys((row["task"], row["discovery"]) for row in pick(rows, section="tuned")):
        here = {name: pick(rows, section="tuned", task=task, discovery=rate, method=name) for name in ("rem", "rem_tuned")}
        products = {
            name: mean([row | {"product": row["healed"] * row["utility"]} for row in kept], "product")
            for name, kept in here.items()
        }
        (before, _), (after, error) = products["rem"], products["rem_tuned"]
        met = after >= before - max(error, products["rem"][1])
        name = f"rem_tuned, {task}, discovery {rate}: healed × utility"
        yield Target(name, f"≥ rem's {before:.3f} − 1 SE", after, met, error)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--sections", nargs="+", default=["plane", "clean", "other"], choices=["plane", "clean", "other", "tuned"]
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--parts", type=Path, default=None)
    options = parser.parse_args()
    if options.parts:
        options.parts.mkdir(parents=True, exist_ok=True)
    work = list(make_work(options.sections, options.seeds))
    with ProcessPoolExecutor(options.workers) as pool:
        pieces = list(pool.map(measured, work, [options.parts] * len(work)))
    path = RESULTS / "discovery_digits.json"
    old = json.loads(path.read_text())["rows"] if path.exists() else []
    rows = [row for row in old if row["section"] not in options.sections] + [row for rows in pieces for row in rows]
    table = targets(rows)
    print("\n".join(target.line() for target in table))
    content = {
        "targets": [target.plain() for target in table],
        "rows": rows,
        "seeds": options.seeds,
        "environment": environment(torch.device("cpu")),
    }
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
