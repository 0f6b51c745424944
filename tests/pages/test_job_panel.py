"""A job's panel: each stage with what is done of it, how long it has taken and still takes, from what was counted."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from apptools import texts
from streamlit.testing.v1 import AppTest

from pages.widgets import jobs
from unlearn_core.engine import JobView, StageView

STAGES = (
    StageView("a", "original", "Original model", "done", 120, 120, elapsed=4.0),
    StageView("b", "run", "REM", "running", 30, 120, elapsed=12.0, eta=36.0),
    StageView("c", "run", "Fine-tune", "running", 0, 0, elapsed=2.0),
    StageView("d", "run", "SCRUB", "waiting", waits_for="REM", waits=36.0),
)


@pytest.fixture
def panel(monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The panel of a running job that is this session's own."""
    job = JobView("7", "Three blobs: 3 methods", "running", STAGES, elapsed=16.0, eta=75.0, done=1, total=4)
    engine = SimpleNamespace(
        view=lambda id: job, watch=lambda id, who: None, others=lambda id, who: 0, status=lambda: SimpleNamespace(state="ready")
    )
    monkeypatch.setattr(jobs, "engine", lambda: engine)
    monkeypatch.setattr(jobs, "mine", lambda id: True)

    def script() -> None:
        from pages.widgets import jobs

        jobs.panel([], jobs.engine().view("7"))

    app = AppTest.from_function(script, default_timeout=30).run()
    assert not app.exception
    return app


def test_stage_done_elapsed_and_left_are_said(panel: AppTest) -> None:
    bars = [bar.proto for bar in panel.get("progress")]
    assert [bar.text for bar in bars] == [
        "**Three blobs: 3 methods** · 1 of 4 stages · 16 s · about 1 min 15 s left",
        "done · 120 of 120 steps · 4.0 s",
        "running · 30 of 120 steps · 12 s · about 36 s left",
        "running · 2.0 s",  # nothing counted yet: nothing is said of what is left
        "waits for REM (about 36 s)",
    ]
    assert [bar.value for bar in bars] == [31, 100, 25, 0, 0]  # (1 + 30/120) of 4 stages, in per cent
    for stage in STAGES:
        assert stage.title in texts(panel)
    assert [button.label for button in panel.button] == ["Cancel"]
