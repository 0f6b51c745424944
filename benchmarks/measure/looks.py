"""Nothing known at the start: what is healed after so many looks of a person, and by the same looks in other orders.

    python -m benchmarks run looks [--datasets digits signs] [--regularity 0 0.25 0.5 0.75 1 clean] [--seeds 0 1 2]
                                   [--slips 0 0.05] [--orders ours random …] [--looks 10 20] [--healing all|ours]
                                   [--workers 1] [--parts FOLDER]

A look is one card of at most sixteen examples, and one answer: wrong, right or mixed. ``SimulatedPerson`` answers from the
ground truth, with slips of the hand. What was called wrong is then unlearned by ``rem_discover`` with its preset; where nothing
was called wrong the original is left as it was. The orders:

- ``ours``: the groups and the order of ``unlearn_core.Assistant``.
- ``confident learning``: out of sample in four folds by networks that were trained for half of the epochs, ranked by this
  project's own score (arXiv:1911.00068), or by cleanlab's where it is installed; the row says which.
- ``area under the margin``, ``spectral signature``, ``lowest margin``: scores of ``unlearn_core/discovery``; the last one is
  the original's own margin.
- ``random``.
- If asked for by its name: any other score of ``unlearn_core/discovery`` that needs no known error and no further network.

The other orders are cut into cards of sixteen from the top; a mixed card is asked in halves, as ours is. ``clean`` is the data
set without corruption. Healed, utility, precision and recall are computed from the ground truth here, after the answers; the
order of the cards never sees it. ``--parts`` keeps the rows in a folder, so that a run that was interrupted goes on.
Writes ``benchmarks/results/looks.json``; ``python -m benchmarks report looks`` puts the table into ``docs/discovery.md``.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Literal, Protocol, cast

import numpy as np
import torch

from benchmarks.measure.discovery_digits import Work, prepare, unlearned
from benchmarks.paths import RESULTS
from benchmarks.report.looks import print_rows
from benchmarks.report.rows import Row, pick
from unlearn_core.corruption import GroundTruth
from unlearn_core.discovery import ModelOutputs, fold_of
from unlearn_core.discovery import registry as scores
from unlearn_core.discovery.cards import Card
from unlearn_core.discovery.groups import Group
from unlearn_core.discovery.questions import Questions
from unlearn_core.discovery.watching import predict_left_out
from unlearn_core.evaluation import ScenarioData
from unlearn_core.evaluation.person import SimulatedPerson
from unlearn_core.methods import UnlearningTask
from unlearn_core.methods import registry as methods
from unlearn_core.methods.redirection.asking import Looks
from unlearn_core.presets import preset_params
from unlearn_core.stages.execution import environment
from unlearn_core.training import SilentReporter, predict
from unlearn_core.tuning.held_out import with_forget_set

SEEDS, REGULARITY, SLIPS, LOOKS = (0, 1, 2), ("0", "0.25", "0.5", "0.75", "1", "clean"), (0.0, 0.05), (10, 20)
ORDERS = {
    "ours": "",
    "confident learning": "confident_learning",
    "area under the margin": "area_under_margin",
    "spectral signature": "spectral_signature",
    "lowest margin": "original_margin",
    "random": "",
}
"""Order → the score that ranks by it; other orders are scores by their own name."""
FOLDS = 4
HEALED = ("healed", "utility", "original_utility", "healing_seconds")
"""Columns that depend on the forget set alone."""


class Asker(Protocol):
    """What asks for looks: ours, or a line of cards in another order."""

    def next(self, count: int = 1) -> list[Card]: ...
    def answer(self, card: Card, answer: Literal["wrong", "right", "mixed"]) -> None: ...


@dataclasses.dataclass
class Cell:
    """One trained original, what only the measuring sees of it, and the evidence that all orders share."""

    dataset: str
    regularity: str
    seed: int
    task: UnlearningTask
    arena: ScenarioData
    truth: GroundTruth
    looks: Looks

    @property
    def corrupted(self) -> torch.Tensor:
        return self.truth.corrupted

    def fresh_looks(self) -> Looks:
        """Our questions from the start, without training anything again."""
        again = copy.copy(self.looks)
        again.ask_anew()
        return again


def make_cell(dataset: str, regularity: str, seed: int) -> Cell:
    """Train the original and gather what is known without a known error."""
    clean = regularity == "clean"
    scenario = () if clean else (("regularity", float(regularity)),)
    work = Work("clean" if clean else "looks", regularity, seed, scenario, (), dataset=dataset)
    task, arena, _, truth = prepare(work)
    if clean:
        truth = dataclasses.replace(truth, corrupted=truth.corrupted[:0], kinds=truth.kinds[:0], clean_labels=task.data.labels)
    method = methods.get("rem_discover")
    params = method.params(preset_params("rem_discover", dataset, task.recipe.augment))
    return Cell(dataset, regularity, seed, task, arena, truth, Looks(task, params))


def ranking(order: str, cell: Cell) -> tuple[np.ndarray, str]:
    """Suspicion (N,) of every example by this order, and who computed it."""
    count = len(cell.task.data)
    if order == "random":
        return np.random.default_rng(cell.seed).random(count), ""
    view = cell.looks.view
    if order == "confident learning":
        parts = fold_of(count, FOLDS, cell.seed)
        held_out = predict_left_out(cell.task, parts, SilentReporter(), short=True)
        try:
            from cleanlab.rank import get_label_quality_scores
        except ImportError:
            view = dataclasses.replace(view, held_out=held_out)
        else:
            quality = get_label_quality_scores(view.labels.numpy(), held_out.numpy(), method="self_confidence")
            return -np.asarray(quality, dtype=float), "cleanlab"
    return score(ORDERS.get(order, order), view), "this project"


def score(name: str, view: ModelOutputs) -> np.ndarray:
    """A registered score (N,) of what is known."""
    values = scores.get(name).compute(view)
    if values is None:
        raise SystemExit(f"The score {name!r} needs more than is known at the start.")
    found: np.ndarray = values.double().numpy()
    return found


def make_asker(order: str, cell: Cell) -> tuple[Asker, Callable[[], torch.Tensor], str]:
    """What asks in this order, what it holds to be wrong, and who computed the order."""
    if order == "ours":
        looks = cell.fresh_looks()
        return looks, lambda: looks.forget, ""
    values, source = ranking(order, cell)
    line = Group("doubted", np.argsort(-values, kind="stable"))
    questions = Questions([line], np.full(len(values), 0.5), worth=0.0)
    return questions, lambda: torch.from_numpy(questions.wrong()), source


def run(cell: Cell, order: str, slips: float, stops: Sequence[int], done: Sequence[Row], healing: bool) -> list[Row]:
    """One row for each number of looks that is not ``done``."""
    asker, held, source = make_asker(order, cell)
    person = SimulatedPerson(cell.truth, cell.task.data.labels, slips, seed=1000 + cell.seed)
    rows: list[Row] = []
    used, start = 0, time.process_time()
    for look in range(1, max(stops) + 1):
        for card in asker.next(1):
            asker.answer(card, cast(Literal["wrong", "right", "mixed"], person.look(card.shown)))
            used += 1
        if look not in stops or pick(done, looks=look):
            continue
        spent = time.process_time() - start
        row: Row = {"dataset": cell.dataset, "regularity": cell.regularity, "seed": cell.seed, "slips": slips, "order": order}
        row |= {"looks": look, "used": used, "by": source, "asking_seconds": round(spent, 2)}
        row |= outcome(cell, held()) | (told(asker, cell) if isinstance(asker, Looks) else {})
        if healing:
            same = next((one for one in rows if one["held"] == held().tolist()), None)
            row |= heal(cell, held()) if same is None else {name: same[name] for name in HEALED if name in same}
        rows.append(row | {"held": held().tolist()})
        print(json.dumps(row), flush=True)
        start = time.process_time() - spent
    return rows


def outcome(cell: Cell, forget: torch.Tensor) -> Row:
    """What the answers are worth."""
    wrong = cell.truth.clean_labels != cell.task.data.labels
    hits = int(wrong[forget].sum())
    row: Row = {"known": len(forget), "precision": hits / len(forget) if len(forget) else None}
    row["recall"] = hits / int(wrong.sum()) if wrong.any() else None
    return row


def heal(cell: Cell, forget: torch.Tensor) -> Row:
    """What unlearning what was called wrong heals."""
    start = time.process_time()
    task = with_forget_set(cell.task, forget)
    model = unlearned("rem_discover" if len(forget) else "original", task, cell.truth, cell.dataset)
    row: Row = {"healing_seconds": round(time.process_time() - start, 2)}
    before = predict(cell.task.original, cell.arena.test).argmax(1) == cell.arena.test.labels
    after = predict(model, cell.arena.test).argmax(1) == cell.arena.test.labels
    row |= {"original_utility": before.float().mean().item(), "utility": after.float().mean().item()}
    if len(cell.corrupted):
        right = predict(model, cell.arena.train, cell.corrupted).argmax(1) == cell.truth.clean_labels[cell.corrupted]
        row["healed"] = right.float().mean().item()
    return row


def told(looks: Looks, cell: Cell) -> Row:
    """What ours says of the rest, beside what is left."""
    rest, wrong = looks.rest, cell.truth.clean_labels != cell.task.data.labels
    left = int(wrong.sum()) - int(wrong[looks.forget].sum())
    return {"expected": rest.expected, "low": rest.low, "high": rest.high, "left": left, "sentence": looks.sentence}


def measured(
    dataset: str,
    regularity: str,
    seed: int,
    orders: Sequence[str],
    slips: Sequence[float],
    stops: Sequence[int],
    parts: Path | None,
    healing: str,
) -> list[Row]:
    """The rows of one original; those that an earlier run left in ``parts`` are not computed again."""
    torch.set_num_threads(1)
    path = parts / f"looks-{dataset}-{regularity}-{seed}.json" if parts else None
    rows: list[Row] = list(json.loads(path.read_text())) if path is not None and path.exists() else []
    wanted = [(order, slip) for slip in slips for order in orders if slip == 0 or order == "ours"]
    cell: Cell | None = None
    for order, slip in wanted:
        done = pick(rows, order=order, slips=slip)
        if all(pick(done, looks=look) for look in stops):
            continue
        cell = cell or make_cell(dataset, regularity, seed)
        rows += run(cell, order, slip, stops, done, healing == "all" or order == "ours")
        if path is not None:
            path.write_text(json.dumps(rows))
    return [row for row in rows if (row["order"], row["slips"]) in wanted and row["looks"] in stops]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", nargs="+", default=["digits", "signs"])
    parser.add_argument("--regularity", nargs="+", default=list(REGULARITY))
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--slips", nargs="+", type=float, default=list(SLIPS))
    parser.add_argument("--orders", nargs="+", choices=[*ORDERS, *scores.names()], default=list(ORDERS))
    parser.add_argument("--looks", nargs="+", type=int, default=list(LOOKS))
    parser.add_argument("--healing", choices=["all", "ours"], default="all")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--parts", type=Path, default=None)
    parser.add_argument("--out", type=Path, default=RESULTS / "looks.json")
    options = parser.parse_args()
    if options.parts:
        options.parts.mkdir(parents=True, exist_ok=True)
    cells = [(d, r, seed) for d in options.datasets for seed in options.seeds for r in options.regularity]
    rest = [[value] * len(cells) for value in (options.orders, options.slips, options.looks, options.parts, options.healing)]
    if options.workers == 1:
        pieces = list(map(measured, *zip(*cells, strict=True), *rest))
    else:
        with ProcessPoolExecutor(options.workers) as pool:
            pieces = list(pool.map(measured, *zip(*cells, strict=True), *rest))
    rows = [{name: value for name, value in row.items() if name != "held"} for piece in pieces for row in piece]
    print_rows(rows)
    content = {"rows": rows, "environment": environment(torch.device("cpu"))}
    options.out.write_text(json.dumps(content, indent=1) + "\n")
