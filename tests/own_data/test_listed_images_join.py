"""Images that a forget list names join the training part, and what is kept means the same files under every seed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from listtools import scenario_of, split_of, used
from owntools import picture

from unlearn_core.cli import main
from unlearn_core.cli.forget_option import with_forget
from unlearn_core.datasets import HELD_OUT, forget_datasets
from unlearn_core.datasets.files.facts import forget_facts
from unlearn_core.datasets.files.listed import read_numbers, write_numbers
from unlearn_core.errors import UserError
from unlearn_core.forget_sets import ForgetSet, NamedSets, write_csv
from unlearn_core.forget_sets import in_use as lists
from unlearn_core.specs import Scenario
from unlearn_core.store import Store

# --- into the training part -----------------------------------------------------------------------------------------------

OWN = "index,path\n0,cat/001.png\n2,cat/004.png\n5,cat/007.png\n6,cat/008.png\n10,dog/004.png\n13,dog/007.png\n14,dog/008.png\n"
FILES = {line.partition(",")[2] for line in OWN.splitlines()[1:]}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("limit", [0, 6])
def test_a_list_means_the_same_files_under_every_seed_and_limit(tree: Path, seed: int, limit: int) -> None:
    before = split_of(scenario_of(tree, seed, limit=limit))
    found, files = used(tree, OWN, seed, limit=limit)
    assert files == FILES
    outside = FILES - set(before.names)
    after = found.split
    assert set(after.names) == set(before.names) | outside
    assert len(after.train) == len(before.train) + len(outside)
    held = int((before.roster.place == HELD_OUT).sum())
    assert (len(after.test) < len(before.test)) == any(
        before.roster.place[before.roster.names.index(name)] == HELD_OUT for name in outside
    )
    assert len(after.test) + len(outside) >= held
    said = " ".join(found.said)
    assert ("taken into the training images" in said) == bool(outside)
    assert (f"{len(outside):,} of the training images" in after.note) == bool(outside)
    # Every training image still has its own pixels and label.
    for k, name in enumerate(after.names):
        assert after.train.class_names[int(after.train.labels[k])] == name.partition("/")[0]
        if name in before.names:
            assert np.array_equal(after.train.inputs[k], before.train.inputs[before.names.index(name)])


def test_test_images_of_the_files_own_leave_the_test_and_are_not_trained_on(split_photos: Path) -> None:
    before = split_of(scenario_of(split_photos))
    found, files = used(split_photos, "path\ntest/cat/000.png\ntrain/dog/001.png\n")
    assert files == {"train/dog/001.png"}
    assert found.split.names == before.names
    assert len(found.split.test) == len(before.test) - 1
    assert "1 of the listed images are test images; they are left out of testing, and not trained on." in found.said


def test_a_list_inside_the_training_part_changes_no_key(split_photos: Path) -> None:
    plain = scenario_of(split_photos)
    found, _ = used(split_photos, "path\ntrain/dog/001.png\n")
    assert found.scenario.dataset == plain.dataset
    assert "listed" not in found.scenario.dataset.params
    assert found.scenario.original_key == plain.original_key


def test_a_list_that_moves_images_makes_other_data(tree: Path) -> None:
    moved, _ = used(tree, OWN, 1)
    assert moved.scenario.corruption_key != scenario_of(tree, 1).corruption_key
    assert moved.scenario.sets_key == scenario_of(tree, 1).sets_key == scenario_of(tree, 1).corruption_key
    # The spec alone makes the data, in another process too.
    again = Scenario.model_validate_json(moved.scenario.model_dump_json())
    names = moved.split.names
    forget_datasets()
    forget_facts()
    assert split_of(again).names == names


def test_numbers_as_text_come_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for share in (0.0, 0.1, 0.5, 1.0):
        numbers = np.flatnonzero(rng.random(200) < share)
        assert read_numbers(write_numbers(numbers.tolist()), 200).tolist() == numbers.tolist()
    with pytest.raises(UserError, match=r"names image 9, but there are 5"):
        read_numbers("1,3-9", 5)


def test_a_list_survives_files_that_came_and_went(tree: Path) -> None:
    for k, name in enumerate(("cat/0001.png", "aaa/1.png", "aaa/2.png")):
        (tree / name).parent.mkdir(exist_ok=True)
        picture(3, 5000 + k).save(tree / name)
    (tree / "cat" / "004.png").unlink()
    found, files = used(tree, OWN)
    assert files == FILES - {"cat/004.png"}
    assert any("1 of the 7 listed files are no images here and are left out: 'cat/004.png' in line 3." in s for s in found.said)


def test_check_names_the_first_and_the_last_file(tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "list.csv").write_text(OWN)
    command = ["check", "--data", str(tree), "--forget", str(tmp_path / "list.csv"), "--seed", "1"]
    assert main([*command, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["forget"] == {"size": 7, "clean_labels": 0, "first": "cat/001.png", "last": "dog/008.png"}
    assert any("had been held out for testing by the seed; they are taken into" in problem for problem in answer["problems"])
    inside = used(tree, OWN, 1)[0].split  # the counts are of the data that the list will be used with
    assert (answer["train"], answer["test"]) == (len(inside.train), len(inside.test))
    assert main(["check", "--data", str(tree), "--seed", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["train"] < answer["train"]
    assert main(command) == 0
    assert "The first file it names is 'cat/001.png', the last 'dog/008.png'." in capsys.readouterr().out


def test_run_and_the_store_agree_on_what_was_taken_in(tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "list.csv").write_text(OWN)
    settings = ["--set", "training.epochs=1", "--set", "finetune.epochs=1", "--set", "training.augment=false"]
    command = ["run", "--data", str(tree), "--found", "--methods", "finetune", "--seed", "1", "--engine", "inline", *settings]
    assert main([*command, "--forget", str(tmp_path / "list.csv"), "--json"]) == 0
    out, said = capsys.readouterr()
    told = json.loads(out)["scenario"]
    assert "had been held out for testing by the seed; they are taken into the training images" in said
    scenario = Scenario.parse({name: value for name, value in told.items() if name != "key"})
    assert {split_of(scenario).names[k] for k in scenario.forget or ()} == FILES
    assert scenario.key == used(tree, OWN, 1)[0].scenario.model_copy(update={"training": scenario.training}).key == told["key"]


# --- what the product keeps -----------------------------------------------------------------------------------------------


def made(photos: Path, files: set[str], seed: int = 0, **params: object) -> tuple[NamedSets, str]:
    found, _ = used(
        photos, "path,clean_label,note\n" + "\n".join(f"{name},dog,n {name}" for name in sorted(files)), seed, **params
    )
    sets = lists.sets_of(Store.open(), found.scenario)
    return sets, sets.create("mine", found.content).key


def opened(photos: Path, key: str, seed: int, **params: object) -> tuple[lists.InUse, set[str]]:
    plain = scenario_of(photos, seed, **params)
    content = lists.sets_of(Store.open(), plain).content(key)
    assert content is not None
    found = lists.use_set(plain, content)
    assert all(found.content.labels[k] == "dog" for k in found.content.indices)
    assert all(found.content.notes[k] == f"n {found.split.names[k]}" for k in found.content.indices)
    return found, {found.split.names[k] for k in found.content.indices}


def test_a_named_set_means_its_files_under_another_seed_and_limit(tree: Path) -> None:
    _, key = made(tree, FILES)
    for seed, limit in ((0, 0), (1, 0), (3, 0), (1, 6)):
        assert opened(tree, key, seed, limit=limit)[1] == FILES
    sets = lists.sets_of(Store.open(), scenario_of(tree, 1))
    assert sets.all() == []
    assert [one.name for one in sets.others()] == ["mine"]
    assert sets.get("mine").key == key
    assert sets.name_of(key) == "mine"
    for asked in ("mine", key):
        scenario = with_forget(Store.open(), scenario_of(tree, 1), asked)
        assert {split_of(scenario).names[k] for k in scenario.forget or ()} == FILES
        assert scenario.dataset == opened(tree, key, 1)[0].scenario.dataset


def test_a_named_set_outlives_files_that_came_and_went(tree: Path) -> None:
    _, key = made(tree, FILES)
    picture(1, 77).save(tree / "cat" / "0000.png")
    (tree / "dog" / "004.png").unlink()
    forget_facts()
    found, files = opened(tree, key, 0)
    assert files == FILES - {"dog/004.png"}
    assert "1 of the set's files are not here any more and are left out: 'dog/004.png'." in found.said


def test_an_edit_keeps_what_lies_outside_of_this_training_part(tree: Path) -> None:
    _, key = made(tree, FILES)
    plain = scenario_of(tree, 1)
    sets = lists.sets_of(Store.open(), plain)
    content = sets.content(key)
    assert content is not None
    assert content.outside
    assert len(content) == len(FILES)
    one = sets.create("here", content)
    sets.change(one.id, lambda now: now.rejecting([now.indices[0]]), "rejected one")
    after = sets.now(sets.get("here"))
    assert after.outside == content.outside
    assert len(after) == len(FILES) - 1
    written = write_csv(after, split_of(plain).names)
    assert written.splitlines()[0] == "path,clean_label,note"
    assert used(tree, written, 1)[1] == FILES - {split_of(plain).names[content.indices[0]]}


def test_checked_images_are_the_same_files_too_and_trusted(tree: Path) -> None:
    _, key = made(tree, FILES)
    plain = scenario_of(tree, 0)
    sets = lists.sets_of(Store.open(), plain)
    content = sets.content(key)
    assert content is not None
    names = split_of(plain).names
    chosen = [k for k in range(len(names)) if k not in content.indices][:4]
    trusted = {names[k] for k in chosen}
    told = sets.keep(content.checking(chosen))
    found, files = opened(tree, told, 0)
    assert files == FILES
    assert {found.split.names[k] for k in found.scenario.person.trusted} == trusted
    other, _ = opened(tree, told, 1)  # those that this seed holds out are trained on no more, and kept
    here = {other.split.names[k] for k in other.content.checked}
    assert here == trusted & {*other.split.names}
    assert other.scenario.person.trusted == other.content.checked
    kept = lists.sets_of(Store.open(), scenario_of(tree, 1)).content(told)
    assert kept is not None
    assert here | {path for path, one in kept.outside.items() if one.checked} == trusted


def test_a_set_kept_by_number_is_what_it_was(split_photos: Path, tree: Path) -> None:
    plain = scenario_of(tree, 1)
    old = NamedSets(Store.open(), plain.corruption_key)  # as sets were kept before they had paths
    key = old.create("old", ForgetSet((0, 3), (5,), {3: "dog"})).key
    assert lists.sets_of(Store.open(), plain).content(key) == ForgetSet((0, 3), (5,), {3: "dog"})
    moved = used(tree, OWN, 1)[0].scenario
    seen = lists.sets_of(Store.open(), moved).content(key)
    assert seen is not None
    names, before = split_of(moved).names, split_of(plain).names
    assert [names[k] for k in seen.indices] == [before[0], before[3]]
    assert {names[k]: text for k, text in seen.labels.items()} == {before[3]: "dog"}
    assert lists.sets_of(Store.open(), scenario_of(tree, 2)).content(key) is None
