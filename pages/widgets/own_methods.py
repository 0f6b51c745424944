"""Adding a method of one's own on Compare: a file of the user's, checked, kept, and removed again."""

from __future__ import annotations

import streamlit as st

from pages.session import own_plugins
from unlearn_core import kept_plugins, plugins
from unlearn_core.errors import UserError
from unlearn_core.kept_plugins import Checked
from unlearn_core.support.escaping import escape_markdown
from unlearn_core.support.public_mode import is_public

_PATH, _OUTCOME = "plugin-path", "plugin-outcome"
WARNING = (
    "**The file's code runs on this computer with your rights**, now and whenever Eunoe starts: it can read, change and delete "
    "whatever you can. Add only what you wrote or have read."
)


def panel() -> None:
    """A drawer beside the methods; where others could use it, one line in it that says why nothing can be added;
    nothing where strangers use the app."""
    if is_public():
        return
    drawer = st.popover("Add a method", icon=":material/add:", key="own_methods_open", on_change="rerun", width="stretch")
    if not drawer.open:
        return
    with drawer:
        if reason := own_plugins.why_not():
            st.info(f"Methods cannot be added here, because {reason}.", icon=":material/block:")
            return
        st.markdown(
            "A Python file that registers an unlearning method (or a dataset, a network, a metric …) with Eunoe; "
            "docs/extending.md has one for each kind. It must belong to you. It is checked first, which takes half a minute, "
            "and a copy is kept only where every check passes."
        )
        st.warning(WARNING, icon=":material/warning:")
        place, button = st.columns([5, 1.2], vertical_alignment="bottom")
        place.text_input("Path of the file on this computer", placeholder="~/my_method.py", max_chars=400, key=_PATH)
        if button.button("Check and add", key="plugin-add", width="stretch"):
            _add(str(st.session_state.get(_PATH, "")))
        _tell(st.session_state.get(_OUTCOME))
        _list_kept()


def _add(text: str) -> None:
    if own_plugins.why_not():  # asked again where it counts
        return
    try:
        with st.spinner("Checking the file…"):
            st.session_state[_OUTCOME] = kept_plugins.add(text.strip())
    except UserError as error:
        st.session_state[_OUTCOME] = str(error)
    st.rerun()


def _tell(outcome: Checked | str | None) -> None:
    """What the last file's checks said."""
    if isinstance(outcome, str):
        st.error(escape_markdown(outcome), icon=":material/error:")
    elif outcome is not None and outcome.kept:
        st.success(
            f"{escape_markdown(outcome.name)} is added: all {len(outcome.passed)} checks passed.", icon=":material/check:"
        )
    elif outcome is not None:
        wrong = "\n".join(f"- {escape_markdown(line)}" for line in outcome.failed)
        st.error(f"{escape_markdown(outcome.name)} was not added:\n{wrong}", icon=":material/error:")


def _list_kept() -> None:
    """The files that are kept, what each adds, and the way to be rid of it."""
    known = {plugin.path: plugin for plugin in plugins.known()}
    for path in kept_plugins.kept():
        words, button = st.columns([5, 1.2], vertical_alignment="center")
        plugin = known.get(str(path.resolve()))
        adds = ", ".join(f"{noun} {name}" for noun, name in plugin.components) if plugin is not None else ""
        said = f"disabled: {plugin.reason}" if plugin is not None and plugin.reason else f"adds {adds or 'nothing'}"
        words.markdown(f"**{escape_markdown(path.name)}** {escape_markdown(said)}")
        button.button("Remove", key=f"plugin-remove:{path.name}", on_click=_remove, args=(path.name,), width="stretch")


def _remove(name: str) -> None:
    if not own_plugins.why_not():
        kept_plugins.remove(name)
        st.session_state.pop(_OUTCOME, None)
