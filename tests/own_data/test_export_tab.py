"""The tab Export of the page Compare: what it hands out is what the command writes."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import streamlit as st
import torch
from owntools import SETTINGS, write_list
from streamlit.testing.v1 import AppTest

from unlearn_core import view_state as vs
from unlearn_core.cli import main
from unlearn_core.engine import Engine
from unlearn_core.errors import UserError
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results.export import TRAINING_ON
from unlearn_core.results.reader import model_of, scenario_data
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store

TAB = """
import streamlit as st
from pages.widgets import exports

exports.tab(*st.session_state["given"])
"""
Handed = dict[str, Callable[[], bytes]]


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> Handed:
    """Download button → what gives the file that it hands out."""
    found: Handed = {}

    def note_download(label: str, data: Callable[[], bytes], **_: Any) -> bool:
        found[label] = data
        return False

    monkeypatch.setattr(st, "download_button", note_download)
    return found


def open_tab(scenario: Scenario, spec: MethodSpec) -> AppTest:
    """The tab alone, after a run of this method."""

    app = AppTest.from_string(TAB, default_timeout=60)
    frame = pd.DataFrame({"method": [spec.name], "key": [scenario.run_key(spec)]})
    app.session_state["given"] = vs.default_state(), scenario, [spec], frame
    app.run()
    assert not app.exception, app.exception
    return app


def run(scenario: Scenario, spec: MethodSpec) -> None:
    engine = Engine(Store.open(), address="inline")
    assert engine.wait(engine.submit(plan_runs(scenario, [spec]), "test"), 120).state == "done"
    engine.close()


def test_it_hands_out_what_the_command_writes(photos: Path, tmp_path: Path, handed: Handed) -> None:
    model = {"model.architecture": "shufflenet_v2_x0_5"}
    scenario = make_scenario(
        "images", model="torchvision", overrides={"dataset.data": str(photos), "corruption.found": True, **SETTINGS, **model}
    ).knowing([10, 11, 22])
    spec = make_method("finetune", scenario, {"epochs": 1})
    listed = write_list(tmp_path / "list.csv", ("train/bee/00.png", "train/bee/01.png", "train/cow/02.png"))
    settings = {**SETTINGS, **model, "finetune.epochs": 1}
    command = ["export", "--data", str(photos), "--found", "--forget", str(listed), "--method", "finetune"]
    command += ["--engine", "inline"] + [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    written = tmp_path / "healed.pt"
    assert main([*command, "--model", "torchvision", "--out", str(written)]) == 0
    forms = open_tab(scenario, spec).selectbox[1]
    assert forms.options == ["weights, .safetensors", "weights, .pt", "torch.export archive, .pt2"]
    assert not forms.set_value(".pt").run().exception
    ours, theirs = (torch.load(source, weights_only=True) for source in (io.BytesIO(handed["Model"]()), written))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert json.loads(handed["What to know of it"]()) == json.loads(Path(f"{written}.json").read_text())


def test_a_network_of_our_own_leaves_as_an_archive_and_what_is_gone_is_said(photos: Path, handed: Handed) -> None:
    overrides = {"dataset.data": str(photos), "corruption.found": True, **SETTINGS}
    scenario = make_scenario("images", overrides=overrides).knowing([10, 11, 22])
    spec = make_method("finetune", scenario, {"epochs": 1})
    assert not open_tab(scenario, spec).selectbox
    run(scenario, spec)
    app = open_tab(scenario, spec)
    assert app.selectbox[1].options == ["torch.export archive, .pt2"]
    assert [warning.value for warning in app.warning] == [TRAINING_ON]  # beside every export
    Store.open().delete(scenario.run_key(spec))
    with pytest.raises(UserError, match="not in the store any more; run it again"):
        handed["Model"]()
    run(scenario, spec)
    pixels = torch.randint(0, 256, (5, 3, 12, 12), dtype=torch.uint8)
    outside = torch.export.load(io.BytesIO(handed["Model"]())).module()(pixels)
    arena, model = scenario_data(scenario), model_of(Store.open(), scenario, spec)
    mean, std = (value.view(-1, 1, 1) for value in arena.train.mean_std)
    assert (outside - model((pixels.float() - mean) / std)).abs().max() < 1e-5
    assert json.loads(handed["What to know of it"]())["training_on"] == TRAINING_ON
