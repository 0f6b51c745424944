"""Boundaries as pictures: every cell's colour is its class, points fade but stay, the timeline knows its neighbours."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from unlearn_core.views.boundary.figure import Look, Panel, boundaries
from unlearn_core.views.boundary.regions import FILLS, LEVELS, class_colors, codes, color_scale, fill, label_positions
from unlearn_core.views.palette import GROUPS

NAMES = ("low", "middle", "high")


@dataclass(frozen=True)
class Square:
    x: tuple[float, float] = (0.0, 1.0)
    y: tuple[float, float] = (0.0, 1.0)
    is_image: bool = False
    anchors: tuple[object, ...] = ()

    def cells(self, resolution: int) -> tuple[np.ndarray, np.ndarray]:
        middle = (np.arange(resolution) + 0.5) / resolution
        return middle, middle


def panel(title: str, frames: int, resolution: int = 20) -> Panel:
    """Two classes; the line between them moves by two columns in every frame."""
    winners = np.zeros((frames, resolution, resolution), dtype=np.int16)
    for k in range(frames):
        winners[k, :, 5 + 2 * k :] = 2
    return Panel(title, winners, np.full(winners.shape, 0.9, np.float32), [f"round {k}" for k in range(frames)])


POINTS = pd.DataFrame(
    [
        ("train", 0, 0.1, 0.2, "clean", "low", "low"),
        ("train", 1, 0.8, 0.2, "undiscovered", "low", "high"),
        ("train", 2, 0.7, 0.6, "discovered", "low", "high"),
        ("test", 0, 0.3, 0.4, "clean", "middle", "middle"),
    ],
    columns=["split", "index", "x", "y", "group", "given", "clean"],
)


def test_a_cell_s_colour_is_its_class_and_paler_where_unsure() -> None:
    colors = class_colors([np.array([[0, 2]])], 3)
    shades = [color for _, color in color_scale(colors)][::2]
    winners, sure = np.full((2, 2), 2), np.full((2, 2), 1.0)
    assert {shades[k] for k in codes(winners, sure, colors, "soft").ravel()} == {fill(2).lower()}
    unsure = codes(winners, np.full((2, 2), 0.4), colors, "soft")
    assert unsure.max() < codes(winners, sure, colors, "soft").min()
    assert np.array_equal(codes(winners, np.full((2, 2), 0.4), colors, "hard"), codes(winners, sure, colors, "soft"))
    assert codes(np.array([[0, 2], [0, 2]]), sure, colors, "soft").tolist() == [[255, colors[2] * LEVELS + LEVELS - 1]] * 2


def test_many_classes_still_fit_into_a_byte() -> None:
    winners = np.arange(100).reshape(10, 10)
    colors = class_colors([winners], 100)
    assert codes(winners, np.ones((10, 10)), colors, "soft").dtype == np.uint8
    assert (colors.max() + 1) * LEVELS <= 255


def test_class_fills_are_none_of_the_groups_colours() -> None:
    def rgb(color: str) -> np.ndarray:
        return np.array([int(color[k : k + 2], 16) for k in (1, 3, 5)])

    for color in FILLS:
        for name, style in GROUPS.items():
            if name == "unknown":  # an open marker in grey: it has no fill that a class could be taken for
                continue
            assert np.linalg.norm(rgb(color) - rgb(style.color)) > 50, (color, style.label)
    assert len(set(FILLS)) == len(FILLS) >= 10


def test_names_stand_inside_their_regions_and_beside_what_is_there() -> None:
    winners = panel("a", 1).winners[0]
    for label, row, column in label_positions(winners):
        assert winners[row, column] == label
    ((_, row, column),) = [found for found in label_positions(winners, taken=[(10, 12)]) if found[0] == 2]
    assert max(abs(row - 10), abs(column - 12)) > 1
    assert [label for label, _, _ in label_positions(winners, least=0.4)] == [2]


def test_points_fade_but_stay() -> None:
    picture = boundaries(
        [panel("A", 1), panel("B", 1)], Square(), POINTS, NAMES, Look(splits=("train",), groups=("discovered",))
    )
    markers = [t for t in picture.figure.data if t.type == "scatter" and t.customdata is not None]
    assert sum(len(trace.x) for trace in markers) == 2 * len(POINTS)
    strong = {trace.name for trace in markers if trace.opacity == 1}
    assert strong == {"discovered (1)"}
    assert {trace.marker.symbol for trace in markers if "undiscovered" in trace.name} == {GROUPS["undiscovered"].symbol}
    (undiscovered,) = {trace.marker.color[0] for trace in markers if "undiscovered" in trace.name}
    assert undiscovered == fill(NAMES.index("high"))


def test_frames_show_each_model_at_the_same_share_of_its_own_rounds() -> None:
    long, short, fixed = panel("long", 5), panel("short", 3), panel("fixed", 1)
    picture = boundaries([long, short, fixed], Square(), POINTS, NAMES, Look(start=1))
    figure, colors = picture.figure, class_colors([long.winners], 3)
    assert [frame.name for frame in figure.frames] == ["0", "1", "2", "3", "4"]
    for k, frame in enumerate(figure.frames):
        grounds = [trace.z for trace in frame.data if trace.type == "heatmap"]
        for one, entry, shown in zip((long, short, fixed), (k, k // 2, 0), grounds, strict=True):
            assert np.array_equal(shown, codes(one.winners[entry], one.confidence[entry], colors, "soft"))
        heads = [annotation.text for annotation in frame.layout.annotations]
        assert heads[:2] == [f"<b>long</b> · round {k}", f"<b>short</b> · round {k // 2}"]
        kinds = [figure.data[trace].type for trace in frame.traces]
        assert kinds == ["heatmap", "scatter"] * 3
    assert np.array_equal(figure.data[0].z, figure.frames[1].data[0].z)
    assert figure.layout.sliders[0].active == 1
    assert set(picture.data["frame"]) == set(range(5))
    axes = [*figure.select_xaxes(), *figure.select_yaxes()]
    assert len(axes) >= 6
    assert {axis.range for axis in axes} == {(0.0, 1.0)}, "all panels show the same square"


def test_the_buttons_of_a_frame_lead_to_its_neighbours() -> None:
    figure = boundaries([panel("A", 4)], Square(), POINTS, NAMES, Look()).figure
    assert figure.layout.sliders[0].active == 0  # a story starts at its beginning
    for k, frame in enumerate(figure.frames):
        back, play, pause, on = frame.layout.updatemenus[0].buttons
        assert list(back.args[0]) == [str(max(0, k - 1))]
        assert list(on.args[0]) == [str(min(3, k + 1))]
        assert play.args[0] is None
        assert play.args[1]["frame"]["duration"] <= 200  # milliseconds: five frames in a second
        assert list(pause.args[0]) == [None]


@pytest.mark.parametrize("frames", [1, 6])
def test_the_picture_says_what_it_shows(frames: int) -> None:
    picture = boundaries([panel("A", frames)], Square(), POINTS, NAMES, Look())
    assert picture.caption.startswith("Look for corrupted points")
    assert ("Play the rounds" in picture.caption) == (frames > 1)
    assert "A: " in picture.alt
    assert len(picture.data) == frames * 400
    assert set(picture.data["predicted"]) == {"low", "high"}
    assert "first coordinate" in figure_json(picture.figure)


def figure_json(figure: object) -> str:
    return json.dumps(json.loads(figure.to_json()), ensure_ascii=False)  # type: ignore[attr-defined]
