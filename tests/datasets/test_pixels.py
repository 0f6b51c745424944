"""Pixels of files: one scale for a whole folder, transparency on white, mixtures of grey and colour, sound files that Pillow
refuses; everything that was guessed, scaled or dropped is said, and what does not change keeps its name."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from picturetools import forget, load, make_tree, noise, save_each
from PIL import Image

from unlearn_core.datasets import load_dataset
from unlearn_core.datasets.files import cache
from unlearn_core.datasets.files.decode import Ranges
from unlearn_core.datasets.files.decoding import FIRST_REVISION, Wanted
from unlearn_core.datasets.files.describe import FILTER
from unlearn_core.datasets.files.facts import find_facts
from unlearn_core.datasets.files.opening import open_collection
from unlearn_core.errors import UserError
from unlearn_core.presets import make_scenario


def first(path: Path, **params: int | str) -> np.ndarray:
    """The first training image, (H, W) or (H, W, 3)."""
    return load(path, **params).train.inputs[0].permute(1, 2, 0).squeeze(-1).numpy()


def said(path: Path, **params: int | str) -> str:
    return "\n".join(load(path, **params).problems)


def save(values: np.ndarray, path: Path) -> None:
    Image.fromarray(values).save(path)


# --- more than eight bits ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("bits", [10, 12, 14])
def test_a_few_bits_in_sixteen_are_scaled_by_their_depth_alike_in_the_whole_folder(
    tmp_path: Path, suffix: str, bits: int
) -> None:
    def write(number: int, path: Path) -> None:
        # The first picture is dark: by itself it would be taken for eight bits and come out far too bright.
        save(noise(number, 8, 8, high=200 if number == 0 else 2**bits, dtype=np.uint16), path)

    save_each(tmp_path, write, suffix)
    dark = noise(0, 8, 8, high=200, dtype=np.uint16).astype(np.int64)
    assert np.array_equal(first(tmp_path), dark * 255 // (2**bits - 1))
    assert load(tmp_path).train.inputs[1].max() == 255
    assert f"16 images are stored with more than 8 bits. Their largest value is {2**bits - 1:,}" in said(tmp_path)
    assert load(tmp_path).preprocessing["depth"] == bits


def test_sixteen_bits_keep_their_scale_their_name_and_say_nothing(tmp_path: Path) -> None:
    save_each(tmp_path, lambda number, path: save(noise(number, 8, 8, high=65_536, dtype=np.uint16), path))
    assert np.array_equal(first(tmp_path), noise(0, 8, 8, high=65_536, dtype=np.uint16) // 257)
    assert "more than 8 bits" not in said(tmp_path)
    found = find_facts(open_collection(tmp_path))
    assert found.content == found.files


@pytest.mark.parametrize(
    ("values", "expected", "sentence"),
    [
        (lambda v: (v / 255).astype(np.float32), lambda v: v, "Floats run from 0 to 1: 0 to 1 becomes 0 to 255"),
        (lambda v: (v / 127.5 - 1).astype(np.float32), lambda v: v, "-1 to 1 becomes 0 to 255"),
        (lambda v: v.astype(np.float32), lambda v: v, "0 to 255 becomes 0 to 255"),
        (lambda v: v.astype(np.int32), lambda v: v, "Their largest value is 255, so they are taken as 8 bits"),
        (lambda v: v.astype(np.int32) * 16, lambda v: v.astype(int) * 16 * 255 // 4095, "0 to 4,095 becomes 0 to 255"),
    ],
    ids=["floats to 1", "floats from -1", "floats to 255", "8 in 32 bits", "12 in 32 bits"],
)
def test_thirty_two_bits_and_floats(tmp_path: Path, values: object, expected: object, sentence: str) -> None:
    save_each(tmp_path, lambda number, path: save(values(noise(number, 8, 8)), path), ".tif")  # type: ignore[operator]
    assert np.array_equal(first(tmp_path), expected(noise(0, 8, 8)))  # type: ignore[operator]
    assert sentence in said(tmp_path)


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        (np.full((8, 8), -7, np.int32), "has values from -7 to -7 (pixels run from 0 to at most 65,535) and is left out"),
        (np.full((8, 8), 70_000, np.int32), "has values from 70,000 to 70,000"),
        (np.full((8, 8), np.nan, np.float32), "has pixels that are no numbers and is left out"),
    ],
    ids=["negative", "32 bits", "nan"],
)
def test_values_that_are_no_pixels_cost_their_picture_alone(tmp_path: Path, odd: np.ndarray, reason: str) -> None:
    rest = odd.dtype.type
    save_each(tmp_path, lambda k, path: save(odd if k == 1 else noise(k, 8, 8).astype(rest), path), ".tif")
    assert f"train/a/1.tif {reason}" in said(tmp_path)
    assert len(load(tmp_path).train) == 7
    assert np.array_equal(first(tmp_path), noise(0, 8, 8))


def test_floats_without_a_scale_are_refused_with_their_range(tmp_path: Path) -> None:
    save_each(tmp_path, lambda k, path: save((noise(k, 8, 8) * 20.0 - 900).astype(np.float32), path), ".tif")
    with pytest.raises(UserError, match=r"floating-point pixels \(in all images they run from -900 to 4200; standardised"):
        load(tmp_path)


def png_of_16_bit_colour(values: np.ndarray) -> bytes:
    """uint16 (H, W, 3), which Pillow cannot write."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">LLBBBBB", values.shape[1], values.shape[0], 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("high", "sentence"), [(65_536, "the upper 8 are kept."), (4096, "none is brighter than 15 of 255")])
def test_colours_of_sixteen_bits_are_said(tmp_path: Path, high: int, sentence: str) -> None:
    save_each(tmp_path, lambda k, path: path.write_bytes(png_of_16_bit_colour(noise(k, 8, 8, 3, high=high, dtype=np.uint16))))
    assert "16 images are in colours of 16 bits each" in said(tmp_path)
    assert sentence in said(tmp_path)


# --- transparency ------------------------------------------------------------------------------------------------------------


def half_clear(mode: str) -> Image.Image:
    """Left opaque and dark, right clear."""
    image = Image.new("LA" if mode == "LA" else "RGBA", (8, 8), (40, 255) if mode == "LA" else (40, 40, 40, 255))
    image.paste((40, 0) if mode == "LA" else (40, 40, 40, 0), (4, 0, 8, 8))
    if mode != "P":
        return image
    palette = Image.new("P", (8, 8), 0)
    palette.putpalette([40, 40, 40, 90, 90, 90])
    palette.paste(1, (4, 0, 8, 8))
    palette.info["transparency"] = 1
    return palette


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_clear_becomes_white_and_is_counted(tmp_path: Path, mode: str) -> None:
    save_each(tmp_path, lambda k, path: half_clear(mode).save(path) if k < 3 else save(noise(k, 8, 8, 3), path))
    pixels = first(tmp_path)
    assert (pixels[:, :4] == 40).all()
    assert (pixels[:, 4:] == 255).all()
    assert "3 images are partly transparent and laid on white, for example 'train/a/0.png'." in said(tmp_path)
    assert load(tmp_path).preprocessing["background"] == "white"


def test_half_clear_is_half_white_also_in_arrays(tmp_path: Path) -> None:
    images = np.zeros((8, 6, 6, 4), np.uint8)
    images[..., 3] = 51  # a fifth
    images[:, 0, 0, 3] = 255
    np.savez(tmp_path / "d.npz", x_train=images, y_train=np.arange(8) % 2, x_test=images, y_test=np.arange(8) % 2)
    assert first(tmp_path / "d.npz")[3, 3].tolist() == [204] * 3
    assert "16 images are partly transparent" in said(tmp_path / "d.npz")


def test_pictures_that_vanish_on_white_are_counted(tmp_path: Path) -> None:
    def write(number: int, path: Path) -> None:
        values = noise(number, 8, 8, 4)
        if number < 2:
            values[..., :3] = 255  # a white drawing on nothing
        save(values, path)

    found = said(save_each(tmp_path, write))
    assert "16 images are partly transparent and laid on white" in found
    assert "; 2 of them become one even colour." in found


def test_an_opaque_fourth_channel_changes_nothing_and_says_nothing(tmp_path: Path) -> None:
    def write(number: int, path: Path) -> None:
        Image.fromarray(noise(number, 8, 8, 3)).convert("RGBA").save(path)

    save_each(tmp_path, write)
    assert np.array_equal(first(tmp_path), noise(0, 8, 8, 3))
    assert "transparent" not in said(tmp_path)
    found = find_facts(open_collection(tmp_path))
    assert found.content == found.files


# --- names of what is read otherwise now -----------------------------------------------------------------------------------


def test_results_of_the_older_reading_are_never_taken_for_those_of_this_one(tmp_path: Path) -> None:
    save_each(tmp_path, lambda k, path: save(noise(k, 8, 8, 4), path))
    now = make_scenario("images", overrides={"dataset.data": str(tmp_path)}).dataset
    found = find_facts(open_collection(tmp_path))
    assert now.params["content"] == found.content != found.files
    before = now.model_copy(update={"params": now.params | {"content": found.files}})  # what the same folder was called
    with pytest.raises(UserError, match="are read otherwise since version 2"):
        load_dataset(before, 0)


def test_what_was_decoded_by_the_older_reading_still_serves_its_results(tmp_path: Path) -> None:
    save_each(tmp_path, lambda k, path: save(noise(k, 8, 8, 4), path))
    now = make_scenario("images", overrides={"dataset.data": str(tmp_path)}).dataset
    files = find_facts(open_collection(tmp_path)).files
    before = now.model_copy(update={"params": now.params | {"content": files}})
    wanted = Wanted(files, 8, 3, 0, 0, 0.2)
    arrays = cache.read(_key_of(now)) or {}
    assert not arrays
    load_dataset(now, 0)
    arrays = cache.read(_key_of(now)) or {}
    old = {name: values for name, values in arrays.items() if name not in ("groups", "hashes")}
    cache.write(wanted.key(0, FIRST_REVISION), old | {"pixels": np.full_like(arrays["pixels"], 7)})
    assert (load_dataset(before, 0).train.inputs == 7).all()
    assert (load_dataset(now, 0).train.inputs != 7).any()


def _key_of(dataset: object) -> str:
    return Wanted(dataset.params["content"], 8, 3, 0, 0, 0.2).key(0)  # type: ignore[attr-defined]


# --- grey and colour -------------------------------------------------------------------------------------------------------


def mixed(root: Path, colours: int, greys: int) -> Path:
    """Greys first, colours last and between the ones that a look at few headers would see."""
    for k in range(greys + colours):
        path = root / "ab"[k % 2] / f"{k:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        save(noise(k, 8, 8) if k < greys - 2 or k >= greys + colours - 2 else noise(k, 8, 8, 3), path)
    return root


def test_a_mostly_grey_set_is_grey_and_says_whose_colours_are_dropped(tmp_path: Path) -> None:
    mixed(tmp_path, 4, 196)
    split = load(tmp_path)
    assert split.train.shape == (1, 8, 8)
    assert "The colours of 4 of 200 images are dropped, for example of 'a/0194.png'" in "\n".join(split.problems)
    kept = load(tmp_path, channels="colour")
    assert kept.train.shape == (3, 8, 8)
    assert "dropped" not in "\n".join(kept.problems)
    assert kept.preprocessing["images"]["grey"] == 196


def test_with_more_colours_a_set_is_in_colour_and_every_header_counts(tmp_path: Path) -> None:
    mixed(tmp_path, 12, 188)
    split = load(tmp_path)
    assert split.train.shape == (3, 8, 8)
    assert split.preprocessing["images"]["grey"] == 188


def test_a_plain_folder_is_read_as_ever(tmp_path: Path) -> None:
    make_tree(tmp_path, each=4)
    split = load(tmp_path)
    assert split.problems == ()
    assert {"size": [12, 12], "channels": "RGB", "filter": FILTER}.items() <= split.preprocessing.items()
    forget()
    found = find_facts(open_collection(tmp_path))
    assert (found.content, found.ranges) == (found.files, Ranges())
