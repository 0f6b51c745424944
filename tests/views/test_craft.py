"""Previews: examples that are what they say, counts that add up."""

from __future__ import annotations

import numpy as np
import pytest

from unlearn_core.presets import make_scenario
from unlearn_core.views.craft.data import preview, triggers


@pytest.mark.parametrize("dataset", ["digits", "waves"])
@pytest.mark.parametrize("regularity", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_counts_add_up_and_examples_tell_the_truth(dataset: str, regularity: float) -> None:
    scenario = make_scenario(dataset, regularity=regularity, discovery=0.3)
    shown = preview(scenario, limit=24)
    assert shown.counts["total"].sum() == shown.corrupted
    assert shown.counts["discovered"].sum() == shown.discovered
    assert len(shown.examples) == 24
    assert any(e.discovered for e in shown.examples)
    assert not all(e.discovered for e in shown.examples)
    assert sum(shown.mixture.values()) == pytest.approx(1)
    for example in shown.examples:
        if example.kind == "trigger":
            assert not np.array_equal(example.before, example.after)
        else:
            assert np.array_equal(example.before, example.after)
            assert example.given != example.clean
    if dataset == "waves":
        assert shown.points is not None
        assert len(shown.points) == shown.train_size
        assert (shown.points["group"] != "clean").sum() == shown.corrupted


@pytest.mark.parametrize("rate", [0.0, 0.02, 0.99, 1.0])
def test_few_or_all_discovered_still_fills_the_picture(rate: float) -> None:
    shown = preview(make_scenario(discovery=rate), limit=12)
    assert len(shown.examples) == 12
    assert len({example.index for example in shown.examples}) == 12


@pytest.mark.parametrize("corner", ["top-left", "bottom-right", "bottom-left"])
def test_a_trigger_is_framed_where_the_image_changed(corner: str) -> None:
    scenario = make_scenario(regularity=1.0, overrides={"trigger.corner": corner, "trigger.size": 3})
    boxes = triggers(scenario)
    shown = preview(scenario, limit=12)
    assert {example.index for example in shown.examples} <= set(boxes)
    assert len(boxes) == shown.corrupted
    for example in shown.examples:
        changed = np.argwhere(example.before != example.after)
        side = len(example.before)
        box = boxes[example.index]
        first = np.array([box.top, box.left]) * side
        last = first + np.array([box.height, box.width]) * side
        assert ((changed >= first) & (changed + 1 <= last)).all()
        assert (last - first).tolist() == pytest.approx([3, 3])


@pytest.mark.parametrize(("dataset", "regularity"), [("digits", 0.0), ("waves", 1.0)])
def test_where_there_is_no_patch_nothing_is_framed(dataset: str, regularity: float) -> None:
    assert triggers(make_scenario(dataset, regularity=regularity)) == {}


def test_among_several_kinds_only_triggers_are_framed() -> None:
    scenario = make_scenario(regularity=0.75)
    kinds = {example.index: example.kind for example in preview(scenario, limit=86).examples}
    assert {index for index, kind in kinds.items() if kind == "trigger"} == set(triggers(scenario))
    assert len(set(kinds.values())) == 2


def test_a_change_is_drawn_five_times_as_strong_around_mid_grey() -> None:
    shown = preview(make_scenario(regularity=1.0, overrides={"trigger.kind": "blended"}), limit=4).examples[0]
    change = shown.change
    assert change is not None
    assert change.shape == shown.after.shape
    difference = shown.after.astype(int) - shown.before.astype(int)
    assert np.array_equal(change, np.clip(128 + 5 * difference, 0, 255))
    assert change.std() > 5 * np.abs(difference).std() / 3
    patch = preview(make_scenario(regularity=1.0), limit=4).examples[0].change
    assert patch is not None
    assert (patch == 128).sum() >= 60  # all but the patch of two by two
    assert preview(make_scenario(regularity=0.0), limit=4).examples[0].change is None
    assert preview(make_scenario("waves"), limit=4).examples[0].change is None


@pytest.mark.parametrize("kind", ["blended", "warp"])
def test_what_fills_the_picture_is_not_framed(kind: str) -> None:
    assert triggers(make_scenario(overrides={"trigger.kind": kind})) == {}


def test_a_sticker_is_framed_on_each_sign_where_it_is() -> None:
    scenario = make_scenario("signs", overrides={"dataset.examples": 200})
    boxes = triggers(scenario)
    assert len({(box.left, box.top) for box in boxes.values()}) > 1
    for example in preview(scenario, limit=12).examples:
        rows, columns = np.nonzero((example.before != example.after).any(-1))
        box, side = boxes[example.index], len(example.before)
        assert (box.left * side - 1, box.top * side - 1) <= (columns.min(), rows.min())
        assert columns.max() + 1 <= (box.left + box.width) * side + 1
        assert rows.max() + 1 <= (box.top + box.height) * side + 1
        assert box.width * side > 3  # seen at a glance
