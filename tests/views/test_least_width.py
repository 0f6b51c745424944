"""How narrow pictures may become: columns, panels and their words need room, what Plotly arranges itself needs none."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
import pytest
from plotly.subplots import make_subplots

from unlearn_core.views.least_width import PHONE, least_width
from unlearn_core.views.picture import Picture, layout


def table(columns: int, word: str = "98 ±1", names: str = "REM") -> go.Figure:
    figure = go.Figure()
    figure.add_scatter(x=list(range(columns)), y=[0] * columns, text=[word] * columns, mode="text")
    figure.update_xaxes(tickvals=list(range(columns)), ticktext=["10"] * columns, tickangle=0)
    figure.update_yaxes(tickvals=[0], ticktext=[names])
    return figure


def test_a_table_needs_room_for_every_column_and_for_the_names_of_its_rows() -> None:
    few, many, wordy = table(3), table(15), table(15, "98.5 ±10.2")
    assert least_width(few) == 0
    assert PHONE < least_width(many) < least_width(wordy)
    assert least_width(table(15, names="Retrain without redirect channels")) > least_width(many) + 100
    assert least_width(many) % 20 == 0


@pytest.mark.parametrize("panels", [2, 4])
def test_panels_side_by_side_keep_a_width_and_their_titles(panels: int) -> None:
    figure = make_subplots(cols=panels, subplot_titles=["A"] * panels)
    assert least_width(figure) >= panels * 190
    wordy = make_subplots(cols=panels, subplot_titles=["A title that is longer than a panel is wide"] * panels)
    assert least_width(wordy) > least_width(figure)
    assert least_width(make_subplots(rows=panels)) == 0, "below one another they have the whole width"


def test_one_plot_with_numbers_on_its_axes_fits_a_phone() -> None:
    figure = layout(go.Figure(go.Scatter(x=[0, 1], y=[0, 1], mode="markers")), 300, xaxis={"title": {"text": "share of " * 9}})
    assert least_width(figure) == 0
    assert max(map(len, figure.layout.xaxis.title.text.split("<br>"))) <= 46, "its title is broken into lines"


def test_names_of_columns_count_unless_plotly_may_turn_them() -> None:
    figure = go.Figure(go.Heatmap(x=[f"class number {k}" for k in range(10)], y=["REM"], z=[[0] * 10]))
    assert least_width(figure) == 0
    assert least_width(figure.update_xaxes(tickangle=0)) > 800
    assert least_width(figure.update_xaxes(showticklabels=False)) == 0


def test_no_picture_asks_for_more_than_a_screen_has() -> None:
    assert least_width(table(200)) == 1080


def test_only_one_plot_with_named_rows_is_a_table() -> None:
    def picture(figure: go.Figure) -> Picture:
        return Picture(figure, "", "", pd.DataFrame())

    assert picture(table(2)).is_table
    assert picture(go.Figure(go.Heatmap(x=["a"], y=["REM"], z=[[0]]))).is_table
    assert not picture(go.Figure(go.Scatter(x=[0], y=[0]))).is_table
    assert not picture(make_subplots(cols=2).update_yaxes(ticktext=["REM"], tickvals=[0])).is_table
