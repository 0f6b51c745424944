"""Image folders: layouts, keys that follow the content, subsamples, caching, and what is said when something is wrong."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picturetools import CLASSES, forget, make_folder, make_tree, picture, read
from PIL import Image

from unlearn_core.datasets import Split, load_dataset
from unlearn_core.datasets.files import decoding, loading, sampling
from unlearn_core.errors import UserError
from unlearn_core.presets import make_scenario
from unlearn_core.specs import Scalar, Scenario


def scenario(path: Path, seed: int = 0, **params: Scalar) -> Scenario:
    overrides: dict[str, Scalar] = {"dataset.data": str(path), "model.width": 0.0625}
    overrides |= {f"dataset.{name}": value for name, value in params.items()}
    return make_scenario("images", model="resnet9", seed=seed, overrides=overrides)


def load(path: Path, seed: int = 0, **params: Scalar) -> Split:
    return read(scenario(path, seed, **params).dataset, seed)


def test_a_folder_with_train_and_test_is_read_pixel_by_pixel(tmp_path: Path) -> None:
    split = load(make_folder(tmp_path))
    assert split.train.class_names == CLASSES
    assert (len(split.train), len(split.test)) == (24, 12)
    assert split.train.shape == (3, 12, 12)
    assert split.names[0] == "train/ant/00.png"
    assert np.array_equal(split.train.inputs[9].permute(1, 2, 0).numpy(), np.asarray(picture(1, 101)))
    assert split.train.labels.tolist() == [0] * 8 + [1] * 8 + [2] * 8
    assert split.note.startswith("24 of 24 training images and 12 of 12 test images of 3 classes, 12×12 pixels, colour")
    assert split.problems == ()


def test_one_tree_is_split_by_the_seed_with_every_class_on_both_sides(tmp_path: Path) -> None:
    make_tree(tmp_path, each=10)
    first, again, other = load(tmp_path), load(tmp_path), load(tmp_path, seed=1)
    assert first.names == again.names != other.names
    assert first.train.labels.bincount().tolist() == [8, 8, 8]
    assert first.test.labels.bincount().tolist() == [2, 2, 2]


@pytest.mark.parametrize(("test_share", "train"), [(0.5, 15), (0.9, 3)])
def test_the_share_held_out_can_be_set(tmp_path: Path, test_share: float, train: int) -> None:
    assert len(load(make_tree(tmp_path, each=10), test_share=test_share).train) == train


def test_subsamples_keep_the_share_of_every_class_and_say_so(tmp_path: Path) -> None:
    split = load(make_folder(tmp_path), limit=12, test_limit=6)
    assert split.train.labels.bincount().tolist() == [4, 4, 4]
    assert split.test.labels.bincount().tolist() == [2, 2, 2]
    assert "12 of 24 training images and 6 of 12 test images" in split.note
    assert "subsample" in split.note
    assert split.names != load(tmp_path, seed=1, limit=12, test_limit=6).names


def test_the_key_follows_the_content_and_not_the_place(tmp_path: Path) -> None:
    here, there = make_folder(tmp_path / "a"), tmp_path / "b"
    shutil.copytree(here, there)
    before = scenario(here)
    assert scenario(there).key == before.key
    assert scenario(there).original_key == before.original_key
    picture(0, 999).save(there / "train" / "ant" / "00.png")
    forget()
    assert scenario(there).key != before.key
    assert scenario(here, size=10).key != before.key
    assert scenario(here, limit=12).key != before.key


def test_spelling_out_what_was_filled_in_does_not_change_the_key(tmp_path: Path) -> None:
    plain = scenario(make_folder(tmp_path))
    assert scenario(tmp_path, size=12, channels="colour", flip=True, limit=0).key == plain.key
    assert Scenario.model_validate(plain.model_dump()).key == plain.key


def test_a_change_after_planning_is_noticed(tmp_path: Path) -> None:
    planned = scenario(make_folder(tmp_path))
    forget()
    (tmp_path / "train" / "ant" / "00.png").unlink()
    with pytest.raises(UserError, match="have changed since this was planned"):
        load_dataset(planned.dataset, 0)


def test_what_is_decoded_once_needs_the_files_no_more(tmp_path: Path) -> None:
    planned = scenario(make_folder(tmp_path / "photos"))
    first = load_dataset(planned.dataset, 0)
    shutil.rmtree(tmp_path / "photos")
    forget()
    again = load_dataset(planned.dataset, 0)
    assert again.train.inputs.equal(first.train.inputs)
    assert (again.names, again.note) == (first.names, first.note)


def test_a_damaged_cache_is_decoded_again(tmp_path: Path, cache: Path) -> None:
    planned = scenario(make_folder(tmp_path))
    first = load_dataset(planned.dataset, 0)
    (stored,) = (cache / "images").glob("*.npz")
    for damage in (b"", stored.read_bytes()[:-100], b"no archive at all"):
        stored.write_bytes(damage)
        forget()
        assert load_dataset(planned.dataset, 0).train.inputs.equal(first.train.inputs)


def test_a_cache_that_cannot_be_written_costs_only_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("UNLEARN_CACHE", str(tmp_path / "file"))
    assert len(load(make_folder(tmp_path / "photos")).train) == 24


def test_the_cache_is_bounded(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_folder(tmp_path)
    monkeypatch.setattr("unlearn_core.datasets.files.cache.MAX_BYTES", 60_000)  # one of them has 16 kB
    for seed in range(8):
        load(tmp_path, seed, limit=12)
    assert sum(file.stat().st_size for file in (cache / "images").glob("*.npz")) < 62_000


def test_several_readers_at_once_decode_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planned, calls, splits = scenario(make_folder(tmp_path)), [], []
    real = loading.decode_wanted

    def counted(*args: object) -> dict[str, np.ndarray]:
        calls.append(1)
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(loading, "decode_wanted", counted)
    threads = [threading.Thread(target=lambda: splits.append(load_dataset(planned.dataset, 0))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(splits) == 4
    assert len(calls) == 1


def test_sizes_and_channels_come_from_the_files_or_from_the_parameters(tmp_path: Path) -> None:
    make_tree(tmp_path / "large", each=4, size=(90, 60))
    assert load(tmp_path / "large").train.shape == (3, 32, 32)
    assert load(tmp_path / "large", size=48, channels="grey").train.shape == (1, 48, 48)
    for label, name in enumerate(CLASSES):
        (tmp_path / "grey" / name).mkdir(parents=True)
        for k in range(4):
            picture(label, k, mode="L").save(tmp_path / "grey" / name / f"{k}.png")
    found = scenario(tmp_path / "grey").dataset.params
    assert (found["channels"], found["size"], found["flip"]) == ("grey", 12, False)


def test_other_layouts_and_files(tmp_path: Path) -> None:
    make_tree(tmp_path / "training", each=4)
    make_tree(tmp_path / "val", each=2, classes=("ant", "bee", "elk"))
    (tmp_path / "training" / "notes.txt").write_text("no image")
    (tmp_path / "training" / "dog").mkdir()
    picture(0, 0).save(tmp_path / "training" / "loose.png")
    picture(0, 0).save(tmp_path / "training" / "ant" / "._resource.png")
    deeper = tmp_path / "training" / "ant" / "deep" / "er"
    deeper.mkdir(parents=True)
    picture(0, 7).save(deeper / "x.PNG")
    split = load(tmp_path)
    assert (len(split.train), len(split.test)) == (13, 4)
    said = " ".join(split.problems)
    assert "'training/dog' is empty" in said
    assert "'training/loose.png' lies outside of the class folders" in said
    assert "'elk' in the test images is no class of the training images" in said
    assert "'cow' has no test images" in said


def test_a_class_called_train_beside_others_is_a_class(tmp_path: Path) -> None:
    make_tree(tmp_path, classes=("train", "ship"))
    assert load(tmp_path).train.class_names == ("ship", "train")


def test_classes_are_numbered_as_imagefolder_numbers_them(tmp_path: Path) -> None:
    make_tree(tmp_path, each=3, classes=("10", "9", "1"))
    assert load(tmp_path).train.class_names == ("1", "10", "9")


def test_file_names_may_be_any_bytes(tmp_path: Path) -> None:
    make_tree(tmp_path, each=4)
    shutil.copy(tmp_path / "ant" / "00.png", os.fsencode(tmp_path) + b"/ant/\xff\n\xe9.png")
    picture(0, 77).save(tmp_path / "ant" / "ü 'x'.png")
    (tmp_path / "ant" / "line\nbreak.png").write_bytes(b"nothing")
    first = load(tmp_path)
    assert "'ant/line\\nbreak.png' is no image" in first.problems[0]
    forget()
    assert load(tmp_path).names == first.names
    assert len(first.train) + len(first.test) == 14
    assert all("\n" not in problem for problem in first.problems)


def test_links_in_circles_end(tmp_path: Path) -> None:
    make_tree(tmp_path, each=4)
    (tmp_path / "ant" / "deep").mkdir()
    os.symlink(tmp_path, tmp_path / "ant" / "deep" / "circle")
    assert len(load(tmp_path).names) == 9


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda root: None, "There is nothing at"),
        (lambda root: root.mkdir(), "has no images in it"),
        (lambda root: make_tree(root, classes=("only",)), "has images of 1 classes"),
        (lambda root: (root.mkdir(), picture(0, 0).save(root / "a.png")), "no class folders"),
        (lambda root: root.write_text("hello"), "is no folder of images, and its name ends in none of"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(tmp_path: Path, make: object, sentence: str) -> None:
    make(tmp_path / "data")  # type: ignore[operator]
    with pytest.raises(UserError, match=sentence) as caught:
        load(tmp_path / "data")
    assert "\n" not in str(caught.value)


def test_without_a_path_it_is_asked_for() -> None:
    with pytest.raises(UserError, match="give a folder of images, a zip"):
        make_scenario("images")


def test_too_many_images_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unlearn_core.datasets.files.listing.MAX_IMAGES", 10)
    with pytest.raises(UserError, match="more than 10 images"):
        load(make_tree(tmp_path))


def test_more_than_fits_in_memory_becomes_a_stated_subsample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "MAX_DECODED", 18 * 3 * 12 * 12)
    split = load(make_folder(tmp_path))
    assert (len(split.train), len(split.test)) == (12, 6)
    assert "subsample" in split.note
    with pytest.raises(UserError, match=r"choose a smaller dataset\.size or a dataset\.limit"):
        load(tmp_path, limit=24)


def test_non_square_pictures_are_cropped_around_the_middle(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for k in range(3):
            wide = Image.new("RGB", (36, 12), (255, 0, 0))
            wide.paste((0, 0, 255), (12, 0, 24, 12))
            wide.save(tmp_path / name / f"{k}.png")
    inputs = load(tmp_path).train.inputs
    assert inputs.shape[-2:] == (12, 12)
    assert inputs[0, 2].float().mean() > 230


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 40), min_size=2, max_size=6),
    count=st.integers(1, 200),
    share=st.floats(0.01, 0.9),
    seed=st.integers(0, 2**31 - 1),
)
def test_samples_are_stratified_for_any_sizes(sizes: list[int], count: int, share: float, seed: int) -> None:
    labels = np.repeat(np.arange(len(sizes)), sizes)
    train, test = sampling.split(labels, share, seed)
    assert sorted([*train, *test]) == list(range(len(labels)))
    assert set(labels[train]) == set(labels)
    picked = sampling.subsample(labels, count, seed)
    assert len(picked) == min(count, len(labels))
    assert np.array_equal(picked, np.unique(picked))
    exact = np.array(sizes) * min(1, count / len(labels))
    assert (np.abs(np.bincount(labels[picked], minlength=len(sizes)) - exact) < 1).all()
    assert np.array_equal(picked, sampling.subsample(labels, count, seed))
