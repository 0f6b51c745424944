"""What was run lately in a store: the last runs by scenario, without those that came with the gallery."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from unlearn_core.errors import UserError
from unlearn_core.results.gallery import ADOPTED
from unlearn_core.results.reader import Results
from unlearn_core.specs import MethodSpec, Scenario

LOOKED_AT: Final = 60
"""So many of the last runs are read: a comparison has up to six, a sweep many."""


@dataclass(frozen=True)
class Recent:
    """Runs of one scenario. ``methods``: the newest first; ``when``: the newest's time, in UTC."""

    scenario: Scenario
    methods: tuple[MethodSpec, ...]
    when: dt.datetime


def recent_runs(store: Results, count: int) -> list[Recent]:
    """The scenarios on which something was run last, the newest first; those that this version cannot read are left out."""
    found: dict[str, Recent] = {}
    for run in store.runs.latest(LOOKED_AT):
        if ADOPTED in run.environment:
            continue
        try:
            scenario, method = Scenario.parse(run.spec["scenario"]), MethodSpec.parse(run.spec["method"])
        except (UserError, KeyError):
            continue
        before = found.get(scenario.key)
        if before is None and len(found) == count:
            break
        methods = (*before.methods, method) if before else (method,)
        found[scenario.key] = Recent(scenario, methods, before.when if before else run.created)
    return list(found.values())


def how_long_ago(when: dt.datetime, now: dt.datetime) -> str:
    """The time since then in words, of which no clock or time zone has to be known."""
    minutes = int((now - when).total_seconds() // 60)
    if minutes < 1:
        return "just now"
    for size, word in ((60 * 24, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            many = minutes // size
            return f"{many} {word}{'s' if many > 1 else ''} ago"
    raise AssertionError(minutes)
