"""Data health: what was planted is found, in a clean folder nothing is, and what does not apply is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from healthtools import CLASSES, make_clean, photograph, plant
from PIL import Image

from unlearn_core.datasets import load_dataset
from unlearn_core.discovery.health.attributes import Attribute, find_associations, shares_told, text_attribute
from unlearn_core.discovery.health.classes import find_imbalance
from unlearn_core.discovery.health.examine import examine
from unlearn_core.discovery.health.findings import Health
from unlearn_core.discovery.health.measures import blur_of, measure_grey
from unlearn_core.discovery.health.odd import robust_scores
from unlearn_core.discovery.health.remote import find_remote, neighbour_distances
from unlearn_core.presets import make_scenario
from unlearn_core.specs import DatasetSpec


@pytest.fixture(autouse=True, scope="module")
def _cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    monkey = pytest.MonkeyPatch()
    monkey.setenv("UNLEARN_CACHE", str(tmp_path_factory.mktemp("cache")))
    yield
    monkey.undo()


def look(path: Path | str, dataset: str = "images") -> tuple[Health, DatasetSpec]:
    overrides = {"dataset.data": str(path), "corruption.found": True} if dataset == "images" else {}
    spec = make_scenario(dataset, overrides=overrides).dataset
    return examine(spec, 0, lambda done, total: None), spec


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Health, dict[str, set[str]], tuple[str, ...]]:
    root = make_clean(tmp_path_factory.mktemp("spoiled"))
    planted = plant(root)
    found, spec = look(root)
    return found, planted, load_dataset(spec, 0).names


def test_everything_that_was_planted_is_found_and_nothing_else(
    spoiled: tuple[Health, dict[str, set[str]], tuple[str, ...]],
) -> None:
    found, planted, names = spoiled
    for name, members in planted.items():
        assert {names[k] for k in found.of(name).members} >= members, name
    assert {one.name for one in found.findings} == {*planted}
    flagged = {names[k] for one in found.findings for k in one.members}
    innocent = flagged - set().union(*planted.values())
    assert len(innocent) <= 0.01 * len(names), innocent
    assert found.of("shared_copies").level == "data set"
    assert found.of("shared_copies").tested == 1


def test_copies_lie_beside_each_other(spoiled: tuple[Health, dict[str, set[str]], tuple[str, ...]]) -> None:
    found, _, names = spoiled
    exact = found.of("exact_copies")
    pairs = {frozenset(names[int(k)] for k in exact.members[exact.values == number]) for number in np.unique(exact.values)}
    assert frozenset({"train/ant/060.png", "train/ant/061.png"}) in pairs
    assert (np.diff(exact.values) >= 0).all()


def test_nothing_is_found_in_a_clean_folder(tmp_path: Path) -> None:
    found, _ = look(make_clean(tmp_path, train=150))
    assert found.findings == ()
    assert found.sentence.startswith("Nothing was found")
    assert {"blurry", "odd size", "near copies", "brightness and class"} <= {*found.examined}
    assert "No file says with which camera it was taken." in found.left_out


def test_brightness_and_the_source_folder_that_tell_the_class_are_found(tmp_path: Path) -> None:
    for label, name in enumerate(CLASSES):
        for k in range(60):
            source = "web" if (k % 10 != 0) == bool(label) else "phone"
            folder = tmp_path / name / source
            folder.mkdir(parents=True, exist_ok=True)
            photograph(1000 * label + k, lift=70.0 * label).save(folder / f"{k:03}.png")
    found, _ = look(tmp_path)
    names = [one.name for one in found.findings if one.level == "data set"]
    assert {"spurious_brightness", "spurious_below"} <= {*names}
    assert "“web”" in found.of("spurious_below").sentence or "“phone”" in found.of("spurious_below").sentence
    assert "chance 0.0" in found.of("spurious_brightness").rule


def test_the_camera_and_the_kind_of_file_that_tell_the_class_are_found(tmp_path: Path) -> None:
    for label, name in enumerate(CLASSES):
        (tmp_path / name).mkdir()
        for k in range(40):
            exif = Image.Exif()
            exif[271], exif[272] = ("Canon", "EOS 5D") if (k % 8 != 0) == bool(label) else ("NIKON", "D90")
            photograph(1000 * label + k).save(
                tmp_path / name / f"{k}.{'jpg' if k % 2 else 'jpeg'}", "JPEG", exif=exif, quality=95
            )
    found, _ = look(tmp_path)
    assert [one.name for one in found.findings] == ["spurious_camera"]
    assert "NIKON D90" in found.findings[0].sentence or "Canon EOS 5D" in found.findings[0].sentence
    assert "the kind of file and class" in found.examined


def test_arrays_are_looked_at_as_well_and_cancelling_ends_it(tmp_path: Path) -> None:
    images = np.stack([np.asarray(photograph(k, (32, 32))) for k in range(60)])
    images[7] = images[3]
    labels = np.arange(60) % 2
    np.savez(tmp_path / "a.npz", x_train=images[:48], y_train=labels[:48], x_test=images[48:], y_test=labels[48:])
    found, spec = look(tmp_path / "a.npz")
    assert found.of("torn_copies" if labels[7] != labels[3] else "exact_copies").members.tolist() == [3, 7]

    class Stopped(Exception): ...

    def stop(done: int, total: int) -> None:
        assert 0 <= done <= total
        raise Stopped

    with pytest.raises(Stopped):
        examine(spec, 0, stop)


def test_the_folder_of_a_class_is_no_source() -> None:
    labels = np.repeat([0, 1], 30)
    filed = ["n01"] * 30 + ["n02"] * 30
    assert text_attribute("above", "Folder", filed, labels, layout=True) is None
    assert text_attribute("above", "Folder", ["a", "b"] * 30, labels, layout=True) is not None
    suffix = text_attribute("suffix", "Kind of file", filed, labels)  # all of a class as JPEG: that is worth saying
    assert suffix is not None
    assert {one.name for one in find_associations([suffix], labels, ("a", "b"))} == {"spurious_suffix"}


def test_shares_told_by_hand() -> None:
    labels = np.array([0, 0, 1, 1])
    assert shares_told(np.array([0, 0, 1, 1]), labels, 2) == pytest.approx([1.0, 1.0])
    assert shares_told(np.array([0, 1, 0, 1]), labels, 2) == pytest.approx([0.0, 0.0])


def test_associations_by_chance_are_rare() -> None:
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 4, 120)
    attributes = [Attribute(str(k), str(k), rng.normal(size=120), (), True) for k in range(100)]
    assert find_associations(attributes, labels, ("a", "b", "c", "d")) == []


def test_unequal_classes_are_a_group_of_the_small_ones() -> None:
    labels = np.array([0] * 100 + [1] * 60 + [2] * 7)
    found = find_imbalance(labels, ("big", "fine", "tiny"))
    assert found is not None
    assert found.members.tolist() == list(range(160, 167))
    assert find_imbalance(labels[:160], ("big", "fine", "tiny")) is None


def test_outliers_in_feature_space() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(300, 8))
    assert find_remote(neighbour_distances(features)) is None
    features[7] += 30
    found = find_remote(neighbour_distances(features))
    assert found is not None
    assert found.members.tolist() == [7]


def test_measures_by_hand() -> None:
    stripes = np.tile(np.array([0, 255], np.uint8), (32, 16))
    even = np.full((32, 32), 51, np.uint8)
    names = ("brightness", "contrast", "lightest", "darkest", "information")
    assert dict(zip(names, measure_grey(even)[:5], strict=True)) == pytest.approx(
        {"brightness": 0.2, "contrast": 0.0, "lightest": 0.2, "darkest": 0.2, "information": 0.0}
    )
    assert measure_grey(stripes)[4] == pytest.approx(1.0)
    assert blur_of(even) == 1.0
    smooth = np.tile(np.linspace(0, 255, 32), (32, 1)).astype(np.uint8)
    assert blur_of(stripes) < 0.2 < 0.7 < blur_of(smooth)
    assert np.isnan(measure_grey(even[:8, :8])[5])


def test_robust_scores_stand_where_most_are_alike() -> None:
    assert robust_scores(np.array([1.0, 1.0, 1.0, 1.0])).tolist() == [0, 0, 0, 0]
    assert robust_scores(np.array([0.0, 1.0, 2.0, 3.0, 4.0]))[4] == pytest.approx(2 / 1.4826)
    assert robust_scores(np.array([1.0] * 99 + [5.0]))[-1] > 50


def test_embedded_sets_and_points_say_what_does_not_apply() -> None:
    digits, _ = look("", "digits")
    assert digits.findings == ()
    assert any(sentence.startswith("Low information images are not looked for") for sentence in digits.left_out)
    assert any("Blur is not looked for" in sentence for sentence in digits.left_out)
    assert any("no files behind" in sentence for sentence in digits.left_out)
    assert any("Near copies are not looked for" in sentence for sentence in digits.left_out)
    points, _ = look("", "blobs")
    assert points.findings == ()
    assert points.examined == ("unequal classes",)
    assert "no images" in points.left_out[0]
