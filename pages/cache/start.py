"""The start page's precomputed pictures, read once for all sessions."""

from __future__ import annotations

import streamlit as st

from unlearn_core.views.start.shipped import opening_scene, packed_burst, packed_scenes


@st.cache_resource(show_spinner=False)
def scenes() -> bytes | None:
    """The packed scenes, or None where they were not installed."""
    return packed_scenes()


@st.cache_resource(show_spinner=False)
def opening() -> bytes | None:
    """What of the packed scenes the picture opens with, or None where they were not installed."""
    packed = scenes()
    return opening_scene(packed) if packed else None


@st.cache_resource(show_spinner=False)
def burst() -> bytes | None:
    """The packed star-burst, or None where it was not installed."""
    return packed_burst()
