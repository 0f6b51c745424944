"""The memorised share: what counts as little, and that nothing is praised where there was nothing to heal."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from unlearn_core.evaluation import registry
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results import measured, memorised, run_table, tables
from unlearn_core.results.memorised import TAKEN_UP, nothing_to_heal, sentence, share_in, share_of
from unlearn_core.specs import Scenario
from unlearn_core.stages.execution import run_stage
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.training import SilentReporter
from unlearn_core.views.compare.classes_figure import classes
from unlearn_core.views.compare.figure import healed_utility
from unlearn_core.views.compare.pareto import pareto_front
from unlearn_core.views.heatmap.data import cells, heatmap_data, long_table, rows_of
from unlearn_core.views.heatmap.figure import heatmap
from unlearn_core.views.heatmap.scale import scale_of
from unlearn_core.views.heatmap.tasks import Cell
from unlearn_core.views.table import best, stars_note
from unlearn_core.views.text.sentences import UNKNOWN_HEALED, outcome, share_healed

NOTHING = "the model never took these labels up, so there is nothing to heal."


def frame(share: float | None, known: float | None = None) -> pd.DataFrame:
    """A comparison in which two methods differ, on an original that memorised ``share``."""
    healed, utility = np.array([0.7, 0.75, 0.9, 0.95]), np.array([0.9, 0.95, 0.92, 0.97])
    return pd.DataFrame(
        {
            "method": ["original", "finetune", "rem", "oracle_retrain"],
            "label": ["Original", "Fine-tune", "REM", "Oracle: retrain without all corruption"],
            "oracle": [False, False, False, True],
            "healed": healed,
            "utility": utility,
            "healed_x_utility": healed * utility,
            "memorised": [share] * 4,
            "memorised_known": [known] * 4,
        }
    ).astype({"memorised": float, "memorised_known": float})


def test_the_bound_lies_between_what_was_taken_up_and_what_was_not() -> None:
    """Of 10,000 photographs .69 of the corruption is predicted right before anything: at most .31 is memorised."""
    assert nothing_to_heal(share_of({"memorised": 1 - 0.69}))
    assert nothing_to_heal(share_of({"memorised": 0.17}))  # points in the plane up to regularity 0.5
    assert not nothing_to_heal(share_of({"memorised": 0.5}))  # points between confusion and trigger
    assert not nothing_to_heal(share_of({"memorised": TAKEN_UP}))
    assert not nothing_to_heal(share_of({"memorised": None}))


def test_where_the_truth_is_unknown_the_known_examples_tell() -> None:
    assert share_of({"memorised": 0.9, "memorised_known": 0.1}) == ("memorised", 0.9)
    assert share_of({"memorised": None, "memorised_known": 0.1}) == ("memorised_known", 0.1)
    assert share_in(frame(None, 0.1)) == ("memorised_known", 0.1)
    assert share_in(frame(None)) is None
    assert share_in(frame(0.3).iloc[:0]) is None
    assert sentence(None) == ""
    assert sentence(("memorised_known", 0.1)).startswith("The original predicts only 10 % of the labels that are held to be")
    assert sentence(("memorised", 0.98)) == "The original memorised 98 % of the wrong labels."


def test_nothing_is_praised_where_there_was_nothing_to_heal() -> None:
    metrics = {name: registry.get(name) for name in ("healed", "utility", "healed_x_utility")}
    flat, real = frame(0.12), frame(0.98)
    assert best(real, metrics)["healed"] == {"rem"}
    assert best(flat, metrics) == {}
    assert list(pareto_front(real)["method"]) == ["rem", "finetune"]
    assert pareto_front(flat).empty
    assert "★" not in stars_note(flat)
    assert "★" in stars_note(real)
    for words in (outcome(flat, 0.3), stars_note(flat), healed_utility(flat).caption):
        assert NOTHING in words
        assert "REM" not in words
    assert share_healed(0.9, 0.12) == "predicts 90 % of the corruption right"
    assert share_healed(0.9, 0.98) == share_healed(0.9) == "heals 90 %"
    assert "REM heals 90 %" in outcome(real, 0.3)
    assert "The original model memorised 98 % of the wrong labels and predicts 70 %" in outcome(real, 0.3)
    assert [trace.name for trace in healed_utility(flat).figure.data if trace.name == "Pareto front"] == []
    assert not healed_utility(flat).data["on_front"].any()
    assert list(healed_utility(real).data["memorised"]) == [0.98] * 4


def test_what_can_be_known_without_the_truth_is_said_there() -> None:
    found = frame(None, 0.1).assign(healed=np.nan, healed_x_utility=np.nan, forget_accuracy=0.1)
    assert outcome(found, 0.0, 12).startswith(f"{UNKNOWN_HEALED} **The original predicts only 10 %")
    assert NOTHING not in outcome(found.assign(memorised_known=0.9), 0.0, 12)


def test_a_class_has_no_best_method_there() -> None:
    who = frame(0.1)[["method", "label", "oracle"]].assign(test_n=9, utility=1.0)
    rows = pd.concat([who.assign(**{"class": name, "n": 4, "healed": healed}) for name, healed in (("a", 0.5), ("b", 0.9))])
    assert "best on average" in classes(rows).caption
    assert "best on average" not in classes(rows, ranked=False).caption


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Points with random labels, which are not taken up, and with a trigger, which is: two seeds, one method."""
    store = Store.open(tmp_path_factory.mktemp("memorised"))
    for what in (task(r, seed) for r in (0.0, 1.0) for seed in (0, 1)):
        for stage in plan_runs(what, [make_method("finetune", what, {"epochs": 1})]):
            run_stage(stage, store, "cpu", SilentReporter())
    return store


def task(regularity: float, seed: int) -> Scenario:
    return make_scenario("blobs", regularity=regularity, discovery=0.5, seed=seed, overrides={"training.epochs": 25})


def of_original(store: Store, regularity: float, seed: int) -> float:
    """Share of C whose given label the stored original predicts, by hand."""
    from unlearn_core.results.reader import scenario_data

    what = task(regularity, seed)
    corrupted = scenario_data(what).corrupted
    rows = corrupted.truth.corrupted.numpy()
    said = store.arrays(what.original_key, "logits")["train"][rows].argmax(1)
    return float((said == corrupted.train.labels.numpy()[rows]).mean())


def test_every_run_and_the_original_have_the_same_share(made: Store) -> None:
    for regularity, little in ((0.0, True), (1.0, False)):
        what = task(regularity, 0)
        spec = make_method("finetune", what, {"epochs": 1})
        shares = tables.comparison(made, what, [spec]).set_index("method")["memorised"]
        assert shares["original"] == shares["finetune"] == of_original(made, regularity, 0)
        assert (shares["original"] < TAKEN_UP) == little
        assert memorised.of_stored(made, what, [spec]) == ("memorised", shares["original"])
    assert memorised.of_stored(made, task(0.0, 7), [make_method("finetune", task(0.0, 7))]) is None


def test_tables_of_tasks_have_it_as_row_column_and_note(made: Store, capsys: pytest.CaptureFixture[str]) -> None:
    from unlearn_core.cli import main

    expected = {r: np.mean([of_original(made, r, seed) for seed in (0, 1)]) for r in (0.0, 1.0)}
    runs = tables.results(made, "utility")
    runs = runs.assign(memorised=memorised.of_runs(made, runs))
    long = memorised.beside(tables.summary(runs, "utility"), runs)
    assert dict(zip(long["regularity"], long["memorised"], strict=True)) == pytest.approx(expected)
    first = memorised.above(tables.summary(runs, "utility"), runs).iloc[:2]
    assert dict(zip(first["regularity"], first["mean"], strict=True)) == pytest.approx(expected)
    assert list(first["n"]) == [2, 2]
    assert main(["results", "--store", made.location]) == 0
    text = capsys.readouterr().out
    assert f"{expected[0.0]:.3f} ±" in next(line for line in text.splitlines() if line.startswith("Original: memorised"))
    assert "In 1 of 2 tasks the original predicts less than 40 %" in text


def test_shares_of_older_runs_are_looked_up_once_for_each_original(made: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = tables.results(made, "utility")
    fresh = memorised.of_runs(made, runs)
    asked: list[Any] = []
    usual = tables.original_metrics
    monkeypatch.setattr(tables, "recorded", lambda payload: {})
    older = SimpleNamespace(frame=run_table.stored_runs(made).frame.drop(columns=["memorised", "memorised_known"]))
    monkeypatch.setattr(run_table, "stored_runs", lambda store, only: older)
    monkeypatch.setattr(tables, "original_metrics", lambda *a: (asked.append(a[1].seed), usual(*a))[1])
    twice = pd.concat([runs, runs.assign(discovery=1.0)], ignore_index=True)
    assert list(memorised.of_runs(made, twice)) == [*fresh, *fresh]
    assert len(asked) == 2 * 4  # two metrics of four originals


def test_the_heatmap_marks_the_tasks_without_anything_to_heal(made: Store) -> None:
    found = heatmap_data(made, task(1.0, 0), "healed_x_utility")
    columns = [Cell(0.0, 0.5), Cell(1.0, 0.5)]
    shares = memorised.of_tasks(found.runs)
    assert (shares[columns[0]] < TAKEN_UP, shares[columns[1]] < TAKEN_UP) == (True, False)
    table = cells(found.runs)
    rows = rows_of(table)
    how = scale_of(registry.get("healed_x_utility"))
    picture = heatmap(table, rows, columns, how, memorised=shares)
    assert list(picture.figure.layout.xaxis.ticktext) == ["50 †", "50"]
    assert "† In 1 of 2 tasks" in picture.caption
    hovers = dict(zip(map(tuple, picture.figure.data[0].customdata), picture.figure.data[0].hovertext, strict=True))
    for (method, _, regularity, *_), text in hovers.items():
        assert ("nothing to heal" in text) == (regularity == 0), method
        assert "the original memorised" in text
    assert set(picture.data["memorised"]) == set(shares.values())
    flat = heatmap(table, rows, columns[:1], how, memorised=shares)
    assert "Best on average" not in flat.alt
    assert "Best on average" in heatmap(table, rows, columns[1:], how, memorised=shares).alt
    assert "†" not in heatmap(table, rows, columns, how).caption
    long = memorised.in_tasks(long_table(found.runs, "healed", rows, columns, {"": task(1.0, 0)}), found.runs)
    assert set(long["memorised"]) == set(shares.values())


def test_the_command_says_it_and_gives_no_star(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import json

    from unlearn_core.cli import main

    quick = ["--dataset", "blobs", "--engine", "inline", "--store", str(tmp_path), "--set", "training.epochs=25"]
    quick += ["--methods", "finetune,ascent"]
    for regularity, little in (("0", True), ("1", False)):
        command = ["run", *quick, "--regularity", regularity]
        assert main(command) == 0
        text = capsys.readouterr().out
        assert (NOTHING in text) == little
        assert ("★" in text) == (not little)
        assert main([*command, "--json"]) == 0
        answer = json.loads(capsys.readouterr().out)
        assert answer["nothing_to_heal"] == little
        assert answer["memorised"] == sentence(("memorised", answer["original"]["memorised"]))
        assert {result["metrics"]["memorised"] for result in answer["results"]} == {answer["original"]["memorised"]}


def test_where_the_original_has_no_outputs_no_data_are_read(made: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(key: str, name: str) -> None:
        raise LookupError(f"{name} of {key}")

    def unread(scenario: Scenario) -> None:
        raise AssertionError("the data were read")

    runs = tables.results(made, "utility")
    older = SimpleNamespace(frame=run_table.stored_runs(made).frame.drop(columns=["memorised", "memorised_known"]))
    monkeypatch.setattr(run_table, "stored_runs", lambda store, only: older)
    monkeypatch.setattr(measured, "content_key", lambda *parts: "nothing kept")
    monkeypatch.setattr(measured, "scenario_data", unread)
    monkeypatch.setattr(made, "arrays", gone)
    assert memorised.of_runs(made, runs).isna().all()
