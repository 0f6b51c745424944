"""The rooms of the pages: a page uses widgets, widgets use cached reads, these use the session, and never the other way."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.walls.sources import ROOT, imported_modules, tree_of

ABOVE = {"session": ("pages.cache", "pages.widgets"), "cache": ("pages.widgets",), "widgets": ()}
"""What each room must not import; no room imports a page."""
PAGES = sorted(path for path in (ROOT / "pages").glob("*.py") if path.name != "__init__.py")


@pytest.mark.parametrize("room", ABOVE)
def test_rooms_look_downwards(room: str) -> None:
    pages = {f"pages.{path.stem}" for path in PAGES}
    files = sorted((ROOT / "pages" / room).glob("*.py"))
    assert files
    for path in files:
        upwards = {name for name in imported_modules(path) if name in pages or name.startswith(ABOVE[room])}
        assert not upwards, f"{path.name} imports {', '.join(sorted(upwards))}"


MAX_BODY = 70
"""Lines under ``with page(…)``, which is no function: the limit of functions does not see it."""


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_the_body_of_a_page_is_short(path: Path) -> None:
    (opened,) = [node for node in tree_of(path).body if isinstance(node, ast.With)]
    assert (opened.end_lineno or 0) - opened.body[0].lineno < MAX_BODY


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_page_opens_and_ends_in_one_way(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\nwith page(") == 1
    assert "st.stop(" not in text, "after st.stop() the link would not follow the state: end_page()"
