"""What a label hangs on: where the patch goes, what it covers, and that a trigger is found by it and gone after healing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from unlearn_core.errors import UserError
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results.reader import scenario_data
from unlearn_core.stages.execution import run_stage
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.training import SilentReporter
from unlearn_core.views.craft.data import Box, triggers
from unlearn_core.views.occlusion.data import Occlusion, patches, place_words, read_occlusion
from unlearn_core.views.occlusion.figure import FLAT, occlusion_maps
from unlearn_core.views.occlusion.stage import covered, plan_occlusion


def made(base: float, covered_: list[list[float]], begins: list[int], side: int = 2) -> Occlusion:
    return Occlusion(base, np.array(begins), np.array(begins), side, np.array(covered_))


HANGS = made(0.9, [[0.9, 0.9, 0.8], [0.9, 0.95, 0.9], [0.9, 0.7, 0.1]], [0, 3, 6])
FLAT_ONE = made(0.02, [[0.02] * 3] * 3, [0, 3, 6])


@pytest.mark.parametrize(("height", "width", "side"), [(8, 8, 2), (28, 28, 5), (32, 32, 6), (224, 160, 27), (3, 2, 2)])
def test_patches_reach_every_pixel_and_the_edge(height: int, width: int, side: int) -> None:
    rows, columns, found = patches(height, width)
    assert found == side
    for begins, length in ((rows, height), (columns, width)):
        assert begins[0] == 0
        assert begins[-1] + side == length
        assert (np.diff(begins) <= max(1, side // 2)).all()


def test_a_patch_covers_its_place_in_the_mean_grey_and_nothing_else() -> None:
    image = torch.arange(2 * 4 * 4, dtype=torch.uint8).reshape(2, 4, 4)
    whole, first, last = covered(image, [(0, 0), (2, 2)], 2)
    assert torch.equal(whole, image)
    assert (first[:, :2, :2] == 16).all()  # the mean of 0 … 31 is 15.5
    assert torch.equal(first[:, 2:], image[:, 2:])
    assert torch.equal(first[:, :, 2:], image[:, :, 2:])
    assert (last[:, 2:, 2:] == 16).all()


def test_the_peak_is_where_the_probability_falls_most() -> None:
    assert HANGS.peak[:2] == (6, 6)
    assert HANGS.peak[2] == pytest.approx(0.8)
    assert HANGS.fall.min() == pytest.approx(-0.05)  # covering the centre raises it
    assert place_words(HANGS, 8, 8) == "bottom right"
    assert place_words(made(1.0, [[1.0, 0.0], [1.0, 1.0]], [0, 3]), 8, 8) == "top centre"


def test_both_maps_are_on_one_scale_and_the_caption_says_where_and_how_much() -> None:
    image, box = np.zeros((8, 8), np.uint8), Box(0.75, 0.75, 0.25, 0.25)
    picture = occlusion_maps({"Original": HANGS, "REM": FLAT_ONE}, image, "seven", box)
    maps = [trace for trace in picture.figure.data if trace.type == "heatmap"]
    assert [(one.zmin, one.zmax) for one in maps] == [(-0.8, 0.8)] * 2
    assert np.asarray(maps[0].z)[2, 2] == pytest.approx(0.8)
    assert "p(seven) = 0.90, and falls most, by 0.80, under the patch at the bottom right, on the trigger" in picture.caption
    assert "REM: p(seven) = 0.02, and covering any part of the image lowers it by 0.00 at most" in picture.caption
    assert len(picture.data) == 18
    beside = occlusion_maps({"Original": HANGS}, image, "seven", Box(0, 0, 0.25, 0.25))
    assert "beside the trigger" in beside.caption
    assert "trigger" not in occlusion_maps({"Original": HANGS}, image, "seven").caption


def test_a_triggered_image_hangs_on_its_trigger_until_it_is_healed(tmp_path: Path) -> None:
    scenario = make_scenario("digits", regularity=1.0, discovery=1.0, overrides={"training.epochs": 5})
    spec = make_method("oracle_retrain", scenario, {})
    store, truth = Store.open(tmp_path), scenario_data(scenario).corrupted.truth
    given = scenario_data(scenario).corrupted.train.labels
    index = next(int(k) for k in truth.corrupted if given[k] != truth.clean_labels[k])
    stages = [plan_occlusion(scenario, None, index), plan_occlusion(scenario, spec, index)]
    for stage in [*plan_runs(scenario, [spec]), *stages]:
        run_stage(stage, store, "cpu", SilentReporter())
    before, after = (read_occlusion(store, stage.key) for stage in stages)
    row, column, fall = before.peak
    box = triggers(scenario)[index]
    assert before.base > 0.5
    assert fall > 0.4
    assert (row + before.side, column + before.side) > (8 * box.top, 8 * box.left)  # the trigger is at the bottom right
    assert after.base < FLAT
    assert after.peak[2] < FLAT
    with pytest.raises(UserError, match="no training image 99999"):
        run_stage(plan_occlusion(scenario, None, 99999), store, "cpu", SilentReporter())
    with pytest.raises(LookupError):
        read_occlusion(store, plan_occlusion(scenario, None, index + 1).key)
