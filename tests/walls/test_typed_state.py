"""A misspelt control in a page is found by mypy, and the typed state has one field for every control."""

from __future__ import annotations

from pathlib import Path
from typing import get_type_hints

import pytest
from mypy import api

from unlearn_core.view_state import CONTROLS, FILLED, State, default_state
from unlearn_core.view_state.links import decode

ROOT = Path(__file__).parents[2]
# Only what a page sees of the state is read: the whole core would take a minute.
CONFIG = """[mypy]
python_version = 3.11
ignore_missing_imports = True
explicit_package_bases = True
follow_imports = skip
[mypy-unlearn_core,unlearn_core.view_state.*,pages.session,pages.session.binding]
follow_imports = silent
"""
PAGE = '''"""A page."""

import streamlit as st

from pages.session import binding
from unlearn_core import view_state as vs


def draw(state: vs.State) -> None:
    """A picture."""
    st.write(state["shading"], vs.encode(state | {"shading": "hard"}))
    binding.change(shading="hard")
'''


SLIPS = (
    ('state["shading"]', 'state["shadng"]'),
    ('| {"shading": "hard"}', '| {"shadng": "hard"}'),
    ('change(shading="hard")', 'change(shadng="hard")'),
    ('change(shading="hard")', "change(shading=1)"),
)


@pytest.fixture(scope="module")
def verdict(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What mypy says about a page without a slip and one for each slip, read in one go."""
    folder = tmp_path_factory.mktemp("pages")
    texts = [PAGE, *(PAGE.replace(right, slip) for right, slip in SLIPS)]
    pages = [folder / f"page_{k}.py" for k in range(len(texts))]
    for page, text in zip(pages, texts, strict=True):
        page.write_text(text)
    config = folder / "mypy.ini"
    config.write_text(CONFIG)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        said, trouble, _ = api.run([*map(str, pages), "--config-file", str(config), "--cache-dir", str(folder / "cache")])
    assert not trouble
    return said


def test_a_page_without_a_slip_is_accepted(verdict: str) -> None:
    assert "page_0.py" not in verdict


@pytest.mark.parametrize("number", range(len(SLIPS)))
def test_a_slip_in_a_page_is_refused(verdict: str, number: int) -> None:
    right, _ = SLIPS[number]
    line = 1 + PAGE[: PAGE.index(right)].count("\n")
    said = [text for text in verdict.splitlines() if f"page_{number + 1}.py" in text and ": error: " in text]
    assert said
    assert all(f"page_{number + 1}.py:{line}:" in text for text in said)


def test_every_control_has_a_field_and_every_field_a_control() -> None:
    names = [control.name for control in CONTROLS]
    assert len(names) == len(set(names))
    assert {*names, "overrides", *FILLED} == set(get_type_hints(State))
    assert list(default_state()) == [*names, "overrides"]


def test_defaults_and_values_of_links_have_the_types_of_their_fields() -> None:
    hints = get_type_hints(State)
    link = "regularity=0.5&amount=40&class_a=2&model=cnn&views=rem,npo&shading=hard&frame=3&strength=0.5&seed=7&own_size=16"
    for state in (default_state(), decode(link)[0]):
        for name, value in state.items():
            assert fits(value, hints[name]), name


def fits(value: object, kind: object) -> bool:
    """Whether a plain value has a type such as ``tuple[str, ...]``, ``int | None`` or a choice of literals."""
    from pydantic import ConfigDict, TypeAdapter, ValidationError

    try:
        TypeAdapter(kind, config=ConfigDict(strict=True)).validate_python(value)
    except ValidationError:
        return False
    return True
