"""Curves of what comes back: two panels, references, and a sentence that follows from the numbers."""

from __future__ import annotations

import pandas as pd
import pytest

from unlearn_core.results.harm import flips_in_words
from unlearn_core.results.returns import AFTERWARDS, COURSE, MEASURED, WHO, afterwards
from unlearn_core.views.returns.figure import relearn_curves, return_curves, way_back
from unlearn_core.views.returns.sentences import after_table, in_words

LABELS = {"rem": "REM", "rem_discover": "REM + discovery", "oracle_retrain": "Oracle: retrain without all corruption"}


def course(method: str, data: str, healed: list[float], shown: int = 0, left_out: int = 0) -> pd.DataFrame:
    told = dict.fromkeys(MEASURED) | {"healed": healed, "healed_x_utility": healed, "attack_success": [1 - h for h in healed]}
    about = {"method": method, "label": LABELS[method], "oracle": method == "oracle_retrain", "data": data, "shown": shown}
    about |= {"rate": 0.1, "epochs": 3, "trained_on": 100, "left_out": left_out, "knows_truth": data == "clean"}
    return pd.DataFrame({"epoch": range(len(healed)), "fit": [1 - h for h in healed]} | told).assign(**about)


@pytest.fixture
def frame() -> pd.DataFrame:
    parts = [
        course("rem", "left", [0.96, 0.6, 0.3, 0.15]),
        course("rem", "clean", [0.96, 0.97, 0.97, 0.98]),
        course("rem_discover", "left", [0.95, 0.95, 0.96, 0.94], left_out=57),
        course("rem_discover", "clean", [0.95, 0.95, 0.96, 0.96]),
        course("rem_discover", "retain", [0.95, 0.1, 0.05, 0.04]),
        course("oracle_retrain", "left", [0.99, 0.7, 0.5, 0.3]),
        course("oracle_retrain", "clean", [0.99] * 4),
        course("rem", "left", [0.96, 0.5, 0.2, 0.1], shown=5),
    ]
    return pd.concat(parts, ignore_index=True)[[*WHO, *COURSE, "epoch", "fit", *MEASURED]]


def test_the_sentence_names_who_loses_and_who_keeps_and_why(frame: pd.DataFrame) -> None:
    words = in_words(afterwards(frame))
    assert "REM falls from 96 % to 15 %" in words
    assert "the undiscovered teach it again, for without them it has 98 %" in words
    assert "REM + discovery, whose user leaves out the 57 that it found as well, keeps what it healed: 95 % before" in words
    assert "Oracle falls too" in words


def test_the_sentence_blames_the_undiscovered_only_where_it_is_better_without_them(frame: pd.DataFrame) -> None:
    after = afterwards(frame)
    worse = after.assign(without_undiscovered=0.2)
    assert "REM falls from 96 % to 15 % healed × utility." in in_words(worse)
    assert "teach it again" not in in_words(worse)
    unknown = after.assign(without_undiscovered=float("nan"))
    assert "teach it again" not in in_words(unknown)
    kept = after[after["method"] == "rem_discover"]
    assert "falls" not in in_words(kept)
    never = after.assign(now=0.1, after=0.0, lost=0.1)
    assert in_words(never) == "No model here healed enough to lose it."


def test_two_panels_with_every_course_in_its_place(frame: pd.DataFrame) -> None:
    shown = return_curves(frame, "healed", "Healed", "Look.")
    panels = [title.text for title in shown.figure.layout.annotations[:2]]
    assert panels == ["trained on what is left", "the same without the undiscovered (knows the truth)"]
    curves = {(trace.name, trace.xaxis): trace for trace in shown.figure.data}
    assert list(curves["REM", "x"].y) == [0.96, 0.6, 0.3, 0.15]  # the course in which some are shown again is another picture
    assert list(curves["REM", "x2"].y)[-1] == 0.98
    assert curves["REM + discovery, its finds left in", "x"].line.dash == "dot"
    assert ("REM + discovery, its finds left in", "x2") not in curves
    assert curves["Oracle", "x"].line.dash == "dash" != curves["REM", "x"].line.dash
    assert [line.y0 for line in shown.figure.layout.shapes] == [0.99, 0.99]  # the oracle as it was, in both panels
    assert "REM 96 % to 15 %" in shown.alt
    assert shown.caption.startswith("Look.")
    assert "(%)" in shown.figure.layout.yaxis.title.text
    only_left = return_curves(frame[frame["data"] == "left"], "healed", "Healed", "")
    assert {trace.xaxis for trace in only_left.figure.data} == {"x"}


def test_relearning_has_a_panel_for_each_number_of_examples(frame: pd.DataFrame) -> None:
    shown = relearn_curves(frame)
    assert [title.text for title in shown.figure.layout.annotations] == ["F never shown again", "5 of F shown again"]
    assert [list(trace.y)[-1] for trace in shown.figure.data if trace.xaxis == "x2"] == [0.9]


def test_the_way_back_and_the_table(frame: pd.DataFrame) -> None:
    points = [{"place": t, "loss": loss, "accuracy": 0.9} for t, loss in ((0.0, 0.1), (0.5, 1.2), (1.0, 0.3))]
    ways = pd.DataFrame([{"method": "rem", "label": "REM", "oracle": False, "barrier": 1.0} | point for point in points])
    assert list(way_back(ways).figure.data[0].y) == [0.1, 1.2, 0.3]
    assert "REM 1.00" in way_back(ways).alt
    table = after_table(afterwards(frame), ways)
    assert list(table["after 3 more epochs of ordinary training"]) == ["15.0 %", "94.0 %", "30.0 %"]
    assert list(table["Left out beside F"]) == ["–", "57 that it found", "–"]
    assert list(table["Barrier to the original"]) == ["1.00", "–", "–"]
    assert table["Model"].iloc[2] == "Oracle (knows the truth)"
    assert "Barrier to the original" not in after_table(afterwards(frame), ways.iloc[:0])
    assert list(afterwards(frame).columns) == AFTERWARDS


def test_flips_above_one_in_a_hundred_are_said_the_worst_first() -> None:
    assert flips_in_words([("REM", 0.009), ("NPO", None), ("Fine-tune", 0.01)]) == ""
    words = flips_in_words([("REM", 0.02), ("NPO", 0.05), ("Fine-tune", 0.0)])
    assert words.endswith("NPO 5.0%, REM 2.0%.")
    assert "Fine-tune" not in words
