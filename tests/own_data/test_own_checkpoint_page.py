"""A checkpoint on the page Your own: offered where there is such a network, taken once its fields are complete."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from ownpage import address, button, enter, opened, words
from owntools import write_list

from unlearn_core import view_state as vs
from unlearn_core.component import ComponentParams
from unlearn_core.models import ModelSource
from unlearn_core.models import registry as models
from unlearn_core.models.redirect.layers import RedirectNet
from unlearn_core.store import Store
from unlearn_core.support.torchvision_compat import torchvision

pytestmark = pytest.mark.usefixtures("at_the_root")


@pytest.fixture
def without_torchvision() -> Iterator[None]:
    """Its network is not registered; afterwards all are again, in their order."""
    registered = {name: models.get(name) for name in models.names()}
    models.remove("torchvision")
    yield
    for name in models.names():
        models.remove(name)
    for name, network in registered.items():
        models.add(name, network)


@pytest.mark.usefixtures("without_torchvision")
def test_a_checkpoint_is_only_offered_where_there_is_such_a_network(photos: Path) -> None:
    app = enter(opened(), photos)
    assert not any(one.label == "Weights" for one in app.text_input)
    assert not any("A checkpoint" in one.options for one in app.segmented_control)

    class Checkpoint(ModelSource):
        name, label = "torchvision", "A checkpoint of torchvision"

        class Params(ComponentParams):
            architecture: str = "resnet18"
            weights: str = ""
            size: int = 0
            mean: str = ""
            std: str = ""

        @classmethod
        def build(cls, params: Any, shape: tuple[int, ...], classes: int) -> RedirectNet:
            return models.get("cnn").build(models.get("cnn").Params(), shape, classes)

    models.add("torchvision", Checkpoint)
    app.run()
    assert not app.exception
    choice = next(one for one in app.segmented_control if "A checkpoint" in one.options)
    choice.set_value("A checkpoint")
    app.run()
    app.run()
    assert not app.exception
    assert {"Architecture", "Weights", "Size", "Mean", "Std"} <= {one.label for one in (*app.text_input, *app.number_input)}
    assert vs.to_scenario(app.session_state["state"]).model.name == "torchvision"
    next(one for one in app.text_input if one.label == "Weights").set_value("mine.safetensors")
    app.run()
    app.run()
    assert not app.exception
    assert "Your checkpoint is used as it is" in words(app)


def test_a_checkpoint_is_taken_once_its_fields_are_complete(photos: Path, tmp_path: Path) -> None:
    network = torchvision().models.get_model("shufflenet_v2_x0_5", num_classes=3)
    torch.save(network.state_dict(), tmp_path / "mine.pt")
    torch.save(torchvision().models.get_model("shufflenet_v2_x0_5", num_classes=7).state_dict(), tmp_path / "other.pt")
    app = enter(opened(), photos)
    next(one for one in app.segmented_control if "A checkpoint" in one.options).set_value("A checkpoint")
    app.run()
    app.run()
    assert "Until a file is given" in words(app)

    def typed(name: str, value: str) -> str:
        app.text_input(key=f"checkpoint:{name}").set_value(value)
        app.run()
        assert not app.exception, app.exception
        assert app.text_input(key=f"checkpoint:{name}").value == value
        return words(app)

    assert "There is no checkpoint file" in typed("weights", str(tmp_path / "none.pt"))
    assert "needs the name of its architecture" in typed("weights", str(tmp_path / "mine.pt"))
    assert "model.weights" not in address(app)
    assert "needs the name" not in typed("architecture", "shufflenet_v2_x0_5")
    assert address(app)["model.weights"] == str(tmp_path / "mine.pt")
    for _ in range(100):
        if "Your checkpoint is used as it is" in words(app):
            break
        time.sleep(0.1)
        app.run()
        assert not app.exception, app.exception
    assert "Your checkpoint is used as it is" in words(app)
    # A worker has measured it on the given labels before anything else runs; a fresh network is not right on them.
    for _ in range(100):
        if "of the given training labels" in words(app):
            break
        assert button(app, "own-compare").disabled
        time.sleep(0.1)
        app.run()
        assert not app.exception, app.exception
    assert "far too few training labels" in words(app)
    assert Store.open().find("fit")
    assert not Store.open().find("original")
    listed = write_list(tmp_path / "known wrong.csv").read_bytes()
    app.file_uploader(key="own-list").upload("known wrong.csv", listed, "text/csv")
    app.run()
    app.run()
    assert not button(app, "own-compare").disabled
    assert "7" in typed("weights", str(tmp_path / "other.pt"))
    assert app.error
    assert address(app)["model.weights"] == str(tmp_path / "mine.pt")
    assert button(app, "own-compare").disabled  # the one that was typed is refused: nothing is compared with the one before
    assert "The checkpoint cannot be used as it was given" in words(app)
    typed("weights", str(tmp_path / "mine.pt"))
    app.run()
    assert not button(app, "own-compare").disabled
