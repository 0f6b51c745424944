"""Arrays as people save them: one scale for both halves, any usual type and layout, labels of any usual form, and the order of
the classes. What cannot be one thing alone is refused in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from picturetools import load

from unlearn_core.datasets.files.opening import open_collection
from unlearn_core.errors import UserError

Change = Callable[[np.ndarray], np.ndarray]
X = np.random.default_rng(0).integers(0, 256, (24, 8, 8, 3)).astype(np.uint8)
X[:, 0, 0, 0], X[:, 0, 0, 1] = 0, 255
Y = np.arange(24) % 3
TEST_X, TEST_Y = X[:9, ::-1].copy(), Y[:9]


def write(path: Path, train: Change = lambda x: x, test: Change | None = None, **more: object) -> Path:
    arrays = {"x_train": train(X), "y_train": Y, "x_test": (test or train)(TEST_X), "y_test": TEST_Y}
    np.savez_compressed(path / "d.npz", **arrays | more)  # type: ignore[arg-type]
    return path / "d.npz"


def refused(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        load(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def off(pixels: object, expected: np.ndarray) -> int:
    """The largest difference to uint8 (N, H, W, C)."""
    found = pixels.permute(0, 2, 3, 1).numpy().astype(int)  # type: ignore[attr-defined]
    return int(np.abs(found - expected).max())


# --- scale -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda x: x.astype(np.int16), ""),
        (lambda x: x.astype(np.int64), ""),
        (lambda x: x.astype(np.uint32), ""),
        (lambda x: x.astype(np.uint32) * 257, ""),
        (lambda x: x.astype(np.int16) * 16, "0 to 4,095 becomes 0 to 255 in all images"),
        (lambda x: x.astype(np.uint16) * 4, "0 to 1,023 becomes 0 to 255 in all images"),
        (lambda x: x / 255, ""),
        (lambda x: (x / 255).astype(np.float16), ""),
        (lambda x: x.astype(np.float32), ""),
        (lambda x: x * 257.0, ""),
        (lambda x: x / 127.5 - 1, "-1 to 1 becomes 0 to 255 in all images"),
        (lambda x: (x.astype(int) - 128).astype(np.int8), "-128 to 127 becomes 0 to 255 in all images"),
        (lambda x: np.moveaxis(x, -1, 1), ""),
    ],
    ids=["i2", "i8", "u4", "u4 16 bits", "12 bits", "10 bits", "f8", "f2", "f4", "f8 16 bits", "-1..1", "i1", "first"],
)
def test_the_same_pictures_in_any_usual_type_give_the_same_pixels(tmp_path: Path, change: Change, sentence: str) -> None:
    split = load(write(tmp_path, change))
    assert off(split.train.inputs, X) <= 1
    assert off(split.test.inputs, TEST_X) <= 1
    said = " ".join(split.problems)
    assert sentence in said
    assert ("becomes" in said) == bool(sentence)


def test_truth_values_are_black_and_white(tmp_path: Path) -> None:
    split = load(write(tmp_path, lambda x: x[..., 0] > 127))
    assert np.array_equal(split.train.inputs[:, 0].numpy(), (X[..., 0] > 127) * np.uint8(255))


def test_one_half_with_channels_first_is_turned_by_itself(tmp_path: Path) -> None:
    split = load(write(tmp_path, test=lambda x: np.moveaxis(x, -1, 1)))
    assert off(split.train.inputs, X) == off(split.test.inputs, TEST_X) == 0


@pytest.mark.parametrize("channels", [1, 3])
def test_tiny_square_pictures_with_channels_first(tmp_path: Path, channels: int) -> None:
    x = np.repeat(X[:, :4, :4, :1], channels, -1)
    np.savez(tmp_path / "d.npz", images=np.moveaxis(x, -1, 1), labels=Y)
    split = load(tmp_path / "d.npz", test_share=0.5)
    rows = [int(name[6:-1]) for name in split.names]
    assert off(split.train.inputs, x[rows][..., : split.train.shape[0]]) == 0


@pytest.mark.parametrize(("top", "side"), [(1.02, 1), (1.1, 1), (260.0, 255)])
def test_an_overshoot_in_one_half_never_changes_the_scale(tmp_path: Path, top: float, side: float) -> None:
    def overshot(x: np.ndarray) -> np.ndarray:
        values = x / 255 * side + (0 if side == 1 else 0.25 * (x < 200))
        values[0, 3, 3, 0] = top
        return values

    split = load(write(tmp_path, lambda x: x / 255 * side + (0 if side == 1 else 0.25 * (x < 200)), overshot))
    expected = TEST_X.copy()
    expected[0, 3, 3, 0] = 255
    assert off(split.train.inputs, X) <= 1
    assert off(split.test.inputs, expected) <= 1
    assert f"1 value of the pixels lies beyond 0 to {side} (they run from " in split.problems[0]
    assert f" to {top:g}) and is cut off there." in split.problems[0]


def test_halves_of_sixteen_bits_share_their_depth(tmp_path: Path) -> None:
    def to(high: int) -> Change:
        return lambda x: (x.astype(np.uint32) * high // 255).astype(np.uint16)

    split = load(write(tmp_path, to(300), to(255)))  # the test half alone would be taken for eight bits
    assert split.train.inputs.max() == round(300 * 255 / 1023)
    assert split.test.inputs.max() == round(255 * 255 / 1023)
    assert "The pixels run from 0 to 300: 0 to 1,023 becomes 0 to 255 in all images." in split.problems


@pytest.mark.parametrize(
    ("train", "test"),
    [
        (lambda x: x, lambda x: x / 255),
        (lambda x: x * 1.0, lambda x: x / 255),
        (lambda x: x.astype(np.uint16) * 257, lambda x: x.astype(np.uint16)),
        (lambda x: x, lambda x: x.astype(np.uint16) * 16),
        (lambda x: x / 255, lambda x: x / 127.5 - 1),
        (lambda x: x.astype(np.int8) & 127, lambda x: (x.astype(int) - 128).astype(np.int8)),
    ],
    ids=["bytes, floats to 1", "floats to 255 and 1", "16 and 8 bits", "bytes, 12 bits", "0..1, -1..1", "shifted"],
)
def test_halves_with_two_scales_are_refused(tmp_path: Path, train: Change, test: Change) -> None:
    sentence = refused(write(tmp_path, train, test))
    assert "x_train runs from" in sentence
    assert "x_test runs from" in sentence
    assert "scale them alike first" in sentence


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda x: x.astype(np.int16) * 16 - 1024, "pixels are not negative"),
        (lambda x: x.astype(np.uint32) * 2**22, "whole numbers run at most to 65,535"),
        (lambda x: x / 200, "x_train runs from 0 to 1.275"),
        (lambda x: (x - 120.0) / 60, "standardised|floats run from 0 to 1"),
        (lambda x: np.where(x == 3, np.nan, x / 255), "of its values are no pixels"),
        (lambda x: np.where(x == 3, np.inf, x / 255), "runs from 0 to inf"),
        (lambda x: x.astype(complex), "holds complex128"),
        (lambda x: x[..., :2], "images have 1 or 3 channels"),
    ],
    ids=["negative", "32 bits", "beyond 1", "standardised", "nan", "inf", "complex", "two channels"],
)
def test_values_that_nothing_explains_are_refused(tmp_path: Path, change: Change, sentence: str) -> None:
    import re

    assert re.search(sentence, refused(write(tmp_path, change)))


def test_nearly_black_pictures_are_taken_and_said(tmp_path: Path) -> None:
    split = load(write(tmp_path, lambda x: x // 16))
    assert split.train.inputs.max() == 15
    assert "The pixels run to 15 of 255: all images are nearly black, and are taken as they are." in split.problems


@pytest.mark.parametrize(
    ("change", "content"),
    [
        (lambda x: x, "316ea44bf282ca48"),
        (lambda x: (x / 255).astype(np.float32), "316ea44bf282ca48"),
        (lambda x: x.astype(np.uint16) * 257 // 3, "5821a8cfbc450823"),
    ],
    ids=["bytes", "floats", "16 bits"],
)
def test_what_was_read_rightly_keeps_its_name(tmp_path: Path, change: Change, content: str) -> None:
    assert open_collection(write(tmp_path, change, class_names=["a", "b", "c"])).content()[:16] == content


# --- labels ------------------------------------------------------------------------------------------------------------------


def test_the_order_of_class_names_is_the_order_of_the_classes(tmp_path: Path) -> None:
    path = write(tmp_path, class_names=["zebra", "ant", "mole"])
    split = load(path)
    assert split.train.class_names == ("zebra", "ant", "mole")
    assert split.train.labels.tolist() == Y.tolist()
    assert split.test.labels.tolist() == TEST_Y.tolist()


def test_another_order_is_another_name(tmp_path: Path) -> None:
    contents = set()
    for names in (["ant", "mole", "zebra"], ["zebra", "ant", "mole"], ["mole", "zebra", "ant"]):
        labels = np.array([names.index(name) for name in np.array(["ant", "mole", "zebra"])[Y]])  # the same words each time
        contents.add(open_collection(write(tmp_path, y_train=labels, y_test=labels[:9], class_names=names)).content())
    assert len(contents) == 3


def test_names_of_bytes_and_labels_in_words(tmp_path: Path) -> None:
    words = np.array(["mole", "ant", "zebra"])
    split = load(write(tmp_path, y_train=words[Y], y_test=words[TEST_Y], class_names=np.array([b"zebra", b"mole", b"ant"])))
    assert split.train.class_names == ("zebra", "mole", "ant")
    assert split.train.labels[:3].tolist() == [1, 2, 0]


def test_names_that_no_image_carries_are_said(tmp_path: Path) -> None:
    split = load(write(tmp_path, class_names=["z", "a", "m", "q"]))
    assert split.train.class_names == ("z", "a", "m")
    assert "No image carries 'q' of the class_names" in split.problems[0]


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"class_names": ["a", "b"]}, "below 2, the number of class names"),
        ({"class_names": ["a", "b", "a"]}, "class_names has 'a' more than once"),
        ({"class_names": np.array(["a", "b", "c"], object)}, "class_names holds Python objects"),
        ({"y_train": np.array(["a", "b", "c"])[Y], "class_names": ["A", "B", "C"]}, "not among its class_names: 'a', 'b', 'c'"),
        ({"y_train": Y + 1, "class_names": ["a", "b", "c"]}, r"they run from 1 to 3; count from 0"),
        ({"y_train": np.full((24, 3), 1 / 3)}, "not one 1 among zeros in each row"),
        ({"y_train": np.eye(3)[Y] * 2}, "not one 1 among zeros in each row"),
        ({"y_train": Y + 0j}, "must hold whole numbers or names"),
    ],
)  # fmt: skip
def test_labels_and_names_that_do_not_fit_are_refused(tmp_path: Path, more: dict[str, object], sentence: str) -> None:
    assert sentence in refused(write(tmp_path, **more))


def test_one_hot_labels_are_the_column_of_the_one(tmp_path: Path) -> None:
    split = load(write(tmp_path, y_train=np.eye(3, dtype=np.float32)[Y], y_test=TEST_Y[:, None], class_names=["c", "b", "a"]))
    assert split.train.labels.tolist() == Y.tolist()
    assert split.train.class_names == ("c", "b", "a")
    assert "y_train is one-hot with 3 columns; the column of the 1 is the label." in split.problems
    assert not [problem for problem in split.problems if problem.startswith("y_test")]


def test_test_images_of_an_unknown_class_never_shift_the_others(tmp_path: Path) -> None:
    labels = np.array([7, 0, 1, 2, 7, 0, 1, 2, 0])
    split = load(write(tmp_path, y_test=labels))
    assert off(split.test.inputs, TEST_X[labels != 7]) == 0
    assert split.test.labels.tolist() == labels[labels != 7].tolist()
    assert "'7' in the test images is no class of the training images" in split.problems[0]


def test_images_without_labels_are_said(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x_train=X, y_train=Y, x_test=TEST_X)
    assert "There is x_test without y_test, so it is not used." in load(tmp_path / "d.npz").problems
