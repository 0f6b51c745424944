"""A sweep that goes on without its terminal, and looking in on it from another one: through the store that both share."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unlearn_core.cli.options import say
from unlearn_core.engine.lease import has_ended
from unlearn_core.errors import UserError

if TYPE_CHECKING:
    from unlearn_core.stages.stage import Stage
    from unlearn_core.store import Store

LOOK_SECONDS, LINE_SECONDS = 1.0, 10.0
QUIET_SECONDS = 60.0
"""Nothing has gone on for so long, and nobody computes the plan: workers start, and machines are slow."""


def start_detached(arguments: Sequence[str], plan: Path) -> dict[str, Any]:
    """Give the same command without ``--detach`` to a process of its own, which no terminal ends: its number, and the file
    that has what it says, beside where the command was given. Raises :class:`UserError` where that file cannot be written."""
    log = Path.cwd() / f"{plan.stem}.sweep.log"
    command = [sys.executable, "-m", "unlearn_core", *(word for word in arguments if word != "--detach")]
    try:
        with log.open("ab") as file:
            made = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True)
    except OSError as error:
        raise UserError(f"What the sweep says cannot be written to {str(log)!r}: {error.strerror or error}.") from None
    return {"process": made.pid, "log": str(log)}


def watch(store: Store, stages: Sequence[Stage], plan: str, quiet: float = QUIET_SECONDS) -> dict[str, Any]:
    """Watch a plan that another program computes on this store until all is there, all that is not has failed, or nothing of it
    has gone on for ``quiet`` seconds; this process computes nothing. Ctrl-C ends the watching alone."""
    titles = {stage.key: stage.title for stage in stages}
    begun = dt.datetime.now(dt.UTC)
    seen: object = None
    moved, due = time.monotonic(), 0.0
    told: set[str] = set()
    while True:
        missing = set(titles) - store.has(titles)
        held = {key: lease for key, lease in store.leases.of(missing).items() if not has_ended(lease)}
        now, signs = time.monotonic(), (len(missing), {key: lease.beat for key, lease in held.items()})
        if signs != seen:
            seen, moved = signs, now
        over = now - moved > quiet
        # One of before may be about to be tried again.
        failures = {
            key: found for key, found in store.failures(missing - held.keys()).items() if over or found.created >= begun
        }
        for key in failures.keys() - told:
            say(f"✗ {titles[key]}: {failures[key].message}")
        told |= failures.keys()
        if over or missing <= _lost(stages, failures):
            return _answer(stages, missing, {key: found.message for key, found in failures.items()})
        if now >= due:
            due = now + LINE_SECONDS
            running = ", ".join(sorted(titles[key] for key in held)) or "nothing is computed now"
            say(f"{plan}: {len(titles) - len(missing)} of {len(titles)} stages; {running}")
        time.sleep(LOOK_SECONDS)


def _answer(stages: Sequence[Stage], missing: set[str], failures: Mapping[str, str]) -> dict[str, Any]:
    runs = [stage for stage in stages if stage.kind == "run"]
    failed = [{"key": s.key, "method": s.title, "cause": failures[s.key]} for s in stages if s.key in failures]
    stored = sum(stage.key not in missing for stage in runs)
    return {"runs": len(runs), "stored": stored, "missing": len(runs) - stored, "failed": failed}


def _lost(stages: Sequence[Stage], failed: Iterable[str]) -> set[str]:
    """What failed, and what needs it."""
    lost = set(failed)
    for stage in stages:
        if lost & set(stage.needs):
            lost.add(stage.key)
    return lost
