"""One session in a class: it publishes what it looks at, or takes what the lecturer looks at."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from urllib.parse import parse_qsl

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.session import audience, calling, replay
from pages.session.classroom import Classroom, Lead, classroom
from pages.session.services import engine, lives
from unlearn_core import view_state as vs

OWN_PAGES = ("lessons",)
"""Pages that tell every student what they answered."""
CALLED_SECONDS = 2.0
"""A follower is called to a new view (:mod:`.calling`); its own timer looks only after so long whether that came to nothing."""
LATE_SECONDS = 5.0
"""A run of the page that was followed before is no way of leaving for so long: it was asked for earlier."""
SHARED = ("control:", "parameter:", "class-", "figure:", "lesson")
"""Keys of widgets begin so that show the state which a link has, or stand in the bars above the page."""
_BEFORE, _PAGE_TAKEN, _CALL = "page-before-lead", "page-of-lead", "call-followers"
_FOLLOWING, _TAKEN, _WAITS = "following", "taken-lead", "waits-for-lecturer"


def publish(state: vs.State) -> None:
    """What this page shows is what the class follows, if this session leads."""
    room, me = classroom(), audience.session()
    if not me or room.leader() != me or not audience.lecturer():
        return
    own = any(vs.by_name(state).get(name) or state["overrides"].get(name) for name in vs.PATHS)
    if room.publish(me, st.session_state["page"], vs.encode(state), None if own else state.copy()):
        st.session_state[_CALL] = not own


def call() -> None:
    """Once the lecturer's own page is drawn, call the followers to it: drawn at once, both would take twice as long."""
    if st.session_state.pop(_CALL, False):
        calling.draw_again(classroom().followers(), calling.this_page())


def keep_leading() -> None:
    """A lecturer who loads the page again goes on leading: the session that led is gone."""
    room = classroom()
    if room.leader() and audience.lecturer() and not lives(room.leader()):
        room.lead_by(audience.session())


def following() -> bool:
    """Whether this session takes what the lecturer looks at."""
    return bool(st.session_state.get(_FOLLOWING)) and audience.visitor()


def follow(wanted: bool) -> None:
    """Begin to follow, or leave; what is shown stays until the lecturer moves on."""
    st.session_state[_FOLLOWING] = wanted
    st.session_state.pop(_TAKEN, None)


def behind() -> bool:
    """Whether this session follows and was not called to where the lecturer is by now; or waits for results, and there are
    new ones."""
    memory = st.session_state
    lead = classroom().lead()
    if following() and lead is not None and lead.state is not None and lead.number != memory.get(_TAKEN):
        return classroom().age(lead) > CALLED_SECONDS
    return memory.get(_WAITS) not in (None, work())


def take() -> Lead | None:
    """What this session has to show in place of its own page; its state and link are the lecturer's then.

    None where it follows nothing, and from the moment that it went elsewhere by itself.
    """
    memory = st.session_state
    memory.pop(_WAITS, None)
    lead = classroom().lead()
    if not following() or lead is None or lead.state is None:
        return None
    moved = memory["page"] != lead.page
    if lead.number == memory.get(_TAKEN):
        if moved and _late(lead):
            st.switch_page(f"pages/{lead.page}.py")
        if moved or vs.encode(memory["state"]) != lead.query:
            follow(False)
            return None
    elif moved:
        st.switch_page(f"pages/{lead.page}.py")
    if lead.number != memory.get(_TAKEN):
        memory[_BEFORE] = memory.get(_PAGE_TAKEN, ""), time.monotonic()
    memory[_PAGE_TAKEN] = lead.page
    memory["state"], memory[_TAKEN], memory["by-link"] = lead.state.copy(), lead.number, True
    query = dict(parse_qsl(lead.query, keep_blank_values=True))
    if st.query_params.to_dict() != query:
        st.query_params.from_dict(query)
    memory["written"], memory["written_at"] = query, time.monotonic()
    return lead


@contextlib.contextmanager
def drawn_once() -> Iterator[None]:
    """The rest of a page that is followed: sent from what another session has drawn (:class:`.replay.Shown` is raised then), or
    drawn here, and kept for the others."""
    memory, lead = st.session_state, classroom().lead()
    if not following() or lead is None or memory.get(_TAKEN) != lead.number or lead.page in OWN_PAGES:
        yield
        return
    memory["notices"] = []  # they are of what this student did before, and no one else's business
    _put_own_aside()
    key = lead.number, work(), audience.on_phone()
    sent, waits = replay.send(key)
    if sent:
        if waits:
            wait_for_lecturer()
        raise replay.Shown
    with replay.recording(key) as drawing:
        yield
        drawing.waits = _WAITS in memory


def _put_own_aside() -> None:
    """Forget what this student chose in widgets that no link knows (a page of thumbnails, a drawer): what is drawn here is
    sent to the others, and nobody's page of thumbnails is the lecturer's."""
    run = get_script_run_ctx()
    widgets = getattr(getattr(run and run.session_state, "_state", None), "_key_id_mapper", ())
    for key in list(st.session_state):
        if key in widgets and not str(key).startswith(SHARED):
            del st.session_state[key]


def _late(lead: Lead) -> bool:
    """Whether this run is one of the page before, which was asked for when the lecturer had not moved on yet."""
    page, since = st.session_state.get(_BEFORE, ("", float("-inf")))
    return bool(st.session_state["page"] == page != lead.page and time.monotonic() - since < LATE_SECONDS)


def wait_for_lecturer() -> None:
    """This page lacks results; it is drawn again when the lecturer's computer has finished something."""
    st.session_state[_WAITS] = work()


def work() -> int:
    """A number that changes when a run begins or a stage of it ends."""
    return room_work(classroom())


def room_work(room: Classroom) -> int:
    """The same, counted once for all sessions."""
    return room.work(lambda: sum(1 + job.done + (job.state != "running") for job in engine().jobs()))
