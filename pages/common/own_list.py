"""What is known to be wrong with somebody's own images: a list from a file, a set from the store, or nothing yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.common import binding, forget_sets
from unlearn_core import view_state as vs
from unlearn_core.errors import UserError
from unlearn_core.escaping import escape_markdown
from unlearn_core.insight import own
from unlearn_core.sets import MAX_NAME, read_csv

if TYPE_CHECKING:
    import numpy as np

    from unlearn_core.datasets import Split
    from unlearn_core.insight.own import Reading
    from unlearn_core.specs import Scenario

NOTHING = ""


def read(params: dict[str, Any], seed: int) -> Reading:
    """What these files hold, from what a worker left when it read them. Raises ``NotRead`` before that."""
    return own.read("images", params, seed)


def samples(found: Reading) -> list[tuple[int, str, np.ndarray]]:
    """Training images to look at."""
    return own.samples(_split(found), found.seed)


def check(scenario: Scenario) -> None:
    """Raise :class:`UserError` for what cannot be run."""
    from unlearn_core.engine.stages import plan_runs

    plan_runs(scenario, [])


def step(state: vs.State, found: Reading) -> list[str]:
    """The widgets of this step; returns what is worth saying about the list in use."""
    of = vs.to_scenario(state | {"forget": ""}).corruption_key
    sets = forget_sets.named(of)
    known = {one.key: one.name for one in sets.all() if len(one)}
    if state["forget"] and state["forget"] not in known:
        known[state["forget"]] = "the list of this link"
    _upload(state, found, of)
    if known:
        words = {NOTHING: "Nothing known yet" if found.clean_known < found.train else "The discovery rate"} | known
        bound = binding.bound(state, "forget")
        st.selectbox(options=list(words), format_func=lambda key: words[key], **(bound | {"label": "Forget list in use"}))
    return _said(state, found, of)


def _said(state: vs.State, found: Reading, of: str) -> list[str]:
    if vs.edited(state):
        content = forget_sets.content(of, state["forget"])
        if content is None:
            return []
        labels = f", the right label of {len(content.labels):,} of them is given" if content.labels else ""
        st.caption(f"**{len(content):,}** training images are held to be wrong{labels}.")
        try:
            return own.judged_list(_split(found), content)
        except UserError:  # said where the whole is checked
            return []
    if vs.truth_known(state):
        if not binding.hidden(state, "discovery"):
            bound = binding.bound(state, "discovery")
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


def _upload(state: vs.State, found: Reading, of: str) -> None:
    file = st.file_uploader(
        "List of wrong images: a CSV with a column path or index, and perhaps clean_label and note", type=["csv", "txt"],
        key="own-list", max_upload_size=64, disabled=binding.locked(state, "forget"),
    )  # fmt: skip
    if file is None:
        return
    done: dict[str, Any] = st.session_state.setdefault("own-listed", {})
    if done.get("file") == (file.file_id, of):
        if done.get("error"):
            st.error(escape_markdown(done["error"]), icon=":material/error:")
        return
    done |= {"file": (file.file_id, of), "error": ""}
    train = _split(found).train
    try:
        content = read_csv(file.getvalue(), len(train), train.class_names, f"The file {file.name[:60]!r}", _split(found).names)
        own.judged_list(_split(found), content)
        sets = forget_sets.named(of)
        stem = " ".join(file.name.rpartition(".")[0].split())[: MAX_NAME - 4] or "Imported"
        free = stem not in {one.name for one in sets.all()} and stem.isprintable()
        made = sets.create(stem if free else sets.free_name("Imported"), content, f"read from {file.name[:60]}")
    except UserError as error:
        done["error"] = str(error)
        st.error(escape_markdown(done["error"]), icon=":material/error:")
        return
    binding.change(forget=made.key)
    st.rerun()


def _split(found: Reading) -> Split:
    from unlearn_core.datasets import load_dataset

    return load_dataset(found.dataset, found.seed)
