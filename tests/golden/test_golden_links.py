"""Two hundred links that were made when the golden data were: each resolves to what it did then.

Keys of runs are compared in the revisions of then, so that a link counts as broken only where it leads to other settings.
Where a control was added or a sentence reworded on purpose: ``python tests/golden/make_golden.py --links``.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from goldenlinks import COUNT, resolve
from goldentools import differences, read_golden
from streamlit.testing.v1 import AppTest

from unlearn_core import view_state as vs

GOLDEN = read_golden("links")
LINKS: list[dict[str, Any]] = GOLDEN["links"]
REVISIONS: dict[str, int] = GOLDEN["revisions"]
ROOT = Path(__file__).parents[2]
ADDRESSES = {
    "start": "Start",
    "craft": "Craft",
    "compare": "Compare",
    "boundary": "Decision boundary",
    "redirect": "Redirect neurons",
    "embedding": "Embedding",
    "forget": "Forget set",
    "heatmap": "Heatmap",
    "own": "Your own",
    "lessons": "Learn",
}


def test_the_links_are_many_and_cover_every_control() -> None:
    assert len({link["query"] for link in LINKS}) == len(LINKS) == COUNT
    named = Counter(name for link in LINKS for name, _ in parse_qsl(link["query"], keep_blank_values=True))
    assert [c.query_name for c in vs.CONTROLS if c.name in GOLDEN["defaults"] and named[c.query_name] < 2] == []
    assert sum(bool(link["notices"]) for link in LINKS) > 50
    assert sum(bool(link["asks"]) for link in LINKS) >= 4


def test_what_a_link_leaves_out_has_the_default_of_then() -> None:
    defaults = {name: list(value) if isinstance(value, tuple) else value for name, value in vs.default_state().items()}
    assert differences(GOLDEN["defaults"], {name: defaults.get(name) for name in GOLDEN["defaults"]}) == []


@pytest.mark.parametrize("part", range(10))
def test_links_resolve_to_what_they_did(part: int, folder: Path, bare: None) -> None:
    chosen = LINKS[part::10]
    now = {link["query"]: resolve(link["query"], folder, REVISIONS) for link in chosen}
    then = {link["query"]: {name: value for name, value in link.items() if name not in ("page", "query")} for link in chosen}
    assert differences(then, now) == []


def test_every_page_still_has_its_address(bare: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UNLEARN_STORE", str(tmp_path))
    monkeypatch.setenv("UNLEARN_ENGINE", "inline")
    monkeypatch.chdir(ROOT)
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    assert not app.exception
    assert app.session_state["pages"] == ADDRESSES
    assert {link["page"] for link in LINKS} == set(ADDRESSES)
