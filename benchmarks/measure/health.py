"""Does the app answer while workers read thousands of photographs and time their training?

    python -m benchmarks run health FOLDER

``FOLDER``: images as train/<class>/… and test/<class>/… . Starts the app with its worker processes, an empty store and an empty
image cache. One client opens the pages on these images and waits for what they show; a process of its own asks
``/_stcore/health`` all the while, and at last a second client opens the start page while the files of a copy (other bytes) are
being read. Each part has the 90th percentile of the answers beside that of the idle app just before, and how much processor
time the app's own process took: on a busy machine that tells more than the clock. Writes ``benchmarks/results/health.json``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psutil

from benchmarks.measure.many_clients import app, client
from benchmarks.measure.serving import Browser
from benchmarks.paths import RESULTS, ROOT

MODULE = "benchmarks.measure.health"
PROBE = """
import sys, time, urllib.request
while True:
    start = time.perf_counter()
    urllib.request.urlopen(f"http://localhost:{sys.argv[1]}/_stcore/health", timeout=60).read()
    print(time.perf_counter() - start, flush=True)
    time.sleep(0.05)
"""
LONGEST = 240.0


@contextlib.contextmanager
def watched(port: int, process: psutil.Process, report: dict[str, Any]) -> Iterator[None]:
    """Ask for the app's health from another process meanwhile; percentiles and processor time go into ``report``."""
    probe = subprocess.Popen([sys.executable, "-c", PROBE, str(port)], stdout=subprocess.PIPE, text=True)
    start, spent = time.perf_counter(), sum(process.cpu_times()[:2])
    try:
        yield
    finally:
        report["seconds"] = round(time.perf_counter() - start, 1)
        report["app_processor_seconds"] = round(sum(process.cpu_times()[:2]) - spent, 2)
        probe.kill()
        answers = [float(line) for line in probe.communicate()[0].split()]
        report["answers"] = len(answers)
        if len(answers) > 1:
            report["health_p90"] = round(statistics.quantiles(answers, n=10)[-1], 3)
            report["health_longest"] = round(max(answers), 3)


def until_shown(port: int, page: str, query: dict[str, str], wanted: str) -> None:
    """Open a page again and again, as a browser does while a job runs, until these words are on it."""
    asyncio.run(_until_shown(port, page, urlencode(query), wanted))


async def _until_shown(port: int, page: str, query: str, wanted: str) -> None:
    deadline = time.monotonic() + LONGEST
    async with Browser.on(port, LONGEST) as browser:
        while time.monotonic() < deadline:
            if wanted.encode() in (await browser.open(page, query)).seen:
                return
            await asyncio.sleep(0.7)
    raise SystemExit(f"{page} never showed {wanted!r}.")


def measure(folder: Path) -> dict[str, Any]:
    """Every part of the report, by what is computed meanwhile."""
    parts: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        other = place / "other"
        shutil.copytree(folder, other)
        for path in other.rglob("*"):
            if path.is_file():
                path.write_bytes(path.read_bytes() + b"\0")
        roots = os.pathsep.join([str(folder), str(other)])
        with app(place, "local", UNLEARN_DATA_ROOTS=roots, UNLEARN_CACHE=str(place / "cache")) as (port, process):
            asyncio.run(client(port, ["", "own"]))
            time.sleep(10)  # the workers start and warm up
            with watched(port, process, parts.setdefault("idle", {})):
                time.sleep(5)
            query = {"dataset": "images", "dataset.data": str(folder), "training.epochs": "1", "model": "cnn"}
            with watched(port, process, parts.setdefault("reading a folder and timing its training", {})):
                until_shown(port, "own", query, "takes about")
            with watched(port, process, parts.setdefault("idle again", {})):
                time.sleep(5)
            again = query | {"dataset.data": str(other)}
            with watched(port, process, parts.setdefault("a second browser while another folder is read", {})) as _:
                reader = subprocess.Popen(
                    [sys.executable, "-m", MODULE, "--page", "own", "--port", str(port), json.dumps(again)],
                    cwd=ROOT,
                )
                time.sleep(2)
                answers = asyncio.run(client(port, [""]))
                reader.wait(LONGEST)
            parts["a second browser while another folder is read"]["start_page_seconds"] = round(answers[0][1], 2)
    images = sum(1 for path in folder.rglob("*") if path.is_file())
    return {"images": images, "load": round(os.getloadavg()[0], 1), "parts": parts}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", help="a folder of images")
    parser.add_argument("--page", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.page:
        until_shown(options.port, options.page, json.loads(options.folder), "What was read")
        return
    report = measure(Path(options.folder).resolve())
    print(json.dumps(report, indent=2))
    (RESULTS / "health.json").write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
