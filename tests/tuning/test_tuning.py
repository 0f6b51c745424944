"""The held-out-F rule: what it hides, what it never reads, and the committed outcome."""

from __future__ import annotations

import inspect
import itertools
import json
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from PIL import Image
from pydantic import Field
from torch import nn
from trained import Trained

from unlearn_core.cli.tune import tune as tune_command
from unlearn_core.errors import UserError
from unlearn_core.evaluation import build_scenario_data
from unlearn_core.methods import Method, MethodParams, OracleTask, UnlearningTask
from unlearn_core.methods import registry as methods
from unlearn_core.presets import TUNED, make_method, make_scenario, tuned, values_file
from unlearn_core.training import Reporter, predict
from unlearn_core.tuning import search as tuning
from unlearn_core.tuning.held_out import split_in_halves
from unlearn_core.tuning.search import Cell, Setting, candidates, rank, score_cell, tune

REPORTED_SEEDS = {0, 1, 2}


class Recording(Method):
    """Does nothing but remember what it was given."""

    name, label, paper, family = "recording", "Recording", "nobody", "fine-tuning"
    seen: list[UnlearningTask] = []

    class Params(MethodParams):
        a: int = Field(0, ge=0, le=9)
        b: int = Field(0, ge=0, le=9)

    presets = {"points": {"a": 5}}
    search_space = {"a": [1, 2, 3], "b": [4, 5]}

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        Recording.seen.append(task)
        return task.original.eval()


class Here(Executor):
    """Runs what is submitted at once, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def test_half_of_the_forget_set_is_hidden_in_the_retain_set_with_its_wrong_labels(
    digits: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    Recording.seen.clear()
    monkeypatch.setattr(methods, "get", lambda name: Recording)
    whole, order = digits.task(discovery=0.5), digits.arena.corrupted.truth.corrupted
    monkeypatch.setattr(
        tuning, "train_original", lambda *setting: (digits.task(discovery=0.5), order, digits.arena.train.labels[order])
    )
    result = score_cell(Setting("digits"), "recording", {}, Cell(1.0, 0.5, 3))
    (half,) = Recording.seen
    assert not isinstance(half, OracleTask)
    assert len(half.forget) == len(whole.forget) // 2
    assert torch.isin(half.forget, whole.forget).all()
    assert not torch.isin(half.forget, half.retain).any()
    everything = torch.cat([half.forget, half.retain]).sort().values
    assert torch.equal(everything, torch.arange(len(digits.arena.train)))
    assert torch.equal(half.data.labels, digits.arena.train.labels)
    # The original still gives the wrong labels that it memorised: nothing healed.
    assert result["healed"] < 0.3
    assert result["score"] == pytest.approx(result["healed"] * result["retain"])
    # The rule of the self-tuning methods, to the digit.
    first, held = split_in_halves(whole, 3)
    assert torch.equal(half.forget, first)
    given = predict(whole.original, whole.data, held).softmax(1).gather(1, whole.data.labels[held][:, None])
    assert result["healed"] == pytest.approx(1 - given.mean().item(), abs=1e-6)


@pytest.mark.parametrize("told", [True, False])
def test_right_labels_are_those_of_the_half_that_is_known(digits: Trained, monkeypatch: pytest.MonkeyPatch, told: bool) -> None:
    Recording.seen.clear()
    monkeypatch.setattr(methods, "get", lambda name: Recording)
    monkeypatch.setattr(Recording, "needs_right_labels", told)
    score_cell(Setting("digits"), "recording", {}, Cell(0.5, 0.5, 100))
    (half,) = Recording.seen
    if not told:  # nobody is told what it does not ask for
        assert half.right is None
        return
    truth = build_scenario_data(Setting("digits").scenario(0.5, 100), torch.device("cpu")).corrupted.truth
    assert half.right is not None
    assert torch.equal(half.right, truth.clean_labels[half.forget])
    assert (half.right != half.data.labels[half.forget]).all()


def test_with_too_few_known_examples_it_says_so() -> None:
    with pytest.raises(UserError, match="at least 4 examples"):
        score_cell(Setting("waves"), "ascent", {}, Cell(1.0, 0.03, 0))


def test_the_rule_gives_no_cell_and_no_seed_up_for_another() -> None:
    def rows(*scores: float) -> list[dict[str, float]]:
        return [{"regularity": k, "discovery": 1.0, "score": score} for k, score in enumerate(scores)]

    assert rank(rows(0.5, 0.5)) > rank(rows(0.95, 0.01))
    assert rank(rows(0.2, 0.8)) == pytest.approx((0.2 * 0.8) ** 0.5)


def test_candidates_start_with_the_preset() -> None:
    every = candidates(Recording, "points", tries=100)
    assert every[0] == {"a": 5}
    assert len(every) == 7
    assert candidates(Recording, "points", tries=3) == candidates(Recording, "points", tries=3)
    assert len(candidates(Recording, "points", tries=3)) == 4


def test_where_training_crops_the_preset_for_that_comes_on_top(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Recording, "presets", {"points": {"a": 5, "b": 1}, "points, augmented": {"a": 6}})
    assert candidates(Recording, "points", tries=1)[0] == {"a": 5, "b": 1}
    assert candidates(Recording, "points", tries=1, augment=True)[0] == {"a": 6, "b": 1}


def test_tuning_returns_its_choice_with_all_that_it_rests_on() -> None:
    chosen = tune(
        Setting("waves"),
        "ascent",
        Here(),
        tries=1,
        finalists=1,
        regularity=(0.0,),
        discovery=(1.0,),
        first_seeds=(100,),
        more_seeds=(101,),
    )
    assert methods.get("ascent").params(chosen["params"])
    assert {row["seed"] for row in chosen["cells"]} == {100, 101}
    assert 0 <= chosen["preset_score"] <= chosen["score"] <= 1  # the preset competes on the same seeds
    assert chosen["budget"]["configurations"] == 2
    assert chosen["budget"]["runs"] == 4
    again = score_cell(Setting("waves"), "ascent", chosen["params"], Cell(0.0, 1.0, 100))
    assert again["score"] == chosen["cells"][0]["score"]


def test_every_method_has_enough_to_try_for_the_common_budget() -> None:
    for method in methods:
        if method.search_space and not method.oracle:
            for family in ("digits", "points", "photos"):
                tried = candidates(method, family, tuning.TRIES)
                assert len(tried) == 1 + tuning.TRIES
                complete = [json.dumps(method.all_params(params), sort_keys=True) for params in tried]
                assert len(set(complete)) == len(complete), "a configuration counts twice"


def test_the_command_has_the_common_budget() -> None:
    usual = inspect.signature(tune_command).parameters
    assert (usual["tries"].default, usual["finalists"].default) == (tuning.TRIES, tuning.FINALISTS)


def test_a_network_that_diverges_scores_nothing_and_can_be_written(digits: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    class Diverging(Recording):
        def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
            with torch.no_grad():
                task.original.head.weight.fill_(float("nan"))
            return task.original.eval()

    order = digits.arena.corrupted.truth.corrupted
    monkeypatch.setattr(methods, "get", lambda name: Diverging)
    monkeypatch.setattr(
        tuning, "train_original", lambda *setting: (digits.task(discovery=0.5), order, digits.arena.train.labels[order])
    )
    found = score_cell(Setting("digits"), "diverging", {}, Cell(1.0, 0.5, 3))
    assert found["score"] == 0
    json.dumps(found, allow_nan=False)


def test_a_network_that_lost_a_class_scores_nothing(digits: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    class Never(Recording):
        """Says the labels of F no more, by never saying anything of the kind."""

        lost = 0

        def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
            with torch.no_grad():
                task.original.head.bias[: self.lost] -= 100
            return task.original.eval()

    order = digits.arena.corrupted.truth.corrupted
    monkeypatch.setattr(methods, "get", lambda name: Never)
    monkeypatch.setattr(
        tuning, "train_original", lambda *setting: (digits.task(discovery=0.5), order, digits.arena.train.labels[order])
    )
    kept = score_cell(Setting("digits"), "never", {}, Cell(1.0, 0.5, 3))
    assert not kept["lost"]
    Never.lost = 1
    found = score_cell(Setting("digits"), "never", {}, Cell(1.0, 0.5, 3))
    assert found["healed"] > kept["healed"]
    assert (found["score"], found["lost"]) == (0, True)


def test_an_oracle_is_not_tuned() -> None:
    with pytest.raises(UserError, match="is an oracle"):
        tune(Setting("waves"), "oracle_retrain", Here())


@pytest.mark.parametrize("path", sorted(TUNED.glob("*.json")), ids=lambda path: path.stem)
def test_the_committed_outcome_is_valid_and_rests_on_seeds_that_no_reported_number_uses(path: Path, tmp_path: Path) -> None:
    found = json.loads(path.read_text())
    assert found["methods"]
    for name, entry in found["methods"].items():
        method = methods.get(name)
        assert not method.oracle
        if entry is None:  # the method's preset, whatever was found on others of the kind
            continue
        method.params(entry["params"])
        assert not REPORTED_SEEDS & set(entry["seeds"])
        assert entry["environment"]["torch"]
    dataset = {"digits": "digits", "points": "waves", "photos": "images", "signs": "signs"}[path.stem]
    assert values_file(dataset) == path.stem
    files = {}
    if dataset == "images":
        for half, name, grey in itertools.product(("train", "test"), ("cat", "dog"), (50, 200)):
            (tmp_path / half / name).mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (8, 8), (grey, grey, grey)).save(tmp_path / half / name / f"{grey}.png")
        files = {"dataset.data": str(tmp_path)}
    assert tuned(path.stem) == found
    scenario = make_scenario(dataset, overrides=files)
    for name, entry in found["methods"].items():
        method, values = methods.get(name), entry["params"] if entry else methods.get(name).presets["photos"]
        params = method.all_params(make_method(name, scenario).params)
        assert all(params[key] == value for key, value in values.items())


def test_workers_end_with_the_process_that_started_them() -> None:
    script = """
import os, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from unlearn_core.cli.tune import end_with_parent
if __name__ == "__main__":
    pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=end_with_parent)
    print(pool.submit(os.getpid).result(), flush=True)
    time.sleep(60)
"""
    started = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert started.stdout is not None
    worker = int(started.stdout.readline())
    started.kill()
    started.wait()
    for _ in range(100):
        if not psutil.pid_exists(worker) or psutil.Process(worker).status() == psutil.STATUS_ZOMBIE:
            return
        time.sleep(0.1)
    psutil.Process(worker).kill()
    pytest.fail("The worker outlives its parent.")
