"""Whether strangers use this installation: nothing is then added or fetched on their request, and perhaps nothing computed."""

from __future__ import annotations

import os
from typing import Final

PUBLIC: Final = "UNLEARN_PUBLIC"
"""Set to anything but 0 where strangers use the app."""
READ_ONLY: Final = "UNLEARN_READ_ONLY"
"""Set to anything but 0 where they look at the gallery and stored runs alone."""
NAMED: Final = "UNLEARN_PLUGINS_NAMED"
"""Set by ``app --public`` where the operator named the plug-ins on its command line."""
PROXY: Final = "FORWARDED_ALLOW_IPS"
"""uvicorn's: the addresses of proxies whose word about a visitor's address counts."""


def is_public() -> bool:
    """Whether ``UNLEARN_PUBLIC`` says so."""
    return _is_set(PUBLIC)


def is_read_only() -> bool:
    """Whether strangers use the app and nothing is ever computed for them."""
    return is_public() and _is_set(READ_ONLY)


def _is_set(name: str) -> bool:
    return os.environ.get(name, "0") not in ("", "0")
