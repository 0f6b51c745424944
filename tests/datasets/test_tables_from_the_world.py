"""Tables of images as other programs and people write them: understood, or refused with the columns found; nothing unsaid."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picturetools import CLASSES, forget, make_tree, read

from unlearn_core.datasets import Split
from unlearn_core.datasets.files.columns import read_columns
from unlearn_core.datasets.files.text_tables import read_rows, tables
from unlearn_core.errors import UserError
from unlearn_core.presets import make_scenario
from unlearn_core.specs import DatasetSpec

NAMES = [f"{name}/0{k}.png" for name in CLASSES for k in range(4)]
LABELS = [name for name in CLASSES for _ in range(4)]


def dataset(table: Path) -> DatasetSpec:
    return make_scenario("images", overrides={"dataset.data": str(table)}).dataset


def load(root: Path, text: str | bytes, name: str = "labels.csv") -> Split:
    """The data of a table with this text beside twelve pictures of three classes."""
    make_tree(root, each=4)
    (root / name).write_bytes(text.encode() if isinstance(text, str) else text)
    forget()
    return read(dataset(root / name), 0)


def rows(header: str, *cells: list[str], paths: list[str] = NAMES, end: str = "") -> str:
    return "\n".join([header, *(",".join(row) + end for row in zip(paths, *cells, strict=True))]) + "\n"


def said(split: Split) -> str:
    return "\n".join(split.problems)


def labels(split: Split) -> dict[str, str]:
    return {name: split.train.class_names[k] for name, k in zip(split.names, split.train.labels.tolist(), strict=True)}


NUMBERS = [str(CLASSES.index(name)) for name in LABELS]


def test_one_and_one_point_nought_are_one_class(tmp_path: Path) -> None:
    right = ["" if k % 4 == 0 else f"{text}.0" for k, text in enumerate(NUMBERS)]
    split = load(tmp_path, rows("path,label,clean_label", NUMBERS, right))
    assert split.train.class_names == ("0", "1", "2")
    assert split.clean is not None
    known = split.clean >= 0
    assert known.any()
    assert (split.clean == split.train.labels)[known].all()
    assert "3 names of classes written in two ways" in said(split)
    gappy = load(tmp_path, rows("path,label,clean_label", ["", *(f"{text}.0" for text in NUMBERS[1:])], ["1", *NUMBERS[1:]]))
    assert gappy.train.class_names == ("0", "1", "2")
    assert "1 of the files are without a label: 'ant/00.png'" in said(gappy)


def test_numbers_that_are_not_whole_stay_as_they_are(tmp_path: Path) -> None:
    versions = [{"ant": "1.0", "bee": "1.5", "cow": "2.0"}[name] for name in LABELS]
    assert load(tmp_path, rows("path,label", versions)).train.class_names == ("1.0", "1.5", "2.0")


def test_a_parquet_of_whole_numbers_stored_as_floats_has_the_classes_of_the_csv(tmp_path: Path) -> None:
    make_tree(tmp_path, each=4)
    frame = pd.DataFrame({"file_name": NAMES, "label": [float(text) for text in NUMBERS]})
    frame.to_parquet(tmp_path / "labels.parquet")
    split = read(dataset(tmp_path / "labels.parquet"), 0)
    assert split.train.class_names == ("0", "1", "2")
    assert "are called 1" in said(split)


def test_labels_and_clean_labels_without_a_common_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"labels .'0', '1', '2'. and clean labels .'ant', 'bee', 'cow'. without a common"):
        load(tmp_path, rows("path,label,clean_label", NUMBERS, LABELS))


@pytest.mark.parametrize("word", ["nan", "NaN", "<NA>"])
def test_a_missing_label_among_numbers_is_left_out_and_among_names_is_said(tmp_path: Path, word: str) -> None:
    numbers = load(tmp_path, rows("path,label", [word, *NUMBERS[1:]]))
    assert numbers.train.class_names == ("0", "1", "2")
    assert "1 of the files are without a label: 'ant/00.png'" in said(numbers)
    names = load(tmp_path, rows("path,label", [word, word, *LABELS[2:]]))
    assert word in names.train.class_names
    assert f"2 images have the label '{word}', as programs write one that is missing; it counts as a class" in said(names)


def test_a_clean_label_called_nan_is_not_known(tmp_path: Path) -> None:
    split = load(tmp_path, rows("path,label,clean_label", LABELS, ["nan", *LABELS[1:]]))
    assert "nan" not in split.train.class_names
    assert "1 clean labels are 'nan', which counts as not known" in said(split)


def test_classes_that_look_alike_are_named(tmp_path: Path) -> None:
    split = load(tmp_path, rows("path,label", ["Ant", "Ant", *LABELS[2:]]))
    assert split.train.class_names == ("Ant", "ant", "bee", "cow")
    assert "differ in upper and lower case or spaces alone and count as different ones: 'Ant', 'ant'" in said(split)


def test_accents_written_in_two_ways_are_one_class(tmp_path: Path) -> None:
    split = load(tmp_path, rows("path,label", ["cafe\u0301", "caf\u00e9", *LABELS[2:]]))
    assert split.train.class_names == ("ant", "bee", "caf\u00e9", "cow")
    assert "1 name of classes written in two ways" in said(split)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("ant/02.png,bee,,", "1 of these rows DISAGREE with the first about the label, so one of the two is wrong"),
        ("ant/02.png,ant,cow,", "DISAGREE with the first about the clean label"),
        ("ant/02.png,ant,,test", "DISAGREE with the first about the split"),
        ("ant/02.png,,,", ""),
    ],
)
def test_two_rows_for_one_file_that_disagree_are_counted(tmp_path: Path, row: str, sentence: str) -> None:
    halves = ["train", "train", "train", "test"] * 3
    split = load(tmp_path, rows("path,label,clean_label,split", LABELS, LABELS, halves) + row + "\n")
    assert "1 of the files are listed more than once: 'ant/02.png'; the first row counts." in split.problems
    assert (sentence in said(split)) if sentence else "DISAGREE" not in said(split)
    assert labels(split)["ant/02.png"] == "ant"


@pytest.mark.parametrize(
    ("column", "train", "test"),
    [
        ("set", "train", "test"),
        ("Fold", "Train", "Val"),
        ("partition", "training", "validation"),
        ("phase", "train", "test"),
        ("data-split", "train", "test"),
        ("is_test", "False", "True"),
        ("is_test", "0", "1"),
        ("is_train", "1.0", "0.0"),
        ("is train", "yes", "no"),
    ],
)
def test_a_split_under_another_name_is_used_and_said(tmp_path: Path, column: str, train: str, test: str) -> None:
    split = load(tmp_path, rows(f"path,label,{column}", LABELS, [train, train, train, test] * 3))
    assert split.names == tuple(name for name in NAMES if not name.endswith("03.png"))
    assert len(split.test) == 3
    if test.lower().startswith("val"):  # they stand in for the test images that are not there, and are called what they are
        assert f"The column '{column}' says which images are not trained on: 3 validation images." in split.problems
        assert "There are no test images; the 3 validation images are used for testing." in split.problems
    else:
        assert f"The column '{column}' says which images are test images: 3 of them." in split.problems


@pytest.mark.parametrize("values", [["0", "1", "2"], ["train", "train", "train"], ["a", "b", "train"]])
def test_a_column_that_only_might_be_the_split_is_said_not_to_be_used(tmp_path: Path, values: list[str]) -> None:
    split = load(tmp_path, rows("path,label,fold", LABELS, values * 4))
    assert "The column 'fold' (values '" in said(split)
    assert "not used, and the test images are drawn at random" in said(split)


def test_two_columns_that_split_in_two_ways_are_said(tmp_path: Path) -> None:
    one, other = ["train", "train", "train", "test"] * 3, ["True", "False", "False", "False"] * 3
    split = load(tmp_path, rows("path,label,set,is_test", LABELS, one, other))
    assert "'is_test' might say too which images are test images, but not in the same way" in said(split)
    same = load(tmp_path, rows("path,label,set,is_test", LABELS, one, ["0", "0", "0", "1"] * 3))
    assert "is_test" not in said(same)


@pytest.mark.parametrize(
    "text",
    [
        rows("path,label", LABELS, end=","),
        rows("path,label", LABELS, end=",,,"),
        rows("path,label,", LABELS, end=","),
        "sep=;\r\n" + rows("path,label", LABELS).replace(",", ";"),
        "\ufeff" + '"sep=|"\n' + rows("path,label", LABELS).replace(",", "|"),
        rows("file_name,class", LABELS).encode("utf-16"),
        rows("filepath,category", LABELS).encode("utf-16-le"),
        rows("img path,Label", LABELS).replace("/", "\\"),
        rows("image_path,target", [f'"{name}"' for name in LABELS]),
        ",path,label\n" + "\n".join(f"{k},{row}" for k, row in enumerate(rows("", LABELS).split())),
    ],
    ids=["one separator", "three", "header too", "sep", "bom and sep", "utf-16", "utf-16 without mark", "windows", "quotes",
         "pandas index"],
)  # fmt: skip
def test_tables_as_spreadsheets_and_programs_write_them(tmp_path: Path, text: str | bytes) -> None:
    split = load(tmp_path, text)
    assert labels(split) == {name: name[:3] for name in split.names}
    assert len(split.train) + len(split.test) == 12
    assert not [problem for problem in split.problems if "fewer than" not in problem]


def test_a_first_cell_that_the_header_does_not_name_is_seen_by_what_it_would_mean(tmp_path: Path) -> None:
    text = "\n".join(
        ["label,path,split", *(f"{k % 4},{label},{name}," for k, (label, name) in enumerate(zip(LABELS, NAMES, strict=True)))]
    )
    split = load(tmp_path, text)
    assert labels(split) == {name: name[:3] for name in split.names}
    assert "the first cell is taken as a row number without a name, and 'path' as column 3" in said(split)
    unclear = "\n".join(["label,path,split", *(f"{k},x{k},y{k}," for k in range(5))])
    with pytest.raises(UserError, match="rows have 4 cells and the first line names 3 columns, 'label', 'path', 'split'; name"):
        load(tmp_path, unclear)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (rows("path,label", LABELS) + "ant/00.png,ant,oh,no\n", "is no table: line 14 has 4 cells, but the first line names 2"),
        (rows("path,label,given_label", LABELS, ["bee", *LABELS[1:]]), "which differ in 1 rows; call the one with the right"),
        (rows("name,label", LABELS), "needs a column 'path'; its columns are 'name', 'label'"),
        (rows("path,label", LABELS).encode("utf-16")[:-1], "is not UTF-16 text"),
        ("sep=;\n", "is no table"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(tmp_path: Path, text: str | bytes, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence) as caught:
        load(tmp_path, text)
    assert "\n" not in str(caught.value)


CELLS = ["path", "label", "clean_label", "split", "set", "is_test", "given_label", "", "ant", "ant/00.png", "bee/01.png", "1.0",
         "1", "nan", "train", "test", "True", '"', "\x00", "../x", "sep=;"]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(st.sampled_from(CELLS), max_size=5), max_size=6), st.sampled_from(",;\t|"), st.booleans())
def test_any_text_is_a_table_or_one_sentence(rows: list[list[str]], separator: str, wide: bool) -> None:
    text = "\n".join(separator.join(row) for row in rows)
    try:
        read = read_rows(io.BytesIO(text.encode("utf-16" if wide else "utf-8")), "t.csv", 100)
        if read:
            found = read_columns(tables(read, "t.csv"), lambda path: path.endswith(".png"), "t.csv")
            assert len(found.paths) == len(found.labels) == len(read) - 1
    except UserError as error:
        said = str(error)
    else:
        said = ""
    assert "\n" not in said


def test_only_a_table_that_is_read_in_another_way_than_before_gets_another_key(tmp_path: Path) -> None:
    make_tree(tmp_path, each=4)
    table, keys = tmp_path / "labels.csv", []
    for text in (rows("path,label", LABELS), rows("path,label", [f"{text}.0" for text in NUMBERS])):
        table.write_text(text)
        forget()
        from unlearn_core.datasets.files.manifest import Manifest

        keys.append((dataset(table).params["content"], f"sha-{Manifest(table).content()[:32]}"))
    assert keys[0][0] == keys[0][1]
    assert keys[1][0] != keys[1][1]
