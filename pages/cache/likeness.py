"""What is most like an example, kept between reruns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.session.services import store

if TYPE_CHECKING:
    from unlearn_core.views.likeness.data import Alike


def alike(key: str, index: int) -> Alike:
    """What is most like one example, by the key of the stage. Raises LookupError where that is not stored."""
    return _alike(store().location, key, index)


@st.cache_resource(show_spinner=False, max_entries=64)
def _alike(location: str, key: str, index: int) -> Alike:
    from unlearn_core.views.likeness.data import read_alike

    return read_alike(store(), key, index)
