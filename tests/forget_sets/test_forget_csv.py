"""Forget sets as CSV: what is written reads back the same; every bad file gets one clear sentence."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unlearn_core.datasets import Roster
from unlearn_core.errors import UserError
from unlearn_core.forget_sets import ForgetSet, read_list, write_csv

NAMES = ("zero", "one, or so", "zwölf")
SIZE = 500


def read_csv(data: bytes, size: int, names: tuple[str, ...], name: str = "The file") -> ForgetSet:
    """The set that a list describes in data that do not come from files."""
    roster = Roster(size, (), np.zeros(size, np.int64), np.zeros(size, bool), np.arange(size))
    listed = read_list(data, roster, names, name)
    return ForgetSet(listed.positions, (), dict(listed.labels), dict(listed.notes))


@settings(max_examples=50, deadline=None)
@given(
    st.sets(st.integers(0, SIZE - 1), min_size=1, max_size=20),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30),
    st.sampled_from(NAMES),
)
def test_a_set_survives_its_file(indices: set[int], note: str, label: str) -> None:
    first = min(indices)
    notes = {first: note.strip()} if note.strip() else {}
    before = ForgetSet(tuple(sorted(indices)), (), {first: label}, notes)
    assert read_csv(write_csv(before).encode(), SIZE, NAMES) == before


@pytest.mark.parametrize(
    "text",
    [
        "index\n3\n5\n",
        "3\n5\n",
        "\ufeffindex,score\r\n5,0.4\r\n3,0.9\r\n",
        "score;index\n1;3\n2;5\n",
        "index,clean_label\n3,\n5",
        "\n\n3,\n\n5,\n",
        "index\n5\n3\n5\n",
        "idx\n3.0\n5.0\n",
        "sep=;\nindex;note\n3;\n5;\n",
        ",index\n0,3\n1,5\n",
        ",score\n3,0.1\n5,0.2\n",
    ],
)
def test_files_as_people_and_spreadsheets_write_them(text: str) -> None:
    assert read_csv(text.encode(), SIZE, NAMES) == ForgetSet((3, 5))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        (b"index\n", "names no training example"),
        (b"index\n\xff\xfe\n", "not UTF-8"),
        (b"\xff\xfei\x00n", "is not UTF-16 text"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not UTF-8"),
        (b"who,what\n1,2\n", "no column called index"),
        (
            b"index,clean_label\n1,zero\n7,\n1,zw\xc3\xb6lf\n",
            "'zero' in line 2 and 'zw\xf6lf' in line 4",
        ),
        (b",score\n0,1\n1,2\n", "a first column without a name that counts its rows from 0"),
        (b"index,note\n1,a,b\n", "is no table: line 2 has 3 cells, but the first line names 2"),
        (b"index\n500\n", "names training example 500 in line 2, but there are 500"),
        (b"index\n-1\n", "training example -1"),
        (b"index\n1.5\n", "no whole number, '1.5' in line 2"),
        (b"index\nx\n", "no whole number"),
        (b"index\n" + b"9" * 5000 + b"\n", "no whole number"),
        ("index\n²\n".encode(), "no whole number"),
        (b"index,clean_label\n3,dog\n", "no class, 'dog' in line 2; the classes: zero"),
        (b'index\n"1\n2\n', "no whole number"),
        (b"index,note\n1," + b"x" * 200_000 + b"\n", "not valid CSV"),
        (b"\x00\x00\x00", "no column called index"),
    ],
)
def test_a_bad_file_gets_one_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        read_csv(data, SIZE, NAMES, "set.csv")
    assert sentence in str(caught.value)
    assert str(caught.value).startswith("set.csv")
    assert "\n" not in str(caught.value)


def test_many_lines_are_read_and_too_many_refused_in_seconds() -> None:
    rows = "\n".join(map(str, range(100_000)))
    start = time.process_time()
    assert len(read_csv(f"index\n{rows}\n".encode(), 100_000, NAMES)) == 100_000
    with pytest.raises(UserError, match="more than 1,000,000 lines"):
        read_csv(b"index\n" + b"1\n" * 1_000_002, SIZE, NAMES)
    assert time.process_time() - start < 20
