"""A drawing survives its text, corrupts exactly what was drawn, and its rate finds exactly the known points."""

from __future__ import annotations

import contextlib
import functools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unlearn_core.corruption import corrupt
from unlearn_core.corruption.drawn import MAX_LENGTH, MAX_POINTS, Drawing, check_drawing, decode_drawing, encode_drawing
from unlearn_core.datasets import LabelledData, Split, load_dataset
from unlearn_core.errors import UserError
from unlearn_core.presets import make_scenario
from unlearn_core.specs import DatasetSpec, Scenario


@functools.cache
def split() -> Split:
    return load_dataset(make_scenario("blobs").dataset, 0)


def train() -> LabelledData:
    return split().train


@pytest.fixture(autouse=True, scope="module")
def _loaded() -> None:
    split()  # not inside a strategy: loading draws at random


def labels() -> torch.Tensor:
    return train().labels


@st.composite
def drawings(draw: st.DrawFn) -> Drawing:
    """Possible drawings on the blobs, none of them empty."""
    points = draw(st.dictionaries(st.integers(0, len(labels()) - 1), st.integers(1, 2), min_size=1, max_size=60))
    wrong = {index: (int(labels()[index]) + turn) % 3 for index, turn in points.items()}
    return Drawing(wrong, frozenset(draw(st.sets(st.sampled_from(sorted(wrong))))))


def scenario_of(drawing: Drawing) -> Scenario:
    text = encode_drawing(drawing, train())
    overrides = {"corruption.kind": "drawn", "corruption.flips": text}
    return make_scenario("blobs", amount=len(drawing), discovery=drawing.rate, overrides=overrides)


@settings(max_examples=40, deadline=None)
@given(drawings())
def test_a_drawing_survives_its_text(drawing: Drawing) -> None:
    text = encode_drawing(drawing, train())
    assert decode_drawing(text) == check_drawing(text, train()) == drawing
    assert text == encode_drawing(Drawing(dict(reversed(drawing.given.items())), drawing.known), train())
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@settings(max_examples=25, deadline=None)
@given(drawings())
def test_what_is_drawn_is_corrupted_and_what_is_known_is_the_forget_set(drawing: Drawing) -> None:
    scenario = scenario_of(drawing)
    made = corrupt(split(), scenario.dataset, scenario.corruption, scenario.seed)
    changed = (made.train.labels != labels()).nonzero()[:, 0].tolist()
    assert {index: int(made.train.labels[index]) for index in changed} == drawing.given
    assert torch.equal(made.train.inputs, split().train.inputs)
    assert made.truth.forget_of(scenario).tolist() == sorted(drawing.known)
    assert drawing.at_rate(scenario.discovery) == drawing


def test_the_largest_drawing_fits_into_a_link() -> None:
    last = len(labels()) - 1
    spread = [round(k * last / (MAX_POINTS - 1)) for k in range(MAX_POINTS)]
    full = Drawing({index: (int(labels()[index]) + 1 + index % 2) % 3 for index in spread}, frozenset(spread[::3]))
    assert len(encode_drawing(full, train())) <= MAX_LENGTH
    free = next(index for index in range(last) if index not in full.given)
    with pytest.raises(UserError, match=f"at most {MAX_POINTS} points"):
        encode_drawing(full.painted([free], (int(labels()[free]) + 1) % 3, labels(), False), train())


def test_a_brush_flips_marks_and_clears() -> None:
    clean = torch.tensor([0, 1, 2, 0])
    drawing = Drawing().painted([0, 1], 1, clean, known=True)
    assert drawing == Drawing({0: 1}, frozenset({0}))  # point 1 is of this class already
    drawing = drawing.painted([0, 2], 2, clean, known=False).painted([3], 2, clean, known=False)
    assert drawing == Drawing({0: 2, 3: 2}, frozenset({0}))  # what is known of a point stays when it is painted again
    assert drawing.marked([1, 3], True).known == {0, 3}
    assert drawing.marked([0], False).known == set()
    assert drawing.cleared([0]) == Drawing({3: 2})
    assert drawing.painted([3], 0, clean, known=True) == Drawing({0: 2}, frozenset({0}))


def other(data: LabelledData, **change: object) -> LabelledData:
    parts = {"inputs": data.inputs, "labels": data.labels, "class_names": data.class_names} | change
    return LabelledData(**parts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("drawing", "seed", "says"),
    [
        (Drawing({600: 1}), 0, "names point 600, and there are 600 training points"),
        (Drawing({5: 3}), 0, "gives class 3, and there are 3 classes"),
        (Drawing({5: 1}), 1, "made on other data"),
    ],
)
def test_a_drawing_that_does_not_fit_is_refused_in_one_sentence(drawing: Drawing, seed: int, says: str) -> None:
    text = encode_drawing(drawing, train())
    with pytest.raises(UserError, match=says):
        check_drawing(text, load_dataset(DatasetSpec(name="blobs", params={"noise": 1.0}), seed).train)


def test_a_right_label_and_images_and_nothing_are_refused() -> None:
    right = encode_drawing(Drawing({7: int(labels()[7])}), train())
    with pytest.raises(UserError, match="which is its right one"):
        check_drawing(right, train())
    with pytest.raises(UserError, match="images"):
        check_drawing(right, other(train(), inputs=torch.zeros(len(train()), 1, 4, 4, dtype=torch.uint8)))
    with pytest.raises(UserError, match="Nothing is drawn"):
        check_drawing("", train())


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=30) | st.binary(max_size=24).map(lambda b: encode_drawing(Drawing({3: 1}), train())[:-1] + b.hex()))
def test_text_that_is_no_drawing_is_refused_or_read(text: str) -> None:
    with contextlib.suppress(UserError):
        assert decode_drawing(text).given


def test_a_cut_drawing_is_refused() -> None:
    text = encode_drawing(Drawing({k: (int(labels()[k]) + 1) % 3 for k in range(0, 300, 7)}, frozenset({7})), train())
    for length in range(1, len(text)):
        with pytest.raises(UserError, match="cannot be read"):
            decode_drawing(text[:length])
