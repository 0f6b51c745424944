"""Zips of images: what their folder gives, and every way in which one can be hostile or damaged."""

from __future__ import annotations

import stat
import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from picturetools import load, make_folder, make_tree, same

from unlearn_core.errors import UserError


def zipped(folder: Path, target: Path, prefix: str = "") -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(folder.rglob("*")):
            file.write(path, prefix + path.relative_to(folder).as_posix())
    return target


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
