"""One line on top of a public server's pages: what it is, and what it does not do. Said here, and at no button."""

from __future__ import annotations

import streamlit as st

from pages.session import audience, sign_in
from unlearn_core.support.escaping import escape_markdown
from unlearn_core.support.limits import limits


def bar() -> None:
    """The line of this session; nothing where the app is not public."""
    if not (audience.guest() or (audience.visitor() and not audience.shared())):
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="public-bar"):
        st.caption(f":material/public: {_words()}", width="stretch")
        if person := sign_in.person():
            st.caption(escape_markdown(person), width="content")
            st.button("Sign out", key="public-sign-out", type="tertiary", on_click=st.logout)


def _minutes(seconds: int) -> str:
    return f"{seconds // 60} minutes" if seconds >= 120 and seconds % 60 == 0 else f"{seconds} seconds"


def _words() -> str:
    if not audience.guest():
        return f"{audience.ONLY_SHOWN} To compute, run Eunoe on your own computer: `eunoe app`."
    allowed = limits()
    return (
        f"A public server: {_minutes(allowed.seconds)} of computing in {_minutes(allowed.window)} for each session, in turn "
        f"with others. What you hand over is deleted after {allowed.upload_hours} hours; others may see stored results."
    )
