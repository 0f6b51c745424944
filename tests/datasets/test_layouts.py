"""Layouts as strangers bring them: the halves by their usual names, what lies beside them, and what has to be asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picturetools import picture

from unlearn_core.datasets.files.layout import arrange
from unlearn_core.datasets.files.listing import TEST, TRAIN, UNSPLIT, Listing
from unlearn_core.datasets.files.splits import role_of
from unlearn_core.errors import UserError

WHERE = "The folder 'x'"


def paths(*folders: str, each: int = 2) -> list[str]:
    """``each`` images in every folder; "a/{b,c}" stands for two folders."""
    found = []
    for folder in folders:
        before, brace, rest = folder.partition("{")
        inside, _, after = rest.partition("}")
        for name in inside.split(",") if brace else [""]:
            found += [f"{before}{name}{after}/{k}.png" for k in range(each)]
    return sorted(found)


def counts(listing: Listing) -> tuple[tuple[str, ...], int, int]:
    """Classes, training images, test images; 0 test images where the seed splits."""
    return listing.class_names, int((listing.splits != TEST).sum()), int((listing.splits == TEST).sum())


def said(listing: Listing) -> str:
    return " ".join(listing.problems)


@pytest.mark.parametrize(
    "folders",
    [
        ("Train/{a,b}", "Test/{a,b}"),
        ("TRAIN/{a,b}", "TEST/{a,b}"),
        ("Training/{a,b}", "Testing/{a,b}"),
        ("train_set/{a,b}", "test_set/{a,b}"),
        ("training_set/training_set/{a,b}", "test_set/test_set/{a,b}"),
        ("TrainingData/{a,b}", "TestData/{a,b}"),
        ("trainset/{a,b}", "testset/{a,b}"),
        ("images_train/{a,b}", "images_test/{a,b}"),
        ("seg_train/seg_train/{a,b}", "seg_test/seg_test/{a,b}"),
        ("asl_alphabet_train/asl_alphabet_train/{a,b}", "asl_alphabet_test/asl_alphabet_test/{a,b}"),
        ("train/images/{a,b}", "test/images/{a,b}"),
        ("photos/photos/train/{a,b}", "photos/photos/test/{a,b}"),
        ("train/train/train/{a,b}", "test/{a,b}"),
        ("train/{a,b}", "eval/{a,b}"),
        ("train/{a,b}", "evaluation/{a,b}"),
        ("train/{a,b}", "held-out/{a,b}"),
        ("train/{a,b}", "hold_out_images/{a,b}"),
        ("train/{a,b}", "dev/{a,b}"),
        ("train/{a,b}", "valid/{a,b}"),
        ("train/{a,b}", "validation_set/{a,b}"),
    ],
    ids=lambda folders: folders[0] + " " + folders[1],
)
def test_halves_are_known_by_any_usual_name(folders: tuple[str, ...]) -> None:
    assert counts(arrange(paths(*folders), WHERE)) == (("a", "b"), 4, 4)


def test_a_half_that_is_guessed_or_stands_in_for_another_is_said() -> None:
    doubled = said(arrange(paths("seg_train/seg_train/{a,b}", "seg_test/seg_test/{a,b}"), WHERE))
    assert "'seg_train/seg_train' as the training half" in doubled
    assert "'seg_test/seg_test' as the test half" in doubled
    assert said(arrange(paths("Training/{a,b}", "Testing/{a,b}"), WHERE)) == ""
    stand_in = said(arrange(paths("train/{a,b}", "val/{a,b}"), WHERE))
    assert stand_in == "There are no test images; the 4 validation images are used for testing."


def test_utility_is_on_test_alone_and_what_is_left_out_is_said() -> None:
    listing = arrange(paths("train/{a,b}", "val/{a,b}", "test/{a,b}", "eval/a"), WHERE)
    assert counts(listing) == (("a", "b"), 4, 4)
    assert all(name.startswith(("train", "test")) for name in listing.names)
    assert "The 4 validation images are left out: utility is measured on the test images alone." in said(listing)
    assert "The 2 evaluation images are left out" in said(listing)
    held = arrange(paths("train/{a,b}", "val/{a,b}", "holdout/{a,b}"), WHERE)
    assert {name.split("/")[0] for name in held.names} == {"train", "holdout"}


def test_a_class_in_validation_alone_is_no_class() -> None:
    assert arrange(paths("train/{a,b}", "test/{a,b}", "val/{a,c}"), WHERE).class_names == ("a", "b")


@pytest.mark.parametrize(
    ("folders", "beside", "count"),
    [
        (("train/{a,b}", "test/{a,b}", "figures"), "figures", "2 images"),
        (("train/{a,b}", "test/{a,b}", "extra/{a,b}"), "extra", "4 images"),
        (("seg_train/seg_train/{a,b}", "seg_test/seg_test/{a,b}", "seg_pred/seg_pred"), "seg_pred", "2 images"),
        (("cx/train/{a,b}", "cx/test/{a,b}", "cx/cx/train/{a,b}", "cx/cx/test/{a,b}"), "cx", "8 images"),
        (("train/{a,b}", "val/{a,b}", "test"), "test", "2 images"),  # test images without class folders
    ],
    ids=["picture", "folders", "unlabelled", "copy", "flat test"],
)
def test_what_lies_beside_the_halves_is_left_out_and_said(folders: tuple[str, ...], beside: str, count: str) -> None:
    listing = arrange(paths(*folders), WHERE)
    assert counts(listing) == (("a", "b"), 4, 4)
    assert f"'{beside}' beside the folders of the halves is left out ({count})." in said(listing)


def test_stray_pictures_are_left_out_and_said() -> None:
    stray = ["cover.png", "photos/a.png", "photos/train/b.png", "photos/test/test/c.png"]
    listing = arrange(paths("photos/train/{a,b}", "photos/test/test/{a,b}") + stray, WHERE)
    assert counts(listing) == (("a", "b"), 4, 4)
    assert "'cover.png', 'photos/a.png', 'photos/train/b.png' and 1 more lie outside of the class folders" in said(listing)


@pytest.mark.parametrize(
    ("folders", "classes"),
    [
        (("train", "ship", "bus"), ("bus", "ship", "train")),
        (("test_tube/{x,y}", "beaker", "flask"), ("beaker", "flask", "test_tube")),
        (("dev", "prod"), ("dev", "prod")),
        (("training shoes/{x,y}", "boots"), ("boots", "training shoes")),
        (("détest", "latest", "contest"), ("contest", "détest", "latest")),
        (("photos/cat/{2019,2020}", "photos/dog/2019"), ("cat", "dog")),
    ],
    ids=lambda value: value[0],
)
def test_classes_with_such_words_stay_classes(folders: tuple[str, ...], classes: tuple[str, ...]) -> None:
    listing = arrange(paths(*folders), WHERE)
    assert listing.class_names == tuple(sorted(classes))
    assert set(listing.splits.tolist()) == {UNSPLIT}
    assert listing.problems == ()


@pytest.mark.parametrize(
    ("folders", "sentence"),
    [
        (("val/{a,b}", "test/{a,b}"), "has 'test', 'val' but no folder for training: call that one train, or give the path of"),
        (("Testing/{a,b}", "Uebung/{a,b}"), "has 'Testing' but no folder for training"),
        (("test/{a,b}", "cats", "dogs"), "where it is a class, give it another name"),
        (
            ("Training/{a,b}", "Pruefung/{a,b}"),
            "has 'Training' beside 'Pruefung': where 'Training' holds the training",
        ),
        (("train/{a,b}", "figures"), "where it is a class, give it another name"),
        (("train/{a,b}", "Training/{a,b}", "test/{a,b}"), "'Training', 'train', which all mean the training half; keep one"),
        (("train/{a,b}", "test/{a,b}", "Testing/{a,b}"), "which all mean the test half; keep one"),
        (("train", "test"), "has images directly in 'test', 'train', not in class folders there"),
        (("train", "test", "ship"), "has images directly in 'test', 'train'"),
        (("cat/{train,test}", "dog/{train,test}"), "has 'test', 'train' below 'cat', 'dog' and not at the top"),
        (
            ("f1/train/{a,b}", "f1/test/{a,b}", "f2/train/a", "f2/test/a"),
            "below 'f1', 'f2' and not at the top",
        ),
        (("photos/train/{a,b}", "photos/test/{a,b}", "docs"), "below 'photos' and not at the top: give the path of one such"),
        (("train/{a,b}", "test/{c,d}"), "has no test images that can be used: 'c', 'd' are no classes of the training images"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_what_is_not_clear_is_asked_in_one_sentence(folders: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        arrange(paths(*folders), WHERE)
    assert sentence in str(caught.value)
    assert str(caught.value).startswith(WHERE)
    assert "\n" not in str(caught.value)


def test_one_tree_is_read_and_what_was_guessed_of_it_is_said() -> None:
    alone = arrange(paths("test/{a,b}"), WHERE)
    assert counts(alone) == (("a", "b"), 4, 0)
    assert "All images lie in the folder 'test', which is taken for the one around the classes." in said(alone)
    assert arrange(paths("test/train/{a,b}", "test/test/{a,b}"), WHERE).splits.tolist().count(TRAIN) == 4
    same = said(arrange(paths("Uebung/{a,b}", "Pruefung/{a,b}"), WHERE))
    assert "The same sub-folders ('a', 'b') lie below each of 'Pruefung', 'Uebung', which are taken for the classes" in same


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("Train", 1),
        ("trn", 1),
        ("my-test-images", 0),
        ("val2017", 2),
        ("holdOut", 3),
        ("traintest", None),
        ("train_test", None),
    ],
)
def test_names_of_halves(name: str, role: int | None) -> None:
    assert role_of(name)[0] == role


def test_accents_composed_or_apart_are_one_class_and_capitals_are_two() -> None:
    listing = arrange(paths("train/{caf\u00e9,sea}", "test/{cafe\u0301,sea}", "train/cafe\u0301"), WHERE)
    assert counts(listing) == (("caf\u00e9", "sea"), 6, 4)
    assert "'caf\u00e9' is written in two ways" in said(listing)
    assert said(arrange(paths("train/{cafe\u0301,sea}"), WHERE)).startswith("There are no test images")
    assert "The classes 'Cat', 'cat' differ in capital letters alone" in said(arrange(paths("{Cat,cat,dog}"), WHERE))


NAMES = ["train", "Test", "val", "seg_train", "seg_test", "a", "b", "caf\u00e9", "cafe\u0301", "caf\udce9", "{x}", " ", "A"]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5).map("/".join), min_size=1, max_size=12, unique=True))
def test_any_tree_is_read_or_gets_one_sentence(files: list[str]) -> None:
    images = [f"{name}.png" for name in files]
    problem, listing = "", None
    try:
        listing = arrange(images, WHERE, folders=files, shut=["val"])
    except UserError as error:
        problem = str(error)
    assert "\n" not in problem
    assert problem.encode() or listing
    if listing is None:
        return
    assert len(listing.class_names) > 1
    assert "\n".join([*listing.names, *listing.class_names, *listing.problems]).encode()
    tops = {name.split("/")[0].lower() for name in listing.names}
    assert not ({"train", "test"} <= {name.lower() for name in listing.class_names} and {"train", "test"} <= tops)


def test_pictures_of_one_class_do_not_stand_for_a_layout(tmp_path: Path) -> None:
    picture(0, 0).save(tmp_path / "a.png")
    with pytest.raises(UserError, match="has images but no class folders"):
        arrange(["a.png"], WHERE)
