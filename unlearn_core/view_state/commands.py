"""The view as a terminal command, as Python and as a sweep plan: each computes results under the same keys."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unlearn_core.support.visitor_files import in_link
from unlearn_core.view_state.controls import BY_NAME, State, by_name
from unlearn_core.view_state.specs import all_overrides, as_found, as_text, edited, joining, on_dial

_USUAL = BY_NAME["values"].default


def as_cli(state: State, methods: Sequence[str] | None = None) -> str:
    """A command line that computes this view."""
    chosen = list(methods or state["methods"])
    more = [] if state["values"] == _USUAL else ["--values", state["values"]]
    return shlex.join(_words(state, "run", chosen, ["--methods", ",".join(chosen), *more]))


def as_discover(state: State, method: str = "rem_discover") -> str:
    """A command line that lists the suspects of this view."""
    return shlex.join(_words(state, "discover", [method], []))


def as_questions(state: State, method: str = "rem_discover") -> str:
    """A command line that writes the cards of this view, where nothing is known, to a folder."""
    return shlex.join(_words(state, "discover", [method], ["--questions", "20", "--out", "cards"]))


def _with_own_names(state: State) -> State:
    """The state for commands: a file that was handed over to a public server has another place on one's own computer."""
    named = {name: f"your-file{Path(str(value)).suffix}" for name, value in state["overrides"].items() if _handed_over(value)}
    return {**state, "overrides": {**state["overrides"], **named}} if named else state


def _handed_over(value: Any) -> bool:
    return in_link(str(value)) != str(value)


def _words(state: State, command: str, chosen: Sequence[str], more: Sequence[str]) -> list[str]:
    state = _with_own_names(state)
    words = ["python", "-m", "unlearn_core", command, "--dataset", state["dataset"]]
    for name in _plain(state, "regularity", "discovery", "amount", "model", "recipe", "seed"):
        if (value := by_name(state)[name]) is not None:
            words += [f"--{name}", as_text(value)]
    if edited(state):
        words += ["--forget", state["forget"]]
    words += more
    for key, value in all_overrides(state, chosen).items():
        words += ["--set", f"{key}={as_text(value)}"]
    return words


def as_python(state: State, methods: Sequence[str] | None = None) -> str:
    """Python that computes this view, or finds it in the same store, and prints its numbers."""
    state = _with_own_names(state)
    chosen = list(methods or state["methods"])
    arguments = [repr(state["dataset"])]
    for name in _plain(state, "regularity", "amount", "discovery", "model", "recipe", "seed"):
        if (value := by_name(state)[name]) is not None:
            arguments.append(f"{name}={value!r}")
    own = {key: value for key, value in all_overrides(state, chosen).items() if key.partition(".")[0] in chosen}
    of_scenario = {key: value for key, value in (all_overrides(state) | joining(state)).items() if key not in own}
    arguments += [f"overrides={of_scenario!r}"] if of_scenario else []
    more = f", overrides={own!r}" if own else ""
    more += "" if state["values"] == _USUAL else f", values={state['values']!r}"
    return "\n".join(
        [
            "import unlearn_core as eunoe",
            "",
            f"scenario = eunoe.Scenario.make({', '.join(arguments)})",
            *([f"scenario = scenario.knowing({list(state['indices'])!r}{_told(state)})"] if edited(state) else []),
            f"results = eunoe.run(scenario, {chosen!r}{more})",
            "print(results)",
            "",
        ]
    )


def _plain(state: State, *names: str) -> list[str]:
    """Those options that have a meaning: the dial has none where something else takes its place, the amount none where the
    labels are taken as they come."""
    without = {*(() if on_dial(state) else ("regularity",)), *(("amount",) if as_found(state) else ())}
    return [name for name in names if name not in without]


def _told(state: State) -> str:
    labels, checked = dict(state.get("relabelled", {})), list(state.get("trusted", ()))
    return (f", {labels!r}" if labels or checked else "") + (f", {checked!r}" if checked else "")


def as_yaml(state: State, methods: Sequence[str] | None = None) -> str:
    """A plan for ``python -m unlearn_core sweep``."""
    state = _with_own_names(state)
    chosen = list(methods or state["methods"])
    plan: dict[str, Any] = {"dataset": state["dataset"]}
    plan |= {"regularity": [state["regularity"]], "discovery": [state["discovery"]]}
    plan |= {"methods": chosen, "seeds": [state["seed"]]}
    if state["values"] != _USUAL:
        plan["values"] = [state["values"]]
    if not on_dial(state):
        plan["regularity"] = [BY_NAME["regularity"].default]  # a plan needs one; it has no meaning here
    if not as_found(state) and state["amount"] is not None:
        plan["amount"] = [state["amount"]]
    if state["model"] is not None:
        plan["model"] = state["model"]
    if state["recipe"] is not None:
        plan["recipe"] = state["recipe"]
    if overrides := all_overrides(state, chosen):
        plan["set"] = overrides
    # JSON values are YAML values, and need no quoting rules of their own.
    return "".join(f"{name}: {json.dumps(value)}\n" for name, value in plan.items())
