"""What unlearning will take beside training from scratch, counted once for a view and kept between reruns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.session.services import store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unlearn_core.specs import MethodSpec, Scenario


def expected(scenario: Scenario, specs: Sequence[MethodSpec]) -> list[str]:
    """What each of these methods is expected to take, and a sentence for each that takes longer than training from scratch."""
    from unlearn_core.views.text.expected_cost import cost_line, dear_sentences

    wanted = scenario.model_dump_json(), tuple(spec.model_dump_json() for spec in specs)
    work, (seconds, training) = _work(*wanted), _seconds(store().location, *wanted)
    return [cost_line(work, seconds, training), *dear_sentences(work)]


@st.cache_data(show_spinner=False, max_entries=64)
def _work(scenario: str, specs: tuple[str, ...]) -> dict[str, float]:
    from unlearn_core.views.text.expected_cost import expected_work

    return expected_work(*_read(scenario, specs))


@st.cache_data(show_spinner=False, ttl=60, max_entries=64)
def _seconds(location: str, scenario: str, specs: tuple[str, ...]) -> tuple[dict[str, float], float | None]:
    """By method the seconds of runs like it in the store, where there are any; and those of training from scratch."""
    from unlearn_core.presets import make_method
    from unlearn_core.views.suspects.forget_set_edits import expected_seconds

    task, methods = _read(scenario, specs)
    found = {spec.name: expected_seconds(store(), task, [spec]) for spec in methods}
    training = expected_seconds(store(), task, [make_method("retrain", task)])
    return {name: seconds for name, seconds in found.items() if seconds is not None}, training


def _read(scenario: str, specs: tuple[str, ...]) -> tuple[Scenario, list[MethodSpec]]:
    from unlearn_core.specs import MethodSpec, Scenario

    return Scenario.model_validate_json(scenario), [MethodSpec.model_validate_json(spec) for spec in specs]
