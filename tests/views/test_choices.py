"""What runs settled by themselves is said in one sentence each, and nothing is said of the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from unlearn_core.evaluation import registry
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results.harm import costs_utility, harm_in_words
from unlearn_core.store import Store
from unlearn_core.views.compare.pareto import pareto_front
from unlearn_core.views.table import best
from unlearn_core.views.text.choices import (
    choices,
    cutting_in_words,
    in_words,
    rate_in_words,
    round_in_words,
    stand_in_in_words,
)

TRIED = [{"changed": {}, "retain": 0.9}, {"changed": {"epochs": 8}, "retain": 0.95}]


@pytest.mark.parametrize(
    ("tuning", "sentence"),
    [
        ({"changed": {}, "tried": TRIED[:1]}, ""),
        ({"changed": {}, "tried": TRIED}, "REM stayed with its preset after 2 trials."),
        (
            {"changed": {"epochs": 8, "mask_share": 0.3}, "tried": TRIED},
            "REM settled on `epochs` 8, `mask_share` 0.3 after 2 trials.",
        ),
        ({"changed": {"forget_weight": 0.1}, "tried": TRIED[:1]}, "REM settled on `forget_weight` 0.1."),
        (
            {"changed": {"epochs": 0}, "tried": TRIED},
            "REM left the network as it was: on what is known, no run of REM was better than none.",
        ),
        (
            {"changed": {"flush_clip": 0.25}, "tried": TRIED, "repeated": True},
            "REM lost a class and was repeated: the softer run (`flush_clip` 0.25) kept more of the rest.",
        ),
        (
            {"changed": {}, "tried": TRIED, "repeated": True},
            "REM lost a class and was repeated: a softer run kept no more of the rest.",
        ),
        (
            {"changed": {"epochs": 8}, "tried": TRIED, "again": TRIED, "last": None},
            "REM settled on `epochs` 8 after 2 trials and a second look.",
        ),
        (
            {
                "changed": {},
                "tried": TRIED,
                "again": TRIED,
                "last": {"changed": {"flush_clip": 0.25}, "tried": TRIED, "repeated": True},
            },
            "REM stayed with its preset after 2 trials: `epochs` 8 was no better at a second look. Its last run lost a class "
            "and was repeated: the softer run (`flush_clip` 0.25) kept more of the rest.",
        ),
    ],
)
def test_each_outcome_in_words(tuning: dict[str, Any], sentence: str) -> None:
    assert in_words("REM", tuning) == sentence


def test_what_was_cut_and_what_was_not_moved_in_words(tmp_path: Path) -> None:
    rounds = [{"examples": 1437, "learned": 1400, "cut": 2}, {"examples": 1398, "learned": 1300, "cut": 1}]
    assert cutting_in_words("Cut", {"rounds": rounds, "kept": 1299}) == (
        "Cut trained on 1,299 of 1,437 examples. What it left out was learned late or not at all, but for 3 that had been "
        "learned early and were contradicted later."
    )
    none = cutting_in_words("Cut", {"rounds": [{"examples": 9, "learned": 8, "cut": 0}], "kept": 8})
    assert none == "Cut trained on 8 of 9 examples. What it left out was learned late or not at all."
    assert cutting_in_words("Cut", {"rounds": [], "kept": 9}) == ""
    store, what = Store.open(tmp_path / "store"), make_scenario("blobs")
    specs = [make_method(name, what) for name in ("cuts", "cuts_neighbours")]
    for spec, alpha in zip(specs, (3.2, 0.0), strict=True):
        payload = {"metrics": {}, "report": {"strength": {"alpha": alpha, "reached": alpha > 0}}}
        store.put(what.run_key(spec), "run", {}, payload, {})
    said = choices(store, what, specs)
    assert said == ["CUTS, by neighbours found no strength that is better than none, and left the model as it was."]


def test_only_stored_runs_that_chose_something_are_spoken_of(tmp_path: Path) -> None:
    store, what = Store.open(tmp_path / "store"), make_scenario("blobs")
    specs = [make_method(name, what) for name in ("finetune", "rem", "rem_tuned", "clp", "anp", "rem_discover")]
    reports = (None, None, {"tuning": {"changed": {"epochs": 8}, "tried": TRIED}}, {"pruned": {"channels": 0}})
    marked = {"pruned": {"channels": 3}, "stand_in": {"examples": 1200}}
    for spec, report in zip(specs[:5], (*reports, marked), strict=True):
        payload = {"metrics": {}} | ({"report": report} if report else {})
        store.put(what.run_key(spec), "run", {}, payload, {})
    assert stand_in_in_words(["SAP", "ANP", "I-BAU"], 5).startswith(
        "SAP, ANP and I-BAU had a stand-in for checked examples: 5 "
    )
    assert choices(store, what, specs) == [
        "ANP had a stand-in for checked examples: 1,200 with the lowest loss, which nobody checked and some of which may be "
        "wrong.",
        "REM, self-tuned settled on `epochs` 8 after 2 trials.",
        "CLP found no channel to switch off.",
    ]


def test_a_round_that_was_given_back_and_a_fitted_rate_in_words() -> None:
    rounds = {"returned": 2, "why": "fell", "retain": [0.9, 0.965, 0.825], "forget": [0.1, 0.0, 0.0]}
    said = round_in_words("REM", rounds)
    assert said == ("REM returned its round 2 of 3: of the labels outside the forget set that kept 96%, the last round 82%.")
    assert round_in_words("REM", rounds | {"why": "last"}) == round_in_words("NPO", rounds | {"why": "proxy"}) == ""
    rate: dict[str, Any] = {"changed": {"learning_rate": 0.003}, "tried": TRIED, "stopped": False}
    rate["held_out"] = {"examples": 40, "before": 0.9, "after": 0.85}
    assert rate_in_words("REM", rate) == (
        "REM settled on `learning_rate` 0.003 after 2 trials, and gives 85% of 40 held-out labels outside the forget set, "
        "where the original gave 90%."
    )
    assert rate_in_words("REM", rate | {"stopped": True}).startswith("REM left the network as it was: even at its best rate")


def test_a_run_that_costs_utility_is_said_to_and_is_on_no_front() -> None:
    rows = [("original", 0.72, 0.0), ("a", 0.22, 0.95), ("b", 0.70, 0.5), ("c", 0.60, 0.6)]
    frame = pd.DataFrame(rows, columns=["method", "utility", "healed"]).assign(oracle=False)
    assert list(costs_utility(frame)) == [False, True, False, False]
    assert list(pareto_front(frame)["method"]) == ["c", "b"]
    assert best(frame, {"healed": registry.get("healed")}) == {"healed": {"c"}}
    assert not costs_utility(frame[frame["method"] != "original"]).any()
    assert harm_in_words("A", {"utility": 0.22}, {"utility": 0.72}).startswith(
        "A costs utility: 22.0% where the original has 72.0%"
    )
    assert harm_in_words("B", {"utility": 0.70}, {"utility": 0.72}) == harm_in_words("B", {"utility": 0.1}, {}) == ""
