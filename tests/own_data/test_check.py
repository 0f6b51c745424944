"""What is judged before anything runs: counts, problems, forget lists, costs, and files that somebody hands over."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from owntools import CLASSES, picture, write_list, write_manifest

from unlearn_core.cli import main
from unlearn_core.errors import UserError
from unlearn_core.support import uploads
from unlearn_core.views.own_data import data as own
from unlearn_core.views.own_data.figure import MOST, class_counts


def checked(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert main(["check", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_check_says_what_is_there(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed = write_list(tmp_path / "list.csv", labels=True)
    answer = checked(capsys, "--data", str(photos), "--forget", str(listed), "--set", "training.epochs=3")
    assert (answer["train"], answer["test"], answer["epochs"], answer["model"]) == (30, 15, 3, "cnn")
    assert [(row["class"], row["train"], row["test"]) for row in answer["classes"]] == [(name, 10, 5) for name in CLASSES]
    ends = {"first": "train/bee/00.png", "last": "train/cow/03.png"}
    assert answer["forget"] == {"size": 4, "clean_labels": 4} | ends
    assert answer["expected_seconds"] >= 0
    assert answer["image_bytes"] == 2 * 45 * 3 * 12 * 12
    assert answer["problems"] == ["4 listed images are very few: searches and estimates need more."]
    assert main(["check", "--data", str(photos)]) == 0
    assert "No problems found." in capsys.readouterr().out


@pytest.mark.parametrize(("known", "wrong", "words"), [(None, 4, "4 of them carry another"), (7, 0, "no label differs")])
def test_check_says_how_many_right_labels_are_given_and_differ(
    photos: Path, capsys: pytest.CaptureFixture[str], known: int | None, wrong: int, words: str
) -> None:
    answer = checked(capsys, "--data", str(write_manifest(photos, known)))
    assert (answer["clean_labels"], answer["wrong_labels"]) == (known or 30, wrong)
    assert answer["right_labels"] == f"The right label of {known or 30} of 30 training images is given; {words}."
    assert main(["check", "--data", str(photos / "table.csv")]) == 0
    assert answer["right_labels"] in capsys.readouterr().out


def test_check_names_problems(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for k in range(3):
        (photos / "train" / "dog").mkdir(exist_ok=True)
        picture(3, 500 + k).save(photos / "train" / "dog" / f"{k}.png")
    for k in range(60):
        picture(0, 700 + k).save(photos / "train" / "ant" / f"more{k}.png")
    (photos / "train" / "ant" / "bad.png").write_bytes(b"bad")
    (photos / "train" / "cow" / "twin.png").write_bytes((photos / "train" / "bee" / "05.png").read_bytes())
    (photos / "train" / "cow" / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(40))
    (photos / "train" / "fox").mkdir()
    (photos / "test" / "elk").mkdir()
    picture(1, 5).save(photos / "test" / "elk" / "0.png")
    listed = tmp_path / "list.csv"
    listed.write_text("path,clean_label\ndog/0.png,cow\ndog/1.png,\ndog/2.png,\nant/00.png,ant\ncow/00.png,\n")
    said = "\n".join(checked(capsys, "--data", str(photos), "--forget", str(listed))["problems"])
    assert said.count("no test images") == 1
    for words in (
        "train/ant/bad.png is no image",
        "train/cow/cut.jpg is",
        "'train/fox' is empty",
        "1 images look exactly like another one",
        "1 of them carry another label than their twin, for example 'train/bee/05.png' and 'train/cow/twin.png'",
        "'elk' in the test images is no class",
        "'dog' has no test images",
        "'dog' has fewer than 10 training images",
        "'ant' has 70 training images, 'dog' 3",
        "For 1 of the listed images the right label is the given one",
        "The list names every training image of 'dog'",
    ):
        assert words in said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--data", "nowhere"], "There is nothing at"),
        (["--data", "{photos}", "--forget", "nowhere.csv"], "cannot be read"),
        (["--data", "{photos}", "--forget", "{half}"], "are too many for a forget set"),
        (["--data", "{photos}", "--set", "rem.epochs=2"], "overrides nothing here"),
        (["--data", "{photos}", "--model", "nothing"], "There is no model called"),
    ],
)
def test_what_cannot_be_used_gets_one_sentence(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    (tmp_path / "half.csv").write_text("index\n" + "\n".join(map(str, range(16))))
    places = {"photos": photos, "half": tmp_path / "half.csv"}
    assert main(["check", *(text.format(**places) for text in arguments)]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1


def test_samples_are_of_every_class_in_turn(photos: Path) -> None:
    found = own.read("images", {"data": str(photos)}, 0)
    from unlearn_core.datasets import load_dataset

    shown = own.samples(load_dataset(found.dataset, 0), 0, 6)
    assert sorted(label for _, label, _ in shown) == sorted(2 * CLASSES)
    assert {pixels.shape for _, _, pixels in shown} == {(12, 12, 3)}


def test_many_classes_are_drawn_in_part_and_told_in_full() -> None:
    table = pd.DataFrame({"class": [f"class {k}" for k in range(300)], "train": range(300, 0, -1), "test": 5})
    drawn = class_counts(table)
    assert len(drawn.figure.data[0].x) == MOST
    assert len(drawn.data) == 300
    assert "of 300 classes are drawn" in drawn.caption


def test_a_file_is_kept_once_and_nowhere_else(tmp_path: Path) -> None:
    place = tmp_path / "store" / "uploads"
    first = uploads.keep(place, "../../etc/x.ZIP", b"abc")
    assert first == uploads.keep(place, "other.zip", b"abc")
    assert [path.name for path in place.iterdir()] == [first.name]
    assert [path.name for path in tmp_path.iterdir()] == ["store"]
    with pytest.raises(UserError, match="cannot be handed over"):
        uploads.keep(place, "model.pt", b"abc")
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be kept"):
        uploads.keep(tmp_path / "file", "a.zip", b"abc")


def test_names_of_classes_are_drawn_as_they_are_written() -> None:
    drawn = class_counts(pd.DataFrame({"class": ["<b>a</b>", "R&D"], "train": [5, 5], "test": 5}))
    assert list(drawn.figure.layout.xaxis.ticktext) == ["&lt;b&gt;a&lt;/b&gt;", "R&amp;D"]
    assert list(drawn.data["class"]) == ["<b>a</b>", "R&D"]
