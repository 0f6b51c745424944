"""Every control is in the link: with any of its values a view comes back as it was, with nothing to be said about it."""

from __future__ import annotations

from typing import Any

import pytest

from unlearn_core import view_state as vs
from unlearn_core.view_state.permission import PATHS

TEXTS = {
    "cell": "rem,0.5,0.3,epochs=2", "draft": "0123456789abcdef", "finding": "duplicates", "forget": "0123456789abcdef",
    "looks": "0y1n2y", "marked": "q2wBAAACBQ", "own": "photos & more/100 %.zip",
}  # fmt: skip
ELSEWHERE = {"recipe": "tests/own_data/test_recipes.py", "own": "tests/own_data/test_links_ask.py"}
"""What needs files of one's own, and where its way through a link is looked at."""


def values(control: vs.Control) -> list[Any]:
    """Some of a control's values: the ends of what it can be and what lies between, or each of few choices."""
    if control.kind == "text":
        return [TEXTS[control.name]]
    if control.kind in ("choice", "choices"):
        assert control.choices is not None
        names = [name for name in control.choices() if name != control.default]
        some = [*names[:2], names[-1]]
        return [tuple(names[:2]), (names[-1], names[0])] if control.kind == "choices" else some
    if control.kind == "int":
        return [max(1, int(control.low)), max(2, int(control.low)), int(max(control.low, control.high, 3))]
    low, high = (0.05, 0.5) if control.kind == "amount" else (control.low, 1.0)
    return [low, 0.2, high]


@pytest.mark.parametrize("control", [one for one in vs.CONTROLS if one.name not in ELSEWHERE], ids=lambda one: one.name)
def test_a_view_comes_back_with_any_value_of_any_control(control: vs.Control) -> None:
    survived = 0
    for value in values(control):
        state, _ = vs.clamp_state(vs.with_changes(vs.default_state(), {control.name: value}))
        query = vs.encode(state)
        again, notices = vs.decode(query)
        assert again == state, query
        assert notices == [], query
        assert len(query) < vs.MAX_QUERY
        survived += control.query_name in query and dict(state)[control.name] != control.default
    assert survived


def test_what_is_looked_at_elsewhere_is_little() -> None:
    assert set(ELSEWHERE) <= {control.name for control in vs.CONTROLS}
    assert "own" in PATHS
