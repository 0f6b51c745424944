"""The heatmap: one bar per cell, one scale per metric, hatching for what is missing, words for what is there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from unlearn_core.evaluation import registry as metrics
from unlearn_core.views.heatmap.figure import frame, heatmap
from unlearn_core.views.heatmap.scale import scale_of
from unlearn_core.views.heatmap.sentences import cost_sentence, empty_cells, missing_sentence
from unlearn_core.views.heatmap.tasks import Cell
from unlearn_core.views.palette import contrast
from unlearn_core.views.picture import Picture

ROWS = pd.DataFrame(
    [
        ("original", "Original", False, ""),
        ("oracle_retrain", "Oracle: retrain without all corruption", True, ""),
        ("rem_ideal", "Oracle: REM with ideal masks", True, ""),
        ("rem", "REM", False, ""),
        ("rem", "REM", False, "epochs=5"),
    ],
    columns=["method", "label", "oracle", "variant"],
)
COLUMNS = [Cell(0.0, 0.1), Cell(0.0, 1.0), Cell(1.0, 0.1)]
TABLE = pd.DataFrame(
    [
        ("rem", "", 0.0, 0.1, 0.8, 0.05, 3, 3, False),
        ("rem", "", 1.0, 0.1, 0.4, np.nan, 1, 1, True),
        ("rem", "epochs=5", 0.0, 1.0, np.nan, np.nan, 0, 2, False),
    ],
    columns=["method", "variant", "regularity", "discovery", "mean", "standard_error", "n", "stored", "gallery"],
).assign(kind="")


def picture(metric: str = "healed", normalised: bool = False) -> Picture:
    return heatmap(TABLE, ROWS, COLUMNS, scale_of(metrics.get(metric), normalised))


def written(shown: Picture) -> dict[tuple[object, ...], str]:
    """What stands in each cell, by the bar that it stands on."""
    bars = shown.figure.data[0]
    cells = {(base + 0.48, row): tuple(key) for base, row, key in zip(bars.base, bars.y, bars.customdata, strict=True)}
    traces = [trace for trace in shown.figure.data if getattr(trace, "mode", "") == "text"]
    return {cells[x, y]: text for trace in traces for x, y, text in zip(trace.x, trace.y, trace.text, strict=True)}


def test_every_cell_is_there_and_the_missing_ones_are_hatched() -> None:
    shown = picture()
    bars = shown.figure.data[0]
    assert len(bars.x) == len(ROWS) * len(COLUMNS) == len(shown.data)
    assert list(bars.marker.pattern.shape).count("/") == len(bars.x) - 3
    assert empty_cells(shown) == 12 - 3
    texts = written(shown)
    assert set(texts) == {tuple(c) for c in bars.customdata}
    assert texts["rem", "", 0.0, 0.1, ""] == "80 ±5"
    assert texts["rem", "", 1.0, 0.1, ""] == "40"
    assert texts["rem", "epochs=5", 0.0, 1.0, ""] == "–"
    assert texts["original", "", 0.0, 0.1, ""] == ""


def test_hovering_tells_mean_spread_count_and_source() -> None:
    bars = picture().figure.data[0]
    told = dict(zip([tuple(c) for c in bars.customdata], bars.hovertext, strict=True))
    assert "80.0 % ± 5.0 % (standard error)<br>3 runs" in told["rem", "", 0.0, 0.1, ""]
    assert "40.0 % (one run: no spread)<br>1 run, from the gallery" in told["rem", "", 1.0, 0.1, ""]
    assert "2 stored, but no value" in told["rem", "epochs=5", 0.0, 1.0, ""]
    assert "not run yet" in told["original", "", 0.0, 0.1, ""]


def test_rows_are_told_apart_and_oracles_marked() -> None:
    names = list(picture().figure.layout.yaxis.ticktext)
    assert names == ["Original", "Oracle ◊", "REM with ideal masks ◊", "REM", "REM [epochs=5]"]


@pytest.mark.parametrize("name", metrics.names())
def test_the_scale_depends_on_the_metric_alone(name: str) -> None:
    how = scale_of(metrics.get(name))
    ends = [how.shade(how.low), how.shade(how.high)]
    assert ends == ([0, 1] if how.higher else [1, 0])
    assert 0 <= how.shade(1e9) <= 1
    assert 0 <= how.shade(-1e9) <= 1
    assert picture(name).figure.data[1].marker.colorbar.ticktext[-1] == how.text(how.high)
    assert picture(name).caption
    assert how.label in picture(name).alt


def test_the_relative_scale_is_zero_to_one_whatever_the_metric() -> None:
    for name in ("forget_accuracy", "seconds"):
        how = scale_of(metrics.get(name), normalised=True)
        assert (how.low, how.high, how.higher) == (0, 1, True)
        assert how.text(0.934) == "0.93"
        assert how.text(-0.001) == "0.00"
        assert how.text(-0.25) == "−0.25"


def test_ink_keeps_its_contrast_on_every_shade_and_through_a_click() -> None:
    values = np.linspace(0, 1, 41)
    table = pd.concat([TABLE.iloc[[0]].assign(regularity=float(v), mean=v) for v in values])
    figure = heatmap(table, ROWS.iloc[[3]], [Cell(float(v), 0.1) for v in values], scale_of(metrics.get("healed"))).figure
    fills = dict(zip(figure.data[0].base + 0.48, figure.data[0].marker.color, strict=True))
    texts = [trace for trace in figure.data if getattr(trace, "mode", "") == "text"]
    assert sum(len(trace.x) for trace in texts) == len(values)
    for trace in texts:
        assert all(contrast(fills[x], trace.textfont.color) >= 4.5 for x in trace.x)
        # Plotly fades what was not clicked unless it is told a colour.
        assert trace.unselected.textfont.color == trace.selected.textfont.color == trace.textfont.color
    assert figure.data[0].unselected.marker.opacity == 1


def test_the_open_cell_has_a_frame_and_the_one_before_has_none() -> None:
    shown = picture()
    lines = shown.figure.layout.shapes  # between the tasks
    frame(shown, ROWS, COLUMNS, ("rem", "epochs=5", Cell(0.0, 1.0)))
    boxes = [shape for shape in shown.figure.layout.shapes if shape.type == "rect"]
    assert {(round(box.x0 + box.x1), round(box.y0 + box.y1)) for box in boxes} == {(2 * 1, 2 * 4)}
    assert len({box.line.color for box in boxes}) == 2
    frame(shown, ROWS, COLUMNS, ("rem", "", Cell(0.0, 0.1)))
    boxes = [shape for shape in shown.figure.layout.shapes if shape.type == "rect"]
    assert {(round(box.x0 + box.x1), round(box.y0 + box.y1)) for box in boxes} == {(0, 2 * 3)}
    for nowhere in (("rem", "epochs=6", Cell(0.0, 1.0)), None):
        frame(shown, ROWS, COLUMNS, nowhere)
        assert shown.figure.layout.shapes == lines


def test_sentences_say_what_lacks_and_what_it_costs() -> None:
    assert missing_sentence(1, 3, 0) == "**1 cell without a run**; 3 runs missing in all."
    assert "after 2 original models" in missing_sentence(0, 3, 2)
    assert "once one run" in cost_sentence(None, 3, 2)
    assert cost_sentence(120, 0, 2).startswith("About 1 min 0 s on 2 workers")
    assert "(5 of them by the mean over all methods)" in cost_sentence(30, 5, 0)


def test_kinds_are_named_above_their_columns_and_have_room_for_it() -> None:
    kinds = [Cell(1.0, 0.1, "warp"), Cell(1.0, 0.1, "patch"), Cell(0.5, 0.1, "asymmetric")]
    table = pd.concat(
        [
            TABLE.iloc[[0]].assign(regularity=1.0, kind="warp"),
            TABLE.iloc[[0]].assign(regularity=0.5, kind="asymmetric", mean=0.3),
        ]
    )
    shown, dial = heatmap(table, ROWS, kinds, scale_of(metrics.get("healed"))), picture()
    heads = {note.x: note.text for note in shown.figure.layout.annotations if note.yref == "paper"}
    assert heads == {0: "Warp", 1: "Patch", 2: "Asymmetric label noise"}
    texts = written(shown)
    assert texts["rem", "", 1.0, 0.1, "warp"] == "80 ±5"
    assert texts["rem", "", 1.0, 0.1, "patch"] == ""  # of the same place on the dial, and not run
    assert texts["rem", "", 0.5, 0.1, "asymmetric"] == "30 ±5"
    more = shown.figure.layout.margin.t - dial.figure.layout.margin.t
    assert more == shown.figure.layout.height - dial.figure.layout.height > 60
    assert "kind of the corruption" in shown.figure.layout.xaxis.title.text
    assert "‡" not in shown.caption
    right = heatmap(table, ROWS, [*kinds, Cell(1.0, 0.1, "clean_label")], scale_of(metrics.get("healed"))).figure
    assert list(right.layout.xaxis.ticktext) == ["10", "10", "10", "10 ‡"]
