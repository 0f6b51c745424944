"""Forget lists in use: the training part that holds what a list names, and the named sets of the data at hand."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from unlearn_core.canonical import content_key
from unlearn_core.corruption import corrupt
from unlearn_core.datasets import HELD_OUT, OUTSIDE, TESTED, UNREADABLE, Roster, Split, load_dataset
from unlearn_core.datasets.files.listed import read_numbers, write_numbers
from unlearn_core.datasets.files.names import compose
from unlearn_core.errors import UserError
from unlearn_core.forget_sets import ForgetSet, Listed, NamedSets, Outside
from unlearn_core.forget_sets.named import Records
from unlearn_core.specs import DatasetSpec, Scenario


@dataclass(frozen=True)
class InUse:
    """``scenario``: its data hold what the list names, its forget set is the list. ``content``: the list in its numbers.
    ``said``: what was guessed, moved or left out, a sentence each. ``ends``: paths of the first and the last image listed."""

    scenario: Scenario
    content: ForgetSet
    said: tuple[str, ...]
    ends: tuple[str, str] | None = None

    @property
    def split(self) -> Split:
        """The data."""
        return load_dataset(self.scenario.dataset, self.scenario.seed)


def roster_of(scenario: Scenario) -> Roster:
    """What a list may name, with the labels that the training examples carry: where a corruption is made, those it gives."""
    split = load_dataset(scenario.dataset, scenario.seed)
    if scenario.corruption.found:
        return split.roster
    labels = split.roster.labels.copy()
    labels[split.roster.positions] = corrupt(split, scenario.dataset, scenario.corruption, scenario.seed).train.labels.numpy()
    return replace(split.roster, labels=labels)


def without_list(scenario: Scenario) -> Scenario:
    """The scenario on the data as they are before a list's images join them."""
    return _with_params(scenario, {name: value for name, value in scenario.dataset.params.items() if name != "listed"})


def use(scenario: Scenario, listed: Listed) -> InUse:
    """The scenario with this list as its forget set. Images that the seed holds out or a limit leaves out join the training
    part; test images of the files' own leave the test images, and are not trained on.

    ``listed``: positions in the roster of these data. Raises :class:`UserError` where it names test images alone.
    """
    plain = without_list(scenario)
    roster = load_dataset(plain.dataset, plain.seed).roster
    positions = np.array(listed.positions, np.int64)
    place = roster.place[positions]
    moved = positions[np.isin(place, (HELD_OUT, OUTSIDE, TESTED))]
    if (place == TESTED).all():
        raise UserError(
            f"All {len(positions):,} listed images are test images: nothing is trained on them, so there is nothing to unlearn."
        )
    chosen = _with_params(plain, plain.dataset.params | {"listed": write_numbers(moved.tolist())}) if len(moved) else plain
    roster = load_dataset(chosen.dataset, chosen.seed).roster
    content = _place_in_training(listed, roster)
    said = [
        f"{count:,} of the listed images {sentence}."
        for kind, sentence in (
            (HELD_OUT, "had been held out for testing by the seed; they are taken into the training images"),
            (OUTSIDE, "had been left out by a limit; they are taken into the training images"),
            (TESTED, "are test images; they are left out of testing, and not trained on"),
        )
        if (count := int((place == kind).sum()))
    ]
    ends = None if listed.ends is None or not roster.names else (roster.names[listed.ends[0]], roster.names[listed.ends[1]])
    return InUse(chosen.knowing(content.indices, content.labels), content, (*listed.said, *said), ends)


def in_numbers_of(split: Split, listed: Listed) -> ForgetSet:
    """What a list names, in the numbers of these data's training examples; the other images it names are kept by path."""
    return _place_in_training(listed, split.roster)


def trusting(scenario: Scenario, listed: Listed) -> tuple[Scenario, list[str]]:
    """The scenario in which the examples of a list count as checked and right, and what is left out of it, in sentences.

    ``listed``: positions in the roster of these data. Raises :class:`UserError` where none of them is trained on.
    """
    content = in_numbers_of(load_dataset(scenario.dataset, scenario.seed), listed)
    if not content.indices:
        raise UserError("None of the checked examples is trained on.")
    said = list(listed.said)
    if content.outside:
        said.append(f"{len(content.outside):,} of the checked examples are not trained on; they are left out.")
    person = scenario.person.model_copy(update={"trusted": content.indices, "checked": 0})
    return scenario.model_copy(update={"person": person}), said


def kept_outside(scenario: Scenario) -> dict[str, Outside]:
    """Test images that the scenario's list names, by path: they are out of the test, and belong into a longer list too."""
    roster = load_dataset(scenario.dataset, scenario.seed).roster
    listed = read_numbers(str(scenario.dataset.params.get("listed", "")), roster.size)
    return {roster.names[k]: Outside() for k in listed if roster.place[k] == TESTED}


def joining(content: ForgetSet, roster: Roster) -> int:
    """How many images of a set would join the training part if it were used."""
    if not content.outside:
        return 0
    known = {compose(name): k for k, name in enumerate(roster.names)}
    held = [known.get(compose(path)) for path, one in content.outside.items() if one.held]
    return sum(roster.place[k] in (HELD_OUT, OUTSIDE) for k in held if k is not None)


def list_positions(content: ForgetSet, roster: Roster) -> Listed:
    """The positions of a set's images; ``content`` in the numbers of ``roster``. Files that are gone are said to be."""
    where = roster.positions
    positions = [int(where[k]) for k in content.indices]
    labels = {int(where[k]): text for k, text in content.labels.items()}
    notes = {int(where[k]): text for k, text in content.notes.items()}
    gone, known = [], {compose(name): k for k, name in enumerate(roster.names)} if content.outside else {}
    for path, one in content.outside.items():
        position = known.get(compose(path))
        if not one.held:
            continue
        if position is None or roster.place[position] == UNREADABLE:
            gone.append(path)
            continue
        positions.append(position)
        labels |= {position: one.label} if one.label else {}
        notes |= {position: one.note} if one.note else {}
    said = []
    if gone:
        some = ", ".join(repr(path[-60:]) for path in gone[:3]) + (f" and {len(gone) - 3:,} more" if len(gone) > 3 else "")
        said.append(f"{len(gone):,} of the set's files are not here any more and are left out: {some}.")
    return Listed(tuple(sorted(positions)), labels, notes, tuple(said))


def use_set(scenario: Scenario, content: ForgetSet) -> InUse:
    """The scenario with a stored set as its forget set; ``content`` in the numbers of :func:`without_list`.

    Raises :class:`UserError` where none of its files is here.
    """
    plain = without_list(scenario)
    roster = load_dataset(plain.dataset, plain.seed).roster
    listed = list_positions(content, roster)
    if not listed.positions:
        raise UserError("None of the images of this forget set is here.")
    used = use(plain, listed)
    if not content.checked:
        return used
    place = load_dataset(used.scenario.dataset, used.scenario.seed).roster.place
    checked = tuple(sorted(int(place[roster.positions[k]]) for k in content.checked))
    told = used.scenario.knowing(used.content.indices, used.content.labels, checked)
    return replace(used, scenario=told, content=replace(used.content, checked=checked))


def sets_of(store: Records, scenario: Scenario, owner: str = "", most: int = 0) -> NamedSets:
    """The named sets of these data, in the numbers of the scenario's training part; of one ``owner`` as :class:`NamedSets` has
    it, where one is named."""
    split = load_dataset(scenario.dataset, scenario.seed)
    if split.files is None:
        return NamedSets(store, scenario.sets_key, owner=owner, most=most)
    place, renumber = place_of(scenario), _renumbering(scenario, split.roster)
    return NamedSets(store, scenario.sets_key, split.names, place, renumber, owner, most)


def place_of(scenario: Scenario) -> str:
    """Names the place that a scenario's files lie at, where labels are taken as they come; else "", because a list of what
    was corrupted here means nothing where something else is."""
    data = scenario.dataset.params.get("data")
    if not data or not scenario.corruption.found:
        return ""
    return content_key("files", scenario.dataset.name, os.path.abspath(Path(str(data)).expanduser()))


def _renumbering(scenario: Scenario, roster: Roster) -> Callable[[int], int | None] | None:
    """From the number of a training example before a list's images joined to the number that it has now."""
    if "listed" not in scenario.dataset.params:
        return None
    plain = without_list(scenario)
    before = load_dataset(plain.dataset, plain.seed).roster.positions

    def renumber(index: int) -> int | None:
        place = int(roster.place[before[index]]) if 0 <= index < len(before) else -1
        return place if place >= 0 else None

    return renumber


def _place_in_training(listed: Listed, roster: Roster) -> ForgetSet:
    """The set in the numbers of a roster's training examples."""
    inside = {k: int(roster.place[k]) for k in listed.positions if roster.place[k] >= 0}
    return ForgetSet(
        tuple(sorted(inside.values())),
        (),
        _move_texts(listed.labels, inside),
        _move_texts(listed.notes, inside),
        {
            roster.names[k]: Outside(True, listed.labels.get(k, ""), listed.notes.get(k, ""))
            for k in listed.positions
            if k not in inside
        },
    )


def _move_texts(texts: Any, place: dict[int, int]) -> dict[int, str]:
    return {place[k]: text for k, text in texts.items() if k in place}


def _with_params(scenario: Scenario, params: dict[str, Any]) -> Scenario:
    if params == scenario.dataset.params:
        return scenario
    return scenario.model_copy(update={"dataset": DatasetSpec(name=scenario.dataset.name, params=params)})
