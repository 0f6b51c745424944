"""Redirect neurons: the strength ends at the stored numbers, every part opens, nothing is drawn before it is computed."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from apptools import QUICK, finish_jobs, link, texts
from streamlit.testing.v1 import AppTest

from unlearn_core import view_state as vs
from unlearn_core.store import Store
from unlearn_core.support.escaping import escape_markdown
from unlearn_core.views.channels.strength import NUMBERS

OpenPage = Callable[..., AppTest]


def figures(app: AppTest) -> dict[str, dict[str, Any]]:
    """Every picture on the page as it is sent to the browser, by name."""
    found = {str(getattr(element, "key", "")): element for element in app.main}
    return {key.removeprefix("figure:"): json.loads(found[key].proto.spec) for key in found if key.startswith("figure:")}


def heights(app: AppTest, trace: int) -> list[float]:
    """The heights of the bars (0) or of the ticks of the stored model (1), in the order of NUMBERS."""
    y = figures(app)["strength"]["data"][trace]["y"]
    return list(np.frombuffer(base64.b64decode(y["bdata"]), y["dtype"]))


def test_the_strength_slider_ends_at_the_stored_numbers(open_page: OpenPage, computed: vs.State, shared_store: Path) -> None:
    app = open_page("redirect", QUICK)
    assert {"strength", "strength-boundary", "strength-course", "channel-ranking", "channel-heatmap"} <= set(figures(app))
    assert app.slider(key="control:strength").value == 1
    app.slider(key="control:strength").set_value(0.0).run()
    assert not app.exception
    assert link(app)["strength"] == "0.0"
    key = vs.to_scenario(computed).run_key(vs.to_methods(computed, ["rem"])[0])
    stored = Store.open(shared_store).get(key).payload["metrics"]
    expected = [stored.get("forget_accuracy" if name == "as_given_discovered" else name) for _, _, name in NUMBERS]
    shown = heights(app, 0)
    assert [a for a, b in zip(shown, expected, strict=True) if b is not None] == [b for b in expected if b is not None]
    assert heights(app, 1) == shown


@pytest.mark.parametrize(
    ("part", "drawn"),
    [
        ("channels", {"channel-ranking", "channel-heatmap"}),
        ("channel", {"channel-values", "channel-map"}),
        ("maps", {"channel-maps"}),
        ("changes", {"changed-layers", "changed-channels"}),
    ],
)
def test_each_part_opens_from_a_link_and_can_be_downloaded(
    open_page: OpenPage, computed: vs.State, part: str, drawn: set[str]
) -> None:
    app = open_page("redirect", f"{QUICK}&r_part={part}&r_layer=2&r_channel=3")
    assert drawn <= set(figures(app))
    assert drawn <= {element.key.removeprefix("csv:") for element in app.get("download_button")}
    if part == "channel":
        assert "base 3" in figures(app)["channel-values"]["layout"]["xaxis"]["title"]["text"]


def test_layer_and_channel_are_chosen_and_kept_in_the_link(open_page: OpenPage, computed: vs.State) -> None:
    app = open_page("redirect", f"{QUICK}&r_part=channel")
    app.selectbox(key="control:redirect_layer").set_value(3).run()
    app.selectbox(key="control:redirect_channel").set_value(70).run()
    assert (link(app)["r_layer"], link(app)["r_channel"]) == ("3", "70")
    assert "redirect 6" in figures(app)["channel-values"]["layout"]["xaxis"]["title"]["text"]


def test_a_method_without_redirect_channels_shows_what_it_changed(open_page: OpenPage, computed: vs.State) -> None:
    app = open_page("redirect", f"{QUICK}&inside=finetune")
    assert set(figures(app)) == {"changed-layers", "changed-channels"}
    assert "adds no redirect channels" in texts(app)
    anew = open_page("redirect", f"{QUICK}&inside=retrain")
    assert "trained a model anew" in str([element.proto.body for element in anew.main if element.type == "html"])


def test_a_model_that_is_not_stored_is_offered_and_computed(open_page: OpenPage, fresh_store: Path) -> None:
    app = open_page("redirect", QUICK)
    assert not figures(app)
    assert "Press **Run**" in texts(app)
    app.button(key="run").click().run()
    finish_jobs()
    app.run()
    assert not app.exception
    assert "strength" in figures(app)
    assert app.button(key="run").disabled


def test_what_cannot_run_is_said(open_page: OpenPage, computed: vs.State) -> None:
    app = open_page("redirect", "dataset=blobs&discovery=0&inside=npo")
    assert any("needs a forget set" in error.value for error in app.error)
    assert not figures(app)


def test_layers_and_channels_that_are_not_there_are_said(open_page: OpenPage, computed: vs.State) -> None:
    app = open_page("redirect", f"{QUICK}&r_part=channel&r_layer=9&r_channel=5000")
    words = " ".join(info.value for info in app.info)
    assert "3 hidden layers" in words
    assert "no channel 5000" in words
    assert "channel-values" in figures(app)


def test_controls_and_panels_can_be_hidden(open_page: OpenPage, computed: vs.State) -> None:
    hide = "strength,inspected,redirect_numbers,redirect_boundary,redirect_curve,redirect_part,redirect_layer"
    app = open_page("redirect", f"{QUICK}&hide={hide}")
    assert set(figures(app)) == {"channel-ranking", "channel-heatmap"}
    assert not app.slider
    assert not app.selectbox
    assert "channel-ranking" not in figures(open_page("redirect", f"{QUICK}&hide=redirect_parts"))


@pytest.mark.parametrize("seed", range(3))
def test_bad_links_open(open_page: OpenPage, computed: vs.State, seed: int) -> None:
    rng = random.Random(seed)
    names = ["inside", "strength", "r_part", "r_layer", "r_channel"]
    words = ["nan", "-1", "0", "0.5", "1e9", "etd", "oracle_retrain", "maps", "", "☃"]
    query = {name: rng.choice(words) for name in names}
    app = open_page("redirect", QUICK + "".join(f"&{name}={value}" for name, value in query.items()))
    wanted = dict(part.split("=") for part in QUICK.split("&")) | query
    state, notices = vs.decode(wanted)
    assert [warning.value for warning in app.warning] == list(map(escape_markdown, notices))
    assert vs.decode(link(app))[0] == state
