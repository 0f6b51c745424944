"""Road signs: the same pixels everywhere, as many as one wants, a class for a sign, and something to learn by heart."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch

from unlearn_core.datasets import forget_datasets, load_dataset
from unlearn_core.datasets.road_signs import NAMES, SIDE, draw
from unlearn_core.errors import UserError
from unlearn_core.presets import make_scenario
from unlearn_core.specs import DatasetSpec

CHECKSUM = "40bca4752e2390adb1de4b0b3d51fb6bf71eac98b2c8a54145e934bc1da7774b"
"""Of the first hundred training images of seed 0, whatever the versions of Python and numpy and the processor."""


def signs(**params: int) -> DatasetSpec:
    return make_scenario("signs", overrides={f"dataset.{name}": value for name, value in params.items()}).dataset


def test_the_pixels_are_those_of_every_machine() -> None:
    images, _ = draw(np.arange(100) % 10, (0, 0))
    assert hashlib.sha256(images.tobytes()).hexdigest() == CHECKSUM


def test_signs_are_drawn_once_a_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_CACHE", str(tmp_path))
    forget_datasets()
    drawn = load_dataset(signs(examples=200), 5)
    forget_datasets()
    monkeypatch.setattr("unlearn_core.datasets.road_signs.draw", None)
    again = load_dataset(signs(examples=200), 5)
    for one, other in ((drawn.train, again.train), (drawn.test, again.test)):
        assert torch.equal(one.inputs, other.inputs)
        assert torch.equal(one.labels, other.labels)
        assert one.places is not None
        assert other.places is not None
        assert torch.equal(one.places, other.places)
    with pytest.raises(TypeError):  # another seed, or more of them, has to be drawn
        load_dataset(signs(examples=210), 5)


def test_the_first_images_are_the_same_however_many_follow() -> None:
    few, many = load_dataset(signs(examples=200), 3), load_dataset(signs(examples=450), 3)
    assert torch.equal(few.train.inputs, many.train.inputs[:200])
    assert torch.equal(few.test.inputs, many.test.inputs)


def test_seeds_and_parts_share_no_image() -> None:
    split, other = load_dataset(signs(examples=200), 0), load_dataset(signs(examples=200), 1)
    pictures = torch.cat([split.train.inputs, split.test.inputs, other.train.inputs, other.test.inputs]).flatten(1)
    assert len(torch.unique(pictures, dim=0)) == len(pictures)


def test_every_class_has_its_share_and_its_name() -> None:
    train = load_dataset(signs(), 0).train
    assert train.class_names == NAMES
    assert train.shape == (3, SIDE, SIDE)
    assert torch.bincount(train.labels).tolist() == [200] * 10


def test_a_sign_is_told_by_its_shape_and_colour() -> None:
    """The mean picture of a class, seen without its scene: what is red, blue or yellow in the middle is what should be."""
    mean = np.stack([draw(np.full(300, k), (9, k))[0].mean(0) for k in range(len(NAMES))])
    middle = mean[:, :, 12:20, 12:20].mean((2, 3))
    red, blue, yellow = (NAMES.index(name) for name in ("no entry", "ahead", "priority"))
    assert middle[blue, 2] > middle[blue, 0] + 20
    assert middle[yellow, 0] > middle[yellow, 2] + 40
    assert mean[red, 0, 8:11].mean() > mean[red, 1, 8:11].mean() + 30


def test_too_few_are_refused() -> None:
    with pytest.raises(UserError, match="examples"):
        make_scenario("signs", overrides={"dataset.examples": 10})
