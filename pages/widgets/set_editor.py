"""Your forget set: its examples, names, history, files."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pages.session import audience, binding, drafts
from pages.widgets import show, suspects, telling
from unlearn_core import view_state as vs
from unlearn_core.errors import UserError
from unlearn_core.forget_sets import MAX_NAME, ForgetSet, read_list, write_csv
from unlearn_core.forget_sets.in_use import in_numbers_of, roster_of
from unlearn_core.results.reader import scenario_data
from unlearn_core.support.escaping import escape_markdown
from unlearn_core.views.suspects.forget_set_edits import CLEAN, doubted, forget_of

if TYPE_CHECKING:
    from unlearn_core.datasets import Split
    from unlearn_core.specs import Scenario
    from unlearn_core.views.suspects.data import Suspects


def editor(state: vs.State, scenario: Scenario, draft: drafts.Draft, truth: bool, found: Suspects | None = None) -> None:
    """Everything about the set that is being edited. ``found``: what a search says, which judges the set's examples too."""
    if audience.visitor():
        st.info(audience.refusal(), icon=":material/lock:")
        return
    left, right = st.columns([1.7, 1], gap="large")
    with left:
        _members(state, scenario, draft, truth, found)
    with right:
        _choose(state, draft)
        _history(draft)
        _files(scenario, draft)


def _members(state: vs.State, scenario: Scenario, draft: drafts.Draft, truth: bool, found: Suspects | None) -> None:
    content, order, marked = draft.content, draft.content.indices, list[int]()
    typing = st.container()
    if not content.indices:
        st.info("Your set is empty. Accept suspects, or add examples by their number.", icon=":material/info:")
    else:
        judged = doubted(found, content.indices) if found is not None and found.state == "judged" else None
        order = order if judged is None else tuple(judged["index"].tolist())
        first, end = suspects.page_of(len(content), "members-page")
        rows = _rows(scenario, draft, order[first:end], truth)
        key = f"members:{draft.found.key if draft.found else ''}:{first}"
        words = "Mark rows to take them out."
        if judged is not None:
            rows = rows.merge(judged[["index", "says", "probability"]], on="index", how="left")
            clean = int((judged["probability"] < CLEAN).sum())
            words += f" The most doubtful come first; probably clean, and so perhaps accused wrongly: {clean:,}."
        columns = ("index", "given", "says", "probability", "origin", "clean_label", "note", "truth")
        marked = suspects.listing(scenario, rows, columns, key, words, "forget-set")
        st.button(
            f"Take out {len(marked) or ''}", key="take-out", icon=":material/remove:", disabled=not marked,
            on_click=drafts.remove, args=(draft, marked),
        )  # fmt: skip
    if outside := sum(one.held for one in content.outside.values()):
        st.caption(
            f"{outside:,} more of its files are no training images here: held out for testing, left out by a limit, test "
            f"images, or gone. {draft.joining:,} of them join the training images when the set is used."
        )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        last = len(scenario_data(scenario).train) - 1
        number = st.number_input(
            f"Example, 0 to {last:,}", min_value=0, max_value=last, value=None, step=1, key="add-number", width=170
        )
        wanted = [] if number is None else [number]
        st.button("Add", key="add-one", icon=":material/add:", on_click=drafts.add, args=(draft, wanted), disabled=not wanted)
    with typing:
        telling.panel(state, scenario, draft, order, marked, found)


def _rows(scenario: Scenario, draft: drafts.Draft, indices: tuple[int, ...], truth: bool) -> pd.DataFrame:
    data, known = scenario_data(scenario).corrupted.train, set(draft.base)
    columns = {
        "index": list(indices),
        "given": [data.class_names[int(data.labels[index])] for index in indices],
        "origin": ["known" if index in known else "added" for index in indices],
    }
    for name, held in (("clean_label", draft.content.labels), ("note", draft.content.notes)):
        if held:
            columns[name] = [held.get(index, "") for index in indices]
    if truth:
        from unlearn_core.views.suspects.forget_set_edits import truth_of

        groups = truth_of(scenario)
        columns["truth"] = ["clean" if groups[index] == "clean" else "corrupted" for index in indices]
    return pd.DataFrame(columns)


def _choose(state: vs.State, draft: drafts.Draft) -> None:
    everything = draft.sets.all()
    names = {drafts.NEW: "A new set, from the one in use"} | {
        one.id: f"{one.name} · {len(one):,} examples" for one in everything
    }
    now = draft.found.id if draft.found is not None else drafts.NEW
    if not binding.hidden(state, "draft"):
        st.selectbox(
            options=list(names), format_func=lambda id: names[id], **binding.widget_args(state, "draft", show=lambda _: now)
        )
    if draft.found is None:
        st.caption("The first edit makes a set of your own and leaves the one in use as it is.")
        _bring_back(draft)
        return
    st.session_state["set-name"] = draft.found.name
    st.text_input("Name", key="set-name", max_chars=MAX_NAME, on_change=_rename, args=(draft, draft.found.id))
    with st.container(horizontal=True):
        st.button("Remove this set", key="set-remove", icon=":material/delete:", on_click=_remove, args=(draft, draft.found.id))
        _bring_back(draft)


def _rename(draft: drafts.Draft, id: str) -> None:
    drafts.attempt(lambda: _ignore(draft.sets.rename(id, st.session_state["set-name"])))


def _remove(draft: drafts.Draft, id: str) -> None:
    drafts.attempt(lambda: _ignore(draft.sets.remove(id)))
    drafts.show(draft, drafts.NEW)


def _bring_back(draft: drafts.Draft) -> None:
    removed = draft.sets.all(removed=True)
    if removed:
        last = max(removed, key=lambda one: one.now.number)
        st.button(
            f"Bring back “{escape_markdown(last.name)}”", key="set-restore", icon=":material/restore_from_trash:",
            on_click=_restore, args=(draft, last.id),
        )  # fmt: skip


def _restore(draft: drafts.Draft, id: str) -> None:
    drafts.attempt(lambda: _ignore(draft.sets.undo(id)))
    drafts.show(draft, id)


def _ignore(_: object) -> None: ...


def for_selection(state: vs.State, scenario: Scenario, chosen: tuple[int, ...]) -> None:
    """What another page offers to do with its selected examples."""
    if not chosen or binding.hidden(state, "forget_set") or audience.visitor():
        return
    draft = drafts.draft_of(state, scenario, forget_of(scenario))
    inside = set(draft.content.indices)
    new, old = [index for index in chosen if index not in inside], [index for index in chosen if index in inside]
    name = draft.found.name if draft.found is not None else "your forget set"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            f"Add {len(new):,} to {escape_markdown(name)}", key="selection-add", icon=":material/add:", disabled=not new,
            on_click=drafts.add, args=(draft, new),
        )  # fmt: skip
        st.button(
            f"Take out {len(old):,}", key="selection-remove", icon=":material/remove:", disabled=not old,
            on_click=drafts.remove, args=(draft, old),
        )  # fmt: skip
        undo(draft)
        st.markdown(f"{escape_markdown(name[0].upper() + name[1:])}: {len(draft.content):,} examples.", width="stretch")
        if st.button("Open the page Forget set", key="to-forget", icon=":material/checklist:", type="tertiary"):
            binding.finish(state)
            st.switch_page("pages/forget.py")


def undo(draft: drafts.Draft) -> None:
    """The buttons that take back the last change, and make it again."""
    found = draft.found
    back = "" if found is None or found.now.before is None else found.now.deed
    again = "" if found is None or found.undone is None else found.undone.deed
    st.button(
        "Undo", key="set-undo", icon=":material/undo:", disabled=not back, on_click=_undo, args=(draft,),
        help=f"Take back: {escape_markdown(back)}" if back else "Nothing to undo",
    )  # fmt: skip
    st.button(
        "Redo", key="set-redo", icon=":material/redo:", disabled=not again, on_click=_redo, args=(draft,),
        help=f"Make again: {escape_markdown(again)}" if again else "Nothing to redo",
    )  # fmt: skip


def _undo(draft: drafts.Draft) -> None:
    if draft.found is not None:
        id = draft.found.id
        drafts.attempt(lambda: _ignore(draft.sets.undo(id)))


def _redo(draft: drafts.Draft) -> None:
    if draft.found is not None:
        id = draft.found.id
        drafts.attempt(lambda: _ignore(draft.sets.redo(id)))


def _history(draft: drafts.Draft) -> None:
    if draft.found is None:
        return
    with st.expander(f"History: {len(draft.found.history)} steps", icon=":material/history:"):
        steps = reversed(draft.found.history[-30:])
        st.markdown("\n".join(f"- {escape_markdown(step.what)} ({step.size:,} examples)" for step in steps))


def _files(scenario: Scenario, draft: drafts.Draft) -> None:
    name = draft.found.name if draft.found is not None else "forget set"
    st.download_button(
        "Export CSV", data=lambda: write_csv(draft.content, suspects.names_of(scenario)).encode(),
        file_name=f"{_file_name(name)}.csv", mime="text/csv", key="set-export", on_click="ignore",
        icon=":material/download:", width="stretch",
        disabled=not len(draft.content),
    )  # fmt: skip
    with st.expander("Import CSV", icon=":material/upload:"):
        split = _split(scenario)
        by = "`path` or " if split.files is not None else ""
        st.caption(
            f"One training example a line: {by}`index[,clean_label][,note]`. Lists of `discover` and frames of cleanlab can "
            "be read as well."
        )
        file = st.file_uploader(
            "Forget set", type=["csv", "txt"], key="set-file", label_visibility="collapsed", max_upload_size=64
        )
        if file is None:
            return
        try:
            listed = read_list(file.getvalue(), roster_of(scenario), split.train.class_names, f"The file {file.name[:60]!r}")
        except UserError as error:
            st.error(escape_markdown(audience.told(error)), icon=":material/error:")
            return
        content = in_numbers_of(split, listed)
        inside = len(content.indices)
        more = f", and {len(content) - inside:,} outside of it" if len(content) > inside else ""
        st.success(f"{inside:,} examples in the training set{more}.", icon=":material/check:")
        for sentence in listed.said:
            show.note(html.escape(sentence))
        st.button(
            "Make it your set",
            key="set-import",
            type="primary",
            on_click=_import,
            args=(draft, content, file.name),
            width="stretch",
        )


def _split(scenario: Scenario) -> Split:
    from unlearn_core.datasets import load_dataset

    return load_dataset(scenario.dataset, scenario.seed)


def _import(draft: drafts.Draft, content: ForgetSet, name: str) -> None:
    def act() -> None:
        stem = " ".join(name.rpartition(".")[0].split())[: MAX_NAME - 4] or "Imported"
        taken = {one.name for one in draft.sets.all()}
        free = stem if stem not in taken and stem.isprintable() else draft.sets.free_name("Imported")
        drafts.show(draft, draft.sets.create(free, content, f"read from {name[:60]}").id)

    drafts.attempt(act)


def _file_name(name: str) -> str:
    return "eunoe-" + "".join(c if c.isalnum() else "-" for c in name.lower()).strip("-")
