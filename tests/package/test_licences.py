"""docs/licences.md names every package that Eunoe asks for, each with a licence, and no other as one of those."""

from __future__ import annotations

import re

import pytest

from assets.make_licences import PAGE, direct_names, read_licence

SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL))
ROW = re.compile(r"^\| \[?([a-z0-9-]+)\]?[^|]*\| [^|]+ \| ([^|]+) \|$", re.MULTILINE)


def test_the_page_has_the_packages_of_the_requirements() -> None:
    listed = [name for title in ("What Eunoe asks for", "On request") for name, _ in ROW.findall(SECTIONS[title])]
    assert sorted(listed) == direct_names(), "run: python assets/make_licences.py"


def test_every_row_has_a_licence() -> None:
    rows = ROW.findall("".join(SECTIONS.values()))
    assert len(rows) > 40
    assert [name for name, licence in rows if not licence.strip()] == []


@pytest.mark.parametrize(("name", "word"), [("numpy", "BSD-3-Clause"), ("psycopg", "LGPL"), ("pydantic", "MIT")])
def test_licences_are_read_from_the_packages(name: str, word: str) -> None:
    assert word in read_licence(name)
