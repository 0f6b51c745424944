"""Forget lists that name files: matched with the training images, or refused naming a few."""

from __future__ import annotations

import time

import pytest

from unlearn_core.errors import UserError
from unlearn_core.sets import ForgetSet, read_csv

NAMES = ("train/cat/1.png", "train/cat/2.png", "train/dog/1.png", "train/dog/x y.png")
CLASSES = ("cat", "dog")


def read(text: str, names: tuple[str, ...] = NAMES) -> ForgetSet:
    return read_csv(text.encode(), len(NAMES), CLASSES, "list.csv", names)


@pytest.mark.parametrize(
    ("path", "index"),
    [
        ("train/cat/2.png", 1),
        ("./train/cat/2.png", 1),
        ("train\\dog\\1.png", 2),
        ("/home/me/photos/train/dog/1.png", 2),
        ("C:\\photos\\train\\dog\\x y.png", 3),
        ("cat/1.png", 0),
        ("x y.png", 3),
    ],
)
def test_a_path_is_found_as_people_write_it(path: str, index: int) -> None:
    assert read(f"path,clean_label\n{path},cat\n") == ForgetSet((index,), (), {index: "cat"})
    assert read(f"note;file\nwhy;{path}\n") == ForgetSet((index,), (), {}, {index: "why"})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("path\ntest/cat/1.png\n", "names 1 files that are no training images here: 'test/cat/1.png' in line 2"),
        ("path\n/x/test/dog/1.png\n", "no training images here"),
        ("path\n../cat/1.png\n", "no training images here"),
        ("path\n1.png\n", "names 1 files that fit several training images: '1.png' in line 2"),
        ("path\na\nb\nc\nd\ne\n", "no training images here: 'a' in line 2, 'b' in line 3, 'c' in line 4 and 2 more"),
        ("path\ncat/1.png\ntrain/cat/1.png\n", "training example 0 twice, in lines 2 and 3"),
        ("path,clean_label\ncat/1.png,cow\n", "no class, 'cow' in line 2"),
        ("path,index\ncat/1.png,9\n", "training example 9 in line 2, but there are 4"),
        ("path,note\n,x\n", "no training images here: '' in line 2"),
        ("path\n", "names no training example"),
    ],
)  # fmt: skip
def test_a_list_that_does_not_fit_gets_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        read(text)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_paths_mean_nothing_where_data_have_none() -> None:
    with pytest.raises(UserError, match="these data do not come from files"):
        read("path\ntrain/cat/1.png\n", ())


def test_a_million_paths_and_paths_of_a_thousand_parts_are_read_in_seconds() -> None:
    names = [f"train/class {k % 10}/{k}.png" for k in range(50_000)]
    start = time.process_time()
    rows = "\n".join(names[k] if k < 50_000 else f"nowhere/{k}.png" for k in range(999_000))
    with pytest.raises(UserError, match="names 949,000 files that are no training images here"):
        read_csv(f"path\n{rows}\n".encode(), len(names), ("a", "b"), paths=names)
    deep = "\n".join("a/" * 2_000 + f"{k}.png" for k in range(1_000))
    with pytest.raises(UserError, match="names 1,000 files"):
        read_csv(f"path\n{deep}\n".encode(), len(names), ("a", "b"), paths=names)
    assert time.process_time() - start < 60
