"""What a link may open by itself: files inside the allowed folders, and nothing that has to be downloaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from unlearn_core import view_state as vs
from unlearn_core.datasets import registry
from unlearn_core.datasets.torchvision_sets import TorchvisionArrays
from unlearn_core.view_state.permission import ROOTS, inside_roots


@pytest.fixture
def roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An allowed folder; beside it lies one that is not."""
    for name in ("allowed", "private"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv(ROOTS, str(tmp_path / "allowed"))
    monkeypatch.setenv("UNLEARN_CACHE", str(tmp_path / "cache"))
    return tmp_path


def everything(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


def test_the_folders_that_links_may_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, here = tmp_path / "home", tmp_path / "here"
    for folder in (home, here):
        folder.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(here)
    monkeypatch.delenv(ROOTS)
    assert inside_roots("~/photos")
    assert inside_roots("photos/train")
    assert inside_roots(str(home))
    for outside in ("/etc/passwd", "..", "../here2", f"{home}2", "~/../x", "\0", "//server/share", "\\\\server\\share"):
        assert not inside_roots(outside), outside
    monkeypatch.setenv(ROOTS, f"{tmp_path / 'a'}:{tmp_path / 'b'}")
    assert inside_roots(str(tmp_path / "b" / "x"))
    assert not inside_roots("~/photos")
    monkeypatch.setenv(ROOTS, "")
    assert not inside_roots("~/photos")
    monkeypatch.delenv(ROOTS)
    monkeypatch.setenv("HOME", "/")  # as a service's may be: that allows nobody the whole disk
    assert not inside_roots("/etc/passwd")


def test_a_link_on_the_disk_leads_out_of_no_folder(roots: Path) -> None:
    (roots / "allowed" / "out").symlink_to(roots / "private")
    (roots / "in").symlink_to(roots / "allowed")
    assert not inside_roots(str(roots / "allowed" / "out" / "photos"))
    assert inside_roots(str(roots / "in" / "photos"))


@pytest.mark.parametrize("field", vs.PATHS)
def test_what_lies_outside_is_not_looked_at(roots: Path, field: str) -> None:
    there, secret, missing = (roots / "private" / name for name in ("there", "secret", "missing"))
    there.mkdir()
    secret.mkdir(mode=0)
    told = []
    for path in (there, secret, missing):
        state, notices, asked = vs.decode_asking({"dataset": "images", field: str(path), "seed": "2"})
        assert asked.paths == (str(path),)
        assert state["seed"] == 2
        assert state["own"] == ""
        assert not {"dataset.data", "model.weights"} & set(state["overrides"])
        told.append([notice.replace(path.name, "…") for notice in notices])
    assert told[0] == told[1] == told[2]  # nobody learns from a sentence what is there
    assert vs.decode({field: str(there)})[0][("own" if field == "own" else "overrides")] in ("", {})


def test_what_was_typed_or_opened_may_lie_anywhere(roots: Path) -> None:
    path = str(roots / "private" / "photos")
    for more in ({"opened": {path}}, {"also": [roots / "private"]}):
        state, _, asked = vs.decode_asking({"own": path}, **more)
        assert (state["own"], bool(asked)) == (path, False)


def test_no_link_downloads_or_makes_a_folder(roots: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(self: TorchvisionArrays, tell: object = None) -> None:
        raise AssertionError(f"downloads to {self.root}")

    monkeypatch.setattr(TorchvisionArrays, "download", fetch)
    before = everything(roots)
    for place in (roots / "private" / "x", roots / "allowed" / "x", ""):
        query = {"dataset": "cifar10", "dataset.download": "true", "dataset.data": str(place)}
        state, _, asked = vs.decode_asking(query)
        assert asked.paths or asked.download == "cifar10"
        assert state["dataset"] == "digits"
        assert "dataset.download" not in state["overrides"]
    assert everything(roots) == before


def test_a_download_goes_to_the_cache_folder_alone(roots: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places: list[Path] = []

    def fetch(self: TorchvisionArrays, tell: object) -> None:
        places.append(self.root)

    monkeypatch.setattr(TorchvisionArrays, "download", fetch)
    registry.get("cifar10").fetch(print)
    assert places == [roots / "cache" / "torchvision"]
