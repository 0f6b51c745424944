"""Clouds: the same examples in every panel, those in focus strong, movements drawn for few, every colouring."""

from __future__ import annotations

import dataclasses
import time

import numpy as np
import pandas as pd
import pytest

from unlearn_core.view_state import COLOURS
from unlearn_core.views.embedding.examples import Examples, modes, table
from unlearn_core.views.embedding.figure import FADED, TRAILS, Cloud, clouds, distributions
from unlearn_core.views.palette import GROUPS

NAMES = ("a", "b", "c")


def cloud(count: int = 300, panels: int = 3, way: str = "umap") -> Cloud:
    rng = np.random.default_rng(0)
    words = np.array(NAMES)
    frame = pd.DataFrame(
        {
            "index": np.arange(count) * 2,
            "group": np.array(["discovered", "undiscovered", *["clean"] * 8])[np.arange(count) % 10],
            "kind": "clean",
            "class": words[rng.integers(0, 3, count)],
            "given": words[rng.integers(0, 3, count)],
        }
    )
    predictions = [words[rng.integers(0, 3, count)] for _ in range(panels)]
    losses = [rng.exponential(size=count) for _ in range(panels)]
    titles = ("Original", "Retrain", "REM")[:panels]
    doubt = rng.random(count)
    return Cloud(way, titles, rng.normal(size=(panels, count, 2)), frame, predictions, losses, NAMES, doubt, "probability")


def points(figure: object) -> list[object]:
    return [trace for trace in figure.data if trace.type == "scattergl" and trace.mode == "markers"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("colour", COLOURS)
def test_every_panel_shows_every_example_once_in_the_shape_of_its_group(colour: str) -> None:
    made = cloud()
    shown = clouds(made, colour)
    for panel in ("x", "x2", "x3"):
        traces = [trace for trace in points(shown.figure) if trace.xaxis == panel]
        indices = np.concatenate([trace.customdata[:, 0] for trace in traces])
        assert sorted(indices) == made.frame["index"].tolist()
        assert {trace.marker.symbol for trace in traces} == {GROUPS[g].symbol for g in ("clean", "discovered", "undiscovered")}
    assert len(shown.data) == len(made.frame)
    assert {"Original: x", "REM: loss"} <= set(shown.data.columns)
    assert shown.caption.endswith(".")
    assert "300 examples" in shown.alt
    assert shown.figure.layout.xaxis.title.text == "UMAP 1 (no unit)"


def test_panels_are_on_the_same_axes() -> None:
    layout = clouds(cloud()).figure.layout
    assert [layout[name].matches for name in ("xaxis2", "xaxis3", "yaxis2", "yaxis3")] == ["x", "x", "y", "y"]


def test_what_is_not_in_focus_fades_and_never_vanishes() -> None:
    made = cloud()
    focus = made.frame["index"].to_numpy() < 100
    shown = clouds(made, focus=focus)
    strong = [i for t in points(shown.figure) if t.xaxis == "x" for i in t.customdata[list(t.selectedpoints), 0]]
    assert sorted(strong) == made.frame["index"][focus].tolist()
    assert all(0 < trace.unselected.marker.opacity == FADED for trace in points(shown.figure))
    nothing = clouds(made, focus=np.zeros(len(made.frame), dtype=bool))
    assert all(len(trace.selectedpoints) == 0 for trace in points(nothing.figure))
    assert all(trace.selectedpoints is None for trace in points(clouds(made).figure))


def test_movements_are_drawn_for_few_examples_and_lead_from_the_first_panel() -> None:
    made = cloud()
    focus = np.zeros(300, dtype=bool)
    focus[[4, 7]] = True
    lines = [trace for trace in clouds(made, focus=focus).figure.data if trace.mode == "lines"]
    assert [line.xaxis for line in lines] == ["x2", "x3"]
    assert np.allclose(np.array(lines[1].x)[[0, 1, 3, 4]], made.places[[0, 2, 0, 2], [4, 4, 7, 7], 0])
    focus[: TRAILS + 10] = True
    assert not [trace for trace in clouds(made, focus=focus).figure.data if trace.mode == "lines"]


def test_classes_keep_their_colour_in_every_panel() -> None:
    made = cloud()
    figure = clouds(made, "prediction").figure
    legend = {trace.name: trace.marker.color for trace in figure.data if trace.type == "scatter"}
    for panel, axis in enumerate(("x", "x2", "x3")):
        for trace in (t for t in points(figure) if t.xaxis == axis):
            rows = trace.customdata[:, 0] // 2
            # A colour k lies in the middle of step k of the scale, which has one step for each colour.
            shades = [trace.marker.colorscale[2 * k][1] for k in trace.marker.color]
            assert [legend[name] for name in made.predictions[panel][rows]] == shades
            assert (trace.marker.cmin, trace.marker.cmax) == (-0.5, len(trace.marker.colorscale) / 2 - 0.5)


def test_fifty_thousand_points_are_drawn_in_time() -> None:
    made = cloud(50_000, 1)
    start = time.process_time()
    size = len(clouds(made, "class").figure.to_json())
    assert time.process_time() - start < 3
    assert size < 5_000_000


def test_a_selection_of_five_thousand_points_is_drawn_and_listed_at_once() -> None:
    """All that a page does anew: modes, panels, table and histograms; the same in a page, with the page's own work, is measured
    by ``python -m benchmarks run many_points``."""
    rng, count = np.random.default_rng(0), 5000
    labels, groups = rng.integers(0, 3, (2, count)), np.array([0, 1, 2, *[0] * 7] * (count // 10), dtype=np.int8)
    chances = {name: rng.dirichlet(np.ones(3), count).astype(np.float32) for name in ("original", "rem")}
    shown = Examples(groups, np.full(count, "clean"), labels[0], labels[1], NAMES, chances)
    start = time.process_time()
    focus = modes(shown, "rem")["healed"]
    clouds(cloud(count), focus=focus).figure.to_json()
    rows = table(shown, "rem").iloc[focus]
    distributions(rows, NAMES, "rem", "REM").figure.to_json()
    assert time.process_time() - start < 0.5
    assert 0 < len(rows) == focus.sum() < count


def test_distributions_count_every_example_once_for_each_model() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "before": np.array(NAMES)[rng.integers(0, 3, 50)],
            "loss before": rng.exponential(size=50) * 100,
            "after": np.array(NAMES)[rng.integers(0, 2, 50)],
            "loss after": rng.exponential(size=50) * 1e-6,
        }
    )
    shown = distributions(frame, NAMES, "rem", "REM")
    counts = shown.data.groupby(["model", "of"])["examples"].sum()
    assert set(counts) == {50}
    assert len(counts) == 4
    assert len(distributions(frame, NAMES, None).figure.data) == 2
    assert sum(trace.y.sum() for trace in distributions(frame.iloc[:0], NAMES, "rem", "REM").figure.data) == 0


def test_suspicion_is_a_number_on_one_axis_and_cannot_be_made_up() -> None:
    made = cloud()
    shown = clouds(made, "suspicion")
    drawn = np.concatenate([trace.marker.color for trace in points(shown.figure) if trace.xaxis == "x"])
    assert sorted(drawn) == pytest.approx(sorted(made.suspicion))
    assert (shown.figure.layout.coloraxis.cmin, shown.figure.layout.coloraxis.cmax) == (0, 1)
    assert shown.figure.layout.coloraxis.colorbar.title.text == "probability"
    assert shown.data["probability"].tolist() == made.suspicion.tolist()
    with pytest.raises(ValueError, match="no suspicion"):
        clouds(dataclasses.replace(made, suspicion=None), "suspicion")
