"""Previews: examples that are what they say, counts that add up."""

from __future__ import annotations

import numpy as np
import pytest

from unlearn_core.insight.previews import preview
from unlearn_core.presets import make_scenario


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
