"""Hostile links, command lines and files: no traceback, no write outside the store, no more than 2 GB.

    python -m benchmarks run fuzz [--queries 3000] [--arguments 1000] [--files 1000] [--seed 0] [--folder FOLDER]

Links open real sessions of the running app; argument vectors and mutated files go through the command line in a process of
their own. An audit hook in each process notes every path that is written, made, moved or removed outside FOLDER. Writes
``benchmarks/results/fuzz.json`` and ends with an error where anything went wrong; files that did are kept in FOLDER/*/failures.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.measure.fuzzing import arguments, files, queries
from benchmarks.measure.fuzzing.watch import Watch, shut_in
from benchmarks.paths import RESULTS, ROOT

REPORT = RESULTS / "fuzz.json"
MOST_MB = 2048


def part(name: str, count: int, seed: int, folder: Path) -> dict[str, Any]:
    """One part in this process (links start a server of their own); everything it may write lies in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    if name == "queries":
        return asdict(queries.run(count, seed, folder))
    watch = Watch([folder])
    if name == "files":
        return asdict(files.run(count, seed, watch, folder))
    made = files.make_seeds(folder)
    return asdict(arguments.run(count, seed, watch, [*made.values(), folder / "photos", folder / "missing"]))


def in_a_process(name: str, count: int, seed: int, folder: Path) -> dict[str, Any]:
    """The same in a process whose home, cache, temporary and current folder lie in ``folder``: a place that an argument names,
    such as the store in ``--store '()'``, lies there too."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "benchmarks.measure.fuzz", "--part", name, "--count", str(count), "--seed", str(seed)]
    report = folder / "report.json"
    environment = os.environ | shut_in(folder) | {"PYTHONPATH": str(ROOT)}
    subprocess.run([*command, "--folder", str(folder)], cwd=folder, env=environment, check=True)
    found: dict[str, Any] = json.loads(report.read_text())
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, count in (("queries", 3000), ("arguments", 1000), ("files", 1000)):
        parser.add_argument(f"--{name}", type=int, default=count, help=f"how many [default: {count}]")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=None, help="where everything lies [default: a temporary folder]")
    parser.add_argument("--part", choices=("queries", "arguments", "files"), help=argparse.SUPPRESS)
    parser.add_argument("--count", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        found = part(options.part, options.count, options.seed, options.folder)
        (options.folder / "report.json").write_text(json.dumps(found))
        return
    folder = (options.folder or Path(tempfile.mkdtemp(prefix="fuzz-"))).resolve()
    before = json.loads(REPORT.read_text()) if REPORT.exists() else {}
    report: dict[str, Any] = {"seed": options.seed}
    for name in ("queries", "arguments", "files"):
        start, count = time.perf_counter(), getattr(options, name)
        if count:
            found = in_a_process(name, count, options.seed, folder / name)
            report[name] = found | {"minutes": round((time.perf_counter() - start) / 60, 1)}
        else:
            report[name] = before.get(name, {"tried": 0})  # a part that is not asked for stays as it was measured
        print(name, json.dumps({k: v if k != "wrong" else len(v) for k, v in report[name].items()}), flush=True)
    REPORT.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    parts = [report[name] for name in ("queries", "arguments", "files")]
    bad = [p for p in parts if p.get("wrong") or p.get("escapes") or p.get("memory_mb", 0) > MOST_MB]
    if bad:
        raise SystemExit(json.dumps(bad, indent=2, ensure_ascii=False)[:8000])


if __name__ == "__main__":
    main()
