"""The dial and the discovery rate: counts, nesting, monotony, determinism, limits."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from unlearn_core.corruption import (
    CONFUSION,
    MAX_CONFUSED,
    RANDOM,
    TRIGGER,
    Corrupted,
    apply_trigger,
    corrupt,
    corrupted_count,
    weights,
)
from unlearn_core.datasets import load_dataset
from unlearn_core.datasets import registry as datasets
from unlearn_core.errors import UserError
from unlearn_core.specs import CorruptionSpec, DatasetSpec, TriggerSpec

NAMES = ["digits", "blobs", "waves", "spirals"]
unit = st.floats(0, 1, allow_nan=False)


def make(name: str, seed: int = 0, **options: object) -> Corrupted:
    preset = datasets.get(name).preset
    options = {"class_a": preset.class_a, "class_b": preset.class_b, "trigger": preset.trigger} | options
    spec = DatasetSpec(name=name)
    return corrupt(load_dataset(spec, seed), spec, CorruptionSpec(**options), seed)


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(NAMES), regularity=unit, amount=st.floats(0.005, 0.5), seed=st.integers(0, 3))
def test_every_position_of_the_dial_corrupts_exactly_what_was_asked(
    name: str, regularity: float, amount: float, seed: int
) -> None:
    try:
        result = make(name, seed, regularity=regularity, amount=amount)
    except UserError as error:
        assume("Confusion would" not in str(error))
        raise
    clean = load_dataset(DatasetSpec(name=name), seed).train
    truth, given_labels = result.truth, result.train.labels
    n = corrupted_count(amount, len(clean))
    assert len(set(truth.corrupted.tolist())) == len(truth.corrupted) == n
    assert torch.equal(truth.clean_labels, clean.labels)

    untouched = torch.ones(len(clean), dtype=torch.bool)
    untouched[truth.corrupted] = False
    assert torch.equal(given_labels[untouched], clean.labels[untouched])
    assert torch.equal(result.train.inputs[untouched], clean.inputs[untouched])

    random, confusion, trigger = weights(regularity)
    for kind, weight in ((RANDOM, random), (CONFUSION, confusion), (TRIGGER, trigger)):
        assert abs(int((truth.kinds == kind).sum()) - weight * n) <= 1

    # Labels are wrong for all but triggers, which may already be of the target class; images change for triggers alone.
    chosen = truth.corrupted
    changed = (result.train.inputs[chosen] != clean.inputs[chosen]).flatten(1).any(1)
    mislabelled = given_labels[chosen] != clean.labels[chosen]
    triggered = truth.kinds == TRIGGER
    assert mislabelled[~triggered].all()
    assert (given_labels[chosen][triggered] == 0).all()
    assert not changed[~triggered].any()


@settings(max_examples=40, deadline=None)
@given(name=st.sampled_from(NAMES), seed=st.integers(0, 3), low=unit, high=unit)
def test_turning_the_dial_moves_each_example_once_from_random_over_confusion_to_trigger(
    name: str, seed: int, low: float, high: float
) -> None:
    low, high = sorted((low, high))
    before, after = make(name, seed, regularity=low), make(name, seed, regularity=high)
    assert (after.truth.kinds >= before.truth.kinds).all()
    same = after.truth.kinds == before.truth.kinds
    assert torch.equal(after.truth.corrupted[same], before.truth.corrupted[same])
    labels_before = before.train.labels[before.truth.corrupted[same]]
    assert torch.equal(after.train.labels[after.truth.corrupted[same]], labels_before)


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(NAMES), regularity=unit, rates=st.lists(st.floats(0.05, 1), min_size=2, max_size=4))
def test_forget_sets_are_nested_exact_and_part_of_the_corruption(name: str, regularity: float, rates: list[float]) -> None:
    truth = make(name, regularity=regularity).truth
    sets = [set(truth.forget_indices(rate).tolist()) for rate in sorted(rates)]
    for smaller, larger in pairwise(sets):
        assert smaller <= larger
    for rate, chosen in zip(sorted(rates), sets, strict=True):
        assert abs(len(chosen) - rate * len(truth.corrupted)) <= 0.5
        assert chosen <= set(truth.corrupted.tolist())
    assert set(truth.forget_indices(1.0).tolist()) == set(truth.corrupted.tolist())


def test_the_three_named_positions_are_the_paper_s_tasks() -> None:
    low, middle, high = (make("digits", regularity=r) for r in (0.0, 0.5, 1.0))
    assert (low.truth.kinds == RANDOM).all()
    assert (high.truth.kinds == TRIGGER).all()
    assert (middle.truth.kinds == CONFUSION).all()
    clean = middle.truth.clean_labels[middle.truth.corrupted]
    given_labels = middle.train.labels[middle.truth.corrupted]
    assert int((clean == 3).sum()) == int((clean == 5).sum()) == 43
    assert set(zip(clean.tolist(), given_labels.tolist(), strict=True)) == {(3, 5), (5, 3)}


def test_random_labels_are_uniform_over_the_wrong_classes() -> None:
    offsets = torch.cat(
        [
            (r.train.labels - r.truth.clean_labels)[r.truth.corrupted] % 10
            for r in (make("digits", seed, regularity=0.0, amount=0.5) for seed in range(4))
        ]
    )
    counts = torch.bincount(offsets, minlength=10)
    assert counts[0] == 0
    expected = len(offsets) / 9
    assert ((counts[1:] - expected).abs() < 5 * expected**0.5).all()


def test_equal_specs_give_equal_data_and_another_seed_gives_other_data() -> None:
    one, two, other = make("digits", regularity=0.7), make("digits", regularity=0.7), make("digits", 1, regularity=0.7)
    assert torch.equal(one.train.inputs, two.train.inputs)
    assert torch.equal(one.truth.corrupted, two.truth.corrupted)
    assert not torch.equal(one.truth.corrupted, other.truth.corrupted)


@pytest.mark.parametrize("corner", ["top-left", "top-right", "bottom-left", "bottom-right"])
def test_the_trigger_is_where_and_what_it_was_asked_to_be(corner: str) -> None:
    images = torch.full((2, 3, 10, 12), 100, dtype=torch.uint8)
    stamped = apply_trigger(images, TriggerSpec(size=3, corner=corner, value=200, opacity=0.5), None)
    rows = slice(0, 3) if corner.startswith("top") else slice(7, 10)
    columns = slice(0, 3) if corner.endswith("left") else slice(9, 12)
    assert (stamped[..., rows, columns] == 150).all()
    assert int((stamped != images).sum()) == 2 * 3 * 9
    assert (images == 100).all()


def test_triggered_points_lie_where_no_point_was() -> None:
    for name in ("blobs", "waves", "spirals"):
        result = make(name, regularity=1.0)
        hit = result.truth.corrupted
        clean_x = result.test.inputs[:, 0]
        assert result.train.inputs[hit, 0].min() > clean_x.max()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"regularity": 0.5, "amount": 300}, "at most 40%"),
        ({"amount": 1000}, "too many"),
        ({"amount": 0.0001}, "corrupts none"),
        ({"target_class": 10}, "target_class must be below 10"),
        ({"class_a": 77}, "class_a must be below 10"),
        ({"trigger": TriggerSpec(size=9)}, "does not fit"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(options: dict[str, object], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence) as caught:
        make("digits", **options)
    assert "\n" not in str(caught.value)


def test_confusion_stays_below_its_limit_wherever_it_is_allowed() -> None:
    most = int(2 * MAX_CONFUSED * 144)
    result = make("digits", regularity=0.5, amount=most)
    confused = result.truth.corrupted[result.truth.kinds == CONFUSION]
    for cls in (3, 5):
        assert int((result.truth.clean_labels[confused] == cls).sum()) <= MAX_CONFUSED * int(
            (result.truth.clean_labels == cls).sum()
        )


def test_a_rate_that_finds_nothing_says_what_would_find_something() -> None:
    truth = make("digits").truth
    with pytest.raises(UserError, match=r"finds none of the 86 .* at least 0\.0058"):
        truth.forget_indices(0.001)
    assert len(truth.forget_indices(0.0)) == 0
