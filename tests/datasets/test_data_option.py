"""``--data`` from end to end, tuning on files, and links to datasets that need files."""

from __future__ import annotations

import json
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from picturetools import make_folder, make_tree
from streamlit.testing.v1 import AppTest

from unlearn_core import view_state as vs
from unlearn_core.cli import main
from unlearn_core.datasets import registry
from unlearn_core.presets import make_scenario
from unlearn_core.tuning.search import Setting, tune, write_tuned
from unlearn_core.view_state.links import ASKED
from unlearn_core.view_state.permission import downloadable

ROOT = Path(__file__).parents[2]
QUICK = ["--engine", "inline", "--set", "training.epochs=2", "--amount", "6", "--methods", "finetune", "--json"]


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("UNLEARN_ENGINE", "inline")
    monkeypatch.setenv("UNLEARN_GALLERY", "")


def test_run_takes_a_folder_and_says_what_it_took(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_folder(tmp_path / "photos", train=12)
    (tmp_path / "photos" / "train" / "ant" / "bad.png").write_bytes(b"bad")
    command = ["run", "--data", str(tmp_path / "photos"), *QUICK]
    assert main(command) == 0
    out, err = capsys.readouterr()
    answer = json.loads(out)
    assert answer["scenario"]["dataset"]["name"] == "images"
    assert answer["scenario"]["model"]["name"] == "cnn"
    assert 0 <= answer["results"][0]["metrics"]["healed_x_utility"] <= 1
    assert "36 of 37 training images and 12 of 12 test images of 3 classes, 12×12 pixels, colour." in err
    assert "train/ant/bad.png is no image that can be read and is left out." in err
    # The folder moves, a relative path leads to it: the same data, so nothing is computed again.
    (tmp_path / "photos").rename(tmp_path / "moved")
    monkeypatch.chdir(tmp_path)
    assert main(["run", "--dataset", "images", "--data", "moved", *QUICK]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["scenario"]["key"] == answer["scenario"]["key"]
    assert [result["cached"] for result in again["results"]] == [True]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--data", "nowhere"], "There is nothing at"),
        (["--data", " "], "--data needs a path"),
        (["--data", "x", "--set", "dataset.data=y"], "Give the data once"),
        (["--data", "x", "--dataset", "digits"], "digits.data is not a known option"),
        (["--dataset", "images"], "needs files"),
        (["--dataset", "cifar10"], "CIFAR-10 is not in"),
        (["--dataset", "images", "--set", "dataset.limit=-1"], "images.limit must be at least 0"),
    ],
)
@pytest.mark.parametrize("command", [["run", "--engine", "inline"], ["tune", "--methods", "ascent"]])
def test_bad_data_is_one_line(
    command: list[str], arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, *arguments]) == 2
    err = capsys.readouterr().err.strip()
    assert sentence in err
    assert len(err.splitlines()) == 1


class Here:
    """An executor that computes at once."""

    def submit(self, function: Any, *arguments: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(function(*arguments))
        return done


def test_tuning_takes_the_same_data_and_records_no_place(tmp_path: Path) -> None:
    make_folder(tmp_path / "photos", train=30)
    overrides: dict[str, Any] = {"dataset.data": str(tmp_path / "photos"), "training.epochs": 1, "dataset.limit": 60}
    chosen = tune(
        Setting("images", tuple(overrides.items())),
        "ascent",
        Here(),  # type: ignore[arg-type]
        tries=1,
        finalists=1,
        regularity=(0.0,),
        discovery=(1.0,),
        first_seeds=(100,),
        more_seeds=(101,),
    )
    write_tuned(tmp_path / "photos.json", "images", {"ascent": chosen}, {})
    text = (tmp_path / "photos.json").read_text()
    assert json.loads(text)["methods"]["ascent"]["overrides"] == {"training.epochs": 1, "dataset.limit": 60}
    assert str(tmp_path) not in text


def test_presets_follow_size_channels_and_number_of_classes(tmp_path: Path) -> None:
    make_tree(tmp_path / "small", classes=("a", "b"))
    small = make_scenario("images", overrides={"dataset.data": str(tmp_path / "small")})
    assert (small.model.name, small.corruption.class_a, small.corruption.class_b) == ("cnn", 0, 1)
    large = make_scenario("images", overrides={"dataset.data": str(tmp_path / "small"), "dataset.size": 32})
    assert (large.model.name, large.model.params["width"]) == ("resnet9", 0.25)
    make_tree(tmp_path / "many", each=2, classes=tuple("abcdef"))
    many = make_scenario("images", overrides={"dataset.data": str(tmp_path / "many")})
    assert (many.corruption.class_a, many.corruption.class_b) == (3, 5)


@pytest.mark.parametrize("name", [source.name for source in registry if source.needs_data and not source.known])
def test_a_link_to_a_dataset_without_its_files_falls_back_with_a_sentence(name: str, tmp_path: Path) -> None:
    for query in (f"dataset={name}", f"dataset={name}&dataset.data={tmp_path / 'gone'}&dataset.limit=5"):
        state, notices = vs.decode(query)
        assert state["dataset"] == "digits"
        assert not state["overrides"]
        # What could be downloaded is asked for on the page instead: a link does not get it by itself.
        expected = ASKED if downloadable(name) else "The dataset is digits again."
        assert any(expected in notice for notice in notices)


def test_a_link_with_files_survives_and_copied_commands_have_the_same_key(tmp_path: Path) -> None:
    make_folder(tmp_path, train=12)
    state, notices = vs.decode(f"dataset=images&dataset.data={tmp_path}&dataset.limit=24&amount=6")
    assert notices == []
    assert vs.decode(vs.encode(state)) == (state, [])
    scenario = vs.to_scenario(state)
    assert scenario.dataset.params["limit"] == 24
    assert f"--set dataset.data={tmp_path}" in vs.as_cli(state)
    assert [field.name for field in vs.section_fields(state, "dataset")][:2] == ["data", "size"]


def test_craft_offers_files_only_where_a_link_brings_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_folder(tmp_path / "photos", train=12)
    monkeypatch.chdir(ROOT)

    def craft(**query: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        for name, value in query.items():
            app.query_params[name.replace("__", ".")] = value
        app.switch_page("pages/craft.py").run()
        assert not app.exception
        return app

    assert "Your own images" not in craft().selectbox(key="control:dataset").options
    app = craft(dataset="images", dataset__data=str(tmp_path / "photos"), amount="6")
    assert app.selectbox(key="control:dataset").value == "images"
    assert not app.warning
    assert not app.error
    assert app.text_input(key="parameter:dataset.data").value == str(tmp_path / "photos")
    app.selectbox(key="control:dataset").set_value("digits").run()
    assert not app.exception
    assert not app.error
