"""What was run here lately, each with a click back to it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from pages.cache import catalog
from pages.session import audience, binding
from pages.session.notices import errors_as_notices
from pages.session.services import store
from unlearn_core.results.recent import how_long_ago, recent_runs
from unlearn_core.support.escaping import escape_markdown
from unlearn_core.view_state.from_specs import state_of
from unlearn_core.views.text.sentences import scenario_line

if TYPE_CHECKING:
    from unlearn_core.results.recent import Recent

SHOWN = 5
_OPEN = "start-open"
"""What the page Start turns to before it draws anything."""


def panel() -> bool:
    """The last runs of this store; nothing for visitors and strangers, whom others' data do not concern. Returns whether that
    is all that there is to say."""
    if audience.visitor() or audience.guest():
        return True
    if not (found := recent_runs(store(), SHOWN)):
        return False
    st.markdown("#### Recent")
    for number, one in enumerate(found):
        _line(number, one)
    return True


def nothing_yet() -> None:
    """What will be listed, for somebody who has not run anything: out of a newcomer's way, at the end of the page."""
    st.markdown("#### Recent")
    st.caption("Nothing was run here yet. What you run, on a page or in the terminal, is listed here, with a way back.")


def _line(number: int, one: Recent) -> None:
    words, when, way = st.columns([6, 1.2, 1], vertical_alignment="center")
    words.markdown(f"{_task(one)}  \n:small[{_methods(one)}]")
    when.caption(how_long_ago(one.when, dt.datetime.now(dt.UTC)))
    way.button(
        "Open", key=f"recent:{number}", icon=":material/balance:", width="stretch", on_click=_open, args=(one,),
        help="This comparison, with all of its settings",
    )  # fmt: skip


def _task(one: Recent) -> str:
    from unlearn_core.datasets import registry

    spec = one.scenario.dataset
    label = catalog.dataset_label(spec.name) if spec.name in registry.names() else escape_markdown(spec.name)
    if data := spec.params.get("data"):
        label = f"{label}: {escape_markdown(Path(str(data)).name)}"
    line, kind = scenario_line(one.scenario.model_dump(), label), one.scenario.corruption.kind
    return f"{line} · {escape_markdown(kind.replace('_', ' '))}" if kind else line


def _methods(one: Recent) -> str:
    names, known = dict.fromkeys(spec.name for spec in one.methods), catalog.methods()
    return escape_markdown(", ".join(catalog.method_label(name).partition(":")[0] if name in known else name for name in names))


def _open(one: Recent) -> None:
    with errors_as_notices():
        binding.change(**state_of(one.scenario, one.methods, catalog.REFERENCES))
        st.session_state[_OPEN] = "pages/compare.py"
