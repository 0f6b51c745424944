"""What every registered method must do: see no ground truth, leave the original alone, stop when told, be deterministic."""

from __future__ import annotations

import copy
import gc
import types
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import nn
from trained import Trained

from unlearn_core.corruption import Corrupted, GroundTruth
from unlearn_core.errors import Cancelled, UserError
from unlearn_core.evaluation import ScenarioData
from unlearn_core.methods import OracleTask, registry
from unlearn_core.methods.shared.sgd import measure_statistics
from unlearn_core.training import SilentReporter, predict

NAMES = registry.names()
SEARCHING = ("rem_discover", "rem_tuned", "retrain_discover")
"""They run REM or retraining many times."""
STATISTICS = ("base.running_mean", "base.running_var")
Quick = Callable[[str], dict[str, object]]


@pytest.fixture
def trained(name: str, request: pytest.FixtureRequest) -> Trained:
    """Images, or for methods that search points, on which the same takes a tenth of the time."""
    found: Trained = request.getfixturevalue("points" if name in SEARCHING else "digits")
    return found


def build(name: str, params: dict[str, object]) -> object:
    method = registry.get(name)
    return method(method.params(params))


class Watching(SilentReporter):
    """Keeps what is reported."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []
        self.shown: dict[str, torch.Tensor] | None = None

    def step(self, done: int, total: int, **scalars: float | torch.Tensor) -> None:
        self.seen.append((done, total))

    def snapshot(self, model: nn.Module) -> None:
        self.shown = {key: value.clone() for key, value in model.state_dict().items()}


@dataclass
class Run:
    """A method's model, what it says of the training data, what was reported, and whether everything else is as it was."""

    model: nn.Module
    logits: torch.Tensor
    reporter: Watching
    untouched: bool


def unlearn(name: str, trained: Trained, params: dict[str, object]) -> Run:
    data, reporter = trained.arena.train, Watching()
    before = {key: value.clone() for key, value in trained.original.state_dict().items()}
    inputs, labels = data.inputs.clone(), data.labels.clone()
    model = build(name, params).unlearn(trained.task(oracle=registry.get(name).oracle), reporter)  # type: ignore[attr-defined]
    same = all(torch.equal(trained.original.state_dict()[key], value) for key, value in before.items())
    untouched = same and torch.equal(data.inputs, inputs) and torch.equal(data.labels, labels)
    return Run(model, predict(model, data), reporter, untouched)


@pytest.fixture(scope="module")
def first() -> Callable[[str, Trained, dict[str, object]], Run]:
    """A method's first run on a scenario, which several tests look at."""
    runs: dict[tuple[str, str], Run] = {}

    def get(name: str, trained: Trained, params: dict[str, object]) -> Run:
        key = (name, trained.scenario.dataset.name)
        if key not in runs:
            runs[key] = unlearn(name, trained, params)
        return runs[key]

    return get


First = Callable[[str, Trained, dict[str, object]], Run]


def reachable(root: object) -> list[object]:
    """Everything that can be reached from ``root``: attributes, containers, closures, tensors — not modules or classes."""
    seen: dict[int, object] = {}
    queue = [root]
    while queue:
        item = queue.pop()
        if id(item) in seen or isinstance(item, types.ModuleType | type | str | bytes | int | float):
            continue
        seen[id(item)] = item
        if isinstance(item, types.FunctionType):
            queue += [cell.cell_contents for cell in item.__closure__ or ()]
            queue += list(item.__defaults__ or ())
        else:
            queue += [r for r in gc.get_referents(item) if not (isinstance(r, dict) and "__builtins__" in r)]
    return list(seen.values())


def test_a_task_has_no_path_to_the_ground_truth(digits: Trained) -> None:
    found = reachable(digits.task())
    assert not [item for item in found if isinstance(item, GroundTruth | Corrupted | ScenarioData | OracleTask)]
    truth = digits.arena.corrupted.truth
    secrets = [truth.clean_labels, truth.corrupted, truth.corrupted.sort().values, truth.kinds]
    tensors = [item for item in found if isinstance(item, torch.Tensor)]
    assert len(tensors) > 5
    for tensor in tensors:
        for secret in secrets:
            assert not (tensor.shape == secret.shape and torch.equal(tensor.to(secret.dtype), secret))
    storages = {tensor.untyped_storage().data_ptr() for tensor in tensors}
    assert not storages & {secret.untyped_storage().data_ptr() for secret in secrets}


def test_the_walk_itself_finds_a_hidden_ground_truth(digits: Trained) -> None:
    truth = digits.arena.corrupted.truth
    task = digits.task()
    task.__dict__["fresh_model"] = lambda seed: truth
    assert any(isinstance(item, GroundTruth) for item in reachable(task))


def test_only_oracles_ask_for_an_oracle_s_task(digits: Trained) -> None:
    assert registry.get("oracle_retrain").oracle
    assert isinstance(digits.task(oracle=True), OracleTask)
    assert not isinstance(digits.task(), OracleTask)


@pytest.mark.parametrize(
    ("name", "kind"), [(n, k) for n in NAMES for k in ("digits", "points") if k == "points" or n not in SEARCHING]
)
def test_a_method_returns_a_classifier_and_leaves_data_and_stored_original_alone(
    name: str, kind: str, quick: Quick, first: First, request: pytest.FixtureRequest
) -> None:
    trained: Trained = request.getfixturevalue(kind)
    run, data = first(name, trained, quick(name)), trained.arena.train
    assert run.logits.shape == (len(data), data.classes)
    assert torch.isfinite(run.logits).all()
    assert not run.model.training
    assert run.untouched


@pytest.mark.parametrize("name", NAMES)
def test_what_a_network_is_normalised_by_is_measured_the_same_for_all(
    name: str, digits: Trained, quick: Quick, first: First
) -> None:
    # On images a search takes ten times as long, and what it hands out is in any case what its last REM run made.
    params = quick(name) | ({"tries": 0} if name == "rem_tuned" else {})
    method, run = registry.get(name), first(name, digits, params)
    found = {
        key: value for key, value in run.model.state_dict().items() if key.endswith(("base.running_mean", "base.running_var"))
    }
    assert found
    if method.statistics == "kept":
        assert all(torch.equal(value, digits.original.state_dict()[key]) for key, value in found.items())
        return
    task, measured = digits.task(oracle=method.oracle), copy.deepcopy(run.model)
    measure_statistics(measured, task.data, SilentReporter(), task.retain)
    there = measured.state_dict()
    # Running means of a whole training lag behind, and Potion measures on a part; forget batches would be far from either.
    tolerance = 0.5 if method.statistics == "of training" else 0.2
    for key, value in found.items():
        norm = key.rpartition(".")[0]
        spread = there[f"{norm}.running_var"].clamp_min(1e-3)
        away = (value - there[key]).abs() / (spread.sqrt() if key.endswith("mean") else spread)
        assert away.median() < tolerance, key


@pytest.mark.parametrize("name", NAMES)
def test_the_last_snapshot_is_the_model_unless_the_report_says_otherwise(
    name: str, trained: Trained, quick: Quick, first: First
) -> None:
    run = first(name, trained, quick(name))
    shown, state = run.reporter.shown, run.model.state_dict()
    assert shown is not None
    same = all(key in shown and torch.equal(value, shown[key]) for key, value in state.items())
    rounds = getattr(run.model, "report", {}).get("rounds")
    assert same or (rounds is not None and rounds["why"] in ("fell", "proxy") and rounds["returned"] < len(rounds["retain"]))


@pytest.mark.parametrize("name", NAMES)
def test_a_method_is_deterministic(name: str, trained: Trained, quick: Quick, first: First) -> None:
    one = first(name, trained, quick(name)).logits
    torch.rand(5)
    assert torch.equal(one, unlearn(name, trained, quick(name)).logits)


@pytest.mark.parametrize("name", NAMES)
def test_a_method_stops_soon_after_it_is_told(name: str, digits: Trained, quick: Quick) -> None:
    class Impatient(SilentReporter):
        checks = 0

        def cancelled(self) -> bool:
            self.checks += 1
            return True

    method = registry.get(name)
    reporter = Impatient()
    with pytest.raises(Cancelled):
        build(name, quick(name)).unlearn(digits.task(oracle=method.oracle), reporter)  # type: ignore[attr-defined]
    assert reporter.checks == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_method_reports_counted_work_that_only_grows(name: str, trained: Trained, quick: Quick, first: First) -> None:
    seen = first(name, trained, quick(name)).reporter.seen
    assert seen
    done = [d for d, _ in seen]
    assert done == sorted(done)
    assert all(0 < d <= total for d, total in seen)


@pytest.mark.parametrize("name", NAMES)
def test_a_method_describes_itself(name: str) -> None:
    method = registry.get(name)
    assert method.label
    assert method.paper
    assert len(method.summary.split(". ")) >= 2
    described = method.describe()
    for field in method.presets.values():
        method.params(field)
    for parameter, schema in described["parameters"].items():
        assert "default" in schema, parameter
    with pytest.raises(UserError):
        method.params({"no_such_parameter": 1})
