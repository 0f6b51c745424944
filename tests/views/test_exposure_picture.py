"""Whose labels a model still gives away: scores by hand, the threshold's two shares, order of the most exposed."""

from __future__ import annotations

import numpy as np
import pytest

from unlearn_core.views.compare.exposure import MOST_FALSE, Exposure
from unlearn_core.views.compare.exposure_figure import BINS, exposure_histograms

FOUND = Exposure(
    examples=np.array([7, 3, 9, 4]),
    known={"original": np.array([4.0, 5.0, 6.0, 7.0]), "rem": np.array([-3.0, 2.0, -1.0, 0.0])},
    unseen={"original": np.linspace(0, 4, 100), "rem": np.linspace(0, 4, 100)},
)
LABELS = {"original": "Original", "rem": "REM"}


def test_the_most_exposed_come_first_by_their_training_index() -> None:
    assert FOUND.most_exposed("rem", 3).tolist() == [3, 4, 9]


def test_a_threshold_recognises_what_lies_at_or_above_it() -> None:
    assert list(FOUND.recognised("rem", 2.0)) == pytest.approx([0.25, 0.5])
    assert list(FOUND.recognised("original", 4.0)) == pytest.approx([1.0, 0.01])


def test_the_first_threshold_lets_few_unseen_images_pass() -> None:
    ours, others = FOUND.recognised("rem", FOUND.first_threshold("rem"))
    assert others == pytest.approx(MOST_FALSE, abs=0.011)
    assert ours == 0.0


def test_the_caption_and_every_share_add_up() -> None:
    picture = exposure_histograms(FOUND, LABELS, 2.0, "rem")
    assert "25 % of the forget set’s labels are recognised in REM (100 % in the original)" in picture.caption
    assert "50 % false alarms" in picture.caption
    assert len(picture.data) == 2 * 2 * BINS
    assert picture.data.groupby(["model", "of"])["share"].sum().to_numpy() == pytest.approx(1.0)


def test_retraining_is_named_where_it_is_there() -> None:
    known = FOUND.known | {"retrain": np.array([1.0, 1.0, 3.0, 1.0])}
    with_it = Exposure(FOUND.examples, known, FOUND.unseen | {"retrain": np.linspace(0, 4, 100)})
    picture = exposure_histograms(with_it, LABELS | {"retrain": "Retrain"}, 2.0, "rem")
    assert picture.caption.endswith("Retraining without F: 25 %.")
