"""What data health found, kept between reruns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.session.services import store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unlearn_core.discovery.health.findings import Health


def health(keys: Sequence[str]) -> Health:
    """The examinations under these keys as one. Raises LookupError where one is not stored."""
    return _health(store().location, tuple(keys))


@st.cache_resource(show_spinner=False, max_entries=8)
def _health(location: str, keys: tuple[str, ...]) -> Health:
    from unlearn_core.discovery.health.findings import together
    from unlearn_core.views.health.data import read_health

    return together([read_health(store(), key) for key in keys])
