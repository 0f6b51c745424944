"""How images are read stands in ``check``, on the page and in every export, and following it gives the very same pixels."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from owntools import SETTINGS, make_photos
from PIL import Image

from unlearn_core.cli import main
from unlearn_core.datasets import load_dataset
from unlearn_core.evaluation import build_scenario_data
from unlearn_core.presets import make_scenario
from unlearn_core.results.preprocessing import for_deployment, how_read

ROOT = Path(__file__).parents[2]


def documented() -> dict[str, object]:
    """The code that docs/models.md gives to whoever deploys an export."""
    code = re.search(r"```python\n(import numpy.*?def prepare.*?)```", (ROOT / "docs" / "models.md").read_text(), re.S)
    assert code is not None
    space: dict[str, object] = {}
    exec(code[1], space)
    return space


def various(root: Path) -> Path:
    """Photographs of any kind: large JPEGs, turned, clear, grey, narrow."""
    rng = np.random.default_rng(0)
    turned = Image.Exif()
    turned[0x0112] = 6
    for half in ("train", "test"):
        for label in "ab":
            folder = root / half / label
            folder.mkdir(parents=True)
            smooth = Image.fromarray(rng.integers(0, 256, (9, 12, 4), dtype=np.uint8)).resize((200, 150))
            smooth.convert("RGB").save(folder / "0.jpg", exif=turned, quality=90)
            smooth.save(folder / "1.png")
            smooth.convert("L").resize((31, 77)).save(folder / "2.png", exif=turned)
            smooth.convert("RGB").quantize(40).save(folder / "3.png", transparency=3)
            smooth.convert("CMYK").save(folder / "4.jpg")
            smooth.convert("RGB").resize((32, 32)).save(folder / "5.png")
    return root


@pytest.mark.parametrize("channels", ["colour", "grey"])
def test_the_documented_steps_give_the_pixels_that_were_trained_on(tmp_path: Path, channels: str) -> None:
    root = various(tmp_path)
    dataset = make_scenario("images", overrides={"dataset.data": str(root), "dataset.channels": channels}).dataset
    split = load_dataset(dataset, 0)
    assert len(split.names) == 12
    prepare = documented()["prepare"]
    for name, pixels in zip(split.names, split.train.inputs, strict=True):
        assert np.array_equal(prepare(root / name, split.preprocessing), pixels.permute(1, 2, 0).squeeze(-1)), name  # type: ignore[operator]


def test_check_says_how_images_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = various(tmp_path)
    assert main(["check", "--data", str(root)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert (
        "Images are turned upright, cropped to the largest square around the middle and resized to 32×32 (Pillow, bicubic, "
        "antialiased), in RGB, transparency on white; 4 are grey and get three equal channels; 4 are enlarged."
    ) in said.replace("- ", "-")
    assert main(["check", "--data", str(root), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["preprocessing"]
    assert (found["size"], found["background"], found["images"]["transparent"]) == ([32, 32], "white", 8)
    assert found["filter"].startswith("bicubic")


def test_points_in_the_plane_have_nothing_to_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert how_read(load_dataset(make_scenario("blobs").dataset, 0).preprocessing) == ""
    scenario = make_scenario("blobs")
    train = build_scenario_data(scenario, torch.device("cpu")).train
    steps = for_deployment(scenario, {}, (2,), train.mean_std)
    assert (steps["scale"], steps["mean"]) == ("none", train.mean.tolist())


GIVEN = {"model.architecture": "resnet18", "model.size": 20, "model.normalise": "0.5,0.5,0.5/0.25,0.25,0.25"}


@pytest.mark.parametrize("given", [{}, GIVEN], ids=["own", "given"])
def test_an_export_says_every_step_to_the_network(tmp_path: Path, given: dict[str, object]) -> None:
    photos = make_photos(tmp_path / "photos")
    network = ["--model", "torchvision"] if given else []
    settings = {**SETTINGS, "training.epochs": 1, "finetune.epochs": 1, **given}
    sets = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    out = tmp_path / ("healed.safetensors" if given else "healed.pt2")
    arguments = ["--data", str(photos), "--regularity", "0", "--amount", "4", "--method", "finetune", "--engine", "inline"]
    assert main(["export", *arguments, *network, *sets, "--out", str(out)]) == 0
    about = json.loads(Path(f"{out}.json").read_text())["preprocessing"]
    pixels = documented()["prepare"](photos / "train/ant/03.png", about["data"])  # type: ignore[operator]
    overrides = {"dataset.data": str(photos), **SETTINGS}
    train = build_scenario_data(make_scenario("images", regularity=0, amount=4, overrides=overrides), torch.device("cpu")).train
    steps = (torch.tensor(pixels) / 255 - torch.tensor(about["mean"])) / torch.tensor(about["std"])
    if given:
        assert about["resize"] == {"size": [20, 20], "filter": "bilinear, antialiased (torch.nn.functional.interpolate)"}
        assert (about["mean"], about["std"]) == ([0.5] * 3, [0.25] * 3)
        from safetensors import safe_open

        with safe_open(out, "pt") as file:
            assert json.loads(file.metadata()["preprocessing"]) == about
    else:
        assert "resize" not in about
        assert torch.allclose(steps.permute(2, 0, 1), train.batch(torch.tensor([3]))[0], atol=1e-5)
