"""The name of what a folder, a zip or a table holds: results keep it as long as the files are read as they were."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from picturetools import forget, make_tree, read

from unlearn_core.datasets.files.facts import find_facts
from unlearn_core.datasets.files.opening import open_collection
from unlearn_core.presets import make_scenario


def plain_content(root: Path, names: Iterable[str]) -> str:
    """What has always named the content of a folder."""
    lines = (f"{name}\0{hashlib.sha256((root / name).read_bytes()).hexdigest()}\n" for name in sorted(names))
    return "sha-" + hashlib.sha256("".join(lines).encode()).hexdigest()[:32]


def content(path: Path) -> str:
    forget()
    return find_facts(open_collection(path)).content


@pytest.mark.parametrize("halves", [("",), ("train",), ("train", "test"), ("training", "val"), ("w/train", "w/validation")])
def test_what_is_read_as_before_keeps_its_name(tmp_path: Path, halves: tuple[str, ...]) -> None:
    root = tmp_path / "photos"
    for half in halves:
        make_tree(root / half, each=2)
    names = [file.relative_to(root).as_posix() for file in root.rglob("*.png")]
    assert content(root) == plain_content(root, names)


@pytest.mark.parametrize(
    "halves",
    [("train", "test", "val"), ("Training", "Testing"), ("train_set", "test_set"), ("train/train", "test"), ("train", "dev")],
)
def test_what_is_read_differently_has_another_name(tmp_path: Path, halves: tuple[str, ...]) -> None:
    root = tmp_path / "photos"
    for half in halves:
        make_tree(root / half, each=2)
    names = [file.relative_to(root).as_posix() for file in root.rglob("*.png")]
    assert content(root) != plain_content(root, names)
    assert content(root) == content(root.rename(tmp_path / "elsewhere"))


@pytest.mark.parametrize(
    ("more", "same"),
    [("train/ant/9.png", True), ("w/train/ant/9.png", False), ("train\\ant\\9.png", False), ("train/ant/9.jfif", False)],
)
def test_a_zip_keeps_its_name_unless_it_is_read_differently(tmp_path: Path, more: str, same: bool) -> None:
    path, folder = tmp_path / "photos.zip", make_tree(tmp_path / "photos" / "train", each=2)
    with zipfile.ZipFile(path, "w") as file:
        for image in sorted(folder.rglob("*.png")):
            file.write(image, image.relative_to(tmp_path / "photos").as_posix())
        file.writestr("train/ant/./9.png" if more.startswith("w/") else more, (folder / "ant" / "00.png").read_bytes())
    assert (content(path) == "sha-" + hashlib.sha256(path.read_bytes()).hexdigest()[:32]) == same


def test_a_table_keeps_validation_apart_as_a_folder_does(tmp_path: Path) -> None:
    rows = {}
    for half in ("train", "val", "test"):
        make_tree(tmp_path / half, each=6)
        rows[half] = [f"{file.relative_to(tmp_path)},{file.parent.name},{half}\n" for file in (tmp_path / half).rglob("*.png")]
    table = tmp_path / "table.csv"
    table.write_text("path,label,split\n" + "".join(rows["train"] + rows["val"] + rows["test"]))
    split = read(make_scenario("images", overrides={"dataset.data": str(table)}).dataset)
    assert (len(split.train), len(split.test)) == (18, 18)
    assert "The 18 validation images are left out: utility is measured on the test images alone." in split.problems
    assert content(table) != "sha-" + open_collection(table).content()[:32]
    table.write_text("path,label,split\n" + "".join(rows["train"] + rows["val"]) + f"{'x' * 300}.png,ant,train\n")
    assert (
        "There are no test images; the 18 validation images are used for testing." in open_collection(table).listing().problems
    )
    assert "1 of the files are missing" in " ".join(open_collection(table).listing().problems)
    assert content(table) == "sha-" + open_collection(table).content()[:32]
