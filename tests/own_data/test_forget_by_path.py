"""Forget lists that name files: matched with the training images, or refused naming a few."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pytest

from unlearn_core.datasets import Roster
from unlearn_core.errors import UserError
from unlearn_core.forget_sets import ForgetSet, Listed, read_list

NAMES = ("train/cat/1.png", "train/cat/2.png", "train/dog/1.png", "train/dog/x y.png")
CLASSES = ("cat", "dog")


def roster(names: Sequence[str]) -> Roster:
    """Everything is a training image, with the label that its folder says."""
    labels = np.array([int("dog" in name) for name in names or NAMES])
    return Roster(len(labels), tuple(names), labels, np.zeros(len(labels), bool), np.arange(len(labels)))


def listed(text: str, names: Sequence[str] = NAMES) -> Listed:
    return read_list(text.encode(), roster(names), CLASSES, "list.csv")


def read(text: str, names: tuple[str, ...] = NAMES) -> ForgetSet:
    found = listed(text, names)
    return ForgetSet(found.positions, (), dict(found.labels), dict(found.notes))


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
        ("path\ntest/cat/1.png\n", "names 1 files that are no images here: 'test/cat/1.png' in line 2"),
        ("path\n/x/test/dog/1.png\n", "no images here"),
        ("path\n../cat/1.png\n", "no images here"),
        ("path\n1.png\n", "names 1 files that fit several images: '1.png' in line 2"),
        ("path\na\nb\nc\nd\ne\n", "no images here: 'a' in line 2, 'b' in line 3, 'c' in line 4 and 2 more"),
        ("path,clean_label\ncat/1.png,dog\ntrain/cat/1.png,cat\n", "two right labels, 'dog' in line 2 and 'cat'"),
        ("path,clean_label\ncat/1.png,cow\n", "no class, 'cow' in line 2"),
        ("path,note\n,x\n", "no images here: '' in line 2"),
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


def test_many_paths_and_paths_of_a_thousand_parts_are_read_in_seconds() -> None:
    names = [f"train/class {k % 10}/{k}.png" for k in range(20_000)]
    start = time.process_time()
    rows = "\n".join(names[k] if k < 20_000 else f"nowhere/{k}.png" for k in range(100_000))
    said = listed(f"path\n{rows}\n", names).said
    assert "80,000 of the 100,000 listed files are no images here and are left out" in said[0]
    deep = "\n".join("a/" * 2_000 + f"{k}.png" for k in range(300))
    with pytest.raises(UserError, match="names 300 files"):
        listed(f"path\n{deep}\n", names)
    assert time.process_time() - start < 30
