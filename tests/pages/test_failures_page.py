"""A failure is in the panel it belongs to: its title, cause and parameters, a way to try again, and the rest of the page."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from apptools import QUICK, figures, finish_jobs, texts
from streamlit.testing.v1 import AppTest

from pages.widgets import heatmap
from unlearn_core import view_state as vs
from unlearn_core.engine import JobView, StageView
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.stages.regularity import plan_regularity
from unlearn_core.stages.stage import Stage
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.views.boundary.stage import plan_frames
from unlearn_core.views.embedding.stage import plan_embedding
from unlearn_core.views.similarity.stage import plan_similarity

OpenPage = Callable[..., AppTest]
Plan = Callable[[Scenario, MethodSpec], Stage]
CASES: dict[str, tuple[str, Plan, set[str]]] = {
    "craft": ("", lambda task, rem: plan_regularity(task)[-1], {"points", "plane"}),
    "boundary": ("&views=original,rem&time=rounds", lambda task, rem: plan_frames(task, [rem])[-1], {"boundary"}),
    "embedding": ("&embedded=rem", lambda task, rem: plan_embedding(task, [rem])[-1], {"embedding"}),
    "redirect": ("&r_part=similarity", lambda task, rem: plan_similarity(task, rem), {"strength"}),
    "forget": ("", lambda task, rem: plan_runs(task, [vs.to_search(vs.decode(QUICK)[0])])[-1], set()),
}
"""By page: its link, the stage that fails, and pictures that are there all the same."""


@pytest.fixture
def store(shared_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A copy of the shared store, to fail in."""
    place = Path(shutil.copytree(shared_store, tmp_path / "store"))
    monkeypatch.setenv("UNLEARN_STORE", str(place))
    return Store.open(place)


@pytest.mark.parametrize("page", CASES)
def test_a_failure_is_named_where_it_belongs_and_tried_again(
    open_page: OpenPage, computed: vs.State, store: Store, page: str
) -> None:
    query, plan, rest = CASES[page]
    (rem,) = vs.to_methods(computed, ["rem"])
    stage = plan(vs.to_scenario(computed), rem)
    store.delete(stage.key)  # another test of this worker may have computed it
    store.fail(stage.key, stage.kind, "The disk is full.", "Traceback of no interest")
    app = open_page(page, QUICK + query)
    assert [said.value.replace("\\", "") for said in app.error] == [f"**{stage.title} failed.** The disk is full."]
    assert "Parameters" in {expander.label for expander in app.expander}
    assert app.json
    assert rest <= figures(app)
    app.button(key=f"retry:{stage.key}").click().run()
    finish_jobs()
    app.run()
    assert not app.error
    assert not app.exception
    assert store.get(stage.key) is not None


def test_the_heatmap_names_what_failed_of_many(
    open_page: OpenPage, computed: vs.State, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = StageView("0" * 16, "run", "REM", "failed", message="The disk is full.", params={"epochs": 2, "beta": 0.5})
    good = StageView("1" * 16, "run", "Retrain", "done")
    job = JobView("7", heatmap.TITLE, "failed", (good, bad), elapsed=3.0, eta=None, done=1, total=2)
    monkeypatch.setattr(heatmap, "running_job", lambda: job)
    app = open_page("heatmap", QUICK)
    assert "1 of 2 stages failed" in {expander.label for expander in app.expander}
    assert "**REM** · The disk is full." in texts(app)
    assert "epochs=2, beta=0.5" in texts(app)
    assert "grid" in figures(app)
    assert not app.button(key="grid-retry").disabled
