"""The photographs whose results come with the code: their keys need no files, their pictures do."""

from __future__ import annotations

from pathlib import Path

import pytest
from picturetools import forget, make_folder

from unlearn_core import view_state as vs
from unlearn_core.datasets import load_dataset, photographs
from unlearn_core.datasets import registry as datasets
from unlearn_core.errors import UserError
from unlearn_core.presets import make_scenario
from unlearn_core.results.settings import options_of


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small collection that takes the place of CIFAR-10."""
    make_folder(tmp_path / "small", train=8, classes=tuple("abcdefghij"))
    content = make_scenario("images", overrides={"dataset.data": str(tmp_path / "small")}).dataset.params["content"]
    monkeypatch.setattr(photographs, "CONTENT", content)
    forget()
    return tmp_path / "small"


def test_keys_are_the_same_with_and_without_the_files(folder: Path) -> None:
    without = make_scenario("photographs", regularity=0.5, discovery=0.1)
    found = make_scenario("photographs", regularity=0.5, discovery=0.1, overrides={"dataset.data": str(folder)})
    assert without.key == found.key
    assert without.original_key == found.original_key
    assert (without.dataset.params["limit"], without.training.augment) == (5_000, False)
    assert (without.model.name, without.model.params["width"]) == ("resnet9", 0.25)
    many = make_scenario("photographs", regularity=0.5, discovery=0.1, overrides={"dataset.limit": 4_000})
    assert many.key != without.key


def test_without_its_files_there_is_no_picture_and_a_sentence_says_where_they_are() -> None:
    with pytest.raises(UserError, match="only their results come with Eunoe") as told:
        load_dataset(make_scenario("photographs").dataset, 0)
    assert photographs.WHERE in str(told.value)
    with pytest.raises(UserError, match=f"clone {photographs.WHERE}"):
        datasets.get("photographs").fetch(lambda _: None)


def test_its_files_are_read_from_where_they_are_said_to_be_or_from_the_cache(folder: Path, cache: Path) -> None:
    scenario = make_scenario("photographs", overrides={"dataset.data": str(folder)})
    assert len(load_dataset(scenario.dataset, 0).train) == 80
    (cache / "photographs").symlink_to(folder)
    forget()
    assert datasets.get("photographs").missing() == ""
    assert len(load_dataset(make_scenario("photographs").dataset, 0).train) == 80


def test_a_table_names_only_what_differs_from_the_preset(folder: Path) -> None:
    here = {"dataset.data": str(folder)}
    assert options_of(make_scenario("photographs", overrides=here)) == ""
    assert options_of(make_scenario("photographs", overrides=here, recipe="accurate")) == "recipe=accurate"
    assert options_of(make_scenario("photographs", overrides=here | {"dataset.limit": 2_000})) == "dataset.limit=2000"


def test_other_files_are_refused_by_name(folder: Path, tmp_path: Path) -> None:
    other = make_folder(tmp_path / "other", train=9, classes=tuple("abcdefghij"))
    with pytest.raises(UserError, match=r"other' are not CIFAR-10 as JPEG files.*dataset 'images'"):
        make_scenario("photographs", overrides={"dataset.data": str(other)})
    with pytest.raises(UserError, match="one collection of files"):
        make_scenario("photographs", overrides={"dataset.content": "sha-" + 32 * "0"})


def test_a_view_keeps_them_without_their_files_and_drops_a_folder_that_is_none_of_them(folder: Path, tmp_path: Path) -> None:
    state, notices = vs.decode("dataset=photographs&discovery=0.1")
    assert (state["dataset"], notices) == ("photographs", [])
    assert vs.files_absent(state)
    assert vs.to_scenario(state).key == make_scenario("photographs", discovery=0.1).key
    here, notices = vs.decode(f"dataset=photographs&dataset.data={folder}")
    assert notices == []
    assert not vs.files_absent(here)
    gone, (notice,) = vs.decode(f"dataset=photographs&dataset.data={tmp_path / 'gone'}")
    assert gone["dataset"] == "photographs"
    assert not gone["overrides"]
    assert "There is nothing at" in notice
    assert not vs.files_absent(vs.default_state())
