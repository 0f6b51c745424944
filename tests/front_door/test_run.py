"""``run`` gives what the command line gives, from the same store, and says in a sentence what cannot be."""

from __future__ import annotations

import json
import os
import signal
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from torch import nn

import unlearn_core as eunoe
from tests.front_door.conftest import METHODS
from unlearn_core.cli import main
from unlearn_core.methods import Method, MethodParams, UnlearningTask, registry
from unlearn_core.training import Reporter, predict

EPOCHS = ["--set", "training.epochs=10"]


def command(capsys: pytest.CaptureFixture[str], place: Path, *words: str) -> dict[str, Any]:
    """The answer of ``run --json`` on the same store."""
    capsys.readouterr()
    common = ["--engine", "inline", "--store", str(place), "--json"]
    assert main(["run", "--dataset", "blobs", "--methods", ",".join(METHODS), *EPOCHS, *words, *common]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_rows_are_those_of_the_command_line(results: eunoe.Results, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = command(capsys, place)
    assert all(row["cached"] for row in answer["results"])  # the same keys
    assert [row | {"cached": True} for row in results.rows] == [row | {"seed": 0} for row in answer["results"]]
    healed = {row["method"]: row["metrics"]["healed"] for row in results.rows}
    assert healed["rem"] > 0.5 > healed["finetune"]


def test_the_frame_has_the_original_and_every_metric(results: eunoe.Results) -> None:
    frame = results.frame
    assert list(frame["method"]) == ["original", *METHODS]
    assert set(eunoe.metrics()) < set(frame.columns)
    assert frame.loc[3, "healed"] == results.rows[2]["metrics"]["healed"]
    assert len(results) == 3


def test_a_second_run_finds_everything(results: eunoe.Results, place: Path, scenario: eunoe.Scenario) -> None:
    again = eunoe.run(scenario, ",".join(METHODS), store=eunoe.Store.open(place))
    assert all(row["cached"] for row in again.rows)
    pd.testing.assert_frame_equal(again.frame, results.frame)


def test_models_say_what_the_rows_say(results: eunoe.Results) -> None:
    inputs, labels = results.examples("test")
    for row in results.rows:
        model = results.model(row["method"])
        assert not model.training
        assert not any("redirect" in name for name in model.state_dict())
        assert (model(inputs).argmax(1) == labels).float().mean().item() == pytest.approx(row["metrics"]["utility"])
    before, healed = results.original.state_dict(), results.model("rem").state_dict()
    assert list(before) == list(healed)
    assert not all(torch.equal(before[name], value) for name, value in healed.items())
    given, _ = results.examples("train")
    assert len(given) == len(results.original(given))


def test_several_seeds_are_runs_of_their_own_and_a_mean(
    place: Path, scenario: eunoe.Scenario, capsys: pytest.CaptureFixture[str]
) -> None:
    both = eunoe.run(scenario, METHODS, seeds=[0, 1], store=place)
    assert both.seeds == [0, 1]
    other = command(capsys, place, "--seed", "1")["results"]
    assert [row["metrics"] for row in both.rows if row["seed"] == 1] == [row["metrics"] for row in other]
    rem = [row["metrics"]["healed"] for row in both.rows if row["method"] == "rem"]
    means = both.means.set_index("method")
    assert means.loc["rem", "healed"] == pytest.approx(sum(rem) / 2)
    assert means.loc["rem", "n"] == 2
    assert "mean of seeds 0, 1" in repr(both)
    drawn = {trace.name: trace.y[0] for trace in both.figure("healed_utility").data if trace.type == "scatter"}
    assert drawn["REM"] == pytest.approx(sum(rem) / 2)
    assert both.model("rem", seed=1)(both.examples(seed=1)[0]).shape[1] == 3


def test_the_papers_values_and_own_settings_are_those_of_the_command_line(
    place: Path, scenario: eunoe.Scenario, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = eunoe.run(scenario, METHODS, values="paper", overrides={"rem.steps": 20, "finetune.epochs": 1}, store=place)
    words = ["--values", "paper", "--set", "rem.steps=20", "--set", "finetune.epochs=1"]
    answer = command(capsys, place, *words)
    assert all(row["cached"] for row in answer["results"])
    assert [row["metrics"] for row in mine.rows] == [row["metrics"] for row in answer["results"]]
    assert mine.rows[2]["params"]["steps"] == 20


@pytest.mark.parametrize("name", ["healed_utility", "trajectories", "cost", "difference", "classes"])
def test_every_picture_of_compare_is_there(name: str, results: eunoe.Results) -> None:
    assert name in results.figures
    assert len(results.figure(name).data) > 0


def test_what_is_shown_in_a_notebook_needs_no_network(results: eunoe.Results) -> None:
    html = results._repr_html_()
    assert html.count("<tr>") == 5
    assert "<svg" in html
    assert "<title>REM: healed" in html
    assert "<script" not in html
    assert "http" not in html.replace("http://www.w3.org/2000/svg", "")
    rem = results.rows[2]["metrics"]
    assert f"{rem['healed']:.3f}" in html
    assert f"{rem['healed']:.3f}" in repr(results)
    assert repr(results).splitlines()[0].startswith("blobs · regularity 1")


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda s, r: eunoe.run(s, ["rme"]), "no method called 'rme'. Did you mean 'rem'"),
        (lambda s, r: eunoe.run(s, []), "Name one or more methods"),
        (lambda s, r: eunoe.run(s, ["rem", "rem"]), "none twice"),
        (lambda s, r: eunoe.run(s, ["rem"], values="best"), "tuned, paper or rem"),
        (lambda s, r: eunoe.run(s, ["rem"], overrides={"rem.spin": 1}), "spin"),
        (lambda s, r: eunoe.run(s, ["rem"], overrides={"npo.beta": 1}), "overrides nothing here"),
        (lambda s, r: eunoe.run(s, ["rem"], overrides={"training.epochs": 1}), "belongs to the scenario"),
        (lambda s, r: eunoe.run(s, ["rem"], seeds=[]), "one or more different"),
        (lambda s, r: eunoe.run(s.knowing([1, 2]), ["rem"], seeds=[0, 1]), "belongs to one seed"),
        (lambda s, r: eunoe.run(s, ["rem"], engine="remote"), "local, inline or the address"),
        (lambda s, r: eunoe.run("mars", ["rem"]), "no dataset called 'mars'"),
        (lambda s, r: eunoe.run(s.at_rate(0.0), ["rem"]), "needs a forget set"),
        (lambda s, r: eunoe.Scenario.make("blobs", overrides={"rem.epochs": 1}), "overrides nothing here"),
        (lambda s, r: eunoe.Scenario.make("blobs", regularity=2.0), "regularity"),
        (lambda s, r: eunoe.discover(s, precision=0.0), "above 0 and at most 1"),
        (lambda s, r: r.figure("scatter"), "there are: healed_utility, trajectories, cost, difference, classes"),
        (lambda s, r: r.figure("trajectories", metric="seconds"), "recorded are: "),
        (lambda s, r: r.model("npo"), "there are: original, finetune, retrain, rem"),
        (lambda s, r: r.model("rem", seed=5), "no results of seed 5"),
        (lambda s, r: r.examples("validation"), "train or of test"),
    ],
)  # fmt: skip
def test_bad_input_gets_one_sentence(
    call: Any, says: str, scenario: eunoe.Scenario, results: eunoe.Results, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNLEARN_STORE", str(place))
    with pytest.raises(eunoe.UserError) as caught:
        call(scenario, results)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


class Trouble(Method[MethodParams]):
    """Does what the test says when it is half way."""

    name, label, family, summary = "trouble", "Trouble", "fine-tuning", "Fails."

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        raise OSError("no more paper")


class Interrupted(Method[MethodParams]):
    """Presses Ctrl-C, then works until it hears that it was cancelled."""

    name, label, family, summary = "interrupted", "Interrupted", "fine-tuning", "Never ends by itself."

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        from unlearn_core.errors import Cancelled

        os.kill(os.getpid(), signal.SIGINT)
        while not reporter.cancelled():
            predict(task.original, task.data)
        raise Cancelled


@pytest.fixture
def troubled() -> Iterator[None]:
    for method in (Trouble, Interrupted):
        registry.register(method)
    yield
    for method in (Trouble, Interrupted):
        registry.remove(method.name)


@pytest.mark.usefixtures("troubled")
def test_a_method_that_fails_costs_the_others_nothing(place: Path, scenario: eunoe.Scenario) -> None:
    with pytest.warns(UserWarning, match="Failed: trouble: .*no more paper"):
        found = eunoe.run(scenario, ["trouble", "finetune"], store=place)
    assert [row["method"] for row in found.rows] == ["finetune"]
    assert found.failed[0]["method"] == "trouble"
    with pytest.raises(eunoe.UserError, match="is not in the store"):
        found.model("trouble")
    with pytest.raises(RuntimeError, match=r"No method came to an end\. trouble: "):
        eunoe.run(scenario, ["trouble"], store=place)


@pytest.mark.usefixtures("troubled")
def test_ctrl_c_leaves_a_store_that_the_next_call_goes_on_from(tmp_path: Path, scenario: eunoe.Scenario) -> None:
    with pytest.raises(KeyboardInterrupt):
        eunoe.run(scenario, ["finetune", "interrupted"], store=tmp_path / "store")
    kept = eunoe.Store.open(tmp_path / "store")
    assert kept.get(scenario.original_key) is not None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(eunoe.run(scenario, ["finetune"], store=kept)) == 1
