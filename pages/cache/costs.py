"""What unlearning will take beside training from scratch, counted once for a view and kept between reruns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unlearn_core.specs import MethodSpec, Scenario


def dear(scenario: Scenario, specs: Sequence[MethodSpec]) -> list[str]:
    """A sentence for each of these methods that is expected to take longer than training from scratch."""
    return _dear(scenario.model_dump_json(), tuple(spec.model_dump_json() for spec in specs))


@st.cache_data(show_spinner=False, max_entries=64)
def _dear(scenario: str, specs: tuple[str, ...]) -> list[str]:
    from unlearn_core.specs import MethodSpec, Scenario
    from unlearn_core.views.text.expected_cost import dear_sentences, expected_work

    methods = [MethodSpec.model_validate_json(spec) for spec in specs]
    return dear_sentences(expected_work(Scenario.model_validate_json(scenario), methods))
