"""What the page Your own says before anything was given: to a person at this computer, to a stranger, to one who only looks."""

from __future__ import annotations

from typing import Final

from pages.session import audience
from unlearn_core.support.limits import limits

_FOLDERS: Final = "with train/&lt;class&gt;/… and test/&lt;class&gt;/…, then add the list of wrong images."


def attempt(_: object = None) -> str:
    """What to try, as HTML."""
    if audience.visitor():
        return "this page on your own computer, with your own images."
    return f"{'hand over a zip' if audience.guest() else 'enter the path of a folder'} {_FOLDERS}"


def begin() -> str:
    """How to begin, and what does not happen by itself."""
    nothing = "nothing runs before you have seen what was read."
    if audience.guest():
        return f"Hand over a file. It is deleted after {limits().upload_hours} hours; {nothing}"
    return f"Enter a path, or hand over a file. Nothing is copied or changed, and {nothing}"
