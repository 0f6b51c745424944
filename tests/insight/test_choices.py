"""What runs settled by themselves is said in one sentence each, and nothing is said of the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from unlearn_core.insight.choices import choices, in_words
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.store import Store

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


def test_only_stored_runs_that_chose_something_are_spoken_of(tmp_path: Path) -> None:
    store, what = Store.open(tmp_path / "store"), make_scenario("blobs")
    specs = [make_method(name, what) for name in ("finetune", "rem", "rem_tuned", "rem_discover")]
    for spec, report in zip(specs[:3], (None, None, {"tuning": {"changed": {"epochs": 8}, "tried": TRIED}}), strict=True):
        payload = {"metrics": {}} | ({"report": report} if report else {})
        store.put(what.run_key(spec), "run", {}, payload, {})
    assert choices(store, what, specs) == ["REM, self-tuned settled on `epochs` 8 after 2 trials."]
