"""Whether strangers use this installation: nothing is then added or fetched on their request."""

from __future__ import annotations

import os
from typing import Final

PUBLIC: Final = "UNLEARN_PUBLIC"
"""Set to anything but 0 where strangers use the app."""


def is_public() -> bool:
    """Whether ``UNLEARN_PUBLIC`` says so."""
    return os.environ.get(PUBLIC, "0") not in ("", "0")
