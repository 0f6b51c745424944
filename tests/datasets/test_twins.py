"""The same picture in both halves: identical ones are called that, near ones only where a hash can tell."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from picturetools import forget, load, make_folder, make_tree, noise
from PIL import Image, ImageEnhance
from sklearn.datasets import load_digits

from unlearn_core.datasets.files import batch, twins
from unlearn_core.datasets.files.cache import read_note, write_note

SIDE = 32


def photograph(seed: int) -> np.ndarray:
    """uint8 (32, 32, 3): blobs of several sizes, as photographs have."""
    rng, total = np.random.default_rng(seed), np.zeros((SIDE, SIDE, 3))
    for cells, weight in ((3, 90.0), (6, 60.0), (12, 20.0), (32, 5.0)):
        grid = Image.fromarray(rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8)).resize((SIDE, SIDE))
        total += weight * (np.asarray(grid, np.float64) / 255 - 0.5)
    return (128 + 1.3 * total).clip(0, 255).astype(np.uint8)


def saved_anew(image: np.ndarray) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=75)
    return np.asarray(Image.open(buffer))


def resized(image: np.ndarray) -> np.ndarray:
    large = Image.fromarray(image).resize((47, 47), Image.Resampling.LANCZOS)
    return np.asarray(large.resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def brighter(image: np.ndarray) -> np.ndarray:
    return np.asarray(ImageEnhance.Brightness(Image.fromarray(image)).enhance(1.05))


def said_of(train: np.ndarray, test: np.ndarray, labels: np.ndarray | None = None) -> tuple[str, str]:
    """What is said of identical and of near pictures, for uint8 (N, H, W, C) of both halves."""
    pixels = np.concatenate([train, test]).transpose(0, 3, 1, 2)
    names = [f"train/{k}" for k in range(len(train))] + [f"test/{k}" for k in range(len(test))]
    rows = np.arange(len(train)), np.arange(len(train), len(pixels))
    hashes = np.array([twins.hash_of(np.ascontiguousarray(image)) for image in pixels], np.uint64)
    groups = twins.groups_of(pixels)
    labels = np.zeros(len(pixels), np.int64) if labels is None else labels
    exact = twins.describe_shared(groups, names, *rows)
    return "".join(exact), "".join(twins.describe_near(hashes, groups, pixels, names, labels, *rows))


def test_a_test_half_that_copies_the_training_half_is_called_that(tmp_path: Path) -> None:
    make_tree(tmp_path / "train", each=4)
    shutil.copytree(tmp_path / "train", tmp_path / "test")
    sentence = "12 of 12 test images are also training images, for example 'test/ant/00.png' and 'train/ant/00.png': utility"
    assert any(problem.startswith(sentence) for problem in load(tmp_path).problems)


def test_one_of_them_is_enough_and_none_says_nothing(tmp_path: Path) -> None:
    make_folder(tmp_path)
    assert not load(tmp_path).problems
    shutil.copy(tmp_path / "train" / "bee" / "03.png", tmp_path / "test" / "cow" / "x.png")
    forget()
    said = load(tmp_path).problems
    assert "1 of 13 test images is also a training image, for example 'test/cow/x.png' and 'train/bee/03.png'" in said[2]
    assert "1 of them carry another label than their twin" in said[1]


def test_where_the_seed_splits_it_is_counted_for_each_split(tmp_path: Path) -> None:
    make_tree(tmp_path, each=10)
    shutil.copy(tmp_path / "ant" / "00.png", tmp_path / "ant" / "copy.png")
    counts = {seed: sum("also a training image" in p for p in load(tmp_path, seed=seed).problems) for seed in range(12)}
    for seed, count in counts.items():
        sides = {name in load(tmp_path, seed=seed).names for name in ("ant/00.png", "ant/copy.png")}
        assert count == (len(sides) == 2)
    assert 0 < sum(counts.values()) < 12


@pytest.mark.parametrize("change", [saved_anew, resized, brighter])
def test_near_duplicates_of_photographs_are_counted_with_their_threshold(change: object) -> None:
    train = np.stack([photograph(k) for k in range(60)])
    test = np.stack([photograph(1000 + k) for k in range(20)])
    assert said_of(train, test) == ("", "")
    test[3:9] = [change(image) for image in train[10:16]]  # type: ignore[operator]
    exact, near = said_of(train, test)
    assert not exact
    assert near.startswith("6 of 20 test images are nearly the same as a training image (perceptual hashes differ in at most 2")
    assert "'test/3' and 'train/10'" in near


def test_a_near_duplicate_with_another_label_is_said_and_an_identical_one_counts_once() -> None:
    train = np.stack([photograph(k) for k in range(30)])
    test = np.stack([train[4], saved_anew(train[5]), photograph(99)])
    exact, near = said_of(train, test, np.arange(33) % 3)
    assert exact.startswith("1 of 3 test images is also a training image, for example 'test/0' and 'train/4'")
    assert near.startswith("1 of 3 test images is nearly the same")
    assert "with another label" in near  # 31 % 3 is not 5 % 3


def test_digits_of_other_hands_are_no_near_duplicates() -> None:
    images = [Image.fromarray((image * 255 / 16).astype(np.uint8)) for image in load_digits().images]
    pixels = np.stack([np.asarray(image.resize((28, 28), Image.Resampling.BICUBIC)) for image in images])[..., None]
    assert said_of(pixels[:1400], pixels[1400:]) == ("", "")


def test_plain_and_tiny_pictures_are_never_compared() -> None:
    rng = np.random.default_rng(0)
    plain = (rng.integers(0, 240, (80, 1, 1, 3)) + rng.integers(0, 3, (80, SIDE, SIDE, 3))).astype(np.uint8)
    assert said_of(plain[:60], plain[60:]) == ("", "")
    tiny = np.stack([noise(k // 2, 8, 8, 3) for k in range(40)])
    tiny[::2, 0, 0] ^= 1
    assert said_of(tiny[::2], tiny[1::2])[1] == ""


def test_where_pictures_are_all_alike_it_says_so_instead_of_a_number() -> None:
    rng = np.random.default_rng(1)
    shades = rng.integers(-1, 2, (120, SIDE, SIDE, 3))
    pixels = (np.stack([photograph(k % 3) for k in range(120)]) + shades).clip(0, 255).astype(np.uint8)
    _, near = said_of(pixels[:90], pixels[90:], rng.integers(0, 4, 120))
    assert near.startswith("These images are too much alike for near duplicates to be told")


def test_the_search_finds_every_pair_of_hashes_within_two_bits() -> None:
    rng = np.random.default_rng(3)
    train = rng.integers(1, 2**63, 400, dtype=np.uint64)
    flips = [np.uint64(0), *(np.uint64(1) << np.uint64(k) for k in range(64))]
    near = [train[k] ^ flips[rng.integers(65)] ^ flips[rng.integers(65)] for k in range(300)]
    test = np.concatenate([near, train[:50] ^ np.uint64(0b111)])
    found = {tuple(pair) for band in twins.BANDS for pair in twins.find_candidates(test, train, band).tolist()}
    wanted = {(i, j) for i, j in np.argwhere(np.bitwise_count(test[:, None] ^ train[None]) <= twins.MOST_BITS).tolist()}
    assert found == wanted
    assert len(wanted) >= 300


def test_what_is_shared_is_searched_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    make_folder(tmp_path)
    load(tmp_path)
    forget()
    monkeypatch.setattr(batch.twins, "describe_near", lambda *_: pytest.fail("searched again"))
    load(tmp_path)
    assert (read_note("nothing"), write_note("x", {"said": []}), read_note("x")) == (None, None, {"said": []})
