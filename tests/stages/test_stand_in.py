"""Where nobody checked any examples a marked stand-in takes their place: which, how it is said, and how runs differ by it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from trained import Trained

import unlearn_core as eunoe
from unlearn_core.cli import main
from unlearn_core.contracts.methods import Watching
from unlearn_core.errors import UserError
from unlearn_core.evaluation import load_scenario_data
from unlearn_core.methods import registry
from unlearn_core.methods.shared.early_learning import early_learning_loss
from unlearn_core.methods.shared.trusted import LEAST, TrustedMethod, best_of_each, lowest_loss, stand_in_count
from unlearn_core.presets import given_to, knows, make_method, make_scenario
from unlearn_core.specs import Scenario
from unlearn_core.stages.inputs import make_task
from unlearn_core.stages.unlearn import plan_runs, share_models
from unlearn_core.store import Store
from unlearn_core.training import SilentReporter

QUICK = {"training.epochs": 4}
NAME = "sap"
COMMAND = ["run", "--dataset", "blobs", "--methods", f"{NAME},clp,rem", "--engine", "inline", "--json"]
COMMAND += ["--set", "training.epochs=4", "--set", "rem.epochs=1", "--discovery", "0.5"]


def scenario(**person: Any) -> Scenario:
    more = {f"person.{name}": value for name, value in person.items()}
    return make_scenario("blobs", discovery=0.5, overrides=QUICK | more)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("stand_in") / "store")


def run(place: str, capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, Any]:
    assert main([*COMMAND, "--store", place, *more]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_of_every_label_those_with_the_lowest_loss() -> None:
    losses = torch.tensor([0.5, 0.1, 0.3, 0.2, 0.9, 0.4])
    labels = torch.tensor([0, 0, 0, 1, 1, 2])
    ids = torch.tensor([10, 20, 30, 40, 50, 60])
    assert best_of_each(losses, labels, ids, 2).tolist() == [20, 30, 40, 50, 60]
    assert best_of_each(losses, labels, ids, 1).tolist() == [20, 40, 60]


def test_the_stand_in_is_what_a_watched_run_learned_first_outside_of_the_forget_set(digits: Trained) -> None:
    task = digits.task()
    found = lowest_loss(task, SilentReporter())
    losses, labels = early_learning_loss(digits.task(), SilentReporter()), task.data.labels
    assert not torch.isin(found, task.forget).any()
    for label in range(task.data.classes):
        mine, all_of_it = found[labels[found] == label], task.retain[labels[task.retain] == label]
        assert len(mine) == stand_in_count(task) == LEAST
        assert losses[mine].max() <= losses[all_of_it].sort().values[LEAST - 1]
    wrong = torch.isin(found, digits.arena.corrupted.truth.corrupted).float().mean()
    share = torch.isin(task.retain, digits.arena.corrupted.truth.corrupted).float().mean()
    assert wrong < 0.5 * share  # better than a guess, and marked because it need not be right
    large = replace(task, data=replace(task.data, labels=torch.zeros(1, dtype=torch.long).expand(9000)))
    assert stand_in_count(large) == 45


def test_it_is_taken_where_nothing_was_checked_and_the_report_says_so(points: Trained) -> None:
    class Seeing(TrustedMethod[Any]):
        name, cost = "seeing", 0.5
        seen: torch.Tensor

        def correct(self, task: Any, checked: torch.Tensor, reporter: Any) -> nn.Module:
            Seeing.seen = checked
            for done in range(1, 4):
                reporter.step(done, 3)
            return task.original  # type: ignore[no-any-return]

    reporter, task = Watching(), points.task()
    model = Seeing(Seeing.Params()).unlearn(task, reporter)
    assert model.report["stand_in"] == {"examples": len(Seeing.seen)}
    assert torch.equal(Seeing.seen, lowest_loss(points.task(), SilentReporter()))
    done = [one for one, _ in reporter.seen]
    assert done == sorted(done)
    assert reporter.seen[-1][0] == reporter.seen[-1][1]
    told = replace(points.task(), trusted=torch.tensor([3, 5]))
    assert not hasattr(Seeing(Seeing.Params()).unlearn(told, reporter), "report")
    assert Seeing.seen.tolist() == [3, 5]
    wild = replace(task, recipe=task.recipe.model_copy(update={"learning_rate": 1e12, "optimizer": "sgd", "clip": 0.0}))
    with pytest.raises(UserError, match="watched for a stand-in diverged"):
        Seeing(Seeing.Params()).unlearn(wild, SilentReporter())


def test_runs_with_and_without_checked_examples_are_others_and_say_what_they_know() -> None:
    plain, checked, more = scenario(), scenario(checked=20), scenario(checked=30)
    specs = [make_method(NAME, on) for on in (plain, checked, more)]
    assert [dict(spec.given) for spec in specs] == [{"stand_in": 0.05}, {"checked": 20}, {"checked": 30}]
    assert len({on.run_key(spec) for on, spec in zip((plain, checked, more), specs, strict=True)}) == 3
    assert [knows(spec) for spec in specs] == [("stand-in",), ("trusted",), ("trusted",)]
    listed = plain.model_copy(update={"person": plain.person.model_copy(update={"trusted": (1, 2)})})
    assert given_to(NAME, listed).keys() == {"trusted"}
    assert knows(make_method("clp", checked)) == ()
    assert given_to("clp", checked) == given_to("rem", checked) == {}


def test_the_stand_in_is_no_secret_of_the_truth(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing of a person's is in the task of a run with a stand-in, and only what was checked in that of another."""
    run(place, capsys)
    store = Store.open(place)
    for on, count in ((scenario(), None), (scenario(checked=20), 20)):
        task = make_task(store, on, load_scenario_data(on), spec=make_method(NAME, on))
        assert (None if task.trusted is None else len(task.trusted)) == count
        assert task.right is None
    store.close()


def test_the_terminal_marks_it(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer = run(place, capsys)
    assert [result["knows"] for result in answer["results"]] == [["stand-in"], [], ["F", "given labels"]]
    said = next(sentence for sentence in answer["choices"] if "stand-in" in sentence)
    assert said.startswith("SAP had a stand-in for checked examples: ")
    assert "which nobody checked" in said
    checked = run(place, capsys, "--set", "person.checked=40")
    assert checked["results"][0]["knows"] == ["trusted"]
    assert not any("stand-in" in sentence for sentence in checked["choices"])
    assert checked["results"][1]["cached"]  # CLP is given nothing in either
    assert not checked["results"][0]["cached"]


def test_a_method_without_a_stand_in_stays_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry.get(NAME), "stands_in", False)
    with pytest.raises(UserError, match="needs examples that were checked and found right, and there are none"):
        plan_runs(scenario(), [make_method(NAME, scenario())])
    plan_runs(scenario(checked=5), [make_method(NAME, scenario(checked=5))])


def test_a_simulated_person_s_checks_are_not_shared_between_forget_sets() -> None:
    """They lie outside of the forget set, so a model that is made of them depends on it; one of the weights alone does not."""
    at = [make_scenario("blobs", discovery=rate, overrides=QUICK) for rate in (0.3, 0.7)]
    for name, shared in ((NAME, False), ("clp", True)):
        stages = share_models([stage for on in at for stage in plan_runs(on, [make_method(name, on)])])
        assert ("same_model_as" in stages[-1].payload) is shared


@pytest.mark.filterwarnings("error::UserWarning")
def test_the_front_door_warns_of_it(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(200, 2, generator=generator)
    labels = (inputs[:, 0] > 0).long()
    net = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 2))
    recipe = {"epochs": 2, "batch_size": 64}
    with pytest.warns(UserWarning, match="those with the lowest loss in a short training run stand in for them"):
        marked = eunoe.unlearn(net, (inputs, labels), [0, 1], NAME, recipe=recipe)
    assert marked.unlearning["report"]["stand_in"] == {"examples": 20}  # type: ignore[index,operator]
    told = eunoe.unlearn(net, (inputs, labels), [0, 1], NAME, recipe=recipe, trusted=range(5, 60))
    assert "stand_in" not in told.unlearning["report"]  # type: ignore[index,operator]
    assert eunoe.unlearn(net, (inputs, labels), [0, 1], "clp", recipe=recipe) is not net


def test_a_network_that_cannot_be_drawn_anew_needs_examples_that_were_checked() -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale, self.layers = nn.Parameter(torch.ones(2)), nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 2))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.layers(x * self.scale)  # type: ignore[no-any-return]

    inputs = torch.randn(80, 2, generator=torch.Generator().manual_seed(0))
    data = inputs, (inputs[:, 0] > 0).long()
    with pytest.warns(UserWarning, match="stand in"), pytest.raises(UserError, match="cannot be drawn anew; give fresh="):
        eunoe.unlearn(Odd(), data, [0], NAME)
    assert isinstance(eunoe.unlearn(Odd(), data, [0], NAME, trusted=range(1, 30)), Odd)
