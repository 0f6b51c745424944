"""Every picture has titles with units, a caption, words for those who cannot see it, and its data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from unlearn_core.evaluation import registry
from unlearn_core.views.compare.classes_figure import classes
from unlearn_core.views.compare.difference_figure import difference
from unlearn_core.views.compare.figure import cost, healed_utility, ordered, trajectories
from unlearn_core.views.labels import name_box, place
from unlearn_core.views.palette import GROUPS, method_style, method_styles
from unlearn_core.views.picture import Picture
from unlearn_core.views.points import points
from unlearn_core.views.table import best, group_counts
from unlearn_core.views.task_map import MethodRegion, mixture, position_name, task_map
from unlearn_core.views.text.sentences import outcome, reference_note

NAMES = ["original", "finetune", "npo", "retrain", "oracle_retrain", "rem"]
METRICS = {metric.name: metric for metric in registry if metric.unit == "share"}


@pytest.fixture
def frame() -> pd.DataFrame:
    healed = [0.0, 0.02, 0.1, 0.33, 0.97, 0.85]
    utility = [0.97, 0.96, 0.7, 0.96, 0.97, 0.965]
    return pd.DataFrame(
        {
            "method": NAMES,
            "label": ["Original", "Fine-tune", "NPO", "Retrain", "Oracle: retrain without all corruption", "REM"],
            "oracle": [name == "oracle_retrain" for name in NAMES],
            "healed": healed,
            "utility": utility,
            "healed_x_utility": np.multiply(healed, utility),
            "attack_success": [1.0, 0.99, None, 0.9, 0.0, 0.1],
            "seconds": [3.0, 1.0, 0.2, 3.0, 2.9, 2.0],
            "device": "cpu",
        }
    )


@pytest.fixture
def pictures(frame: pd.DataFrame) -> dict[str, Picture]:
    rounds = pd.concat([frame.assign(round=k, healed=frame["healed"] * k / 3) for k in range(4)])
    flat = pd.DataFrame(
        {
            "x": [0.0, 1.0, 2.0],
            "y": 0.0,
            "x_before": [0.0, 1.0, 0.5],
            "y_before": 0.0,
            "given": ["a", "b", "c"],
            "clean": ["a", "a", "b"],
            "group": ["clean", "discovered", "undiscovered"],
            "kind": ["clean", "random label", "trigger"],
        }
    )
    regions = [MethodRegion("rem", "REM", (0, 1), (0, 1)), MethodRegion("retrain", "Retrain", (0, 1), (0.9, 1))]
    compared = difference(frame, METRICS)
    assert compared is not None
    return {
        "plane": task_map(0.5, 0.3, regions, measured=0.4),
        "mixture": mixture({"random label": 0.2, "confusion": 0.8, "trigger": 0.0}),
        "scatter": healed_utility(frame),
        "trajectories": trajectories(rounds, "healed", "Healed", "share of C predicted as its clean label"),
        "cost": cost(frame),
        "difference": compared,
        "points": points(flat),
        "classes": classes(by_class(frame)),
    }


def by_class(frame: pd.DataFrame) -> pd.DataFrame:
    """Two classes for every model: half healed on the first, nothing to heal in the second."""
    who = frame[["method", "label", "oracle"]].assign(test_n=9, utility=1.0)
    rows = [who.assign(**{"class": name, "n": n, "healed": healed}) for name, n, healed in (("cat", 4, 0.5), ("dog", 0, None))]
    return pd.concat(rows).astype({"healed": float})


KEYS = ["plane", "mixture", "scatter", "trajectories", "cost", "difference", "points", "classes"]


@pytest.mark.parametrize("key", KEYS)
def test_a_picture_explains_itself(pictures: dict[str, Picture], key: str) -> None:
    picture = pictures[key]
    assert picture.caption.endswith(".")
    assert len(picture.alt) > 20
    assert len(picture.data.to_csv()) > 20
    title = picture.figure.layout.xaxis.title.text
    assert title
    assert "(" in title or "multiple" in title
    if key not in ("mixture", "cost", "difference", "classes"):
        assert "(" in picture.figure.layout.yaxis.title.text
    picture.figure.to_json()


def test_groups_differ_in_colour_and_in_marker() -> None:
    assert len({style.color for style in GROUPS.values()}) == len({style.symbol for style in GROUPS.values()}) == 5


def luminance(color: str) -> float:
    linear = [
        (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4)
        for v in (int(color[k : k + 2], 16) / 255 for k in (1, 3, 5))
    ]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


@pytest.mark.parametrize("background", ["#FFFFFF", "#14181F"])
def test_groups_stand_out_on_light_and_dark(background: str) -> None:
    base = luminance(background)
    for style in GROUPS.values():
        high, low = max(base, luminance(style.color)), min(base, luminance(style.color))
        assert (high + 0.05) / (low + 0.05) >= 2.9, style


def test_methods_keep_their_style_whatever_is_shown_beside_them() -> None:
    together = method_styles(NAMES, ["oracle_retrain"])
    assert all(together[name] == method_style(name) for name in NAMES)
    assert len({(s.color, s.symbol) for s in together.values()}) == len(NAMES)


def test_colliding_styles_are_told_apart() -> None:
    names = [f"method{k}" for k in range(6)]
    assert len({(s.color, s.symbol) for s in method_styles(names).values()}) == 6


def test_open_markers_are_references(pictures: dict[str, Picture]) -> None:
    traces = [trace for trace in pictures["scatter"].figure.data if trace.type == "scatter" and trace.mode == "markers"]
    symbols = {trace.name: trace.marker.symbol for trace in traces}
    assert {name for name, symbol in symbols.items() if symbol.endswith("-open")} == {"Original", "Oracle"}


def test_points_are_the_numbers_of_the_table(frame: pd.DataFrame) -> None:
    drawn = {t.name: (t.x[0], t.y[0]) for t in healed_utility(frame).figure.data if t.type == "scatter"}
    assert drawn["REM"] == (0.965, 0.85)


def test_the_front_joins_what_no_method_beats(frame: pd.DataFrame) -> None:
    picture = healed_utility(frame)
    (line,) = [trace for trace in picture.figure.data if trace.name == "Pareto front"]
    assert line.line.shape == "vh"
    assert list(zip(line.x, line.y, strict=True))[1:-1] == [(0.965, 0.85)]
    assert list(picture.data.loc[picture.data["on_front"], "method"]) == ["rem"]
    assert "nothing chosen beats REM in both" in picture.caption
    only_oracles = healed_utility(frame[frame["method"].isin(["original", "oracle_retrain"])])
    assert "Pareto" not in only_oracles.caption


def test_classes_without_examples_stay_empty(pictures: dict[str, Picture]) -> None:
    heatmap, strong, weak, missing = pictures["classes"].figure.data
    assert heatmap.x[1] == "dog<br>0"
    assert np.isnan(np.array(heatmap.z, dtype=float)[:, 1]).all()
    assert (set(strong.text), set(weak.text), set(missing.text)) == (set(), {"50"}, {"–"})
    assert (heatmap.zmin, heatmap.zmax) == (0, 1)


def test_a_weak_class_of_the_best_method_is_named(frame: pd.DataFrame) -> None:
    shares = by_class(frame)
    shares.loc[(shares["method"] == "rem") & (shares["class"] == "dog"), ["n", "healed"]] = [3, 1.0]
    assert "REM, best on average over the classes, is weakest on class cat: 50 %." in classes(shares).caption
    assert "weakest" not in classes(shares, "utility").caption


def test_time_can_be_the_share_of_a_method_s_own_work(frame: pd.DataFrame) -> None:
    rounds = pd.concat([frame.assign(round=k, work=k / 4) for k in range(5)])
    picture = trajectories(rounds, "healed", "Healed", "x", time_axis="work")
    assert picture.figure.layout.xaxis.tickformat == ".0%"
    assert list(picture.figure.data[0].x) == [0, 0.25, 0.5, 0.75, 1]
    assert {"round", "work"} <= set(picture.data.columns)


def test_cost_is_relative_to_retraining(frame: pd.DataFrame) -> None:
    data = cost(frame).data.set_index("method")["times retraining"]
    assert data["retrain"] == 1.0
    assert data["finetune"] == pytest.approx(1 / 3)


def test_without_retraining_there_is_no_difference_to_it(frame: pd.DataFrame) -> None:
    assert difference(frame[frame["method"] != "retrain"], METRICS) is None
    assert "original" in cost(frame[frame["method"] != "retrain"]).caption


def test_difference_is_in_percentage_points(frame: pd.DataFrame) -> None:
    compared = difference(frame, METRICS)
    assert compared is not None
    table = compared.data.set_index("method")
    assert table.loc["rem", "healed (percentage points)"] == pytest.approx(52)


def test_ordering_follows_the_choice(frame: pd.DataFrame) -> None:
    assert list(ordered(frame, ["rem", "npo"])["method"]) == ["original", "rem", "npo"]


def test_empty_frames_draw_empty_pictures(frame: pd.DataFrame) -> None:
    assert healed_utility(frame.iloc[:0]).figure.data[0].type == "contour"


@pytest.mark.parametrize(
    ("dial", "name"), [(0, "random labels"), (0.5, "interclass confusion"), (1, "trigger"), (0.7, "confusion → trigger")]
)
def test_positions_of_the_dial_have_names(dial: float, name: str) -> None:
    assert position_name(dial) == name


def test_labels_of_close_points_do_not_meet() -> None:
    x, y = [0.5, 0.52, 0.5], [0.5, 0.51, 0.53]
    spots = place(["Retrain", "Original", "Fine-tune"], x, y, (0, 1), (0, 1))
    assert len({(spot.anchor, spot.dy) for spot in spots}) == 3


def test_labels_stay_inside() -> None:
    spot = place(["a long name"], [1.0], [0.0], (0, 1), (0, 1))[0]
    assert spot.anchor == "right"
    assert spot.dy > 0


def test_a_method_has_one_style_over_all_its_rounds(pictures: dict[str, Picture], frame: pd.DataFrame) -> None:
    colors = {trace.name: trace.line.color for trace in pictures["trajectories"].figure.data}
    assert colors["REM"] == method_style("rem").color
    assert colors["NPO"] == method_style("npo").color


@pytest.mark.parametrize("discovery", [0.0, 0.3, 0.99])
def test_retraining_is_no_gold_standard_below_full_discovery(frame: pd.DataFrame, discovery: float) -> None:
    assert "gold" not in reference_note(discovery)
    assert "gold" not in outcome(frame, discovery)


def test_retraining_is_the_gold_standard_at_full_discovery() -> None:
    assert "gold standard" in reference_note(1.0)


def test_the_outcome_is_read_from_the_numbers(frame: pd.DataFrame) -> None:
    text = outcome(frame, 0.3)
    assert "REM heals 85 % of all corrupted examples at 96 % utility" in text
    assert "Retrain 33 %" in text
    assert "reaches 97 %" in text


def test_names_of_many_equal_points_can_all_be_read() -> None:
    names = ["Original", "Fine-tune", "SCRUB", "AMUN", "SalUn", "SSD", "Retrain"]
    x = [0.986, 0.985, 0.986, 0.988, 0.98, 0.988, 0.997]
    spots = place(names, x, [0.035] * 7, (0.85, 1.005), (-0.06, 1.06))
    boxes = [name_box(n, 300 * (a - 0.85) / 0.155, 240 * 0.095 / 1.12, s) for n, a, s in zip(names, x, spots, strict=True)]
    for k, (l0, b0, r0, t0) in enumerate(boxes):
        assert not any(l0 < r1 and l1 < r0 and b0 < t1 and b1 < t0 for l1, b1, r1, t1 in boxes[:k]), names[k]


def test_a_tie_of_all_has_no_star(frame: pd.DataFrame) -> None:
    assert "healed" not in best(frame.assign(healed=0.5), METRICS)
    assert best(frame, METRICS)["healed"] == {"rem"}
    assert best(frame, METRICS)["attack_success"] == {"rem"}


def test_counts_of_groups_add_up() -> None:
    assert group_counts(86, 26, 1437) == {"clean": 1351, "discovered": 26, "undiscovered": 60}


@pytest.mark.parametrize("height", [430, 300])
def test_numbers_of_lines_stand_on_their_line_and_under_no_name(frame: pd.DataFrame, height: int) -> None:
    """Points near the left end too, where numbers would stand first."""
    crowded = frame.assign(utility=[0.865, 0.87, 0.88, 0.96, 0.97, 0.965], healed=[0.1, 0.22, 0.33, 0.57, 0.97, 0.85])
    figure = healed_utility(crowded, height).figure
    assert not figure.data[0].contours.showlabels  # Plotly's own know nothing of the names
    written = [note for note in figure.layout.annotations if note.text[0].isdigit()]
    named = [note for note in figure.layout.annotations if not note.text[0].isdigit()]
    assert len(named) == 6
    assert len(written) >= 7
    left, right = figure.layout.xaxis.range
    room = {430: (400, 330), 300: (190, 185)}[height]

    def at(x: float, y: float) -> tuple[float, float]:
        return room[0] * (x - left) / (right - left), room[1] * (y + 0.06) / 1.12

    for number in written:
        assert number.x * number.y == pytest.approx(float(number.text))
        assert number.font.color is None, "in the theme's colour"
        assert number.opacity >= 0.6  # what a text keeps its contrast with: tests/views/test_contrast.py
        a, b = at(number.x, number.y)
        b += number.yshift
        for note in named:
            x, y = at(note.x, note.y)
            assert abs(a - x) > 9 or abs(b - y) > 9, (number.text, note.text)  # the marker
            start = x + note.ax - (8.2 * len(note.text) if note.xanchor == "right" else 0)
            beside = a + 10 < start or a - 10 > start + 8.2 * len(note.text)
            assert beside or abs(b - (y - note.ay)) > 16, (number.text, note.text)
