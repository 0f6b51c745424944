"""Scenarios from words, from links of today and of before, and from the user's own files."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import unlearn_core as eunoe
from unlearn_core import view_state as vs
from unlearn_core.datasets import load_dataset
from unlearn_core.forget_sets import ForgetSet
from unlearn_core.forget_sets.in_use import sets_of
from unlearn_core.presets import make_scenario

GOLDEN = Path(__file__).parents[1] / "golden" / "links.json"
OLD = [entry for entry in json.loads(GOLDEN.read_text())["links"] if not entry["asks"] and "images" not in entry["query"]][::5]


def test_make_is_the_presets_scenario() -> None:
    words = {"regularity": 0.5, "amount": 40, "discovery": 0.2, "seed": 3, "overrides": {"training.epochs": 7}}
    made = eunoe.Scenario.make("blobs", **words)
    assert made.key == make_scenario("blobs", **words).key
    assert made.model_dump() == make_scenario("blobs", **words).model_dump()
    assert type(made.knowing([1, 2])) is eunoe.Scenario
    assert type(made.at_rate(0.5)) is eunoe.Scenario


@pytest.mark.parametrize("address", ["http://localhost:8501/compare?", "https://lab.example/eunoe/?", "?", ""])
def test_a_link_is_the_scenario_of_its_page(address: str) -> None:
    query = "dataset=blobs&regularity=0.25&seed=2&training.epochs=9&rem.epochs=3"
    assert eunoe.Scenario.from_url(address + query).key == vs.to_scenario(vs.decode(query)[0]).key


def test_a_link_without_settings_is_the_default_view() -> None:
    for link in ("http://localhost:8501", "http://localhost:8501/compare", "/compare", ""):
        assert eunoe.Scenario.from_url(link).key == make_scenario().key


def test_links_of_before_are_read_as_the_pages_read_them() -> None:
    assert len(OLD) > 20
    for entry in OLD:
        if "forget=" in entry["query"]:
            continue
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            scenario = eunoe.Scenario.from_url(f"http://localhost:8501/{entry['page']}?{entry['query']}")
        assert scenario.key == entry["scenario"], entry["query"]
        told = zip(said, entry["notices"], strict=True)  # the golden file leaves lists of names out
        assert all(str(one.message).startswith(notice) for one, notice in told)


def test_a_links_forget_set_is_looked_up_in_the_store(tmp_path: Path) -> None:
    store = eunoe.Store.open(tmp_path / "store")
    scenario = eunoe.Scenario.make("blobs")
    change = sets_of(store, scenario).create("mine", ForgetSet((3, 5, 9)))
    link = f"?dataset=blobs&forget={change.now.content}"
    assert eunoe.Scenario.from_url(link, store=store).forget == (3, 5, 9)
    with pytest.raises(eunoe.UserError, match="is not in this store"):
        eunoe.Scenario.from_url(link, store=tmp_path / "other")


def test_a_link_opens_no_file_by_itself(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_DATA_ROOTS", "/nowhere")
    link = f"?dataset=images&dataset.data={photos}&corruption=found&discovery=0"
    with pytest.raises(eunoe.UserError, match="open_files=True allows it"):
        eunoe.Scenario.from_url(link)
    assert eunoe.Scenario.from_url(link, open_files=True).dataset.params["data"] == str(photos)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two classes of ten grey images, "ant" dark and "bee" bright."""
    noise = np.random.default_rng(0)
    for name, level in (("ant", 40), ("bee", 200)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for k in range(10):
            pixels = np.clip(level + noise.integers(-30, 30, (16, 16)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{k:02}.png")
    return tmp_path / "photos"


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_ones_own_images_with_a_list_in_four_forms(photos: Path, tmp_path: Path) -> None:
    listed = ["ant/00.png", "bee/03.png"]
    file = tmp_path / "wrong.csv"
    file.write_text("path\n" + "\n".join(listed) + "\n")
    scenarios = [
        eunoe.load_images(photos, file),
        eunoe.load_images(photos, str(file)),
        eunoe.load_images(photos, listed),
        eunoe.load_images(str(photos), {"ant/00.png": "bee", "bee/03.png": "ant"}),
    ]
    assert len({one.key for one in scenarios}) == 1  # right labels are part of no key
    names = load_dataset(scenarios[0].dataset, 0).names
    assert {names[k] for k in scenarios[0].forget or ()} == set(listed)
    assert scenarios[0].relabelled == ()
    assert {label for _, label in scenarios[3].relabelled} == {"ant", "bee"}


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_ones_own_images_are_run_and_looked_at(photos: Path, tmp_path: Path) -> None:
    quick = {"training.epochs": 1}
    scenario = eunoe.load_images(photos, ["ant/00.png"], model="cnn", overrides=quick)
    results = eunoe.run(scenario, store=tmp_path / "store", overrides={"rem.epochs": 1})
    assert [row["method"] for row in results.rows] == ["finetune", "npo", "retrain", "rem"]  # no oracle
    assert "<svg" not in results._repr_html_()
    with pytest.raises(eunoe.UserError, match="unknown here"):
        results.figure()
    assert "Forget" in repr(results)


def test_what_was_taken_is_said(photos: Path) -> None:
    with pytest.warns(UserWarning, match="16 training and 4 test images"):
        eunoe.load_images(photos, found=False)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    ("forget", "says"),
    [
        ([], "is empty"),
        (["ant/99.png"], "no images here"),
        ([99], "99"),
        ("mine.csv", "cannot be read"),
        ("by hand", "by hand"),
    ],
)
def test_a_list_that_cannot_be_used_gets_one_sentence(forget: object, says: str, photos: Path, tmp_path: Path) -> None:
    with pytest.raises(eunoe.UserError, match=says):
        eunoe.load_images(photos, forget, store=tmp_path / "store")  # type: ignore[arg-type]


def test_a_folder_that_is_not_there_gets_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(eunoe.UserError, match="nowhere"):
        eunoe.load_images(tmp_path / "nowhere")
