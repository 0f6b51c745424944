"""What has to be said at the top of the page when it is drawn next."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import streamlit as st

from pages.session import audience
from unlearn_core.errors import UserError


@contextlib.contextmanager
def errors_as_notices() -> Iterator[None]:
    """For callbacks, which nothing else guards: what goes wrong is a notice when the page is drawn."""
    try:
        yield
    except UserError as error:
        st.session_state["notices"] = [*st.session_state.get("notices", []), audience.told(error)]
