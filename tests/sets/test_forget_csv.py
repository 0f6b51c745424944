"""Forget sets as CSV: what is written reads back the same; every bad file gets one clear sentence."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unlearn_core.errors import UserError
from unlearn_core.sets import ForgetSet, read_csv, write_csv

NAMES = ("zero", "one, or so", "zwölf")
SIZE = 500


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
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not UTF-8"),
        (b"who,what\n1,2\n", "no column called index"),
        (b"index\n1\n7\n1\n", "training example 1 twice, in lines 2 and 4"),
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


def test_a_million_lines_are_read_or_refused_in_seconds() -> None:
    rows = "\n".join(map(str, range(1_000_000)))
    start = time.process_time()
    assert len(read_csv(f"index\n{rows}\n".encode(), 1_000_000, NAMES)) == 1_000_000
    with pytest.raises(UserError, match="more than 1,000,000 lines"):
        read_csv(f"index\n{rows}\n1\n2\n".encode(), SIZE, NAMES)
    assert time.process_time() - start < 20
