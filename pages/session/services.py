"""One store and one engine for all sessions of this server. The engine warms up in the background."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from streamlit import runtime

from pages.session import audience, public
from pages.session.reading_ahead import read_ahead
from unlearn_core.engine import Engine, JobView, warm_when_idle
from unlearn_core.errors import UserError
from unlearn_core.store import Store
from unlearn_core.support import uploads, visitor_files
from unlearn_core.support.deferring import defer_reading
from unlearn_core.support.limits import limits
from unlearn_core.support.public_mode import is_read_only

if TYPE_CHECKING:
    from unlearn_core.results.gallery import Gallery
    from unlearn_core.stages.stage import Stage


_warming = threading.Lock()
AT_ONCE = 0.6
"""Seconds for which a page waits: what is there in that time needs no progress bar."""
SPARE = 2
"""Workers beside the others for short stages: a toy run, a look into a folder."""
PAUSE_SECONDS = 4.0
"""A browser draws the first page on the same cores that the workers would take."""


def store() -> Store:
    """The store that ``UNLEARN_STORE`` names, or the one in the user's data directory."""
    location = os.environ.get("UNLEARN_STORE")
    _adopted(location, os.environ.get("UNLEARN_GALLERY"))
    return _store(location)


def precomputed_results() -> Gallery | None:
    """The gallery, where there is one."""
    from unlearn_core.results.gallery import gallery

    return gallery(os.environ.get("UNLEARN_GALLERY"))


def borrowed(keys: Iterable[str]) -> str:
    """Where results that are shown come from, if any of these came with the code and were not computed here; else empty.

    ``keys``: of results, whether they are in the store or in the gallery alone.
    """
    from unlearn_core.results.gallery import ADOPTED

    records = {key: store().get(key) for key in keys}
    dates = {record.environment[ADOPTED] for record in records.values() if record and ADOPTED in record.environment}
    precomputed = precomputed_results()
    if not dates and (precomputed is None or all(records.values())):
        return ""
    return precomputed.line_of(records) if precomputed else f"Precomputed on {', '.join(sorted(dates))}, not on this machine."


def engine() -> Engine:
    """The engine that ``UNLEARN_ENGINE`` names: local (default), inline or a scheduler's address; its workers compute on
    ``UNLEARN_DEVICE``."""
    place, address, device = (os.environ.get(f"UNLEARN_{name}") for name in ("STORE", "ENGINE", "DEVICE"))
    mode = "read only" if is_read_only() else str(limits()) if audience.guest() else ""
    return _engine(place, address or "local", device or "auto", mode)


def external() -> bool:
    """Whether the engine is a scheduler that was started elsewhere."""
    return "://" in os.environ.get("UNLEARN_ENGINE", "local")


@st.cache_resource(show_spinner=False)
def _store(location: str | None) -> Store:
    opened = Store.open(location)
    if audience.guest():
        public.use_key(visitor_files.server_key(opened.uploads.parent))
    return opened


@st.cache_resource(show_spinner=False)
def _adopted(location: str | None, folder: str | None) -> int:
    """The demo's precomputed records go into the store when a page first reads it: once, and before any work is planned."""
    from unlearn_core.results.gallery import gallery

    precomputed = gallery(folder)
    store = _store(location)
    return precomputed.adopt(store) if precomputed is not None and not store.read_only else 0


@st.cache_resource(show_spinner=False)
def _engine(location: str | None, address: str, device: str, mode: str) -> Engine:
    """``mode``: another one is another engine."""
    allowed, refuses = (limits() if audience.guest() else None), (audience.ONLY_SHOWN if is_read_only() else "")
    return Engine(_store(location), address=address, device=device, spare=SPARE, lives=lives, limits=allowed, refuses=refuses)


def me() -> str:
    """This session: who asks for a run, looks at it, cancels it."""
    return audience.session()


def lives(session: str) -> bool:
    """Whether this session's browser is still connected; one that loaded the page again has a new session."""
    if not runtime.exists():
        return True
    return bool(runtime.get_instance().is_active_session(session))


def submit(stages: Sequence[Stage], title: str) -> str:
    """Give a run to the engine for this session; returns the job's id. Raises :class:`UserError` for a visitor, and for a
    stranger beyond the limits of a public server."""
    audience.refuse_visitors()
    job = _submit_within_limits(stages, title) if audience.guest() else engine().submit(stages, title, me())
    _cancelled_here().discard(job)
    return job


def _submit_within_limits(stages: Sequence[Stage], title: str) -> str:
    try:
        with public.lock:
            public.admit(store(), engine(), stages)
            job = engine().submit(stages, title, me(), public.owner())
    except UserError as error:
        public.note(store(), "refused", what=f"{title}: {error}")
        raise
    public.note(store(), "started", what=title, job=job)
    return job


def keep_upload(name: str, data: bytes) -> Path:
    """Keep a file that this session hands over. Raises :class:`UserError` for one that cannot be kept."""
    audience.refuse_visitors()
    return public.keep_upload(store(), name, data) if audience.guest() else uploads.keep(store().uploads, name, data)


def retry(job_id: str) -> None:
    """Compute again what failed or was cancelled in this job. Raises :class:`UserError` for a visitor, and where it is a
    stranger's and not yours."""
    audience.refuse_visitors()
    if not mine(job_id):
        raise UserError(public.NOT_YOURS)
    submit(*engine().stages(job_id))


def mine(job_id: str) -> bool:
    """Whether this session may stop or repeat the job; on a public server whoever asked for it."""
    return not audience.guest() or public.owner() in engine().owners(job_id)


def cancel(job_id: str) -> None:
    """This session wants the run no longer: it ends, or goes on for others. Raises :class:`UserError` for a visitor, and where
    it is a stranger's and not yours."""
    audience.refuse_visitors()
    if not mine(job_id):
        raise UserError(public.NOT_YOURS)
    if not engine().cancel(job_id, me()):
        _cancelled_here().add(job_id)
    if audience.guest():
        public.note(store(), "cancelled", job=job_id)


def goes_on_for_others(stages: Sequence[Stage]) -> bool:
    """Whether this session cancelled a run of these stages that others still want."""
    keys = {stage.key for stage in stages}
    views = [engine().view(job_id) for job_id in _cancelled_here()]
    return any(view and view.state == "running" and keys & {stage.key for stage in view.stages} for view in views)


def _cancelled_here() -> set[str]:
    """Jobs that this session cancelled and that go on for others."""
    jobs: set[str] = st.session_state.setdefault("cancelled-here", set())
    return jobs


def warm_up() -> None:
    """Start the workers in the background, and warm them in a pause. Pages call it last: the first one is drawn before its
    cores are shared."""
    if audience.guest():
        public.sweep(store())
    if engine().status().state == "off" and not is_read_only():
        threading.Thread(target=_start, args=(engine(),), name="eunoe-warm-up", daemon=True).start()


def _start(made: Engine) -> None:
    if not _warming.acquire(blocking=False):
        return
    try:
        time.sleep(PAUSE_SECONDS)  # a run that is asked for before starts them at once
        made.start()
        made.find_device()
        if os.environ.get("UNLEARN_WARM_UP") != "off":  # the tests start a dozen servers that nobody waits for
            read_ahead()
            warm_when_idle(made)
    except UserError:
        pass  # it is kept in the engine's status, which every page shows
    finally:
        _warming.release()


def elsewhere() -> AbstractContextManager[None]:
    """Within this, the files of images are not read in this process: ``NotRead`` goes to ``reading.wait_for``. Where nothing of
    what workers read can be kept (no cache that both write to, a store that can only be read) they are read here after all."""
    return defer_reading("reads-here" not in st.session_state)


def job_for(stages: Sequence[Stage]) -> JobView | None:
    """The newest job that computes, or computed, any of these stages: found again after a reload."""
    keys = {stage.key for stage in stages}
    found = [job for job in engine().jobs() if keys & {stage.key for stage in job.stages if stage.state != "cached"}]
    found = [job for job in found if job.state != "running" or job.id not in _cancelled_here()]
    running = [job for job in found if job.state == "running"]
    return next(iter(running or found), None)
