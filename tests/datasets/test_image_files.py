"""Broken and strange image files: left out with a reason, never more than their picture is lost."""

from __future__ import annotations

import contextlib
import io
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picturetools import load, make_tree, picture
from PIL import Image

from unlearn_core.datasets.files.decode import Unreadable, decode, open_picture
from unlearn_core.errors import UserError


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def huge_png(width: int, height: int) -> bytes:
    """A valid PNG of zeros of any size, in a few kilobytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))

    header = struct.pack(">LLBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def test_unusable_images_are_listed_and_left_out(tmp_path: Path) -> None:
    make_tree(tmp_path, each=4)
    jpeg = encoded(picture(0, 1, (64, 64)), "JPEG")
    bad = {
        "cut.jpg": jpeg[: len(jpeg) // 2],
        "empty.png": b"",
        "huge.png": huge_png(30_000, 30_000),
        "large.png": huge_png(9_000, 9_000),
        "page.jpg": b"<html>not found</html>",
        "pickle.png": b"\x80\x04cos\nsystem\n(S'touch hacked'\ntR.",
    }
    for name, data in bad.items():
        (tmp_path / "ant" / name).write_bytes(data)
    tracemalloc.start()
    split = load(tmp_path, test_share=0.25)
    assert tracemalloc.get_traced_memory()[1] < 100e6
    tracemalloc.stop()
    assert len(split.train) + len(split.test) == 12
    said = " ".join(split.problems)
    assert "ant/cut.jpg is damaged" in said
    assert "ant/huge.png has more than 64 million pixels" in said
    assert "ant/large.png has 9,000×9,000 pixels, at most 64 million are decoded" in said
    for name in ("empty.png", "page.jpg", "pickle.png"):
        assert f"ant/{name} is no image that can be read" in said


def test_when_nothing_can_be_read_it_is_an_error(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").write_bytes(b"nothing")
    with pytest.raises(UserError, match="None of the 2 images"):
        load(tmp_path)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I", "I;16"])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_kind_of_image_becomes_eight_bits(mode: str, channels: int) -> None:
    grey = np.linspace(0, 255, 64, dtype=np.uint8).reshape(8, 8)
    if mode.startswith("I"):
        image = Image.fromarray((grey.astype(np.uint16) * 257).astype(np.int32 if mode == "I" else np.uint16))
    else:
        image = Image.fromarray(grey).convert("RGB").convert(mode)
    form = {"CMYK": "TIFF", "YCbCr": "JPEG", "I": "TIFF"}.get(mode, "PNG")
    pixels = decode(open_picture(encoded(image, form)), 8, channels)
    assert pixels.shape == (channels, 8, 8)
    assert pixels.dtype == np.uint8
    if mode not in ("1", "P"):  # a palette of 216 colours has six greys
        assert np.abs(pixels.astype(int) - grey).max() <= 6


def test_photographs_are_turned_upright() -> None:
    image = Image.new("RGB", (20, 10), (255, 0, 0))
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode(open_picture(encoded(image, "PNG", exif=exif)), 4, 3).shape == (3, 4, 4)
    left = Image.new("L", (20, 20))
    left.paste(255, (0, 0, 20, 10))  # bright above; turned by 90° clockwise it is bright on the right
    turned = decode(open_picture(encoded(left, "PNG", exif=exif)), 20, 1)[0]
    assert turned[:, 15].mean() > 200 > 50 > turned[:, 5].mean()


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_damage_never_gets_further_than_its_picture(data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(["PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM"]))
    raw = bytearray(encoded(picture(1, 3), form))
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    raw = raw[: data.draw(st.integers(1, len(raw)))]
    with contextlib.suppress(Unreadable):
        assert decode(open_picture(bytes(raw)), 8, 3).shape == (3, 8, 8)
