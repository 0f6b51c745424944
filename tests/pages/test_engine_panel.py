"""The engine's panel with a scheduler from outside: says what is missing, then shows the worker and what it computes."""

from __future__ import annotations

from pathlib import Path

import pytest
from apptools import QUICK, finish_jobs, texts
from streamlit.testing.v1 import AppTest

from tests.engine.outside import Outside, until
from unlearn_core import view_state as vs
from unlearn_core.stages.unlearn import plan_runs

pytestmark = pytest.mark.cluster


def panel() -> None:
    from pages.widgets.engine_panel import details

    details()


def line() -> None:
    import streamlit as st

    from pages.widgets.jobs import engine_line

    st.caption(engine_line())


def test_the_panel_with_a_scheduler_from_outside(fresh_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pages.session.services import engine

    cluster = Outside(tmp_path)
    try:
        cluster.scheduler()
        monkeypatch.setenv("UNLEARN_ENGINE", cluster.address)
        app = AppTest.from_function(panel, default_timeout=60).run()
        assert not app.exception
        assert "an external scheduler" in texts(app)
        state, _ = vs.decode(QUICK)
        job = engine().submit(plan_runs(vs.to_scenario(state), vs.to_methods(state, ["finetune"])), "From outside")
        until(lambda: engine().status().state == "ready")
        app.run()
        assert f"No worker has joined the scheduler yet: dask worker {cluster.address}" in texts(app)
        assert "**From outside** · 0 of 2 stages" in texts(app)
        stranger = cluster.worker("--preload", "json")
        until(lambda: engine().status().workers)
        app.run()
        assert texts(app).count("is refused, as it does not tell its versions") == 1
        assert "None of the workers can be used" in texts(app)
        assert list(app.dataframe[0].value["Computes"]) == ["nothing: refused, see below"]
        assert "no workers ready · 1 refused" in AppTest.from_function(line, default_timeout=60).run().caption[0].value
        cluster.worker()
        until(lambda: len(engine().status().workers) == 2)
        app.run()
        assert "None of the workers can be used" not in texts(app)
        assert texts(app).count("is refused, as it does not tell its versions") == 1
        assert "1 worker ready · 1 refused" in AppTest.from_function(line, default_timeout=60).run().caption[0].value
        cluster.end([stranger])
        until(lambda: len(engine().status().workers) == 1)
        finish_jobs()
        until(lambda: engine().view(job).state == "done" and engine().status().workers)
        app.run()
        assert "No worker has joined" not in texts(app)
        assert [metric.value for metric in app.metric][:2] == ["0", "0"]
        worker = engine().status().workers[0]
        table = app.dataframe[0].value
        assert list(table["Worker"]) == [worker.address]
        assert list(table["Computes"]) == ["idle"]
        engine().close()
        app.run()
        assert not app.exception
    finally:
        cluster.end()
