"""What a label hangs on, in the inspector, and how alike layers are, on Redirect: on a button, then at once from the store."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from apptools import QUICK, figures, finish_jobs, texts
from streamlit.testing.v1 import AppTest

from unlearn_core import view_state as vs
from unlearn_core.store import Store
from unlearn_core.views.similarity.stage import plan_similarity

OpenPage = Callable[..., AppTest]
TASK = "dataset=digits&training.epochs=2&regularity=1&discovery=0.3"
DIGITS = f"{TASK}&embedded=finetune&finetune.epochs=1&details=inspector&projection=pca"
OCCLUDE, COMPARE = "compute:occlusion", "compute:similarity"


def buttons(app: AppTest) -> set[str | None]:
    return {button.key for button in app.button}


def press(app: AppTest, key: str) -> AppTest:
    """Press a button, and draw the page again once its job is done."""
    app.button(key=key).click().run()
    finish_jobs()
    app.run()
    assert not app.exception
    return app


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("inside")


def test_the_inspector_maps_the_image_on_a_button_and_each_image_by_itself(
    open_page: OpenPage, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNLEARN_STORE", str(folder))
    app = press(open_page("embedding", DIGITS), "run")
    assert "occlusion" not in figures(app)
    app = press(app, OCCLUDE)
    assert "occlusion" in figures(app)
    assert "Original: p(" in texts(app)
    assert "Fine-tune: p(" in texts(app)
    assert OCCLUDE not in buttons(app)
    first = next(number for number in app.number_input if number.label == "Training example")
    first.set_value(5).run()
    assert "occlusion" not in figures(app)
    assert OCCLUDE in buttons(app)
    again = open_page("embedding", DIGITS)
    assert "occlusion" in figures(again)  # at once, from the store
    hidden = open_page("embedding", f"{DIGITS}&hide=occlusion")
    assert "occlusion" not in figures(hidden)
    assert OCCLUDE not in buttons(hidden)


def test_points_have_no_map_and_say_nothing_of_it(open_page: OpenPage, computed: vs.State) -> None:
    app = open_page("embedding", f"{QUICK}&embedded=finetune&details=inspector")
    assert any(number.label == "Training example" for number in app.number_input)
    assert OCCLUDE not in buttons(app)
    assert "hangs on" not in texts(app)


@pytest.fixture
def as_before(computed: vs.State, shared_store: Path) -> Iterator[None]:
    """The shared store without what is compared here, for tests that come later."""
    yield
    scenario = vs.to_scenario(computed)
    with contextlib.closing(Store.open(shared_store)) as store:
        for spec in vs.to_methods(computed, ["rem", "finetune"]):
            store.delete(plan_similarity(scenario, spec).key)


@pytest.mark.parametrize(("method", "query"), [("REM", "inside=rem&r_part=similarity"), ("Fine-tune", "inside=finetune")])
def test_layers_are_compared_on_a_button(open_page: OpenPage, as_before: None, method: str, query: str) -> None:
    app = open_page("redirect", f"{QUICK}&{query}")
    assert "similarity" not in figures(app)
    app = press(app, COMPARE)
    assert "similarity" in figures(app)
    assert "unbiased estimate" in texts(app)
    assert method in texts(app)
    assert COMPARE not in buttons(app)
    hidden = open_page("redirect", f"{QUICK}&{query}&hide=similarity")
    assert not {"similarity"} & figures(hidden)
    assert COMPARE not in buttons(hidden)
