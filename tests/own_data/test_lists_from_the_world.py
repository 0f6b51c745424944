"""Forget lists as people and other programs write them: they mean the files they name, or are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from listtools import CLASSES, make, named, read, scenario_of, split_of, used
from owntools import picture

from unlearn_core.datasets import TESTED, Roster
from unlearn_core.errors import UserError
from unlearn_core.forget_sets import Listed, read_list
from unlearn_core.support.torchvision_compat import torchvision

# --- a path wins over a number --------------------------------------------------------------------------------------------


def test_the_path_wins_over_the_number_and_the_difference_is_counted(split_photos: Path) -> None:
    listed = read(
        split_photos, "index,path,clean_label\n0,train/fox/003.png,cat\n11,train/dog/005.png,cat\n2,fox/005.png,dog\n"
    )
    assert named(split_photos, listed) == {"train/fox/003.png", "train/dog/005.png", "train/fox/005.png"}
    assert "In 2 of 3 rows the number means another image than the path; the paths count." in listed.said
    assert set(listed.labels.values()) == {"cat", "dog"}
    assert read(split_photos, "index,path\n0,train/cat/000.png\n").said == ()


@pytest.mark.parametrize(
    ("form", "by_end"),
    [("{}", False), ("/home/me/photos/{}", False), ("D:\\photos\\{w}", False), ("./{}", False), ("images/{end}", True),
     ("/other/place/{end}", True), ("{end}", False), ("file:///x/photos/{}", False)],
)  # fmt: skip
def test_paths_as_people_write_them(split_photos: Path, form: str, by_end: bool) -> None:
    names = ["train/fox/004.png", "train/cat/005.png"]
    paths = [form.format(name, w=name.replace("/", "\\"), end=name.partition("/")[2]) for name in names]
    listed = read(split_photos, "\n".join(["score,path", *(f"0.5,{path}" for path in paths)]))
    assert named(split_photos, listed) == set(names)
    assert ("recognised by the end of their path" in " ".join(listed.said)) == by_end


@pytest.mark.parametrize("column", ["filepath", "img_path", "file_name", "image", "Image Path", "filename", "full_path"])
def test_columns_of_paths_as_programs_call_them(split_photos: Path, column: str) -> None:
    assert named(split_photos, read(split_photos, f"id,{column}\n7,train/fox/001.png\n")) == {"train/fox/001.png"}


def test_an_end_in_common_never_joins_two_halves(split_photos: Path) -> None:
    (split_photos / "train" / "cat" / "new.png").write_bytes((split_photos / "train" / "cat" / "001.png").read_bytes())
    with pytest.raises(UserError, match=r"names 1 files that are no images here: '/x/test/cat/new.png' in line 2"):
        read(split_photos, "path\n/x/test/cat/new.png\n")
    for path in ("images/cat/001.png", "cat/001.png"):  # a list of wrong images means those that are trained on
        listed = read(split_photos, f"path\n{path}\n")
        assert named(split_photos, listed) == {"train/cat/001.png"}
        assert "1 of the listed paths fit a training image and a test image; the training image is meant." in listed.said
    with pytest.raises(UserError, match=r"fit several images: '001.png'"):
        read(split_photos, "path\n001.png\n")


@pytest.mark.parametrize("encode", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("text", ["path,note\ntrain/cat/001.png,x\n", "sep=;\npath;note\ntrain/cat/001.png;x\n",
                                  "train/cat/001.png\n", 'path,note,\n"train/cat/001.png","x",\n'])  # fmt: skip
def test_encodings_separators_and_lists_without_a_first_line(split_photos: Path, encode: str, text: str) -> None:
    assert named(split_photos, read(split_photos, text.encode(encode))) == {"train/cat/001.png"}


def test_accents_written_in_two_ways_are_one_name(tmp_path: Path) -> None:
    photos = make(tmp_path / "photos", {"train": 3, "test": 2}, ("caf\u00e9", "th\u00e9"))
    listed = read(photos, "path,clean_label\ntrain/cafe\u0301/001.png,the\u0301\n")
    assert named(photos, listed) == {"train/caf\u00e9/001.png"}
    assert list(listed.labels.values()) == ["th\u00e9"]


# --- numbers --------------------------------------------------------------------------------------------------------------


def test_numbers_are_those_of_imagefolder(tmp_path: Path) -> None:
    photos = make(tmp_path / "photos", {"train": 4, "test": 2}, ("cat", "cat 2", "cat-black", "10", "9"))
    (photos / "train" / "cat" / "deep.d").mkdir()
    for place in ("cat/deep.d/0.png", "cat/deep.png", "cat/Z.png"):
        picture(0, hash(place) % 997).save(photos / "train" / place)
    theirs = torchvision().datasets.ImageFolder(str(photos / "train"))
    split = split_of(scenario_of(photos))
    assert [Path(path).relative_to(photos).as_posix() for path, _ in theirs.imgs] == list(split.names)
    assert split.train.labels.tolist() == theirs.targets
    assert list(split.train.class_names) == theirs.classes
    listed = read(photos, "index\n10\n0\n22\n")
    assert named(photos, listed) == {Path(theirs.imgs[k][0]).relative_to(photos).as_posix() for k in (10, 0, 22)}
    assert "as torchvision's ImageFolder numbers them: classes by name, then files, from 0" in listed.said[0]


def test_numbers_mean_the_same_files_whatever_the_seed_and_the_limit(tree: Path) -> None:
    theirs = torchvision().datasets.ImageFolder(str(tree))
    wanted = {Path(theirs.imgs[k][0]).relative_to(tree).as_posix() for k in (0, 7, 13, 19)}
    for seed, limit in ((0, 0), (1, 0), (2, 6)):
        found, files = used(tree, "index\n0\n7\n13\n19\n", seed, limit=limit)
        assert files == wanted
        assert found.ends == ("cat/000.png", "dog/009.png")


def test_an_image_that_cannot_be_read_keeps_its_number(split_photos: Path) -> None:
    (split_photos / "train" / "cat" / "001.png").write_bytes(b"broken")
    listed = read(split_photos, "index\n1\n2\n6\n")
    assert named(split_photos, listed) == {"train/cat/002.png", "train/dog/000.png"}
    assert "1 of the listed images cannot be read and are left out: 'train/cat/001.png'." in listed.said


def test_only_an_order_that_changed_makes_another_key(tmp_path: Path) -> None:
    def keys(photos: Path) -> tuple[object, str]:
        from unlearn_core.datasets.files.opening import open_collection

        return scenario_of(photos).dataset.params["content"], f"sha-{open_collection(photos).content()[:32]}"

    usual, before = keys(make(tmp_path / "a", {"train": 2, "test": 2}))
    assert usual == before
    moved, before = keys(make(tmp_path / "b", {"train": 2, "test": 2}, ("cat", "cat 2")))
    assert moved != before
    counted, before = keys(make(tmp_path / "c", {"train": 2, "test": 2}, ("2", "10")))
    assert counted != before


# --- cleanlab, pandas -----------------------------------------------------------------------------------------------------

FRAME = [(k, k in (4, 7), 0.1 if k in (4, 7) else 0.9, k // 6, k // 6) for k in range(18)]
HEADER = "is_label_issue,label_quality,given_label,predicted_label"


def frame(header: str, rows: list[tuple[object, ...]]) -> str:
    return "\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n"


@pytest.mark.parametrize(
    "text",
    [
        frame(f"index,{HEADER}", FRAME),
        frame(f"index,{HEADER}", FRAME[:9]),
        frame(f",{HEADER}", FRAME),
        frame(f"Unnamed: 0,{HEADER}", FRAME[3:8]),
        frame(HEADER, FRAME),
        frame(HEADER, [row[1:] for row in FRAME]),
        frame(f"index,{HEADER}", [(row[0], int(row[1]), *row[2:]) for row in FRAME]),
        frame(f"index,{HEADER}", [(row[0], str(row[1]).lower(), row[2], f"{row[3]}.0", row[4]) for row in FRAME]),
        frame(f"index,{HEADER}", [(*row[:3], CLASSES[row[3]], row[4]) for row in FRAME]),
        frame("path,is_label_issue", [(f"train/{CLASSES[k // 6]}/00{k % 6}.png", issue) for k, issue, *_ in FRAME]),
    ],
    ids=["index", "half", "unnamed", "pandas", "header too short", "no index", "0 and 1", "floats", "names", "paths"],
)
def test_a_frame_of_cleanlab_lists_what_it_marks(split_photos: Path, text: str) -> None:
    listed = read(split_photos, text)
    assert named(split_photos, listed) == {"train/cat/004.png", "train/dog/001.png"}
    assert listed.labels == {}
    assert any("'is_label_issue' marks 2 of " in sentence for sentence in listed.said)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (frame(f"index,{HEADER}", [(k, False, *rest) for k, _, *rest in FRAME]), "'is_label_issue' is false in all of its 18"),
        (frame("index,is_label_issue", [(0, "True"), (1, "maybe")]), "neither true nor false, 'maybe' in line 3"),
        (frame(f"index,{HEADER}", [(*row[:3], 2 - row[3], row[4]) for row in FRAME]), "another given_label than the image"),
        (frame(HEADER, [row[1:] for row in FRAME[:9]]), "Its 9 rows are not one for each of the 18 images"),
        ("label,score\ncat,1\n", "no column called index or path; its columns are 'label', 'score'"),
        ("", "is empty"),
        ("path,clean_label\n", "names no training example"),
        ("path,clean_label\ntrain/cat/001.png,Dog\n", "no class, 'Dog' in line 2 (did you mean 'dog'?)"),
        ("path,clean_label\ntrain/cat/001.png,7\n", "no class, '7' in line 2"),
        ("path,label\ntrain/cat/001.png,cat\ntrain/dog/001.png,cat\n", "is what the image carries in 1 rows and"),
        ("path\ntest/cat/000.png\ntest/dog/001.png\n", "All 2 listed images are test images"),
    ],
)  # fmt: skip
def test_a_list_that_contradicts_itself_or_the_data_is_refused(split_photos: Path, text: str, sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        used(split_photos, text)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "labels", "sentence"),
    [
        ("path,correct_label\n{0},dog\n{1},fox\n", ["dog", "fox"], ""),
        ("path,true_label\n{0},1\n{1},2.0\n", ["dog", "fox"], "Labels that are numbers count the classes from 0: 0 is 'cat'"),
        (
            "path,given_label,label\n{0},cat,dog\n{1},cat,\n",
            ["dog"],
            "'label' beside 'given_label' is taken as the right",
        ),
        ("path,label\n{0},dog\n{1},fox\n", ["dog", "fox"], "differs from what every listed image carries"),
        ("path,label\n{0},cat\n{1},cat\n", [], "holds the labels that the images carry, so no right label is given"),
        ("path,label,clean_label\n{0},cat,dog\n{1},cat,nan\n", ["dog"], ""),
        (
            "path,given_label,clean_label\n{0},fox,dog\n{1},cat,\n",
            ["dog"],
            "In 1 rows given_label is not the label that",
        ),
        ("path,clean_label,why\n{0},dog,blurred\n{1},,\n", ["dog"], "Columns that are not used: 'why'."),
    ],
)
def test_right_labels_are_told_from_given_ones(split_photos: Path, text: str, labels: list[str], sentence: str) -> None:
    listed = read(split_photos, text.format("train/cat/001.png", "train/cat/002.png"))
    assert [listed.labels[k] for k in sorted(listed.labels)] == labels
    assert (sentence in " ".join(listed.said)) if sentence else listed.said == ()


WORDS = ["path", "index", "label", "clean_label", "is_label_issue", "given_label", "note", "", "cat", "train/cat/001.png", "1",
         "0.0", "True", "x", '"', "test/fox/000.png", "\x00", "nan", "7", "sep=;", "../..", "é"]  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(st.sampled_from(WORDS), max_size=5), max_size=6),
    st.sampled_from(",;\t|"),
    st.sampled_from(["utf-8", "utf-16", "utf-16-le"]),
)
def test_any_table_is_a_list_or_one_sentence(rows: list[list[str]], separator: str, encoding: str) -> None:
    names = tuple(f"{half}/{name}/00{k}.png" for half in ("train", "test") for name in CLASSES for k in range(2))
    labels = np.array([CLASSES.index(name.split("/")[1]) for name in names])
    tested = np.array([name.startswith("test") for name in names])
    roster = Roster(12, names, labels, tested, np.where(tested, TESTED, np.arange(12)))
    try:
        listed = read_list("\n".join(separator.join(row) for row in rows).encode(encoding), roster, CLASSES)
    except UserError as error:
        listed, said = Listed((0,)), str(error)
    else:
        said = ""
    assert "\n" not in said
    assert listed.positions
    assert set(listed.labels) <= set(listed.positions)
    assert set(listed.labels.values()) <= set(CLASSES)
