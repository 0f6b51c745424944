"""Back to the dial where a corruption that takes its place cannot be made on the data of a view."""

from __future__ import annotations

from unlearn_core.errors import UserError
from unlearn_core.view_state.controls import CORRUPTIONS, State
from unlearn_core.view_state.specs import to_scenario


def settle_corruption(state: State, notices: list[str]) -> None:
    """Go back to the dial where another corruption cannot be made on these data."""
    from unlearn_core.corruption import summarize_corruption

    if state["corruption"] in CORRUPTIONS:
        return
    try:
        summarize_corruption(to_scenario(state | {"forget": "", "discovery": 0.0}))
    except UserError as error:
        notices.append(f"{error} The dial takes its place.")
        state["corruption"] = "dial"
        state["overrides"] = {key: value for key, value in state["overrides"].items() if not key.startswith("corruption.")}
