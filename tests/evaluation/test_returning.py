"""What comes back: hand examples, which examples a course is trained on, and who knows what."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
import torch
from trained import Trained

from unlearn_core.errors import UserError
from unlearn_core.evaluation.returning import SHOWN, Course, area_under, barrier_height, examples_of, returned, shown_again


def test_return_and_area_by_hand() -> None:
    fit = [0.05, 0.30, 0.45]
    assert returned(fit) == pytest.approx(0.40)
    assert area_under(fit) == pytest.approx(0.275)
    assert area_under([0.4]) == 0.4


def test_the_barrier_by_hand() -> None:
    assert barrier_height([0.1, 1.2, 0.3]) == pytest.approx(1.0)
    assert barrier_height([0.1, 1.2, 0.3], [0.0, 0.25, 1.0]) == pytest.approx(1.2 - (0.75 * 0.1 + 0.25 * 0.3))
    assert barrier_height([0.1, 0.2, 0.3]) == pytest.approx(0.0, abs=1e-12)
    assert barrier_height([0.3, 0.1, 0.3]) == 0.0  # a valley is no barrier


def test_a_course_that_cannot_be_is_refused() -> None:
    for wrong, word in (({"epochs": 0}, "epochs"), ({"rate": 0}, "rate"), ({"rate": 1.5}, "rate"), ({"shown": -1}, "shown")):
        with pytest.raises(UserError, match=word):
            Course(**wrong)
    with pytest.raises(UserError, match="left, retain, clean"):
        Course("everything")  # type: ignore[arg-type]


def test_examples_that_are_shown_again_are_nested_and_leave_some_to_look_at() -> None:
    forget = torch.arange(100, 160)
    parts = [set(shown_again(forget, count, seed=0).tolist()) for count in SHOWN]
    assert [len(part) for part in parts] == list(SHOWN)
    assert all(one < other for one, other in itertools.pairwise(parts))
    assert set(shown_again(forget, 5, seed=1).tolist()) != parts[1]
    assert len(shown_again(forget[:0], 0, seed=0)) == 0
    with pytest.raises(UserError, match="at most 4"):
        shown_again(forget[:5], 5, seed=0)


def test_each_course_leaves_out_what_its_user_can_know(digits: Trained) -> None:
    truth, count = digits.arena.corrupted.truth, len(digits.arena.train)
    scenario = digits.scenario.at_rate(0.5)
    forget, everyone = set(truth.forget_of(scenario).tolist()), set(truth.corrupted.tolist())
    found = truth.corrupted[~torch.isin(truth.corrupted, truth.forget_of(scenario))][:7]

    def ids(course: Course) -> tuple[set[int], set[int]]:
        trained, rest = examples_of(course, scenario, digits.arena, found)
        return set(trained.tolist()), set(rest.tolist())

    assert ids(Course("retain")) == (set(range(count)) - forget, forget)
    assert ids(Course("left")) == (set(range(count)) - forget - set(found.tolist()), forget)
    assert ids(Course("clean")) == (set(range(count)) - everyone, forget)
    trained, rest = ids(Course("left", shown=3))
    assert len(trained & forget) == 3
    assert rest == forget - trained


def test_only_the_course_that_says_so_knows_the_truth(digits: Trained) -> None:
    """With another C, of which F is the same, all other courses are trained on the same examples."""
    arena, truth = digits.arena, digits.arena.corrupted.truth
    scenario, known = digits.scenario.at_rate(0.5), len(digits.arena.corrupted.truth.corrupted) // 2
    clean = torch.tensor([k for k in range(400) if k not in set(truth.corrupted.tolist())])
    other = torch.cat([truth.corrupted[:known], clean[: len(truth.corrupted) - known]])
    lie = dataclasses.replace(
        arena.corrupted, truth=dataclasses.replace(truth, corrupted=other, clean_labels=-truth.clean_labels)
    )
    elsewhere, found = dataclasses.replace(arena, corrupted=lie), torch.tensor([1, 2, 3])
    for course in (Course("left"), Course("retain"), Course("left", shown=2), Course("clean")):
        one, two = (examples_of(course, scenario, data, found)[0] for data in (arena, elsewhere))
        assert torch.equal(one, two) == (not course.knows_truth), course
