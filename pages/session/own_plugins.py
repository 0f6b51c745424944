"""Whether this app runs for its own user alone, who may add code to it, and what a view loses with a plug-in that is gone."""

from __future__ import annotations

import os

import streamlit as st

from pages.session import audience
from pages.session.entry import HOSTS
from unlearn_core import plugins
from unlearn_core import view_state as vs
from unlearn_core.support.public_mode import is_public

_HERE = ("localhost", "127.0.0.1", "::1")
_SEEN = "plugins-seen"


def why_not() -> str:
    """Why code cannot be added here, as a clause; "" where the app is open to the user of this computer alone."""
    if is_public():
        return "this app is public"
    if os.environ.get(HOSTS, "").strip():
        return "this app is served under other names than localhost"
    if audience.shared():
        return "this app is shared with a class"
    if str(st.get_option("server.address") or "") not in _HERE:
        return "this app listens on the network"
    host = st.context.headers.get("Host")
    if host is not None and host.rpartition(":")[0].strip("[]") not in _HERE and host not in _HERE:
        return "this page was not opened as localhost"
    return ""


def settle() -> None:
    """Bring the session's view back to what is there, after a plug-in was removed here or in another session."""
    memory, now = st.session_state, plugins.version()
    if memory.get(_SEEN, now) != now:
        state, notices = vs.decode(vs.encode(memory["state"]))
        kept = {name: value for name, value in memory["state"].items() if name not in state}
        memory["state"], memory["notices"] = {**kept, **state}, [*memory.get("notices", []), *notices]
    memory[_SEEN] = now
