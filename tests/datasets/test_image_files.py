"""Zips, tables and arrays of images: they give what a folder gives, and hostile or broken ones one sentence."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from picturetools import CLASSES, make_folder, make_tree, picture, read
from PIL import Image

from unlearn_core.datasets import Split
from unlearn_core.datasets.files.decode import Unreadable, decode, open_picture
from unlearn_core.errors import UserError
from unlearn_core.presets import make_scenario
from unlearn_core.specs import Scalar


def load(path: Path, seed: int = 0, **params: Scalar) -> Split:
    overrides: dict[str, Scalar] = {f"dataset.{name}": value for name, value in params.items()}
    return read(make_scenario("images", seed=seed, overrides=overrides | {"dataset.data": str(path)}).dataset, seed)


def same(one: Split, other: Split) -> bool:
    return all(
        a.inputs.equal(b.inputs) and a.labels.equal(b.labels) and a.class_names == b.class_names
        for a, b in ((one.train, other.train), (one.test, other.test))
    )


def zipped(folder: Path, target: Path, prefix: str = "") -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(folder.rglob("*")):
            file.write(path, prefix + path.relative_to(folder).as_posix())
    return target


# --- zips ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "photos/", "a/b/"])
def test_a_zip_gives_what_its_folder_gives(tmp_path: Path, prefix: str) -> None:
    folder = make_folder(tmp_path / "photos")
    before = sorted(tmp_path.rglob("*"))
    archive = zipped(folder, tmp_path / "photos.zip", prefix)
    assert same(load(archive), load(folder))
    assert sorted(tmp_path.rglob("*")) == sorted([*before, archive])  # nothing was unpacked


def entry(name: str, data: bytes = b"x", mode: int = 0o644) -> tuple[zipfile.ZipInfo, bytes]:
    info = zipfile.ZipInfo(name)
    info.external_attr = (mode | (0 if stat.S_IFMT(mode) else stat.S_IFREG)) << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    return info, data


def write_zip(path: Path, entries: list[tuple[zipfile.ZipInfo, bytes]]) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for info, data in entries:
            file.writestr(info, data)
    return path


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("../cat/a.png", "leads outside"),
        ("cat/../../a.png", "leads outside"),
        ("/etc/a.png", "leads outside"),
        ("C:/a/a.png", "leads outside"),
        ("..\\a\\b.png", "leads outside"),
    ],
)
def test_a_zip_that_leads_outside_is_refused(tmp_path: Path, name: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        load(write_zip(tmp_path / "evil.zip", [entry("cat/fine.png"), entry(name)]))


def test_a_zip_with_a_link_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is a link"):
        load(write_zip(tmp_path / "evil.zip", [entry("cat/a.png", b"/etc/passwd", stat.S_IFLNK | 0o777)]))


def test_a_zip_bomb_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "bomb.zip", [entry(f"c{k % 2}/{k}.bmp", bytes(2**20)) for k in range(3)])
    raw = bytearray(path.read_bytes())
    at = -1
    while (at := raw.find(b"PK\x01\x02", at + 1)) >= 0:
        struct.pack_into("<L", raw, at + 24, 2**32 - 2)  # every entry claims 4 GB
    path.write_bytes(raw)
    with pytest.raises(UserError, match=r"would unpack to 12\.0 GB"):
        load(path)


def test_an_entry_that_unpacks_to_more_than_it_says_is_left_out(tmp_path: Path) -> None:
    archive = zipped(make_tree(tmp_path / "photos", each=4), tmp_path / "photos.zip")
    raw = bytearray(archive.read_bytes())
    at = raw.find(b"PK\x01\x02", raw.find(b"PK\x01\x02") + 1)
    raw[at + 24 : at + 28] = struct.pack("<L", 20)
    archive.write_bytes(raw)
    split = load(archive)
    assert len(split.names) + len(split.test) == 11
    assert "and is left out" in split.problems[0]


def test_a_million_entries_are_refused_before_they_are_held_in_memory(tmp_path: Path) -> None:
    name = b"a/0.png"
    one = struct.pack("<4sBBHHHHHLLLHHHHHLL", b"PK\x01\x02", 20, 3, 20, 0, 0, 0, 0, 0, 0, 0, len(name), 0, 0, 0, 0, 0, 0) + name
    count = 1_000_000
    path = tmp_path / "many.zip"
    path.write_bytes(one * count + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(one) * count, 0, 0))
    tracemalloc.start()
    with pytest.raises(UserError, match=r"entries|directory"):
        load(path)
    assert tracemalloc.get_traced_memory()[1] < 100e6
    tracemalloc.stop()


@pytest.mark.parametrize("keep", [0, 10, 300, -1, -30])
def test_a_damaged_zip_is_said_in_one_sentence(tmp_path: Path, keep: int) -> None:
    archive = zipped(make_folder(tmp_path / "photos"), tmp_path / "photos.zip")
    archive.write_bytes(archive.read_bytes()[:keep])
    with pytest.raises(UserError) as caught:
        load(archive)
    assert "\n" not in str(caught.value)


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "secret.zip", [entry("a/1.png")])
    raw = bytearray(path.read_bytes())
    raw[raw.find(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    with pytest.raises(UserError, match="is encrypted"):
        load(path)


# --- broken and strange images ---------------------------------------------------------------------------------------------


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


# --- tables ----------------------------------------------------------------------------------------------------------------


def make_table(root: Path, name: str = "list.csv", **columns: list[str]) -> Path:
    rows = [{"path": path.relative_to(root).as_posix(), "label": path.parent.name} for path in sorted(root.rglob("*.png"))]
    frame = pd.DataFrame(rows).assign(**columns)
    target = root / name
    frame.to_csv(target, index=False) if target.suffix == ".csv" else frame.to_parquet(target)
    return target


@pytest.mark.parametrize("name", ["list.csv", "list.parquet"])
def test_a_table_gives_what_its_folder_gives(tmp_path: Path, name: str) -> None:
    tree = make_tree(tmp_path, each=5)
    assert same(load(make_table(tree, name)), load(tree))


def test_given_and_clean_labels_and_the_split_come_from_the_table(tmp_path: Path) -> None:
    make_tree(tmp_path, each=4)
    clean = ["ant"] * 4 + ["bee"] * 4 + [""] * 4
    given_ = ["ant", "bee", "ant", "ant"] + ["bee"] * 4 + ["cow"] * 4
    table = make_table(tmp_path, given_label=given_, clean_label=clean, split=["train", "train", "train", "test"] * 3)
    frame = pd.read_csv(table, keep_default_na=False).drop(columns="label")
    frame.to_csv(table, index=False, sep=";", encoding="utf-8-sig")
    split = load(table)
    assert split.names == tuple(f"{name}/0{k}.png" for name in CLASSES for k in range(3))
    assert split.train.labels.tolist() == [0, 1, 0, 1, 1, 1, 2, 2, 2]
    assert split.clean is not None
    assert split.clean.tolist() == [0, 0, 0, 1, 1, 1, -1, -1, -1]
    assert len(split.test) == 3


def test_rows_that_cannot_be_used_are_listed(tmp_path: Path) -> None:
    table = make_table(make_tree(tmp_path, each=4))
    with table.open("a") as file:
        file.write("ant/gone.png,ant\nant/00.png,bee\nant/../ant/01.png,ant\n")
    split = load(table)
    assert len(split.train) + len(split.test) == 12
    assert "1 of the files are missing: 'ant/gone.png'" in split.problems[0]
    assert "2 of the files are listed more than once" in split.problems[1]


def test_a_changed_label_changes_the_key(tmp_path: Path) -> None:
    table = make_table(make_tree(tmp_path, each=4))
    keys = {make_scenario("images", overrides={"dataset.data": str(table)}).key}
    table.write_text(table.read_text().replace("ant/00.png,ant", "ant/00.png,bee"))
    os.utime(table, ns=(1, 1))
    other = tmp_path / "other.csv"
    table.rename(other)
    keys.add(make_scenario("images", overrides={"dataset.data": str(other)}).key)
    assert len(keys) == 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"path,label\ncaf\xe9.png,ant\n", "is not UTF-8 text"),
        (b"", "is no table"),
        (b"name,kind\na.png,b\n", "needs a column 'path'"),
        (b"path\na.png\n", "needs a column 'label'"),
        (b"path,label\n", "names no image that is there"),
        (b"path,label\nno.png,a\n", "names no image that is there"),
        (b"path,label\n../secret.png,a\n", "is not in its folder"),
        (b"path,label\n/etc/hostname,a\n", "is not in its folder"),
        (b'path,label\n"a.png,b\n', "is no table|names no image"),
        (b"path,label\na.png,a\na.png,a,b,c,d\n", "is no table"),
        (b"path,label,split\nant/00.png,ant,night\nbee/00.png,bee,train", "has the split 'night'"),
        (b"\0\0\0,\0", "needs a column|is no table"),
        (b"path,label\n" + b"ant/00.png,ant\n" * 1_000_000, "has more than 300,000 images"),
    ],
    ids=lambda value: value[:24].decode("latin-1") if isinstance(value, bytes) else "",
)
def test_a_table_that_cannot_be_is_said_in_one_sentence(tmp_path: Path, text: bytes, sentence: str) -> None:
    make_tree(tmp_path, each=2)
    (tmp_path / "list.csv").write_bytes(text)
    with pytest.raises(UserError, match=sentence) as caught:
        load(tmp_path / "list.csv")
    assert "\n" not in str(caught.value)


def test_a_parquet_that_is_none_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "list.parquet").write_bytes(b"PAR1 nothing PAR1")
    with pytest.raises(UserError, match="cannot be read"):
        load(tmp_path / "list.parquet")


# --- arrays ----------------------------------------------------------------------------------------------------------------


def arrays(count: int = 12, shape: tuple[int, ...] = (10, 10, 3)) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, *shape), dtype=np.uint8), np.arange(count) % 3


@pytest.mark.parametrize(
    "names", [("x_train", "y_train", "x_test", "y_test"), ("train_images", "train_labels", "test_images", "test_labels")]
)
def test_arrays_with_a_test_half(tmp_path: Path, names: tuple[str, ...]) -> None:
    x, y = arrays()
    np.savez(
        tmp_path / "d.npz", **dict(zip(names, (x, y[:, None], x[:6] // 2, y[:6]), strict=True)), class_names=["a", "b", "c"]
    )
    split = load(tmp_path / "d.npz")
    assert np.array_equal(split.train.inputs.permute(0, 2, 3, 1).numpy(), x)
    assert split.train.labels.tolist() == y.tolist()
    assert split.train.class_names == ("a", "b", "c")
    assert split.names[:2] == ("train[0]", "train[1]")
    assert len(split.test) == 6


@pytest.mark.parametrize(
    ("change", "channels"),
    [
        (lambda x: x[..., 0], 1),
        (lambda x: x[..., :1], 1),
        (lambda x: np.moveaxis(x, -1, 1), 3),
        (lambda x: x / 255.0, 3),
        (lambda x: x.astype(np.float32), 3),
        (lambda x: x.astype(np.uint16) * 257, 3),
        (lambda x: x.astype(np.int64), 3),
    ],
)
def test_arrays_of_any_usual_layout(tmp_path: Path, change: Callable[[np.ndarray], np.ndarray], channels: int) -> None:
    x, y = arrays(40)
    np.savez_compressed(tmp_path / "d.npz", images=change(x), labels=y)
    split = load(tmp_path / "d.npz", test_share=0.5)
    assert split.train.shape == (channels, 10, 10)
    kept = [int(name[6:-1]) for name in split.names]
    expected = np.moveaxis(x[kept], -1, 1)[:, :channels]
    assert np.array_equal(split.train.inputs.numpy(), expected)


def test_clean_labels_come_with_the_arrays(tmp_path: Path) -> None:
    x, y = arrays()
    np.savez(tmp_path / "d.npz", x_train=x, y_train=(y + 1) % 3, x_test=x[:3], y_test=y[:3], clean_train=y)
    split = load(tmp_path / "d.npz")
    assert split.clean is not None
    assert split.clean.tolist() == y.tolist()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"a": np.zeros(3)}, "has the arrays a; expected"),
        ({"images": np.zeros((4, 8, 8), np.uint8), "labels": np.zeros(3, int)}, "has 3 labels for 4 images"),
        ({"images": np.zeros((4, 8, 8), np.uint8), "labels": np.array([0, 1, -1, 0])}, "must be at least 0"),
        (
            {"images": np.zeros((4, 8, 8), np.uint8), "labels": np.array([0, 1, 2, 0]), "class_names": ["a", "b"]},
            "below 2, the number of class names",
        ),
        ({"images": np.zeros((4, 8, 8), np.uint8), "labels": np.array([0.5, 1, 1, 0])}, "must hold whole numbers or names"),
        ({"images": np.zeros((4, 8, 8), np.uint8), "labels": np.array([0, 1, 1, 0], object)}, "cannot be read"),
        ({"images": np.full((4, 8, 8), np.nan), "labels": np.arange(4)}, "runs from nan to nan"),
        ({"images": np.zeros((4, 8, 8, 7), np.uint8), "labels": np.arange(4)}, "images have 1 or 3 channels"),
        ({"images": np.zeros((4, 8), np.uint8), "labels": np.arange(4)}, "expected images, height, width"),
        ({"images": np.array(["a", "b"]), "labels": np.arange(2)}, "expected images, height, width"),
        ({"images": np.zeros((30_000, 300, 300), np.uint8)[:0], "labels": np.arange(0)}, "expected images, height, width"),
    ],
)
def test_arrays_that_cannot_be_are_said_in_one_sentence(tmp_path: Path, content: dict[str, object], sentence: str) -> None:
    np.savez(tmp_path / "d.npz", **content)  # type: ignore[arg-type]
    with pytest.raises(UserError, match=sentence) as caught:
        load(tmp_path / "d.npz")
    assert "\n" not in str(caught.value)


def test_an_npz_bomb_is_refused_from_its_headers(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (100_000, 256, 256, 3)})
    with zipfile.ZipFile(tmp_path / "d.npz", "w") as file:
        file.writestr("images.npy", header.getvalue())
        file.writestr("labels.npy", header.getvalue())
    with pytest.raises(UserError, match="unpacks to"):
        load(tmp_path / "d.npz")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damage=st.lists(st.tuples(st.integers(0, 2**20), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_damaged_npz_never_raises_anything_else(tmp_path: Path, damage: list[tuple[int, int]]) -> None:
    x, y = arrays()
    np.savez(tmp_path / "d.npz", images=x[:, :4, :4], labels=y)
    raw = bytearray((tmp_path / "d.npz").read_bytes())
    for at, value in damage:
        raw[at % len(raw)] = value
    (tmp_path / "d.npz").write_bytes(raw)
    with contextlib.suppress(UserError):
        load(tmp_path / "d.npz")
