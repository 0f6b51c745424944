"""What files and paths of strangers may cost: refused from their headers, in one true sentence, before memory is spent."""

from __future__ import annotations

import io
import os
import struct
import time
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from picturetools import forget, load, make_folder, noise, save_each
from PIL import Image

from unlearn_core.datasets.files import archive, bounds
from unlearn_core.datasets.files.archive import Archive
from unlearn_core.errors import UserError
from unlearn_core.support import uploads

IMAGES, LABELS = np.stack([noise(k, 8, 8, 3) for k in range(12)]), np.arange(12) % 3


def member(values: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values)
    return buffer.getvalue()


def header(shape: tuple[int, ...], descr: object = "|u1") -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": descr, "fortran_order": False, "shape": shape})
    return buffer.getvalue()


def npz(path: Path, method: int = zipfile.ZIP_DEFLATED, **members: bytes) -> Path:
    with zipfile.ZipFile(path / "d.npz", "w", method) as file:
        for name, data in ({"images": member(IMAGES), "labels": member(LABELS)} | members).items():
            file.writestr(f"{name}.npy", data)
    return path / "d.npz"


def patched(path: Path, central: int, local: int, value: int) -> Path:
    """Two bytes of every entry's records set: at ``central`` in the directory and at ``local`` before the data."""
    raw = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x01\x02", central), (b"PK\x03\x04", local)):
        place = -1
        while (place := raw.find(mark, place + 1)) >= 0:
            struct.pack_into("<H", raw, place + at, value)
    path.write_bytes(raw)
    return path


def refused(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        load(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- arrays ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({"images": header((10**6, 1000, 1000))}, "unpacks to 931.3 GB; at most 2 GB are read"),
        ({"images": header((30, 5000, 5000))}, "is cut short: images should have 750,000,000 bytes and has 128"),
        ({"images": header((-12, 8, 8))}, "has the shape (-12, 8, 8)"),
        ({"class_names": header((10**12,), "<U0")}, "class_names has 1,000,000,000,000 entries; that are no classes"),
        ({"labels": header((12,), "|O") + b"cos\nsystem\n(S'touch hacked'\ntR."}, "labels holds Python objects"),
        ({"images": b"\x93NUMPY\x01\x00v\x00" + b"{(((" * 30}, "is no readable .npz"),
        ({"images": b"\x93NUMPY\x01\x00v\x00" + b"'''" + b"x" * 115}, "is no readable .npz"),
        ({"images": b"\x93NUMPY\x01\x00v\x00" + b"{'descr': [1, 2], 'shape': 7}".ljust(118)}, "is no readable .npz"),
        ({"images": b"hello"}, "is no readable .npz"),
        ({"images": member(np.zeros((12, 8), np.uint8))}, "expected images, height, width"),
    ],
    ids=["10^12", "short", "negative", "no width", "pickle", "brackets", "quotes", "type", "magic", "flat"],
)  # fmt: skip
def test_a_header_that_lies_is_refused_in_no_memory(tmp_path: Path, members: dict[str, bytes], sentence: str) -> None:
    path = npz(tmp_path, **members)
    tracemalloc.start()
    assert sentence in refused(path)
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()


def test_an_npz_that_unpacks_to_far_more_than_it_has_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unlearn_core.datasets.files.npz.FREE_BYTES", 2**20)
    path = npz(tmp_path, images=member(np.zeros((300, 80, 80), np.uint8)), labels=member(np.arange(300) % 3))
    assert "is refused: it would unpack to 0.0 GB, " in refused(path)
    few = npz(tmp_path, images=member(np.zeros((100, 80, 80), np.uint8)), labels=member(np.arange(100) % 3))
    assert len(load(few).train) == 79  # a plain set below what is free


def test_one_image_of_too_many_pixels_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unlearn_core.datasets.files.npz.MAX_PIXELS", 191)
    assert "have 192 values each; at most 191 are read" in refused(npz(tmp_path))


@pytest.mark.parametrize("method", [9, 93, 97, 99])
def test_an_unknown_compression_is_called_that(tmp_path: Path, method: int) -> None:
    sentence = refused(patched(npz(tmp_path), 10, 8, method))
    assert "it is compressed in a way that is not read here" in sentence


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_known_compressions_are_read_and_their_damage_is_a_sentence(tmp_path: Path, method: int) -> None:
    path = npz(tmp_path, method)
    assert load(path, test_share=0.5).train.shape == (3, 8, 8)
    raw = bytearray(path.read_bytes())
    stopped = 0
    for place in range(60, len(raw) - 300, 97):
        path.write_bytes(raw[:place] + bytes([raw[place] ^ 0x55]) + raw[place + 1 :])
        forget()
        try:
            load(path)
        except UserError as error:
            stopped += "\n" not in str(error)
    assert stopped >= 0.9 * len(range(60, len(raw) - 300, 97))  # a few bytes mean nothing


@pytest.mark.parametrize("start", [40, 400, 1200])
def test_a_torn_stream_is_a_sentence(tmp_path: Path, start: int) -> None:
    path = npz(tmp_path)
    raw = bytearray(path.read_bytes())
    raw[start : start + 300] = bytes(300)  # zlib stops in the middle of it
    path.write_bytes(raw)
    assert "cannot be read" in refused(path) or "is no readable .npz" in refused(path)


def test_an_encrypted_npz_is_called_that(tmp_path: Path) -> None:
    assert "it is encrypted; give one without a password" in refused(patched(npz(tmp_path), 8, 6, 1))


# --- zips --------------------------------------------------------------------------------------------------------------------


def zipped(path: Path, method: int = zipfile.ZIP_DEFLATED) -> Path:
    folder = make_folder(path / "photos")
    with zipfile.ZipFile(path / "photos.zip", "w", method) as file:
        for one in sorted(folder.rglob("*.png")):
            file.write(one, one.relative_to(folder).as_posix())
    return path / "photos.zip"


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_of_any_known_compression_is_read(tmp_path: Path, method: int) -> None:
    assert load(zipped(tmp_path, method)).train.inputs.equal(load(tmp_path / "photos").train.inputs)


@pytest.mark.parametrize("method", [9, 97])
def test_a_zip_of_an_unknown_compression_says_so(tmp_path: Path, method: int) -> None:
    sentence = refused(patched(zipped(tmp_path), 10, 8, method))
    assert "None of the 36 images" in sentence
    assert "it is compressed in a way that is not read here" in sentence


def test_damage_in_lzma_costs_its_picture_alone(tmp_path: Path) -> None:
    path = zipped(tmp_path, zipfile.ZIP_LZMA)
    raw = bytearray(path.read_bytes())
    start = raw.find(b"train/ant/00.png") + len("train/ant/00.png")
    raw[start + 20 : start + 200] = b"\xff" * 180
    path.write_bytes(raw)
    split = load(path)
    assert "train/ant/00.png is damaged in the zip and is left out." in split.problems
    assert len(split.train) == 23


def test_a_zip_whose_images_promise_too_many_pixels_is_refused_from_the_headers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, path = tmp_path / "flat", tmp_path / "flat.zip"
    save_each(folder, lambda k, place: Image.new("L", (700 + k, 700), k).save(place))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for one in sorted(folder.rglob("*.png")):
            file.write(one, one.relative_to(folder).as_posix())
    monkeypatch.setattr(bounds, "FREE_PIXELS", 5_000_000)
    pixels = sum((700 + k) * 700 for k in range(16))
    per_byte = pixels / path.stat().st_size
    assert per_byte > bounds.MOST_PIXELS_PER_BYTE
    assert f"its images have 0.0 billion pixels, {per_byte:,.0f} for every byte of it" in refused(path)
    monkeypatch.setattr(bounds, "FREE_PIXELS", pixels)
    assert len(load(path).train) == 8


def test_only_the_beginning_of_an_entry_is_unpacked_for_its_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_folder(tmp_path / "photos")
    Image.fromarray(noise(1, 400, 400, 3)).save(folder / "train" / "ant" / "large.png")
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as file:
        for one in sorted(folder.rglob("*.png")):
            file.write(one, one.relative_to(folder).as_posix())
    found, lengths = Archive(tmp_path / "photos.zip"), []
    real = archive.open_picture
    monkeypatch.setattr(archive, "open_picture", lambda data: lengths.append(len(data)) or real(data))
    sizes = [found.header(k).size for k in range(len(found.listing()))]
    assert (400, 400) in sizes
    assert max(lengths) == archive.HEADER_BYTES


# --- paths -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("a\0b", "cannot be a path"),
        ("x" * 300, "has a name of 300 bytes, more than 255"),
        ("x" * 5000, "is longer than 4096 characters"),
        ("/x" * 2047, "There is nothing at"),
        ("~no-such-user-here/photos", "there is no such user here"),
    ],
    ids=["nul", "long name", "long path", "deep path", "user"],
)
def test_a_path_that_is_none_gets_a_sentence(path: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence) as caught:
        load(path)
    assert len(str(caught.value)) < 4300


# --- files that are handed over ----------------------------------------------------------------------------------------------


def aged(path: Path, days: float) -> Path:
    then = time.time() - days * 86_400
    os.utime(path, (then, then))
    return path


def test_files_that_are_handed_over_are_bounded_together_and_the_longest_unused_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MAX_TOTAL", 3000)
    kept = [uploads.keep(tmp_path, "a.zip", bytes([k]) * 1000) for k in range(3)]
    for age, path in zip((5, 9, 2), kept, strict=True):
        aged(path, age)
    torn = tmp_path / "half.tmp"
    torn.write_bytes(b"x")
    aged(torn, 1)
    uploads.keep(tmp_path, "a.zip", b"\0" * 1000)  # used again: not the next to go
    fresh = uploads.keep(tmp_path, "d.npz", b"new" * 400)
    assert [path.exists() for path in kept] == [True, False, False]
    assert fresh.exists()
    assert not torn.exists()
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 3000


def test_what_was_handed_over_today_is_never_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_TOTAL", 2500)
    kept = [uploads.keep(tmp_path, "a.zip", bytes([k]) * 1000) for k in range(2)]
    writing = tmp_path / "other.tmp"
    writing.write_bytes(b"another process")
    with pytest.raises(UserError, match="handed over or read within a day"):
        uploads.keep(tmp_path, "a.zip", b"\7" * 1000)
    assert all(path.exists() for path in (*kept, writing))
