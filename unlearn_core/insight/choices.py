"""What runs settled by themselves, in words: repeated after losing a class, tuned on held-out corruption, left undone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from unlearn_core.insight.stored import Results
from unlearn_core.methods import registry as methods
from unlearn_core.specs import MethodSpec, Scenario

_FAMILY = "redirection"


def choices(store: Results, scenario: Scenario, specs: Sequence[MethodSpec]) -> list[str]:
    """One sentence, as Markdown, for each stored run of ``specs`` that departed from its parameters or tried to."""
    found = []
    for spec in specs:
        method = methods.get(spec.name)
        record = store.get(scenario.run_key(spec)) if method.family == _FAMILY else None
        tuning = (record.payload.get("report") or {}).get("tuning") if record is not None else None
        if tuning and (sentence := in_words(method.label, tuning)):
            found.append(sentence)
    return found


def in_words(label: str, tuning: Mapping[str, Any]) -> str:
    """``tuning``: a run's report, with what it changed, what it tried, and whether it was repeated; of a search also its
    second look (``again``) and what its last run says (``last``). "" for nothing to say."""
    if tuning.get("repeated"):
        changed = tuning["changed"]
        outcome = (
            f"the softer run ({_values(changed)}) kept more of the rest" if changed else "a softer run kept no more of the rest"
        )
        return f"{label} lost a class and was repeated: {outcome}."
    sentences = [_search(label, tuning), in_words("Its last run", tuning["last"]) if tuning.get("last") else ""]
    return " ".join(filter(None, sentences))


def _search(label: str, tuning: Mapping[str, Any]) -> str:
    changed, tried, again = tuning["changed"], len(tuning["tried"]), tuning.get("again")
    if changed.get("epochs") == 0:
        return f"{label} left the network as it was: on what is known, no run of REM was better than none."
    if changed:
        twice = " and a second look" if again else ""
        return f"{label} settled on {_values(changed)}" + (f" after {tried} trials{twice}." if tried > 1 else ".")
    if again:
        best = _values(again[-1]["changed"])
        return f"{label} stayed with its preset after {tried} trials: {best} was no better at a second look."
    return f"{label} stayed with its preset after {tried} trials." if tried > 1 else ""


def _values(changed: Mapping[str, Any]) -> str:
    return ", ".join(f"`{name}` {value:.4g}" for name, value in changed.items())
