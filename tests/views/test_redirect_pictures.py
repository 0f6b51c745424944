"""Pictures of redirect channels: drawn from frames, words from the numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from unlearn_core.views.channels.changes_figure import changed_channels, changed_layers
from unlearn_core.views.channels.figure import channel_heatmap, channel_ranking, distribution, neuron_map, neuron_maps
from unlearn_core.views.channels.strength import NUMBERS
from unlearn_core.views.channels.strength_figure import story, strength_bars, strength_boundary, strength_curve
from unlearn_core.views.palette import GROUPS
from unlearn_core.views.picture import Picture

NAMES = ("low", "middle", "high")


@dataclass
class Grid:
    x: np.ndarray
    y: np.ndarray
    points: pd.DataFrame


@pytest.fixture
def grid() -> Grid:
    points = pd.DataFrame({"x": [0.0, 1, 2, 1], "y": [0.0, 1, 2, 0], "given": "low", "clean": "high"})
    return Grid(
        np.linspace(0, 2, 5), np.linspace(0, 2, 5), points.assign(group=["clean", "clean", "discovered", "undiscovered"])
    )


def channels(base: int = 3, redirect: int = 2) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = []
    for layer in (1, 2):
        for k in range(base + redirect):
            kind = "base" if k < base else "redirect"
            row = {"layer": layer, "channel": k, "kind": kind, "name": f"{kind} {k - base * (k >= base)}"}
            row |= {f"{what}_{group}": rng.random() for what in ("mean", "active") for group in GROUPS if group != "redirect"}
            row |= {name: rng.random() for name in ("d", "effect", "effect_discovered", "effect_undiscovered")}
            rows.append(row)
    return pd.DataFrame(rows)


def values(rows: int = 40) -> pd.DataFrame:
    group = np.array(["clean", "discovered", "undiscovered", "clean"] * (rows // 4))
    return pd.DataFrame(
        {"index": range(rows), "group": group, "activation": np.linspace(0, 1, rows), "given": "0", "clean": "1"}
    )


def bars() -> pd.DataFrame:
    rows = [{"number": number, "group": group, "n": 10, "value": 0.9, "stored": 0.1} for number, group, _ in NUMBERS]
    return pd.DataFrame(rows)


def course(given: tuple[float, float], healed: tuple[float, float], utility: tuple[float, float]) -> pd.DataFrame:
    strength = np.linspace(1, 0, 5)
    return pd.DataFrame(
        {"strength": strength}
        | {name: np.interp(strength, [0, 1], ends[::-1]) for name, ends in (("as_given", given), ("healed", healed),
           ("healed_discovered", healed), ("healed_undiscovered", healed), ("utility", utility))}
    )  # fmt: skip


@pytest.fixture
def pictures(grid: Grid) -> dict[str, Picture]:
    layer = channels()
    layers = pd.DataFrame({"layer": ["a", "head"], "what": "linear", "parameters": 9, "relative": [0.1, 1.4], "changed": 1.0})
    moved = pd.DataFrame({"layer": "a", "channel": [1, 0], "name": ["a · 1", "a · 0"], "relative": [0.4, 0.1], "changed": 1.0})
    chances = np.random.default_rng(0).dirichlet(np.ones(3), (5, 5))
    top = values().tail(3).assign(index=[0, 1, 2])
    return {
        "bars": strength_bars(bars(), 0.5),
        "curve": strength_curve(course((1, 0), (0, 1), (0.5, 1)), 0.5),
        "boundary": strength_boundary(grid, chances, NAMES, 0.5),
        "ranking": channel_ranking(layer),
        "heatmap": channel_heatmap(layer, 1),
        "distribution": distribution(values(), "redirect 0", "no unit"),
        "maps": neuron_maps(grid, np.random.default_rng(0).random((5, 5, 5)), layer[layer["layer"] == 1]),
        "map": neuron_map(grid, np.random.default_rng(0).random((5, 5)), "redirect 0", "redirect", top),
        "layers": changed_layers(layers, anew=True),
        "moved": changed_channels(moved, 9),
    }


def test_every_picture_has_titles_words_and_data(pictures: dict[str, Picture]) -> None:
    for name, picture in pictures.items():
        layout = picture.figure.to_plotly_json()["layout"]
        titles = [axis.get("title", {}).get("text") for key, axis in layout.items() if key.startswith(("xaxis", "yaxis"))]
        assert any(titles), name
        assert picture.caption.endswith("."), name
        assert picture.alt.endswith("."), name
        assert len(picture.data), name
        assert "nan" not in picture.caption + picture.alt, name


def test_groups_keep_their_colour_and_marker(pictures: dict[str, Picture]) -> None:
    for name in ("curve", "boundary", "ranking", "distribution", "map"):
        drawn = {(trace.marker.symbol, trace.marker.color if name != "boundary" else trace.marker.line.color) for trace in
                 pictures[name].figure.data if trace.type == "scatter" and isinstance(trace.marker.symbol, str)}  # fmt: skip
        drawn |= {(trace.marker.symbol, trace.line.color) for trace in pictures[name].figure.data if trace.type == "scatter"}
        for group in ("discovered", "undiscovered"):
            assert (GROUPS[group].symbol, GROUPS[group].color) in drawn, (name, group)


def test_bars_show_the_numbers_and_the_stored_ones() -> None:
    now, stored, _ = strength_bars(bars(), 0.5).figure.data
    assert list(now.y) == [0.9] * len(NUMBERS)
    assert list(stored.y) == [0.1] * len(NUMBERS)
    assert list(now.x) == list(stored.x)


def test_the_story_is_told_by_the_numbers() -> None:
    leaves = story(course((1.0, 0.03), (0.03, 0.98), (0.1, 0.99)))
    assert "fall step by step from 100 % to 3 %" in leaves
    assert "Utility falls to 10 % with all on" in leaves
    assert "base itself holds the wrong labels" in story(course((0.9, 1.0), (0.1, 0.0), (0.97, 0.98)))
    assert "The lines stay flat: 0 %" in story(course((0.0, 0.0), (0.66, 0.66), (0.98, 0.98)))
    up_and_down = course((0.9, 0.1), (0.1, 0.9), (0.9, 0.9))
    up_and_down.loc[2, "as_given"] = 0.95
    assert "on the whole" in story(up_and_down)


def test_empty_groups_are_left_out() -> None:
    alone = channels().assign(effect_undiscovered=np.nan, mean_undiscovered=np.nan, active_undiscovered=np.nan)
    assert "undiscovered alone" not in {trace.name for trace in channel_ranking(alone).figure.data}
    clean = values()
    assert len(distribution(clean[clean["group"] != "undiscovered"], "base 0", "no unit").figure.data) == 2
    assert channel_heatmap(alone, 2).data["layer"].unique().tolist() == [2]
