"""What every method must do: report, stop when told, be deterministic, leave alone what it was given, return a classifier."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from unlearn_core.contracts.contract import Checks, require
from unlearn_core.contracts.trained import Trained
from unlearn_core.errors import Cancelled, UserError
from unlearn_core.methods import Method
from unlearn_core.training import SilentReporter, predict

SHORT = {"epochs": 2, "passes": 3, "flush_passes": 3, "rounds": 1, "folds": 2, "tries": 1, "trials": 9}
"""Values that make a method quick, where it has such parameters."""
_TRUTH = {
    "unlearn_core.corruption": None,
    "unlearn_core.evaluation": None,
    "unlearn_core.results": None,
    "unlearn_core.store": None,
    "unlearn_core.datasets": {"load_dataset", "registry"},
}
"""Rooms in which clean labels can be had, and the names of a room that give them (None: all of them)."""


class Watching(SilentReporter):
    """Keeps what is reported."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []
        self.shown: dict[str, torch.Tensor] | None = None

    def step(self, done: int, total: int, **scalars: float | torch.Tensor) -> None:
        self.seen.append((done, total))

    def snapshot(self, model: nn.Module) -> None:
        self.shown = {key: value.clone() for key, value in model.state_dict().items()}


class Impatient(SilentReporter):
    """Says that the run was cancelled, and counts how often it is asked."""

    checks = 0

    def cancelled(self) -> bool:
        self.checks += 1
        return True


@dataclass
class Run:
    """A method's model, what it says of the training data, what was reported, and whether everything else is as it was."""

    model: nn.Module
    logits: torch.Tensor
    reporter: Watching
    untouched: bool


def run_once(method: type[Method[Any]], trained: Trained, params: dict[str, object]) -> Run:
    """One run on a fresh task; raises whatever the method raises."""
    data, reporter = trained.arena.train, Watching()
    before = {key: value.clone() for key, value in trained.original.state_dict().items()}
    inputs, labels = data.inputs.clone(), data.labels.clone()
    model = method(method.params(params)).unlearn(trained.task_for(method), reporter)
    require(isinstance(model, nn.Module), f"it returned {type(model).__name__} instead of a model")
    same = all(torch.equal(trained.original.state_dict()[key], value) for key, value in before.items())
    untouched = same and torch.equal(data.inputs, inputs) and torch.equal(data.labels, labels)
    return Run(model, predict(model, data), reporter, untouched)


@dataclass
class Case:
    """A method with the parameters and the scenario that it is checked with."""

    method: type[Method[Any]]
    trained: Trained
    params: dict[str, object]

    @functools.cached_property
    def first(self) -> Run:
        """The method's first run, which several checks look at."""
        return run_once(self.method, self.trained, self.params)


def shortened(method: type[Method[Any]], family: str) -> dict[str, object]:
    """Parameters that make a method quick on this kind of data."""
    fields = method.Params.model_fields
    short = SHORT | ({"epochs": 1} if "tries" in fields else {})  # it runs REM ten times
    return method.presets.get(family, {}) | {key: value for key, value in short.items() if key in fields}


def describe_itself(case: Case) -> None:
    """Label, summary, presets that its parameters take, a default for each, and no parameter that it does not have."""
    method = case.method
    require(not method.faults(), "; ".join(method.faults()))
    for preset in method.presets.values():
        method.params(preset)
    for parameter, schema in method.describe()["parameters"].items():
        require("default" in schema, f"its parameter {parameter!r} has no default")
    try:
        method.params({"no_such_parameter": 1})
    except UserError:
        return
    require(False, "it takes parameters that it does not have")


def return_a_classifier(case: Case) -> None:
    """Finite logits (N, classes), in eval mode."""
    run, data = case.first, case.trained.arena.train
    wanted = (len(data), data.classes)
    require(tuple(run.logits.shape) == wanted, f"its model gives outputs of shape {tuple(run.logits.shape)}, not {wanted}")
    require(bool(torch.isfinite(run.logits).all()), "its model gives outputs that are not finite numbers")
    require(not run.model.training, "its model is in training mode; call .eval() before it is returned")


def keep_the_architecture(case: Case) -> None:
    """The state dict has the original's names and shapes; redirect channels, which an export drops, may stay beside them."""
    there = {name: tuple(value.shape) for name, value in case.first.model.state_dict().items()}
    here = {name: tuple(value.shape) for name, value in case.trained.original.state_dict().items()}
    odd = sorted(name for name in there.keys() | here.keys() if there.get(name) != here.get(name))
    wrong = [name for name in odd if "redirect" not in name]
    require(not wrong, f"its model's state dict differs from the original's in {', '.join(wrong[:3])}")


def leave_all_alone(case: Case) -> None:
    """Data, labels and the stored original are as they were."""
    require(case.first.untouched, "it changed the training data, their labels or the stored original model")


def be_deterministic(case: Case) -> None:
    """The same seed gives the same bits, whatever random numbers were drawn elsewhere."""
    torch.rand(5)
    again = run_once(case.method, case.trained, case.params)
    require(torch.equal(case.first.logits, again.logits), "two runs with the same seed give different models")


def report_progress(case: Case) -> None:
    """Counted work that only grows and never exceeds its total."""
    seen = case.first.reporter.seen
    require(bool(seen), "it never calls reporter.step(done, total)")
    done = [d for d, _ in seen]
    require(done == sorted(done), "the work that it reports as done shrinks")
    require(all(0 < d <= total for d, total in seen), "it reports more work done than there is, or none")


def stop_when_told(case: Case) -> None:
    """Raises :class:`Cancelled` the first time that it hears of it."""
    reporter = Impatient()
    try:
        method = case.method
        method(method.params(case.params)).unlearn(case.trained.task_for(method), reporter)
    except Cancelled:
        require(reporter.checks == 1, f"it goes on after it was cancelled (it asked {reporter.checks} times)")
        return
    require(bool(reporter.checks), "it never asks reporter.cancelled()")
    require(False, "it goes on after it was cancelled; raise Cancelled where reporter.cancelled() says so")


def see_no_truth(case: Case) -> None:
    """Its code names nothing that gives clean labels or says who is corrupted, unless it is an oracle and says so."""
    if case.method.oracle:
        return
    named = truth_in(case.method)
    require(not named, f"it uses {', '.join(named)}, which gives the ground truth; a method that does must say oracle = True")


def truth_in(part: type[object]) -> list[str]:
    """What a class's code uses of the rooms that know clean labels: names in its body that its module imports from there."""
    try:
        module = ast.parse(inspect.getsource(inspect.getmodule(part) or part))
        body = ast.parse(textwrap.dedent(inspect.getsource(part)))
    except (OSError, TypeError):
        return []
    imported = {alias.asname or alias.name.partition(".")[0] for node in ast.walk(module) for alias in _truths(node)}
    inside = {alias.asname or alias.name for node in ast.walk(body) for alias in _truths(node)}
    used = {node.id for node in ast.walk(body) if isinstance(node, ast.Name)} & imported
    truth = {node.attr for node in ast.walk(body) if isinstance(node, ast.Attribute) and node.attr == "truth"}
    return sorted(used | inside | truth)


def _truths(node: ast.AST) -> list[ast.alias]:
    """The names of an import that lead to clean labels."""
    if isinstance(node, ast.Import):
        return [alias for alias in node.names if any(alias.name.startswith(room) for room in _TRUTH)]
    if isinstance(node, ast.ImportFrom) and node.module:
        room = next((room for room in _TRUTH if f"{node.module}.".startswith(f"{room}.")), None)
        names = _TRUTH.get(room or "", set())
        return [alias for alias in node.names if names is None or alias.name in names]
    return []


CHECKS: Checks[Case] = {
    "describes itself": describe_itself,
    "sees no ground truth": see_no_truth,
    "returns a classifier with finite outputs": return_a_classifier,
    "keeps the names and shapes of the state dict": keep_the_architecture,
    "leaves data and original alone": leave_all_alone,
    "gives the same model for the same seed": be_deterministic,
    "reports counted work": report_progress,
    "stops when it is cancelled": stop_when_told,
}
