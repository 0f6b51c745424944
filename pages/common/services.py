"""One store and one engine for all sessions of this server. The engine warms up in the background."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from unlearn_core.engine import Engine, JobView, warm_when_idle
from unlearn_core.errors import UserError
from unlearn_core.store import Store

if TYPE_CHECKING:
    from unlearn_core.engine.stages import Stage


_warming = threading.Lock()
PAUSE_SECONDS = 4.0
"""A browser draws the first page on the same cores that the workers would take."""


def store() -> Store:
    """The store that ``UNLEARN_STORE`` names, or the one in the user's data directory."""
    location = os.environ.get("UNLEARN_STORE")
    _adopted(location, os.environ.get("UNLEARN_GALLERY"))
    return _store(location)


def borrowed(keys: Iterable[str]) -> str:
    """Where results come from, if any of these were not computed here but came with the code; else empty."""
    from unlearn_core.insight.gallery import ADOPTED, gallery

    records = [store().get(key) for key in keys]
    dates = {record.environment[ADOPTED] for record in records if record and ADOPTED in record.environment}
    if not dates:
        return ""
    precomputed = gallery(os.environ.get("UNLEARN_GALLERY"))
    return precomputed.line() if precomputed else f"Precomputed on {', '.join(sorted(dates))}, not on this machine."


def engine() -> Engine:
    """The engine that ``UNLEARN_ENGINE`` names: local (default), inline or a scheduler's address."""
    return _engine(os.environ.get("UNLEARN_STORE"), os.environ.get("UNLEARN_ENGINE", "local"))


def external() -> bool:
    """Whether the engine is a scheduler that somebody else started."""
    return "://" in os.environ.get("UNLEARN_ENGINE", "local")


@st.cache_resource(show_spinner=False)
def _store(location: str | None) -> Store:
    return Store.open(location)


@st.cache_resource(show_spinner=False)
def _adopted(location: str | None, folder: str | None) -> int:
    """The demo's precomputed records go into the store when a page first reads it: once, and before any work is planned."""
    from unlearn_core.insight.gallery import gallery

    precomputed = gallery(folder)
    store = _store(location)
    return precomputed.adopt(store) if precomputed is not None and not store.read_only else 0


@st.cache_resource(show_spinner=False)
def _engine(location: str | None, address: str) -> Engine:
    return Engine(_store(location), address=address)


def warm_up() -> None:
    """Start the workers in the background, and warm them in a pause. Pages call it last: the first one is drawn before its
    cores are shared."""
    if engine().status().state == "off":
        threading.Thread(target=_start, args=(engine(),), name="lethe-warm-up", daemon=True).start()


def _start(made: Engine) -> None:
    if not _warming.acquire(blocking=False):
        return
    try:
        time.sleep(PAUSE_SECONDS)  # whoever runs something before starts them at once
        made.start()
        warm_when_idle(made)
    except UserError:
        pass  # it is kept in the engine's status, which every page shows
    finally:
        _warming.release()


def job_for(stages: Sequence[Stage]) -> JobView | None:
    """The newest job that computes, or computed, any of these stages: found again after a reload."""
    keys = {stage.key for stage in stages}
    found = [job for job in engine().jobs() if keys & {stage.key for stage in job.stages if stage.state != "cached"}]
    running = [job for job in found if job.state == "running"]
    return next(iter(running or found), None)
