"""Hostile files through the commands: one line, exit code 2, nothing written but the store's and the cache's own, memory
bounded. What the loaders say to each kind is in the files beside this one."""

from __future__ import annotations

import io
import stat
import struct
import threading
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from picturetools import make_tree
from PIL import Image

from unlearn_core.cli import main
from unlearn_core.datasets.files import decode as decoding


def zip_of(*entries: tuple[str, bytes, int]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data, mode in entries:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(info, data)
    return buffer.getvalue()


def bomb() -> bytes:
    """Three megabytes of zeros that claim twelve gigabytes."""
    raw, at = bytearray(zip_of(*((f"c{k % 2}/{k}.bmp", bytes(2**20), stat.S_IFREG | 0o644) for k in range(3)))), -1
    while (at := raw.find(b"PK\x01\x02", at + 1)) >= 0:
        struct.pack_into("<L", raw, at + 24, 2**32 - 2)
    return bytes(raw)


PLAIN = stat.S_IFREG | 0o644


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: zip_of(("a/1.png", b"x", PLAIN), ("../../evil.png", b"x", PLAIN)), "leads outside"),
        (lambda: zip_of(("a/1.png", b"x", PLAIN), ("/etc/evil.png", b"x", PLAIN)), "leads outside"),
        (lambda: zip_of(("a/1.png", b"/etc/passwd", stat.S_IFLNK | 0o777)), "is a link"),
        (bomb, "would unpack to 12.0 GB"),
        (lambda: b"PK\x03\x04 no zip at all", "is no zip archive"),
    ],
    ids=["outside", "absolute", "link", "bomb", "no zip"],
)
def test_a_hostile_zip_is_one_line_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    command: str, make: Callable[[], bytes], sentence: str,
) -> None:  # fmt: skip
    inside = tmp_path / "deep" / "er"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    (inside / "evil.zip").write_bytes(make())
    monkeypatch.setenv("UNLEARN_STORE", str(tmp_path / "store"))
    engine = ["--engine", "inline"] if command == "run" else []
    assert main([command, "--data", "evil.zip", *engine]) == 2
    error = capsys.readouterr().err.strip()
    assert sentence in error
    assert len(error.splitlines()) == 1
    left = [path for path in tmp_path.rglob("*") if path.is_file() and tmp_path / "store" not in path.parents]
    assert left == [inside / "evil.zip"]


def test_lists_of_many_rows_get_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos, listed = make_tree(tmp_path / "photos", each=5), tmp_path / "list.csv"
    for text, sentence in (
        (b"index\n" + b"1\n" * 100_000 + b"x\n", "has an index that is no whole number, 'x' in line 100002"),
        (b"index\n" + b"1\n" * 1_000_002, "has more than 1,000,000 lines"),
        (b"path\ncaf\xe9.png\n", "is not UTF-8"),
        (b"index\n12345\n", "names training example 12345 in line 2"),
        (b"index,clean_label\n1,unicorn\n", "has a clean_label that is no class, 'unicorn' in line 2"),
    ):
        listed.write_bytes(text)
        assert main(["check", "--data", str(photos), "--forget", str(listed)]) == 2
        error = capsys.readouterr().err.strip()
        assert sentence in error
        assert len(error.splitlines()) == 1


def test_sixteen_bits_of_many_pixels_stay_within_memory_and_come_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    side = 5_000
    buffer = io.BytesIO()
    Image.fromarray(np.full((side, side), 51_400, np.uint16)).save(buffer, "PNG")
    held: list[bool] = []
    upright = decoding.turn_upright
    monkeypatch.setattr(
        decoding, "turn_upright", lambda image: held.append(decoding.large_picture_lock.locked()) or upright(image)
    )
    tracemalloc.start()
    pixels = decoding.decode(decoding.open_picture(buffer.getvalue()), 32, 1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (pixels == 200).all()
    assert held == [True]
    assert not decoding.large_picture_lock.locked()
    assert peak < 8 * side * side  # bytes; Pillow's own two a pixel are not seen here
    small = decoding.open_picture(_png(40))
    with decoding.large_picture_lock:  # pictures of the usual size do not wait
        worker = threading.Thread(target=decoding.decode, args=(small, 32, 1), daemon=True)
        worker.start()
        worker.join(20)
        assert not worker.is_alive()


def _png(side: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (side, side)).save(buffer, "PNG")
    return buffer.getvalue()
