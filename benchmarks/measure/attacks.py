"""An attacker's script against the running app, in public, read-only and default mode: every attempt and its outcome.

    python -m benchmarks run attacks [--short] [--mode public] [--only link]

Starts the app as its command does, with a store, a home and a cache of its own and bait outside of what may be opened, and
tries crafted links, crafted files, other web pages' requests, and other sessions' runs. The attacker has failed where no bait,
no path (in public modes) and no traceback was sent, no code was run, nothing was written outside, and the server lives within
2 GB. Writes ``benchmarks/results/attacks.json``; ends with an error where an attempt succeeded.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.measure.attacking import files, links, others
from benchmarks.measure.attacking.ground import ATTEMPTS, MODES, ground
from benchmarks.measure.serving import run_apart
from benchmarks.paths import RESULTS

REPORT = RESULTS / "attacks.json"
TRIED_FROM = (links, files, others)
"""Modules that register attempts when they are imported."""


def measure(mode: str, short: bool = False, only: str = "") -> list[dict[str, Any]]:
    """Every attempt in this mode, one after the other on one server: what, outcome, what went wrong, seconds."""
    chosen = [one for one in ATTEMPTS if mode in one.modes and (one.short or not short) and one.kind.startswith(only)]
    found = []
    with (
        tempfile.TemporaryDirectory(prefix="attacks-", ignore_cleanup_errors=True) as folder,
        ground(mode, Path(folder)) as place,
    ):
        for one in chosen:
            start = time.perf_counter()
            try:
                outcome, wrong = run_apart(one.act(place))
            except Exception as error:  # noqa: BLE001 - an attempt that ends the server must not end the script
                outcome, wrong = "", f"{type(error).__name__}: {error}"
            seconds = round(time.perf_counter() - start, 1)
            found.append({"kind": one.kind, "what": one.words, "outcome": outcome, "wrong": wrong, "seconds": seconds})
            print(f"{mode:10s} {one.kind:12s} {one.words[:66]:66s} {wrong or outcome}", flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="the attempts that the suite makes")
    parser.add_argument("--mode", choices=MODES, default=None, help="one mode alone")
    parser.add_argument("--only", default="", help="one kind of attempt alone: link, file, web page, session, user")
    options = parser.parse_args()
    modes = [options.mode] if options.mode else list(MODES)
    report = {mode: measure(mode, options.short, options.only) for mode in modes}
    wrong = [one | {"mode": mode} for mode, found in report.items() for one in found if one["wrong"]]
    if not (options.short or options.mode or options.only):
        REPORT.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    if wrong:
        raise SystemExit(json.dumps(wrong, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
