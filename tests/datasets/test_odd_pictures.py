"""Sound pictures that Pillow refuses, animations, ink, tiny and narrow pictures: used where that is right, and said."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from picturetools import load, noise, save_each
from PIL import Image, PngImagePlugin

from unlearn_core.datasets.files.decode import decode, open_picture


def first(path: Path, **params: int | str) -> np.ndarray:
    """The first training image, (H, W) or (H, W, 3)."""
    return load(path, **params).train.inputs[0].permute(1, 2, 0).squeeze(-1).numpy()


def said(path: Path) -> str:
    return "\n".join(load(path).problems)


# --- sound files that Pillow refuses -----------------------------------------------------------------------------------------


def test_a_png_with_megabytes_of_text_is_used(tmp_path: Path) -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("workflow", "ab" * 1_500_000, zip=True)
    texts.add_itxt("prompt", "é" * 2_000_000, zip=True)
    texts.add_text("parameters", "y" * 2_000_000)
    save_each(tmp_path, lambda k, path: Image.fromarray(noise(k, 8, 8, 3)).save(path, pnginfo=texts if k < 2 else None))
    split = load(tmp_path)
    assert len(split.train) == 8
    assert np.array_equal(first(tmp_path), noise(0, 8, 8, 3))
    assert not [problem for problem in split.problems if "left out" in problem]


def test_a_short_text_still_says_how_a_png_is_to_be_turned() -> None:
    exif, texts = Image.Exif(), PngImagePlugin.PngInfo()
    exif[0x0112] = 3  # upside down
    texts.add_text("long", "x" * 3_000_000, zip=True)
    buffer = io.BytesIO()
    Image.fromarray(noise(0, 8, 8)).save(buffer, "PNG", exif=exif, pnginfo=texts)
    assert np.array_equal(decode(open_picture(buffer.getvalue()), 8, 1)[0], noise(0, 8, 8)[::-1, ::-1])


def jpeg(seed: int, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(noise(seed, 48, 48, 3)).save(buffer, "JPEG", **options)
    return buffer.getvalue()


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_without_its_last_two_bytes_is_used_whole(progressive: bool) -> None:
    data = jpeg(0, progressive=progressive)
    assert np.array_equal(decode(open_picture(data[:-2]), 32, 3), decode(open_picture(data), 32, 3))


@pytest.mark.parametrize("missing", [60, 400, 2000])
def test_a_jpeg_that_is_cut_is_never_filled_with_grey(tmp_path: Path, missing: int) -> None:
    save_each(tmp_path, lambda k, path: path.write_bytes(jpeg(k)[: -missing if k == 0 else None]), ".jpg")
    assert "train/a/0.jpg is damaged: the file ends before the picture does and is left out." in said(tmp_path)


# --- other forms -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("suffix", "options"), [(".gif", {}), (".webp", {"lossless": True}), (".tif", {}), (".png", {})])
def test_of_several_pictures_the_first_is_used_and_that_is_said(tmp_path: Path, suffix: str, options: dict[str, bool]) -> None:
    def write(number: int, path: Path) -> None:
        pictures = [Image.fromarray(noise(10 * number + k, 8, 8)) for k in range(3)]
        more = {"save_all": True, "append_images": pictures[1:]} if number in (0, 5) else {}
        pictures[0].save(path, **more, **options)

    save_each(tmp_path, write, suffix)
    assert np.array_equal(first(tmp_path, channels="grey"), noise(0, 8, 8))
    assert "2 files hold several pictures, for example 'train/a/0" in said(tmp_path)


def test_ink_on_paper_becomes_the_colours_that_were_meant(tmp_path: Path) -> None:
    def write(number: int, path: Path) -> None:
        image = Image.new("CMYK", (16, 16), (0, 255, 255, 0))  # red
        image.paste((0, 0, 0, 0), (0, 0, 8, 16))  # no ink
        image.save(path, quality=95)

    pixels = first(save_each(tmp_path, write, ".jpg")).astype(int)
    assert np.abs(pixels[:, :6] - 255).max() < 12
    assert np.abs(pixels[:, 10:] - [255, 0, 0]).max() < 12


def test_tiny_and_narrow_pictures_are_said(tmp_path: Path) -> None:
    def write(number: int, path: Path) -> None:
        shape = {0: (1, 1, 3), 1: (90, 20, 3), 2: (20, 300, 3)}.get(number, (20, 20, 3))
        Image.fromarray(noise(number, *shape)).save(path)

    found = said(save_each(tmp_path, write))
    assert "1 image is less than half as large as 20×20 and enlarged, for example 'train/a/0.png'." in found
    assert "2 images lose more than half of their area to the square around the middle, for example 'train/a/1.png'." in found


def test_every_picture_may_be_one_pixel(tmp_path: Path) -> None:
    split = load(save_each(tmp_path, lambda k, path: Image.fromarray(np.full((1, 1, 3), 10 * k, np.uint8)).save(path)))
    assert split.train.shape == (3, 4, 4)
    assert split.train.inputs[:, 0, 0, 0].tolist() == [10 * k for k in range(8)]
