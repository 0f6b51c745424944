"""Progress of a job: every stage with done/total, elapsed and expected time; failures in their own panel, with a retry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from pages.session import audience
from pages.session.notices import errors_as_notices
from pages.session.services import AT_ONCE, cancel, engine, goes_on_for_others, job_for, me, mine, store, submit
from pages.widgets import absent_files, waiting
from unlearn_core.engine import EngineView, JobView, StageView
from unlearn_core.support.escaping import escape_markdown
from unlearn_core.views.text.sentences import duration, progress, time_left

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from unlearn_core.stages.stage import Stage


UNITS = {"fetching": "MB"}
"""What the steps of a kind of stage are."""
MANY = 16
"""A job with more stages shows only those that are running."""
_SIGNS = {"waiting": "○", "running": "◐", "done": "●", "cached": "●", "failed": "✖", "cancelled": "–"}


def panel(stages: Sequence[Stage], job: JobView | None, redraw: int = 1) -> None:
    """The running job of these stages, redrawn while it runs, or what went wrong in the last one.

    ``job`` must have been asked for *before* the page read the store: if it finishes in between, the page is drawn again.
    ``redraw``: after how many finished stages the whole page is drawn again.
    """
    if audience.visitor():
        waiting.panel(stages, job)
        return
    if goes_on_for_others(stages):
        st.info("You cancelled this run; it goes on for others who asked for it.", icon=":material/group:")
    if job is not None and job.state == "running":
        _live(job.id, job.done + redraw)
    else:
        failures(stages, job)


def hand_over(stages: Sequence[Stage], title: str) -> None:
    """Give a run to the engine, as the callback of a button.

    A callback comes before the page is drawn. In the page's own script the run would be lost if you click something
    else at once, for that stops the script.
    """
    keys = {stage.key for stage in stages}
    with errors_as_notices():  # a store that is away, say
        absent_files.refuse()
        st.session_state["asked"] = st.session_state.get("asked", set()) | (keys - store().has(keys))
        submit(stages, title)


def run_button(place: DeltaGenerator, words: str, enabled: bool, stages: Sequence[Stage], title: str) -> None:
    """The button that computes what a page shows; none for a visitor."""
    if audience.visitor():
        return
    place.button(
        words, type="primary", icon=":material/play_arrow:", key="run", disabled=not enabled or absent_files.absent(),
        width="stretch", on_click=hand_over, args=(stages, title),
    )  # fmt: skip


def at_once(missing: Sequence[Stage], title: str) -> bool:
    """Let the workers compute what the page shows without being asked, once; whether all of it is there now.

    Where it is not: its progress, or the way to try again."""
    if audience.visitor():
        waiting.panel(missing, job_for(missing))
        return store().has(stage.key for stage in missing) == {stage.key for stage in missing}
    if absent_files.absent():
        return False
    asked: set[str] = st.session_state.setdefault("asked-at-once", set())
    fresh = [stage for stage in missing if stage.key not in asked and store().failure(stage.key) is None]
    if fresh and not store().read_only:
        asked.update(stage.key for stage in fresh)
        engine().wait(submit(missing, title), AT_ONCE)
    job = job_for(missing)  # before the store is read: what finishes in between is seen there
    keys = [stage.key for stage in missing]
    if store().has(keys) == set(keys):
        return True
    panel(missing, job)
    if not running(job):
        st.button(
            "Compute it", key=f"compute:{keys[0]}", icon=":material/play_arrow:", on_click=hand_over, args=(missing, title)
        )
    return False


def on_a_button(stages: Sequence[Stage], title: str, words: str, means: str) -> bool:
    """Whether these stages are stored; where they are not: their progress, or the button ``words`` that computes them, with a
    line about what it ``means``. Visitors have no button: they wait for the lecturer."""
    keys = {stage.key for stage in stages}
    job = job_for(stages)  # before the store is read: what finishes in between is seen there
    if store().has(keys) == keys:
        return True
    panel(stages, job)
    if not audience.visitor() and not running(job) and not absent_files.absent():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                words, key=f"compute:{stages[0].kind}", icon=":material/play_arrow:", on_click=hand_over, args=(stages, title)
            )
            st.caption(means)
    return False


def offer(missing: Sequence[Stage], stages: Sequence[Stage], title: str) -> None:
    """What is not computed yet, in words, with the button that computes ``stages``; :func:`panel` says it to visitors."""
    if audience.visitor() or absent_files.absent():
        return
    words, place = st.columns([5, 1], vertical_alignment="center")
    titles = escape_markdown(", ".join(stage.title for stage in missing))
    words.info(f"Not computed yet for this scenario: {titles}. Press **Run** to add them.", icon=":material/play_arrow:")
    run_button(place, "Run", True, stages, title)


def may_ask(job: JobView | None) -> bool:
    """Whether pressing Run is what helps here: nothing runs, and this session can have things computed."""
    return not running(job) and not audience.visitor() and not absent_files.absent()


def running(job: JobView | None) -> bool:
    """Whether there is such a job and it is not finished."""
    return job is not None and job.state == "running"


@st.fragment(run_every=0.7)
def _live(job_id: str, redraw_at: int) -> None:
    job = engine().view(job_id)
    # A finished stage changes the rest of the page: results appear as they come.
    if job is None or job.state != "running" or job.done >= redraw_at:
        st.rerun()
    engine().watch(job_id, me())
    with st.container(border=True):
        head, button = st.columns([6, 1], vertical_alignment="center")
        head.progress(
            progress(sum(_part(s) for s in job.stages), len(job.stages)),
            text=f"**{escape_markdown(job.title)}** · {job.done} of {job.total} stages · {duration(job.elapsed)}"
            + (f" · {time_left(job.eta)}" if job.eta is not None else ""),
        )
        others = engine().others(job_id, me())
        if mine(job_id) and button.button(
            "Cancel (others go on)" if others else "Cancel", key=f"cancel:{job_id}", width="stretch", on_click=_cancel,
            args=(job_id,), help=_what_goes_on(others, job.shared),
        ):  # fmt: skip
            st.rerun()
        if engine().status().state == "starting":
            st.caption("The worker processes are starting; this happens once, and takes a few seconds.")
        for stage in job.stages if len(job.stages) <= MANY else (s for s in job.stages if s.state == "running"):
            _line(stage)


def _cancel(job_id: str) -> None:
    with errors_as_notices():
        cancel(job_id)


def _what_goes_on(others: int, shared: int) -> str | None:
    """What cancelling leaves running, where it leaves something."""
    if others:
        return f"The run goes on for {others} other{'s' if others > 1 else ''} who asked for it or look at it."
    if shared:
        return (
            f"{shared} of its stages {'go' if shared > 1 else 'goes'} on: another run needs {'them' if shared > 1 else 'it'}."
        )
    return None


def _part(stage: StageView) -> float:
    return 1.0 if stage.state in ("done", "cached") else progress(stage.done, stage.total)


def _line(stage: StageView) -> None:
    title, bar = st.columns([2, 5], vertical_alignment="center")
    title.markdown(f"{_SIGNS[stage.state]} {escape_markdown(stage.title)}")
    words: list[str] = [stage.state]
    if stage.waits_for:
        about = f" (about {duration(stage.waits)})" if stage.waits is not None else ""
        words = [f"waits for {escape_markdown(stage.waits_for)}{about}"]
    if stage.total:
        words.append(f"{stage.done} of {stage.total} {UNITS.get(stage.kind, 'steps')}")
    if stage.elapsed:
        words.append(duration(stage.elapsed))
    if stage.state == "running" and stage.eta is not None:
        words.append("all steps done, now measuring" if stage.total and stage.done >= stage.total else time_left(stage.eta))
    bar.progress(_part(stage), text=" · ".join(words))
    if stage.message:
        st.warning(escape_markdown(f"{stage.title}: {audience.told(stage.message)}"), icon=":material/info:")


def failures(stages: Sequence[Stage], job: JobView | None) -> None:
    """One panel per stage that failed: cause, parameters, retry. The others are not touched."""
    views = {view.key: view for view in (job.stages if job else ())}
    for stage in stages:
        view, failure = views.get(stage.key), store().failure(stage.key)
        if failure is None and not (view and view.state == "failed"):
            continue
        with st.container(border=True):
            message = audience.told(failure.message if failure else view.message if view else "")
            st.error(f"**{escape_markdown(stage.title)} failed.** {escape_markdown(message)}", icon=":material/error:")
            left, right = st.columns([5, 1], vertical_alignment="top")
            with left.expander("Parameters"):
                params = stage.payload.get("method", {}).get("params", {})
                st.json(params if params or audience.guest() else stage.payload, expanded=1)  # the whole plan may name files
            again = [*(other for other in stages if other.key in stage.needs), stage]
            right.button(
                "Try again", key=f"retry:{stage.key}", width="stretch", on_click=hand_over,
                args=(again, f"{stage.title}, again"),
            )  # fmt: skip
    if job is not None and job.state == "cancelled":
        st.info("The run was cancelled; what had finished is kept. Press Run to compute the rest.", icon=":material/info:")


def engine_status() -> None:
    """The engine's line, redrawn while the workers start."""
    starting = engine().status().state in ("off", "starting")
    st.fragment(_status_line, run_every=1.5 if starting else None)(starting)


def _status_line(starting: bool) -> None:
    if starting and engine().status().state not in ("off", "starting"):
        st.rerun()
    st.caption(engine_line())


def engine_line() -> str:
    """Device and engine in a few words."""
    if audience.visitor() and not audience.shared():
        return "Shows what is stored"
    status, closed = engine().status(), audience.visitor() or audience.guest()
    device = {"cpu": "CPU", "cuda": "GPU (CUDA)", "auto": "the best device found"}.get(status.device, status.device)
    if status.state == "ready":
        count = sum(not (worker.spare or worker.refused) for worker in status.workers)
        busy = f", {status.running} busy" if status.running else ""
        note = "" if closed else _refusals(status) or (f" · {escape_markdown(status.message)}" if status.message else "")
        return f"Computes on {device} · {count or 'no'} worker{'s' if count != 1 else ''} ready{busy}{note}"
    words = {
        "off": "start in the background",
        "starting": "start in the background",
        "lost": "lost; it starts again with the next run",
    }
    note = f" ({escape_markdown(status.message)})" if status.message and not closed else ""
    return f"Computes on {device} · workers {words[status.state]}{note}"


def _refusals(status: EngineView) -> str:
    """How many workers of a scheduler from outside are refused; the engine's panel says why."""
    refused = sum(bool(worker.refused) for worker in status.workers)
    return f" · {refused} refused (Start says why, behind **Engine**)" if refused else ""
