"""What every registered method must do: see no ground truth, leave the original alone, stop when told, be deterministic."""

from __future__ import annotations

import copy
import gc
import types
from collections.abc import Callable

import pytest
import torch
from trained import Trained, train

from unlearn_core.contracts import methods as contract
from unlearn_core.contracts.methods import Case
from unlearn_core.corruption import Corrupted, GroundTruth
from unlearn_core.evaluation import ScenarioData
from unlearn_core.methods import OracleTask, registry
from unlearn_core.methods.shared.sgd import measure_statistics
from unlearn_core.training import SilentReporter

NAMES = registry.names()
SEARCHING = ("rem_discover", "rem_tuned", "retrain_discover", "rem_relabel", "rem_relabel_discover")
"""They run REM or retraining many times; or once, and show nothing more on images."""
STATISTICS = ("base.running_mean", "base.running_var")
Quick = Callable[[str], dict[str, object]]


@pytest.fixture(scope="module")
def digits() -> Trained:
    """A narrow network that was trained for a shorter time than the others' one: what is asked here holds for any."""
    return train("digits", **{"model.width": 8, "training.epochs": 12})


@pytest.fixture
def trained(name: str, request: pytest.FixtureRequest) -> Trained:
    """Images, or for methods that search points, on which the same takes a tenth of the time."""
    found: Trained = request.getfixturevalue("points" if name in SEARCHING else "digits")
    return found


@pytest.fixture(scope="module")
def first() -> Callable[[str, Trained, dict[str, object]], Case]:
    """A method on a scenario; its first run is made once, and several tests look at it."""
    cases: dict[tuple[str, str], Case] = {}

    def get(name: str, trained: Trained, params: dict[str, object]) -> Case:
        key = (name, trained.scenario.dataset.name)
        if key not in cases:
            cases[key] = Case(registry.get(name), trained, params)
        return cases[key]

    return get


First = Callable[[str, Trained, dict[str, object]], Case]


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


def test_a_task_has_no_path_to_test_data(digits: Trained) -> None:
    """So neither a method nor its choice of rounds or values can look at them."""
    arena = digits.arena.corrupted
    parts = [part for data in (arena.test, arena.triggered_test) for part in (data.inputs, data.labels)]
    tensors = [item for item in reachable(digits.task()) if isinstance(item, torch.Tensor)]
    storages = {tensor.untyped_storage().data_ptr() for tensor in tensors}
    assert digits.arena.train.inputs.untyped_storage().data_ptr() in storages  # what it may see is found
    assert not storages & {part.untyped_storage().data_ptr() for part in parts}
    assert not [tensor for tensor in tensors for part in parts if tensor.shape == part.shape and torch.equal(tensor, part)]


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
    case = first(name, request.getfixturevalue(kind), quick(name))
    contract.return_a_classifier(case)
    contract.keep_the_architecture(case)
    contract.leave_all_alone(case)


@pytest.mark.parametrize("name", [name for name in NAMES if not name.endswith("_discover")])
def test_what_a_network_is_normalised_by_is_measured_the_same_for_all(
    name: str, digits: Trained, quick: Quick, first: First
) -> None:
    # On images a search takes ten times as long, and it hands out what its last run of REM or of retraining made.
    params = quick(name) | ({"tries": 0} if name == "rem_tuned" else {})
    method, run = registry.get(name), first(name, digits, params).first
    found = {
        key: value for key, value in run.model.state_dict().items() if key.endswith(("base.running_mean", "base.running_var"))
    }
    assert found
    if method.statistics == "kept":
        assert all(torch.equal(value, digits.original.state_dict()[key]) for key, value in found.items())
        return
    task, measured = digits.task_for(method), copy.deepcopy(run.model)
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
    run = first(name, trained, quick(name)).first
    shown, state = run.reporter.shown, run.model.state_dict()
    assert shown is not None
    same = all(key in shown and torch.equal(value, shown[key]) for key, value in state.items())
    rounds = getattr(run.model, "report", {}).get("rounds")
    assert same or (rounds is not None and rounds["why"] in ("fell", "proxy") and rounds["returned"] < len(rounds["retain"]))


@pytest.mark.parametrize("name", NAMES)
def test_a_method_is_deterministic(name: str, points: Trained, quick: Quick, first: First) -> None:
    contract.be_deterministic(first(name, points, quick(name)))


@pytest.mark.parametrize("name", NAMES)
def test_a_method_stops_soon_after_it_is_told(name: str, digits: Trained, quick: Quick) -> None:
    contract.stop_when_told(Case(registry.get(name), digits, quick(name)))


@pytest.mark.parametrize("name", NAMES)
def test_a_method_reports_counted_work_that_only_grows(name: str, trained: Trained, quick: Quick, first: First) -> None:
    contract.report_progress(first(name, trained, quick(name)))


@pytest.mark.parametrize("name", NAMES)
def test_a_method_describes_itself(name: str, digits: Trained) -> None:
    method = registry.get(name)
    contract.describe_itself(Case(method, digits, {}))
    assert method.paper
    assert len(method.summary.split(". ")) >= 2


@pytest.mark.parametrize("name", NAMES)
def test_the_code_of_a_method_names_nothing_that_knows_the_truth(name: str, digits: Trained) -> None:
    contract.see_no_truth(Case(registry.get(name), digits, {}))
