"""The tab Export of the page Compare: what it hands out is what the command writes."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import torch
from owntools import SETTINGS, write_list

from pages.widgets import exports
from unlearn_core.cli import main
from unlearn_core.engine import Engine
from unlearn_core.errors import UserError
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results.reader import model_of
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store


def test_it_hands_out_what_the_command_writes(photos: Path, tmp_path: Path) -> None:
    model = {"model.architecture": "shufflenet_v2_x0_5"}
    scenario = make_scenario(
        "images", model="torchvision", overrides={"dataset.data": str(photos), "corruption.found": True, **SETTINGS, **model}
    ).knowing([10, 11, 22])
    spec = make_method("finetune", scenario, {"epochs": 1})
    assert exports._forms(scenario) == [".safetensors", ".pt", ".pt2"]
    listed = write_list(tmp_path / "list.csv", ("train/bee/00.png", "train/bee/01.png", "train/cow/02.png"))
    settings = {**SETTINGS, **model, "finetune.epochs": 1}
    command = [
        "export",
        "--data",
        str(photos),
        "--found",
        "--forget",
        str(listed),
        "--method",
        "finetune",
        "--engine",
        "inline",
    ]
    command += ["--engine", "inline"] + [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    written = tmp_path / "healed.pt"
    assert main([*command, "--model", "torchvision", "--out", str(written)]) == 0
    store = Store.open()
    made = exports._made(store, scenario, spec, ".pt")
    ours, theirs = (torch.load(source, weights_only=True) for source in (io.BytesIO(made.data), written))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert json.loads(exports._about(store, scenario, spec, ".pt")) == json.loads(Path(f"{written}.json").read_text())


def test_a_network_of_our_own_leaves_as_an_archive_and_what_is_gone_is_said(photos: Path) -> None:
    overrides = {"dataset.data": str(photos), "corruption.found": True, **SETTINGS}
    scenario = make_scenario("images", overrides=overrides).knowing([10, 11, 22])
    spec = make_method("finetune", scenario, {"epochs": 1})
    assert exports._forms(scenario) == [".pt2"]
    with pytest.raises(UserError, match="not in the store any more; run it again"):
        exports._made(Store.open(), scenario, spec, ".pt2")
    engine = Engine(Store.open(), address="inline")
    assert engine.wait(engine.submit(plan_runs(scenario, [spec]), "test"), 120).state == "done"
    engine.close()
    data = exports._made(Store.open(), scenario, spec, ".pt2").data
    pixels = torch.randint(0, 256, (5, 3, 12, 12), dtype=torch.uint8)
    outside = torch.export.load(io.BytesIO(data)).module()(pixels)
    from unlearn_core.results.reader import scenario_data

    arena, model = scenario_data(scenario), model_of(Store.open(), scenario, spec)
    mean, std = (value.view(-1, 1, 1) for value in arena.train.mean_std)
    assert (outside - model((pixels.float() - mean) / std)).abs().max() < 1e-5
