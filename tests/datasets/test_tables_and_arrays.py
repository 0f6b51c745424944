"""Tables of paths and labels, and arrays: what their folder gives, and what cannot be is said in one sentence."""

from __future__ import annotations

import contextlib
import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from picturetools import CLASSES, load, make_tree, same

from unlearn_core.errors import UserError
from unlearn_core.presets import make_scenario


def make_table(root: Path, name: str = "list.csv", **columns: list[str]) -> Path:
    rows = [{"path": path.relative_to(root).as_posix(), "label": path.parent.name} for path in sorted(root.rglob("*.png"))]
    frame = pd.DataFrame(rows).assign(**columns)
    target = root / name
    frame.to_csv(target, index=False) if target.suffix == ".csv" else frame.to_parquet(target)
    return target


@pytest.mark.parametrize("name", ["list.csv", "list.parquet"])
def test_a_table_gives_what_its_folder_gives(tmp_path: Path, name: str) -> None:
    tree = make_tree(tmp_path, each=5)
    assert same(load(make_table(tree, name)), load(tree))


def test_given_and_clean_labels_and_the_split_come_from_the_table(tmp_path: Path) -> None:
    make_tree(tmp_path, each=4)
    clean = ["ant"] * 4 + ["bee"] * 4 + [""] * 4
    given_ = ["ant", "bee", "ant", "ant"] + ["bee"] * 4 + ["cow"] * 4
    table = make_table(tmp_path, given_label=given_, clean_label=clean, split=["train", "train", "train", "test"] * 3)
    frame = pd.read_csv(table, keep_default_na=False).drop(columns="label")
    frame.to_csv(table, index=False, sep=";", encoding="utf-8-sig")
    split = load(table)
    assert split.names == tuple(f"{name}/0{k}.png" for name in CLASSES for k in range(3))
    assert split.train.labels.tolist() == [0, 1, 0, 1, 1, 1, 2, 2, 2]
    assert split.clean is not None
    assert split.clean.tolist() == [0, 0, 0, 1, 1, 1, -1, -1, -1]
    assert len(split.test) == 3


def test_rows_that_cannot_be_used_are_listed(tmp_path: Path) -> None:
    table = make_table(make_tree(tmp_path, each=4))
    with table.open("a") as file:
        file.write("ant/gone.png,ant\nant/00.png,bee\nant/../ant/01.png,ant\n")
    split = load(table)
    assert len(split.train) + len(split.test) == 12
    assert "1 of the files are missing: 'ant/gone.png'" in split.problems[0]
    assert "2 of the files are listed more than once" in split.problems[1]


def test_a_changed_label_changes_the_key(tmp_path: Path) -> None:
    table = make_table(make_tree(tmp_path, each=4))
    keys = {make_scenario("images", overrides={"dataset.data": str(table)}).key}
    table.write_text(table.read_text().replace("ant/00.png,ant", "ant/00.png,bee"))
    os.utime(table, ns=(1, 1))
    other = tmp_path / "other.csv"
    table.rename(other)
    keys.add(make_scenario("images", overrides={"dataset.data": str(other)}).key)
    assert len(keys) == 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"path,label\ncaf\xe9.png,ant\n", "is not UTF-8 text"),
        (b"", "is no table"),
        (b"name,kind\na.png,b\n", "needs a column 'path'"),
        (b"path\na.png\n", "needs a column 'label'"),
        (b"path,label\n", "names no image that is there"),
        (b"path,label\nno.png,a\n", "names no image that is there"),
        (b"path,label\n../secret.png,a\n", "is not in its folder"),
        (b"path,label\n/etc/hostname,a\n", "is not in its folder"),
        (b'path,label\n"a.png,b\n', "is no table|names no image"),
        (b"path,label\na.png,a\na.png,a,b,c,d\n", "is no table"),
        (b"path,label,split\nant/00.png,ant,night\nbee/00.png,bee,train", "has the split 'night'"),
        (b"\0\0\0,\0", "needs a column|is no table"),
        (b"path,label\n" + b"ant/00.png,ant\n" * 1_000_000, "has more than 300,000 images"),
    ],
    ids=lambda value: value[:24].decode("latin-1") if isinstance(value, bytes) else "",
)
def test_a_table_that_cannot_be_is_said_in_one_sentence(tmp_path: Path, text: bytes, sentence: str) -> None:
    make_tree(tmp_path, each=2)
    (tmp_path / "list.csv").write_bytes(text)
    with pytest.raises(UserError, match=sentence) as caught:
        load(tmp_path / "list.csv")
    assert "\n" not in str(caught.value)


def test_a_parquet_that_is_none_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "list.parquet").write_bytes(b"PAR1 nothing PAR1")
    with pytest.raises(UserError, match="cannot be read"):
        load(tmp_path / "list.parquet")


def arrays(count: int = 12, shape: tuple[int, ...] = (10, 10, 3)) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, *shape), dtype=np.uint8), np.arange(count) % 3


@pytest.mark.parametrize(
    "names", [("x_train", "y_train", "x_test", "y_test"), ("train_images", "train_labels", "test_images", "test_labels")]
)
def test_arrays_with_a_test_half(tmp_path: Path, names: tuple[str, ...]) -> None:
    x, y = arrays()
    np.savez(
        tmp_path / "d.npz", **dict(zip(names, (x, y[:, None], x[:6] // 2, y[:6]), strict=True)), class_names=["a", "b", "c"]
    )
    split = load(tmp_path / "d.npz")
    assert np.array_equal(split.train.inputs.permute(0, 2, 3, 1).numpy(), x)
    assert split.train.labels.tolist() == y.tolist()
    assert split.train.class_names == ("a", "b", "c")
    assert split.names[:2] == ("train[0]", "train[1]")
    assert len(split.test) == 6


@pytest.mark.parametrize(
    ("change", "channels"),
    [
        (lambda x: x[..., 0], 1),
        (lambda x: x[..., :1], 1),
        (lambda x: np.moveaxis(x, -1, 1), 3),
        (lambda x: x / 255.0, 3),
        (lambda x: x.astype(np.float32), 3),
        (lambda x: x.astype(np.uint16) * 257, 3),
        (lambda x: x.astype(np.int64), 3),
    ],
)
def test_arrays_of_any_usual_layout(tmp_path: Path, change: Callable[[np.ndarray], np.ndarray], channels: int) -> None:
    x, y = arrays(40)
    np.savez_compressed(tmp_path / "d.npz", images=change(x), labels=y)
    split = load(tmp_path / "d.npz", test_share=0.5)
    assert split.train.shape == (channels, 10, 10)
    kept = [int(name[6:-1]) for name in split.names]
    expected = np.moveaxis(x[kept], -1, 1)[:, :channels]
    assert np.array_equal(split.train.inputs.numpy(), expected)


def test_clean_labels_come_with_the_arrays(tmp_path: Path) -> None:
    x, y = arrays()
    np.savez(tmp_path / "d.npz", x_train=x, y_train=(y + 1) % 3, x_test=x[:3], y_test=y[:3], clean_train=y)
    split = load(tmp_path / "d.npz")
    assert split.clean is not None
    assert split.clean.tolist() == y.tolist()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"a": np.zeros(3)}, "has the arrays a; expected"),
        ({"images": np.zeros((4, 8, 8), np.uint8), "labels": np.zeros(3, int)}, "has 3 labels for 4 images"),
        ({"images": np.zeros((4, 8, 8), np.uint8), "labels": np.array([0, 1, -1, 0])}, "must be at least 0"),
        (
            {"images": np.zeros((4, 8, 8), np.uint8), "labels": np.array([0, 1, 2, 0]), "class_names": ["a", "b"]},
            "below 2, the number of class names",
        ),
        ({"images": np.zeros((4, 8, 8), np.uint8), "labels": np.array([0.5, 1, 1, 0])}, "must hold whole numbers or names"),
        ({"images": np.zeros((4, 8, 8), np.uint8), "labels": np.array([0, 1, 1, 0], object)}, "cannot be read"),
        ({"images": np.full((4, 8, 8), np.nan), "labels": np.arange(4)}, "runs from nan to nan"),
        ({"images": np.zeros((4, 8, 8, 7), np.uint8), "labels": np.arange(4)}, "images have 1 or 3 channels"),
        ({"images": np.zeros((4, 8), np.uint8), "labels": np.arange(4)}, "expected images, height, width"),
        ({"images": np.array(["a", "b"]), "labels": np.arange(2)}, "expected images, height, width"),
        ({"images": np.zeros((30_000, 300, 300), np.uint8)[:0], "labels": np.arange(0)}, "expected images, height, width"),
    ],
)
def test_arrays_that_cannot_be_are_said_in_one_sentence(tmp_path: Path, content: dict[str, object], sentence: str) -> None:
    np.savez(tmp_path / "d.npz", **content)  # type: ignore[arg-type]
    with pytest.raises(UserError, match=sentence) as caught:
        load(tmp_path / "d.npz")
    assert "\n" not in str(caught.value)


def test_an_npz_bomb_is_refused_from_its_headers(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (100_000, 256, 256, 3)})
    with zipfile.ZipFile(tmp_path / "d.npz", "w") as file:
        file.writestr("images.npy", header.getvalue())
        file.writestr("labels.npy", header.getvalue())
    with pytest.raises(UserError, match="unpacks to"):
        load(tmp_path / "d.npz")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damage=st.lists(st.tuples(st.integers(0, 2**20), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_damaged_npz_never_raises_anything_else(tmp_path: Path, damage: list[tuple[int, int]]) -> None:
    x, y = arrays()
    np.savez(tmp_path / "d.npz", images=x[:, :4, :4], labels=y)
    raw = bytearray((tmp_path / "d.npz").read_bytes())
    for at, value in damage:
        raw[at % len(raw)] = value
    (tmp_path / "d.npz").write_bytes(raw)
    with contextlib.suppress(UserError):
        load(tmp_path / "d.npz")
