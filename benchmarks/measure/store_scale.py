"""A store with a million synthetic runs: seconds to open it, for a heatmap, for one cell, for `results`; and megabytes.

    python -m benchmarks run store_scale [--records 1000000] [--store FOLDER] [--writers 8] [--out FILE]

Every figure comes from a process of its own that has imported what it needs; seconds are of a processor, megabytes are the most
that the process had, less what it had before it opened the store. ``--writers`` also lets so many processes write to a store on
a PostgreSQL server (started here, as the tests do) and counts what is there afterwards.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.paths import ROOT

ASKED = {"open_s": 1.0, "heatmap_cell_s": 0.2, "results_s": 3.0, "memory_mb": 300}
EACH = 500
"""Records that each of several writers puts."""
_MEASURE = """
import json, resource, sys, time
from unlearn_core.presets import make_scenario
from unlearn_core.results import memorised, run_table, tables
from unlearn_core.results.measured import recorded
from unlearn_core.store import Store
from unlearn_core.views.heatmap.data import cells, heatmap_data
scenario, metric = make_scenario("digits"), "healed_x_utility"
recorded({"metrics": {"healed": 1.0}})
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
found, before = {}, peak()
found["python_and_imports_s"] = time.process_time()
def timed(name, work):
    start = time.process_time()
    made = work()
    found[name + "_s"] = time.process_time() - start
    return made
store = timed("open", lambda: Store.open(sys.argv[1], sweep=False, create=False))
if sys.argv[2] == "heatmap":
    first = timed("heatmap_first", lambda: heatmap_data(store, scenario, metric))
    timed("heatmap_cells", lambda: cells(first.runs))
    timed("heatmap_look", lambda: run_table.stored_runs(store, "digits"))
    timed("heatmap_cell", lambda: heatmap_data(store, scenario, metric))
else:
    runs = timed("results", lambda: tables.results(store, metric))
    timed("results_summary", lambda: tables.summary(runs, metric))
    timed("results_memorised", lambda: memorised.of_runs(store, runs))
found["memory_mb"] = peak() - before
print(json.dumps(found))
"""
_WRITER = """
import sys, numpy as np
from unlearn_core.store import Store
store, me, each = Store.open(sys.argv[1], sweep=False), sys.argv[2], int(sys.argv[3])
print("here", flush=True); sys.stdin.readline()
for k in range(each):
    key = f"shared{k}" if k % 5 == 0 else f"own{me}x{k}"
    store.put(key, "field", {"k": k}, {"by": me}, {}, {"w": {"a": np.full(64, k)}})
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--store", help="a store that an earlier call left, or where this one leaves it; else made and removed")
    parser.add_argument("--writers", type=int, default=0, help="also so many processes that write to PostgreSQL at once")
    parser.add_argument("--note", default="nothing else was running", help="what else the machine did, for the report")
    parser.add_argument("--out", type=Path, help="where the figures go, as JSON [default: printed]")
    options = parser.parse_args()
    os.chdir(ROOT)
    os.environ["OMP_NUM_THREADS"] = "1"
    found: dict[str, Any] = {
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "records": options.records,
        "note": options.note,
        "asked": ASKED,
    }
    with tempfile.TemporaryDirectory() as folder:
        found |= measure(options.store or str(Path(folder) / "store"), options.records)
    if options.writers:
        found["postgresql"] = write_at_once(options.writers)
    text = json.dumps(found, indent=1) + "\n"
    if options.out:
        options.out.write_text(text)
    print(text, end="")


def measure(place: str, count: int) -> dict[str, Any]:
    """The figures of the heatmap and of `results`, each from a new process; the store is made where there is none."""
    made = None
    if not (Path(place) / "lethe.sqlite").exists():
        from benchmarks.measure.synthetic_runs import write

        start = time.process_time()
        write(place, count)
        made = round(time.process_time() - start, 1)
    found: dict[str, Any] = {"made_in_s": made, "database_mb": (Path(place) / "lethe.sqlite").stat().st_size // 2**20}
    for what in ("heatmap", "results"):
        done = subprocess.run([sys.executable, "-c", _MEASURE, place, what], check=True, stdout=subprocess.PIPE)
        found[what] = {name: round(value, 4) for name, value in json.loads(done.stdout).items()}
    return found


def write_at_once(writers: int) -> dict[str, Any]:
    """So many processes put records into one store on PostgreSQL, a fifth of them under the same keys; what is there then."""
    sys.path.insert(0, str(ROOT / "tests" / "store"))
    from postgresserver import Server, binaries

    from unlearn_core.store import Store
    from unlearn_core.store.upkeep import verify

    programs = binaries()
    if programs is None:
        return {"not measured": "PostgreSQL is not installed"}
    server = Server(programs)
    try:
        with tempfile.TemporaryDirectory() as folder:
            place = server.new_store(Path(folder) / "files")
            store = Store.open(place)
            seconds = _run_writers(place, writers)
            keys = [record.key for record in store.find()]
            wanted = {f"shared{k}" if k % 5 == 0 else f"own{me}x{k}" for me in range(writers) for k in range(EACH)}
            checked = verify(store, lambda _: False)
            store.close()
    finally:
        server.remove()
    return {
        "writers": writers,
        "puts": writers * EACH,
        "records": len(keys),
        "lacking": len(wanted - set(keys)),
        "double": len(keys) - len(set(keys)),
        "files": checked.files,
        "findings": len(checked.findings),
        "seconds": round(seconds, 1),
    }


def _run_writers(place: str, writers: int) -> float:
    """Seconds from the moment when all are there until the last has ended."""
    command = [sys.executable, "-c", _WRITER, place]
    every = [
        subprocess.Popen([*command, str(me), str(EACH)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) for me in range(writers)
    ]
    for one in every:
        assert one.stdout is not None
        assert one.stdout.readline() == b"here\n"
    start = time.monotonic()
    for one in every:
        assert one.stdin is not None
        one.stdin.write(b"go\n")
        one.stdin.close()
    codes = [one.wait() for one in every]
    assert codes == [0] * writers, codes
    return time.monotonic() - start


if __name__ == "__main__":
    main()
