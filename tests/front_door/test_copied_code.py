"""Python copied from a page is run, and prints the numbers that the page shows: those that the copied command stores."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

import unlearn_core as eunoe
from unlearn_core import view_state as vs
from unlearn_core.cli import main
from unlearn_core.results import tables

STATES = [
    "dataset=blobs&methods=finetune,rem&training.epochs=10",
    "dataset=blobs&methods=finetune,rem&training.epochs=10&seed=1",
    "dataset=blobs&methods=finetune,rem&training.epochs=10&seed=2&regularity=0.5&amount=40&class_a=1&dataset.noise=1.2",
    "dataset=waves&methods=rem,npo&values=paper&training.epochs=10&rem.steps=12&model.depth=2&discovery=0.5",
    "methods=finetune,rem&training.epochs=3&rem.epochs=1&finetune.epochs=1&t_size=2&amount=60",
]


@pytest.mark.parametrize("query", STATES)
def test_it_prints_the_numbers_of_the_page(
    query: str, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UNLEARN_STORE", str(place))
    state, notices = vs.decode(query)
    assert notices == []
    found: dict[str, Any] = {}
    exec(vs.as_python(state), found)
    results: eunoe.Results = found["results"]
    printed = capsys.readouterr().out
    # The page reads its numbers from the store under the keys of its state.
    page = tables.comparison(results.store, vs.to_scenario(state), vs.to_methods(state))
    assert list(page["method"]) == ["original", *state["methods"]]
    for metric in ("healed", "utility", "healed_x_utility"):
        assert list(results.frame[metric]) == list(page[metric])
        assert all(f"{value:.3f}" in printed for value in page[metric])
    # The copied command finds them too, and computes nothing.
    words = shlex.split(vs.as_cli(state))
    assert main([*words[3:], "--engine", "inline", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [row["metrics"] for row in answer["results"]] == [row["metrics"] for row in results.rows]
    assert all(row["cached"] for row in answer["results"])
    # So does the copied plan.
    (place / "plan.yaml").write_text(vs.as_yaml(state))
    assert main(["sweep", str(place / "plan.yaml"), "--engine", "inline", "--json"]) == 0
    swept = json.loads(capsys.readouterr().out)
    assert (swept["runs"], swept["computed"], swept["cached"]) == (len(state["methods"]), 0, len(state["methods"]))


def test_an_edited_set_goes_along(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_STORE", str(place))
    state = vs.decode("dataset=blobs&methods=finetune,rem&training.epochs=10")[0]
    state |= {"forget": "0123456789abcdef", "indices": (3, 5, 9)}
    found: dict[str, Any] = {}
    exec(vs.as_python(state, ["finetune"]), found)
    assert found["results"].scenario.forget == (3, 5, 9)
    assert found["results"].scenario.key == vs.to_scenario(state).key
