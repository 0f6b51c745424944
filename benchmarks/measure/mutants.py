"""Does a test notice when a sign flips, a reference is dropped, a safeguard is gone? Each mutant must be killed.

    python -m benchmarks run mutants [--only NAME ...] [--workers 2]

A mutant is one small change of the code. The tree is copied, the change is made in the copy, and the tests that should notice
are run there: it is killed if one of them fails, and survives if all pass. Writes ``benchmarks/results/mutants.json`` and ends
with an error where one survives. ``tests/benchmarks/test_mutants.py`` checks that every change still fits the code.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.measure.mutant_list import MUTANTS, Mutant, check_fits
from benchmarks.paths import RESULTS, ROOT

FAILED = 1
"""Pytest's exit code where tests ran and one of them failed; with any other the mutant was not judged."""


def judge(mutant: Mutant) -> dict[str, object]:
    """Make the change in a copy of the tree, run the tests there, and say what came of it."""
    check_fits(mutant)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        copy = Path(folder)
        for file in tracked():
            (copy / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / file, copy / file)
        place = copy / "unlearn_core" / mutant.file
        place.write_text(place.read_text().replace(mutant.old, mutant.new))
        options = ["-x", "-q", "-n", "0", "-p", "no:cacheprovider", "--durations=0"]
        command = [sys.executable, "-m", "pytest", *options, *mutant.tests]
        ended = subprocess.run(command, cwd=copy, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True)
    state = {0: "survived", FAILED: "killed"}.get(ended.returncode, f"not judged (pytest ended with {ended.returncode})")
    first = next((line for line in ended.stdout.splitlines() if line.startswith("FAILED")), "")
    by = first.removeprefix("FAILED ").partition(" - ")[0]
    return {"mutant": mutant.name, "state": state, "by": by, "seconds": round(time.perf_counter() - start, 1)}


def tracked() -> Iterator[Path]:
    """Every file of the working tree that git tracks or would track."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split("\0")
    return (Path(name) for name in names if name and (ROOT / name).is_file())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=None, help="mutants whose names hold one of these words")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    chosen = [m for m in MUTANTS if options.only is None or any(word in m.name for word in options.only)]
    rows = []
    with ThreadPoolExecutor(options.workers) as pool:
        for row in pool.map(judge, chosen):
            rows.append(row)
            print(f"{row['state']:10} {row['mutant']} ({row['seconds']} s) {row['by']}", flush=True)
    killed = sum(row["state"] == "killed" for row in rows)
    print(f"{killed} of {len(rows)} killed")
    if options.only is None:
        (RESULTS / "mutants.json").write_text(json.dumps({"killed": killed, "mutants": rows}, indent=1) + "\n")
    if killed < len(rows):
        raise SystemExit("Some mutants survive.")
