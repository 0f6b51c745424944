"""What the Forget set page is about, put together from the view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pages.session import drafts
from pages.session.services import store
from unlearn_core import view_state as vs
from unlearn_core.errors import UserError
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.views.suspects import forget_set_edits as edits

if TYPE_CHECKING:
    from unlearn_core.specs import MethodSpec, Scenario
    from unlearn_core.stages.stage import Stage


@dataclass(frozen=True)
class Search:
    """What the page is about: the search with the set in use, the edited set, and whether it can be used in its place."""

    state: vs.State
    scenario: Scenario
    spec: MethodSpec
    rem: MethodSpec
    draft: drafts.Draft
    edited: Scenario
    """The scenario with the edited set, or :attr:`scenario` itself where the two are the same or the edited one cannot be."""
    unusable: str
    """Why the edited set cannot be used; empty where it can."""
    stages: list[Stage]
    comparing: list[Stage]
    missing: list[Stage]
    missing_after: list[Stage]
    shown_truth: bool
    groups: np.ndarray | None
    """The truth of every example, where it is shown."""

    @property
    def fits(self) -> bool:
        """Whether the edited set is another one and can be used."""
        return self.edited is not self.scenario

    @property
    def everything(self) -> list[Stage]:
        """The search and the comparison after it."""
        return [*self.stages, *self.comparing]


def gather(state: vs.State) -> Search:
    """Everything that the page shows follows from this; raises :class:`UserError` for a scenario that cannot be."""
    scenario, spec, rem = vs.to_scenario(state), vs.to_search(state), vs.to_methods(state, ["rem"])[0]
    stages: list[Stage] = [] if vs.nothing_known(state) else plan_runs(scenario, [spec])
    shown_truth = state["truth"] == "shown" and vs.truth_known(state)
    draft = drafts.draft_of(state, scenario, edits.forget_of(scenario))
    edited, comparing, unusable = compare_with_edited(draft, scenario, [rem, spec])
    comparing = [*plan_runs(scenario, [rem]), *comparing] if stages and comparing else []
    stored = store().has(stage.key for stage in (*stages, *comparing))
    return Search(
        state, scenario, spec, rem, draft, edited, unusable, stages, comparing,
        missing=[stage for stage in stages if stage.key not in stored],
        missing_after=[stage for stage in comparing if stage.key not in stored],
        shown_truth=shown_truth, groups=edits.truth_of(scenario) if shown_truth else None,
    )  # fmt: skip


def compare_with_edited(draft: drafts.Draft, scenario: Scenario, specs: list[MethodSpec]) -> tuple[Scenario, list[Stage], str]:
    """The scenario with the edited set and its runs; the scenario as it is, and why, where that set cannot be used."""
    content = draft.content
    if not draft.differs or not content.indices:
        return scenario, [], ""
    try:
        edited = scenario.knowing(content.indices, content.labels, content.checked)
        return edited, plan_runs(edited, specs), ""
    except UserError as error:  # more than half of the data, say
        return scenario, [], str(error)
