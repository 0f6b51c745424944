"""What comes back when the compared models are trained further: computed when a button is pressed, never before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from pages.cache import catalog
from pages.session import audience
from pages.session.services import job_for, store
from pages.widgets import jobs, show
from unlearn_core.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

    from unlearn_core.evaluation.returning import Course
    from unlearn_core.specs import MethodSpec, Scenario
    from unlearn_core.stages.stage import Stage

SHOWN = ("healed", "attack_success", "utility")
"""What is drawn, as far as it has a meaning; utility where it is not known what is healed."""
WHAT = (
    "What a user would do next: ordinary training goes on, at a tenth of the learning rate, on what is left of the data. The "
    "wrong labels that nobody found are still in it. A method that found some has these left out too, as its user would."
)
MORE = (
    "Two further questions. Does the rest of the forget set return when a few of its examples are shown again? And does the "
    "straight way back to the original lead over a barrier, or was the corruption only masked?"
)

MARGINS = (
    "A last question: would a model that never saw the corruption answer every single example like this? More originals and "
    "oracles are trained on the same data, each with a seed of its own, and every method unlearns from each of these originals."
)


def tab(scenario: Scenario, specs: Sequence[MethodSpec], frame: pd.DataFrame) -> None:
    """Curves and table of the stored models' further training, and the buttons that compute what lacks."""
    from unlearn_core.evaluation.returning import SHOWN as COUNTS
    from unlearn_core.evaluation.returning import Course
    from unlearn_core.stages import returns

    here = [spec for spec in specs if spec.name in set(frame["method"])]
    st.caption(WHAT)
    usual = returns.usual_courses(scenario, here)
    if not _offer(returns.plan_returns(scenario, here, usual), "Train them further", "returns"):
        return
    found = _curves(scenario, here, usual)
    counts = [count for count in COUNTS if count < returns.forget_size(scenario)]
    st.caption(MORE)
    again = [Course("left"), *(Course("left", count) for count in counts)]
    if _offer(returns.plan_returns(scenario, here, again, barrier=True), "Show some again, measure the way back", "relearn"):
        _further(scenario, here, again)
    _table(scenario, here, found)
    _margins(scenario, here)


def _offer(stages: Sequence[Stage], words: str, key: str) -> bool:
    """Whether these stages are stored; where they are not: their progress, or the button that computes them. A job that makes
    the original or a run is shown above, by the page."""
    own = [stage for stage in stages if stage.kind not in ("original", "run")]
    job = job_for(own)
    if store().has([stage.key for stage in stages]) == {stage.key for stage in stages}:
        return True
    jobs.panel(own, job)
    if not jobs.running(job) and not audience.visitor():
        st.button(
            words, icon=":material/replay:", key=f"compute:{key}", on_click=jobs.hand_over, args=(stages, "What comes back")
        )
    return False


def _curves(scenario: Scenario, specs: Sequence[MethodSpec], courses: Sequence[Course]) -> pd.DataFrame:
    from unlearn_core.results import returns as stored
    from unlearn_core.views.returns.figure import return_curves
    from unlearn_core.views.returns.sentences import in_words

    found = stored.courses(store(), scenario, specs, courses)
    sentences = (in_words(stored.afterwards(found)), "The same epochs once more: look for what rises or falls with the first.")
    known, metrics = [name for name in SHOWN if found[name].notna().any()], catalog.metrics()
    for name, sentence in zip(known, sentences, strict=False):
        show.picture(return_curves(found, name, metrics[name].label, sentence), f"returns-{name}")
    return found


def _further(scenario: Scenario, specs: Sequence[MethodSpec], courses: Sequence[Course]) -> None:
    from unlearn_core.results import returns as stored
    from unlearn_core.views.returns.figure import relearn_curves, way_back

    found, ways = stored.courses(store(), scenario, specs, courses), stored.barriers(store(), scenario, specs)
    if found["fit"].notna().any():
        show.picture(relearn_curves(found), "relearn")
    if len(ways):
        show.picture(way_back(ways), "way-back")


def _margins(scenario: Scenario, specs: Sequence[MethodSpec]) -> None:
    """How far every example's margin lies from the oracles', over several seeds: what is stored, or the button for it."""
    from unlearn_core.results.margins import margin_frame
    from unlearn_core.stages.margins import MODELS, plan_margins
    from unlearn_core.views.returns.sentences import margin_table

    specs = [spec for spec in specs if spec.name != "oracle_retrain"]  # it is what the others are compared with
    try:
        stages = plan_margins(scenario, specs)
    except UserError:  # no oracle can be trained here
        return
    st.caption(MARGINS)
    if not _offer(stages, f"Train {MODELS} of each", "margins"):
        return
    found = margin_frame(store(), scenario, specs, MODELS)
    st.dataframe(margin_table(found), hide_index=True, key="table:margins")
    show.caption(
        "Low is near the oracles: the model answers each example as one that never saw the corruption does. Look at the column "
        "of F beside that of the test images, which no model was trained on.",
        found,
        "margins-table",
    )


def _table(scenario: Scenario, specs: Sequence[MethodSpec], found: pd.DataFrame) -> None:
    from unlearn_core.results import returns as stored
    from unlearn_core.views.returns.sentences import after_table

    after = stored.afterwards(found)
    if len(after):
        st.dataframe(after_table(after, stored.barriers(store(), scenario, specs)), hide_index=True, key="table:returns")
        show.caption(
            f"After {stored.AFTER} more epochs of ordinary training: what a healed model is worth once its user goes on.",
            after,
            "returns-table",
        )
