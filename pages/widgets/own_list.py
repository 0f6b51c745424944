"""What is known to be wrong with your own images: a list from a file, a set from the store, or nothing yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.session import audience, binding, forget_sets
from unlearn_core import view_state as vs
from unlearn_core.errors import UserError
from unlearn_core.forget_sets import MAX_NAME, read_list
from unlearn_core.forget_sets import in_use as lists
from unlearn_core.support.escaping import escape_markdown
from unlearn_core.views.own_data import data as own

if TYPE_CHECKING:
    import numpy as np

    from unlearn_core.datasets import Split
    from unlearn_core.specs import Scenario
    from unlearn_core.views.own_data.data import Reading

NOTHING = ""


def read(params: dict[str, Any], seed: int, side: int = 0, *, opened: bool = False) -> Reading:
    """What these files hold, for a network that takes ``side`` pixels, from what a worker left when it read them.

    Where the page has just been ``opened`` they are looked at anew: they may have changed. Raises ``NotRead`` before they
    were read.
    """
    return own.read("images", params, seed, side, anew=opened)


def look_again(params: dict[str, Any]) -> None:
    """Look at these files anew when they are asked for next."""
    from unlearn_core.datasets import registry

    source = registry.get("images")
    source.look_again(source.params(dict(params)))


def samples(found: Reading) -> list[tuple[int, str, np.ndarray]]:
    """Training images to look at."""
    return own.samples(_split(found), found.seed)


def check(scenario: Scenario) -> None:
    """Raise :class:`UserError` for what cannot be run."""

    from unlearn_core.stages.unlearn import plan_runs

    plan_runs(scenario, [])


def step(state: vs.State, found: Reading) -> list[str]:
    """The widgets of this step; returns what is worth saying about the list in use."""
    scenario = vs.to_scenario(state | {"forget": ""})
    sets = forget_sets.named(scenario)
    known = {one.key: one.name for one in sets.all() if len(one)}
    for one in sets.others():
        if len(one) and one.key not in known:
            known[one.key] = f"{one.name} (made with another seed or before the files changed)"
    if state["forget"] and state["forget"] not in known:
        known[state["forget"]] = "the list of this link"
    _upload(state, found, scenario)
    if known:
        words = {NOTHING: "Nothing known yet" if found.clean_known < found.train else "The discovery rate"} | known
        bound = binding.widget_args(state, "forget")
        st.selectbox(options=list(words), format_func=lambda key: words[key], **(bound | {"label": "Forget list in use"}))
    return _said(state, found, scenario)


def _said(state: vs.State, found: Reading, scenario: Scenario) -> list[str]:
    if vs.edited(state):
        try:
            used = forget_sets.in_use(scenario, state["forget"])
            if used is None:
                return []
            content = used.content
            labels = f", the right label of {len(content.labels):,} of them is given" if content.labels else ""
            st.caption(f"**{len(content.indices):,}** training images are held to be wrong{labels}.")
            return [*_read(state["forget"]), *used.said, *own.judged_list(used.split, content)]
        except UserError:  # said where the whole is checked
            return []
    if vs.truth_known(state):
        if not binding.hidden(state, "discovery"):
            bound = binding.widget_args(state, "discovery")
            st.slider(min_value=0.0, max_value=1.0, step=0.01, format="percent", **bound)
        st.caption("The right label of every training image is given, so it is known what is wrong and what is healed.")
    else:
        partly = (
            f" The right label of {found.clean_known:,} images is given; it is used to measure." if found.clean_known else ""
        )
        st.caption(
            f"Nothing is known to be wrong yet: add a list, or find images on “Find the rest”.{partly} How much a method "
            "heals stays unknown, and is never guessed."
        )
    return []


def _read(key: str) -> list[str]:
    """What was guessed or left out when this session read the list in use from its file."""
    done: dict[str, Any] = st.session_state.get("own-listed", {})
    return list(done.get("said", ())) if done.get("key") == key else []


def _upload(state: vs.State, found: Reading, scenario: Scenario) -> None:
    file = st.file_uploader(
        "List of wrong images: a CSV with a column path or index, and perhaps clean_label and note",
        type=["csv", "tsv", "txt"], key="own-list", max_upload_size=64, disabled=binding.locked(state, "forget"),
    )  # fmt: skip
    if file is None:
        return
    done: dict[str, Any] = st.session_state.setdefault("own-listed", {})
    if done.get("file") == (file.file_id, scenario.sets_key):
        if done.get("error"):
            st.error(escape_markdown(audience.told(done["error"])), icon=":material/error:")
        return
    done |= {"file": (file.file_id, scenario.sets_key), "error": "", "said": (), "key": ""}
    try:
        split = _split(found)
        listed = read_list(file.getvalue(), split.roster, split.train.class_names, f"The file {file.name[:60]!r}")
        used = lists.use(scenario, listed)
        own.judged_list(used.split, used.content)
        sets = forget_sets.named(used.scenario)
        stem = " ".join(file.name.rpartition(".")[0].split())[: MAX_NAME - 4] or "Imported"
        free = stem not in {one.name for one in sets.all()} and stem.isprintable()
        made = sets.create(stem if free else sets.free_name("Imported"), used.content, f"read from {file.name[:60]}")
    except UserError as error:
        done["error"] = str(error)
        st.error(escape_markdown(audience.told(done["error"])), icon=":material/error:")
        return
    done |= {"said": listed.said, "key": made.key}
    binding.change(forget=made.key)
    st.rerun()


def _split(found: Reading) -> Split:
    from unlearn_core.datasets import load_dataset

    return load_dataset(found.dataset, found.seed)
