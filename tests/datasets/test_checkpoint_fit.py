"""What a checkpoint says about the given training labels, before anything runs; and the size at which images reach it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from checkpointtools import CLASSES, NAME, network, solved
from picturetools import make_folder, make_tree
from PIL import Image
from safetensors.torch import save_file

from unlearn_core.cli import main
from unlearn_core.datasets import load_dataset
from unlearn_core.engine import Engine
from unlearn_core.errors import Cancelled, UserError
from unlearn_core.evaluation import fit_key, fit_sentences, load_scenario_data, measure_fit
from unlearn_core.evaluation.checkpoint_fit import input_words
from unlearn_core.presets import make_scenario
from unlearn_core.stages.checkpoint_fit import plan_fit
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.training import SilentReporter


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_STORE", str(tmp_path / "store"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures, and networks that know them: on pixels from 0 to 1, and on those that are normalised as imagenet has it."""
    root = tmp_path_factory.mktemp("brought")
    make_folder(root / "photos", train=12)
    torch.save(solved(root / "photos" / "train").state_dict(), root / "plain.pt")
    return root


def scenario_of(place: Path, name: str = "plain.pt", **model: Any) -> Any:
    overrides: dict[str, Any] = {"dataset.data": str(place / "photos"), "corruption.found": True}
    overrides |= {"model.weights": str(place / name), "model.architecture": NAME}
    overrides |= {f"model.{key}": value for key, value in model.items()}
    return make_scenario("images", discovery=0.0, model="torchvision", overrides=overrides)


def fit_of(scenario: Any) -> dict[str, Any]:
    return measure_fit(scenario, load_scenario_data(scenario, torch.device("cpu")), SilentReporter())


def test_a_checkpoint_that_sees_what_it_was_trained_on_is_right_and_nothing_is_wrong(place: Path) -> None:
    fit = fit_of(scenario_of(place, normalise="none"))
    assert (fit["train_accuracy"], fit["train_images"], fit["test_images"], fit["state"]) == (1.0, 36, 12, "fine")
    assert fit["chance"] == pytest.approx(1 / 3)
    assert fit["bound"] == pytest.approx(2 / 3)  # halfway from the largest class to all
    assert len(fit_sentences(fit)) == 1
    assert "is right on 100.0% of the given training labels (of 36 images)" in fit_sentences(fit)[0]


def test_another_normalisation_is_noticed_and_the_right_one_is_named(place: Path) -> None:
    fit = fit_of(scenario_of(place))  # imagenet, which was not asked for
    assert fit["state"] == "low"
    assert fit["train_accuracy"] < 0.6
    assert fit["tried"]["--normalise none"] == 1.0
    said = " ".join(fit_sentences(fit))
    assert "with normalise imagenet" in said
    assert "far too few training labels: a network that was trained on them is right on more than 66.7%" in said
    assert "another normalisation (--normalise), another input size (--input-size) or another order of the classes" in said
    assert "With --normalise none it would be right on 100.0%." in said
    assert fit["reordered"] is None


def test_another_order_of_classes_is_noticed(place: Path, tmp_path: Path) -> None:
    state = torch.load(place / "plain.pt", weights_only=True)
    moved = torch.tensor([1, 2, 0])  # output 0 now says bee
    save_file(state | {k: state[k][moved].contiguous() for k in ("fc.weight", "fc.bias")}, place / "moved.safetensors")
    fit = fit_of(scenario_of(place, "moved.safetensors", normalise="none"))
    assert (fit["state"], fit["train_accuracy"], fit["reordered"], fit["order"]) == ("low", 0.0, 1.0, [1, 2, 0])
    assert (
        "With its outputs in another order of classes (output 0 for class 1, say) it would be right on 100.0%."
        in (fit_sentences(fit)[-1])
    )


def test_far_fewer_training_than_test_labels_are_said_to_be_another_thing(place: Path) -> None:
    """The network is right on the test pictures, and half of the training labels are wrong."""
    rows, photos = ["path,label,split"], place / "photos"
    for path in sorted(photos.glob("*/*/*.png")):
        half, name, file = path.relative_to(photos).parts
        wrong = half == "train" and int(file[:2]) % 2
        rows.append(f"photos/{half}/{name}/{file},{CLASSES[(CLASSES.index(name) + 1) % 3] if wrong else name},{half}")
    (place / "half.csv").write_text("\n".join(rows))
    scenario = make_scenario(
        "images", discovery=0.0, model="torchvision",
        overrides={"dataset.data": str(place / "half.csv"), "corruption.found": True, "model.architecture": NAME,
                   "model.weights": str(place / "plain.pt"), "model.normalise": "none"},
    )  # fmt: skip
    fit = fit_of(scenario)
    assert fit["train_accuracy"] == 0.5
    assert fit["test_accuracy"] >= 0.9
    assert fit["state"] == "contrary"
    assert "either many training labels are wrong or it was trained on other images" in fit_sentences(fit)[1]
    assert not fit["tried"]


def test_check_and_run_say_it_as_text_and_as_json(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    came = ["--data", str(place / "photos"), "--checkpoint", str(place / "plain.pt"), "--architecture", NAME]
    assert main(["check", *came]) == 0
    said = capsys.readouterr().out
    assert "of the given training labels (of 36 images)" in said
    assert said.index("Problems:") < said.index("- That is far too few training labels")
    assert main(["check", *came, "--normalise", "none", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["checkpoint"]["state"], answer["checkpoint"]["train_accuracy"]) == ("fine", 1.0)
    assert answer["problems"] == []
    assert "outliers" in answer["health"]["examined"]  # there is a network to see them by
    assert main(["check", "--data", str(place / "photos"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["checkpoint"] is None

    (tmp_path / "list.csv").write_text("path\ntrain/ant/00.png\ntrain/ant/01.png\ntrain/bee/03.png\n")
    known = ["--found", "--forget", str(tmp_path / "list.csv"), "--methods", "ssd"]
    assert main(["run", *came, *known, "--engine", "inline"]) == 0
    first = capsys.readouterr()
    assert "far too few training labels" in first.out
    before, after = first.err.index("far too few training labels"), first.err.index("✓ Original model")
    assert before < after  # said before anything runs
    assert main(["run", *came, *known, "--engine", "inline", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["checkpoint"]["tried"]["--normalise none"] == 1.0
    assert again["checkpoint"]["sentences"][0] in first.out


def test_a_sweep_says_it_once_before_anything_runs(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = {"dataset.data": str(place / "photos"), "model.architecture": NAME, "model.weights": str(place / "plain.pt")}
    plan = {"dataset": "images", "model": "torchvision", "methods": ["ssd"], "regularity": [0.0], "seeds": [0, 1]}
    (tmp_path / "plan.yaml").write_text(json.dumps(plan | {"amount": [3], "discovery": [1.0], "set": wanted}))
    main(["sweep", str(tmp_path / "plan.yaml"), "--engine", "inline"])
    said = capsys.readouterr().err
    assert said.count("far too few training labels") == 1
    store = Store.open()
    assert max(record.created for record in store.find("fit")) <= min(record.created for record in store.find("original"))


def test_it_is_a_stage_of_its_own_that_is_computed_once(place: Path, tmp_path: Path) -> None:
    scenario = scenario_of(place)
    stages = plan_fit(scenario)
    assert [(stage.kind, stage.key) for stage in stages] == [("fit", fit_key(scenario))]
    assert fit_key(scenario) != fit_key(scenario_of(place, normalise="none"))
    store = Store.open(tmp_path / "s")
    engine = Engine(store, address="inline")
    assert engine.wait(engine.submit(stages, "test"), 120).state == "done"
    again = engine.wait(engine.submit(stages, "test"), 120)
    engine.close()
    assert again.stages[0].state == "cached"
    record = store.get(fit_key(scenario))
    assert record is not None
    assert record.payload["state"] == "low"
    assert not store.find("original")
    assert plan_fit(make_scenario("digits")) == []
    torch.save(network(7).state_dict(), place / "seven.pt")
    with pytest.raises(UserError, match="tells 7 classes apart, but the data have 3"):
        plan_fit(scenario_of(place, "seven.pt"))


def test_measuring_stops_when_it_is_cancelled(place: Path) -> None:
    class Unwanted(SilentReporter):
        def cancelled(self) -> bool:
            return True

    scenario = scenario_of(place)
    with pytest.raises(Cancelled):
        measure_fit(scenario, load_scenario_data(scenario, torch.device("cpu")), Unwanted())


def large(root: Path, side: int = 48) -> Path:
    """Pictures of ``side`` pixels whose detail is lost in a thumbnail: one-pixel stripes."""
    for half, count in (("train", 6), ("test", 3)):
        for k, name in enumerate(CLASSES):
            (root / half / name).mkdir(parents=True)
            for n in range(count):
                pixels = np.zeros((side, side, 3), np.uint8)
                pixels[:, (n + k) % 2 :: 2] = 80 * (k + 1)
                Image.fromarray(pixels).save(root / half / name / f"{n}.png")
    return root


def test_images_are_decoded_at_the_size_that_the_network_takes(tmp_path: Path) -> None:
    photos = large(tmp_path / "photos")

    def made(**sets: Any) -> Any:
        given = {"dataset.data": str(photos), "model.architecture": NAME} | {k.replace("__", "."): v for k, v in sets.items()}
        return make_scenario("images", model="torchvision", overrides=given)

    assert made().dataset.params["size"] == 32  # what the network takes was not said
    full = made(model__size=48)
    assert full.dataset.params["size"] == 48
    stripes = load_dataset(full.dataset, 0).train.inputs[0].float()
    assert set(stripes.unique().tolist()) == {0.0, 80.0}  # every pixel of the file, and no enlarged thumbnail
    assert made(model__size=40).dataset.params["size"] == 40
    assert made(model__size=300).dataset.params["size"] == 48  # the files have no more; the network enlarges them
    assert make_scenario("images", overrides={"dataset.data": str(photos)}).dataset.params["size"] == 32


def test_a_size_of_the_data_that_contradicts_the_network_s_is_refused_and_a_larger_one_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = large(tmp_path / "photos")
    save_file(network().state_dict(), tmp_path / "a.safetensors", {"architecture": NAME, "size": "40"})
    came = ["check", "--data", str(photos), "--checkpoint", str(tmp_path / "a.safetensors")]
    assert main([*came, "--set", "dataset.size=24"]) == 2
    error = capsys.readouterr().err
    assert "dataset.size=24 keeps the images at 24×24 pixels, and the network takes 40×40" in error
    assert error.count("\n") == 1
    assert main([*came, "--set", "dataset.size=44", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["checkpoint"]["words"] == [
        "The images are kept at 44×44 pixels and made smaller on the way into the network, to 40×40."
    ]
    given = {"dataset.data": str(photos), "model.architecture": NAME}
    enlarged = make_scenario("images", model="torchvision", overrides=given | {"model.size": 64})
    assert input_words(enlarged) == [
        "The network takes 64×64 pixels and the files have at most 48 pixels along the shorter side: they are enlarged on the "
        "way in."
    ]
    assert input_words(make_scenario("images", model="torchvision", overrides=given)) == [
        "No input size was given: the network sees the images as they are kept, 32×32 pixels, made smaller from files of up "
        "to 48."
    ]
    assert input_words(make_scenario("images", model="torchvision", overrides=given | {"model.size": 48})) == []


def test_a_network_that_was_trained_on_the_whole_files_is_right_on_them_here(tmp_path: Path) -> None:
    """Thumbnails of 32 pixels would show the three classes as three greys too, so the stripes alone must tell them apart."""
    for half in ("train", "test"):
        for k, name in enumerate(CLASSES):
            (tmp_path / "photos" / half / name).mkdir(parents=True)
            for n in range(4):
                pixels = np.random.default_rng(100 * k + n + (half == "test") * 1000).integers(0, 30, (64, 64, 3), np.uint8)
                pixels[(slice(None, None, 2), slice(None)) if k == 0 else (slice(None), slice(None, None, 2))] += 120
                if k == 2:
                    pixels[:, ::2] -= 120
                    pixels[::2, ::2] += 120
                    pixels[1::2, 1::2] += 120
                Image.fromarray(pixels).save(tmp_path / "photos" / half / name / f"{n}.png")
    torch.save(solved(tmp_path / "photos" / "train").state_dict(), tmp_path / "plain.pt")
    right = fit_of(scenario_of(tmp_path, normalise="none", size=64))
    small = fit_of(scenario_of(tmp_path, normalise="none"))
    assert (right["train_accuracy"], right["side"]) == (1.0, 64)
    assert small["side"] == 32
    assert small["train_accuracy"] < right["train_accuracy"]


def test_a_contradiction_never_reaches_a_stage(tmp_path: Path) -> None:
    make_tree(tmp_path / "photos" / "train", 4)
    make_tree(tmp_path / "photos" / "test", 2, first=9)
    small = make_scenario(
        "images", amount=2, model="torchvision",
        overrides={"dataset.data": str(tmp_path / "photos"), "dataset.size": 8, "model.architecture": NAME, "model.size": 8},
    )  # fmt: skip
    assert small.dataset.params["size"] == 8
    assert plan_runs(small, [])
