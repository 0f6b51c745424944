"""The forget set that is being edited: made of the one in use by the first edit, kept by the store from then on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from pages.session import audience, binding, forget_sets
from pages.session.notices import errors_as_notices
from unlearn_core import view_state as vs
from unlearn_core.forget_sets import ForgetSet, NamedSet, NamedSets

if TYPE_CHECKING:
    from unlearn_core.specs import Scenario

NEW = "new"
"""What a link says where no set is to be edited, rather than the one that this session edited last."""

Edit = Callable[[ForgetSet], ForgetSet]


@dataclass(frozen=True)
class Draft:
    """``of``: key of the data that sets belong to; ``base``: the forget set in use; ``found``: the named set being edited, None
    before the first edit; ``joining``: how many of its images are no training images yet and would join them; ``told``: whether
    it has other right labels, or other checked examples, than the one in use."""

    of: str
    sets: NamedSets
    base: tuple[int, ...]
    found: NamedSet | None
    content: ForgetSet
    joining: int = 0
    told: bool = False

    @property
    def added(self) -> list[int]:
        """What it has beyond the set in use."""
        return sorted({*self.content.indices} - {*self.base})

    @property
    def removed(self) -> list[int]:
        """What it lacks of the set in use."""
        return sorted({*self.base} - {*self.content.indices})

    @property
    def differs(self) -> bool:
        """Whether a run with it would be another one."""
        return self.content.indices != self.base or self.joining > 0 or self.told


def draft_of(state: vs.State, scenario: Scenario, base: Iterable[int]) -> Draft:
    """The set that this view edits: the one its link names, or that this session edited last, or that is in use.

    ``base``: the forget set in use.
    """
    from unlearn_core.datasets import load_dataset
    from unlearn_core.forget_sets.in_use import joining

    of, sets, told = scenario.sets_key, forget_sets.named(scenario), tuple(base)
    everything = sets.all()
    wanted = state["draft"] or st.session_state.get("drafts", {}).get(of)
    found = next((one for one in everything if one.id == wanted), None)
    if found is None and state["forget"] and wanted != NEW:
        found = next((one for one in everything if one.key == state["forget"]), None)
    content = forget_sets.content(sets, scenario, found.key) if found is not None else None
    if content is None:
        labels, checked = dict(scenario.relabelled), scenario.person.trusted
        return Draft(of, sets, told, None, ForgetSet(told, labels=labels, checked=checked))
    join = joining(content, load_dataset(scenario.dataset, scenario.seed).roster) if content.outside else 0
    other = dict(content.labels) != dict(scenario.relabelled) or content.checked != scenario.person.trusted
    return Draft(of, sets, told, found, content, join, other)


def edit(draft: Draft, change: Edit, what: str) -> None:
    """A callback: apply an edit, to a new set if there is none yet."""

    def act() -> None:
        if draft.found is None:
            start = draft.sets.create(draft.sets.free_name(), draft.content, "made from the forget set in use")
            draft.sets.change(start.id, change, what)
            show(draft, start.id)
        else:
            draft.sets.change(draft.found.id, change, what)
            show(draft, draft.found.id)

    attempt(act)


def show(draft: Draft, id: str) -> None:
    """Edit this set from now on: in this view, and on other pages and in other steps of a lesson."""
    st.session_state["drafts"] = st.session_state.get("drafts", {}) | {draft.of: id}
    if st.session_state["state"]["draft"] != id:
        binding.change(draft=id)


def attempt(act: Callable[[], None]) -> None:
    """Do something that writes and may be refused; the refusal is said at the top of the page."""
    with errors_as_notices():
        audience.refuse_visitors()
        act()


def add(draft: Draft, indices: Iterable[int]) -> None:
    """A callback: these examples are corrupted."""
    new = sorted({int(k) for k in indices})
    edit(draft, lambda content: content.adding(new), f"added {named(new)}")


def remove(draft: Draft, indices: Iterable[int]) -> None:
    """A callback: these examples are taken out, without a judgement."""
    gone = sorted({int(k) for k in indices})
    edit(draft, lambda content: content.removing(gone), f"took out {named(gone)}")


def reject(draft: Draft, indices: Iterable[int]) -> None:
    """A callback: these examples are clean."""
    gone = sorted({int(k) for k in indices})
    edit(draft, lambda content: content.rejecting(gone), f"rejected {named(gone)}")


def check(draft: Draft, indices: Iterable[int]) -> None:
    """A callback: these examples are right, and methods may trust them."""
    gone = sorted({int(k) for k in indices})
    edit(draft, lambda content: content.checking(gone), f"checked {named(gone)}")


def label(draft: Draft, index: int, right: str, given: str) -> None:
    """A callback: the right label of this example."""
    what = f"checked {index}" if right == given else f"{index} is {right}"
    edit(draft, lambda content: content.labelling(index, right, given), what)


def named(indices: list[int]) -> str:
    """Examples in a few words: their indices where there are few, else how many."""
    return ", ".join(map(str, indices)) if len(indices) <= 4 else f"{len(indices):,} examples"
