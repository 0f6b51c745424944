"""The star-burst: who arrives is counted in the features, arrows lead from before to after, frames go all the way."""

from __future__ import annotations

import numpy as np
import pandas as pd

from unlearn_core.results.reader import GROUPS
from unlearn_core.views.embedding import burst as bursts
from unlearn_core.views.embedding.burst_figure import STEPS, Burst, meaning, starburst, summary
from unlearn_core.views.embedding.data import LISTED, Embedding
from unlearn_core.views.embedding.examples import ORIGINAL, Examples, parts
from unlearn_core.views.embedding.figure import Cloud

NAMES = ("a", "b")
MODELS = (ORIGINAL, "still", "healer")


def shown(unknown: bool = False) -> Examples:
    """Twenty clean examples, ten of each class, then four of class b that were given a; two of them are discovered."""
    groups = [GROUPS.index("unknown" if unknown else "clean")] * 20
    groups += [GROUPS.index(name) for name in ("discovered", "discovered", "undiscovered", "undiscovered")]
    clean, given = np.repeat([0, 1, 1], [10, 10, 4]), np.repeat([0, 1, 0], [10, 10, 4])
    wrong, right = np.eye(2)[given], np.eye(2)[clean]
    probabilities = {ORIGINAL: wrong, "still": wrong, "healer": right}
    return Examples(np.array(groups, np.int8), np.full(24, "", object), clean, given, NAMES, probabilities)


def embedding() -> Embedding:
    """In the original and under "still" the four lie among class a; under "healer" three of them among class b, and the fourth
    beside its three fellows, of which two of eight are too many to be with its class."""
    rng = np.random.default_rng(0)
    near = rng.integers(0, 10, (3, 24, LISTED))
    near[:, 10:20] += 10
    near[2, 20:23] = rng.integers(10, 20, (3, LISTED))
    near[2, 23] = [20, 21, 22, 20, 10, 11, 12, 13]
    places = np.zeros((3, 24, 2), np.float32)
    places[:, 10:20, 0] = 1
    places[2, 20:, 0] = 1
    return Embedding("umap", MODELS, np.arange(24), places, near, 24)


def made(rows: list[int], unknown: bool = False) -> Burst:
    one, found = shown(unknown), embedding()
    frame = pd.DataFrame(
        {
            "index": np.arange(24),
            "group": one.group_names,
            "class": one.words(one.clean),
            "given": one.words(one.given),
        }
    )
    predictions = [one.words(one.predicted(name)) for name in MODELS]
    cloud = Cloud(
        "umap", ("Original", "Still", "Healer"), found.places, frame, predictions, [one.loss(m) for m in MODELS], NAMES
    )
    return Burst(cloud, "corrupted", np.array(rows), np.array(rows), bursts.at_home(one, found, MODELS))


def test_who_arrives_is_counted_by_hand() -> None:
    home = bursts.at_home(shown(), embedding(), MODELS)
    assert home is not None
    assert home[:, 20:].tolist() == [[False] * 4, [False] * 4, [True, True, True, False]]
    assert home[:, :20].all()
    burst = made([20, 21, 22, 23])
    assert burst.counts() == [0, 0, 3]
    assert "Of 4 corrupted examples, 0 lay" in summary(burst)
    assert "0 under Still and 3 under Healer do after" in summary(burst)


def test_where_the_truth_is_unknown_only_changed_predictions_are_counted() -> None:
    assert bursts.at_home(shown(unknown=True), embedding(), MODELS) is None
    burst = made([20, 21, 22], unknown=True)
    assert burst.counts() == [0, 0, 3]
    assert "predicted as another class" in summary(burst)
    assert list(parts(shown(unknown=True))) == ["discovered"]
    found = parts(shown())
    assert {name: np.flatnonzero(part).tolist() for name, part in found.items()} == {
        "discovered": [20, 21],
        "undiscovered": [22, 23],
    }


def test_arrows_and_frames_lead_from_the_original_to_each_method() -> None:
    burst = made([20, 23])
    picture = starburst(burst)
    figure = picture.figure
    lines = {trace.xaxis: trace for trace in figure.data if trace.mode == "lines+markers"}
    for axis, panel in (("x", 1), ("x2", 2)):
        ends = burst.cloud.places[panel, [20, 23]]
        assert np.array(lines[axis].x)[[0, 3]].tolist() == burst.cloud.places[0, [20, 23], 0].tolist()
        assert np.array(lines[axis].x)[[1, 4]].tolist() == ends[:, 0].tolist()
        moving = [figure.data[k] for k in figure.frames[0].traces if figure.data[k].xaxis == axis]
        assert np.array(moving[0].x).tolist() == ends[:, 0].tolist()  # without Play it is the end that is seen
    travels = np.array([frame.data[1].x for frame in figure.frames])
    assert len(travels) == STEPS + 1
    assert travels[0].tolist() == [0, 0]
    assert travels[-1].tolist() == [1, 1]
    assert (np.diff(travels, axis=0) > 0).all()
    assert all(not np.array(frame.data[0].x).any() for frame in figure.frames)  # under "still" nothing moves
    assert picture.data["index"].tolist() == [20, 23]
    assert picture.data["Healer: arrives"].tolist() == [True, False]
    assert "3 of" not in picture.alt
    assert "1 under Healer" in picture.alt
    assert "0.0 % under Still (clean ones 0.0 %) and 100.0 % under Healer (clean ones 0.0 %)" in meaning(burst)


def test_a_large_group_is_counted_whole_and_drawn_in_part() -> None:
    group = np.ones(3000, dtype=bool)
    found = Embedding("pca", MODELS, np.arange(3000), np.zeros((3, 3000, 2)), np.zeros((3, 3000, LISTED), int), 3000)
    rows, arrows = bursts.drawn(group, found)
    assert len(rows) == 3000
    assert len(set(arrows.tolist())) == bursts.MAX_ARROWS
    assert np.array_equal(arrows, bursts.drawn(group, found)[1])
