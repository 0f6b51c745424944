"""Names of files and classes as disks and archives bring them: bytes that are no text, accents, backslashes, doubles."""

from __future__ import annotations

import io
import json
import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from picturetools import make_tree, picture

from unlearn_core.cli import main
from unlearn_core.datasets.files.listing import TEST, Listing
from unlearn_core.datasets.files.opening import open_collection
from unlearn_core.errors import UserError


def listed(path: Path) -> Listing:
    return open_collection(path).listing()


def told(path: Path) -> str:
    """What listing alone says; nothing is decoded."""
    return "\n".join(listed(path).problems)


def test_a_class_whose_name_is_not_utf8_is_shown_everywhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_tree(tmp_path, each=6, classes=("cafe", "sea"))
    os.rename(tmp_path / "cafe", os.fsencode(tmp_path) + b"/caf\xe9")
    os.rename(tmp_path / "sea" / "00.png", os.fsencode(tmp_path) + b"/sea/\xff.png")
    assert main(["check", "--data", str(tmp_path), "--json"]) == 0
    out = capsys.readouterr().out
    answer = json.loads(out.encode().decode())  # strict UTF-8, as a file or a database takes it
    assert [row["class"] for row in answer["classes"]] == ["caf%E9", "sea"]
    assert "The name of the class 'caf%E9' is not UTF-8 text" in answer["problems"][0]
    names = listed(tmp_path).names
    assert {"caf%E9/00.png", "sea/%FF.png"} <= set(names)
    assert all(name.encode() for name in names)
    assert main(["check", "--data", str(tmp_path)]) == 0
    assert "caf%E9" in capsys.readouterr().out
    os.mkdir(os.fsencode(tmp_path) + b"/caf\xe8")
    assert "'caf%E8' is empty" in told(tmp_path)


def test_names_that_only_differ_in_such_bytes_are_refused(tmp_path: Path) -> None:
    make_tree(tmp_path, each=2)
    shutil.copy(tmp_path / "ant" / "00.png", os.fsencode(tmp_path) + b"/ant/\xe9.png")
    shutil.copy(tmp_path / "ant" / "00.png", tmp_path / "ant" / "%E9.png")
    with pytest.raises(UserError, match="differ only in bytes that are no UTF-8 text; rename them"):
        listed(tmp_path)


def test_class_names_in_an_array_file_may_be_no_text(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 255, (40, 12, 12, 3), np.uint8)
    names = np.array(["caf\udce9", "a\0b"], dtype=object).astype("U5")
    np.savez(tmp_path / "a.npz", images=images, labels=np.arange(40) % 2, class_names=names)
    assert set(listed(tmp_path / "a.npz").class_names) == {"caf%E9", "a%00b"}


def entries(path: Path, *names: str) -> Path:
    """A zip of one picture under many names; each is stored as it is given (bytes: not marked as UTF-8)."""
    data = io.BytesIO()
    picture(0, 0).save(data, "PNG")
    with zipfile.ZipFile(path, "w") as file:
        for name in names:
            file.writestr(zipfile.ZipInfo(name), data.getvalue())
    return path


def test_a_zip_with_backslashes_is_read_and_that_is_said(tmp_path: Path) -> None:
    halves = [rf"w\{half}\{name}\{k}.png" for half in ("train", "test") for name in ("sea", "street") for k in range(2)]
    listing = listed(entries(tmp_path / "a.zip", "w\\", "w\\train\\", *halves, "w\\train\\empty\\"))
    assert listing.class_names == ("sea", "street")
    assert (listing.splits == TEST).sum() == 4
    assert "11 entries are written with backslashes, which are read as folders." in listing.problems
    assert any("'w/train/empty' is empty" in problem for problem in listing.problems)


def test_names_in_a_zip_are_read_as_their_tool_wrote_them(tmp_path: Path) -> None:
    path = entries(tmp_path / "a.zip", "./train/caf??/1.png", "train/caf??/2.png", "./train//sea/1.png", "test/sea/1.png")
    path.write_bytes(path.read_bytes().replace(b"caf??", "caf\u00e9".encode()))  # UTF-8 that is not marked so
    assert listed(path).class_names == ("caf\u00e9", "sea")
    assert "437" not in told(path)
    apart = entries(tmp_path / "b.zip", "train/cafe\u0301/1.png", "train/caf\u00e9/2.png", "train/sea/1.png")
    assert listed(apart).class_names == ("caf\u00e9", "sea")
    assert "'caf\u00e9' is written in two ways" in told(apart)
    old = entries(tmp_path / "c.zip", "caf?/1.png", "sea/1.png")
    old.write_bytes(old.read_bytes().replace(b"caf?", b"caf\x82"))
    assert listed(old).class_names == ("caf\u00e9", "sea")
    assert "1 names are not marked as UTF-8 and are no UTF-8 text, for example 'caf\u00e9/1.png'" in told(old)


def test_a_path_that_comes_twice_in_a_zip_counts_once(tmp_path: Path) -> None:
    path = entries(tmp_path / "a.zip", "a/1.png", "b/1.png", "a\\1.png", "./a/2.png")
    assert listed(path).names == ("a/1.png", "a/2.png", "b/1.png")
    assert "1 path comes more than once, for example 'a/1.png'; the last one counts." in told(path)


@pytest.mark.parametrize("name", ["../a/", "a\\..\\..\\b\\", "/a/", "C:\\a\\", "\\\\server\\a\\1.png"])
def test_folders_in_a_zip_may_not_lead_outside_either(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="leads outside"):
        open_collection(entries(tmp_path / "a.zip", "a/1.png", name))
