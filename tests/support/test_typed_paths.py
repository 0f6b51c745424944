"""What no file can be called gets one sentence wherever a path is typed, and nothing is made."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from unlearn_core.cli import main
from unlearn_core.datasets import registry as datasets
from unlearn_core.datasets.files import cache
from unlearn_core.datasets.files.opening import check_path
from unlearn_core.errors import UserError
from unlearn_core.models.checkpoints.checkpoint import find
from unlearn_core.store import Store
from unlearn_core.support.typed_paths import MAX_NAME, typed_path, typed_target

BAD = {
    "a\0b": "has a NUL character in it",
    "a/" + "x" * 300: "has a name of 300 bytes, more than 255",
    "é" * 128: "has a name of 256 bytes",
    "a/" * 2_100 + "a": "has 4,201 bytes, more than 4,096",
    "~no-such-user-here/photos": "begins with '~no-such-user-here', but there is no such user",
}
CLASSES = [pytest.param(text, sentence, id=sentence[:24]) for text, sentence in BAD.items()]
NOT_UTF8 = pytest.param("caf\udce9", "is not UTF-8 text; rename the folder", id="bytes")


@pytest.mark.parametrize(("text", "sentence"), [*CLASSES, NOT_UTF8])
def test_data_checkpoints_and_stores(text: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cifar = datasets.get("cifar10")
    openers = {
        "The path of the data": [check_path, lambda text: cifar.collection(cifar.Params.model_construct(data=text))],
        "The path of the checkpoint": [find],
        "The path of the store": [Store.open, lambda place: Store.open(f"sqlite:///{place}")],
    }
    if "\0" not in text:
        monkeypatch.setenv("UNLEARN_CACHE", text)
        openers["The path of the cache (UNLEARN_CACHE)"] = [lambda _: cache.folder()]
    for start, functions in openers.items():
        for function in functions:
            with pytest.raises(UserError) as caught:
                function(text)
            assert str(caught.value).startswith(start)
            assert sentence in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("text", "sentence"), [CLASSES[1]])
@pytest.mark.parametrize(
    "command",
    [
        ["check", "--data"],
        ["check", "--data", ".", "--forget"],
        ["run", "--forget"],
        ["sweep"],
        ["results", "--store"],
        ["export", "--method", "rem", "--out"],
        ["discover", "--out"],
        ["discover", "--accept"],
        ["tune", "--out"],
        ["bench", "--out"],
    ],
    ids=" ".join,
)
def test_commands(
    command: list[str], text: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UNLEARN_STORE", str(tmp_path / "store"))
    for half in "ab":
        (tmp_path / half).mkdir()
    assert main([*command, text]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "Traceback" not in error
    if command != ["check", "--data", ".", "--forget"]:
        assert sentence in error


def test_a_folder_that_is_gone_under_ones_feet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(UserError, match="the current folder is gone"):
        typed_path("photos", "the data")
    assert typed_path(str(tmp_path), "the data") == tmp_path


def test_what_can_be_a_path_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert typed_path("a/../b", "the data") == typed_path("~/b", "the data") == tmp_path / "b"
    assert typed_path("x" * MAX_NAME, "the data").parent == tmp_path
    assert os.fsencode(typed_path("caf\udce9.csv", "the list", kept=False).name) == b"caf\xe9.csv"
    with pytest.raises(UserError, match=r"The folder of --out 'no/a\.csv' does not exist"):
        typed_target("no/a.csv", "--out")
    with pytest.raises(UserError, match="is in the way of a folder"):
        typed_target(tmp_path, "--out")
