"""Many browsers at once on one running app: does every page answer, how long does it take, and does memory stay bounded?

    python -m benchmarks run many_clients [--clients 20] [--rounds 4]

Starts the app with an empty store and the gallery. One client opens every page; then, in each round, all clients connect
at once, each opens every page in an order of its own (over the websocket that a browser uses), and leaves. Counts pages that
failed, and reads the app's resident memory. Writes ``benchmarks/results/many_clients.json``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil

from benchmarks.measure.serving import PAGES, Browser, served
from benchmarks.paths import RESULTS

ANSWER_SECONDS = 300.0
LEAST_ELEMENTS = 4
"""No page has fewer."""


@contextlib.contextmanager
def app(folder: Path, engine: str = "inline", **environment: str) -> Iterator[tuple[int, psutil.Process]]:
    """A running app on a store in ``folder``: its port and its process."""
    own = {"UNLEARN_STORE": str(folder / "store"), "UNLEARN_ENGINE": engine}
    with served(folder / "log.txt", own | environment) as running:
        yield running


async def client(port: int, pages: Sequence[str]) -> list[tuple[str, float, str]]:
    """One browser that opens these pages one after the other: (page, seconds, what went wrong or "")."""
    answers = []
    async with Browser.on(port, ANSWER_SECONDS) as browser:
        for page in pages:
            start = time.perf_counter()
            answer = await browser.open(page)
            few = "" if answer.elements >= LEAST_ELEMENTS else f"only {answer.elements} elements"
            answers.append((page or "start", time.perf_counter() - start, answer.wrong or few))
    return answers


def crowd(port: int, clients: int, pages: Sequence[str], seed: int) -> list[tuple[str, float, str]]:
    """All clients at once, each with an order of its own; their answers."""

    async def all_of_them() -> list[list[tuple[str, float, str]]]:
        orders = [random.Random(seed + number).sample(list(pages), len(pages)) for number in range(clients)]
        return await asyncio.gather(*(client(port, order) for order in orders))

    # In a thread of its own: the caller may have an event loop already.
    with ThreadPoolExecutor(1) as thread:
        return [answer for answers in thread.submit(lambda: asyncio.run(all_of_them())).result() for answer in answers]


def megabytes(process: psutil.Process) -> int:
    """Resident memory of the app now."""
    return round(int(process.memory_info().rss) / 2**20)


def measure(clients: int, rounds: int, pages: Sequence[str] = PAGES) -> dict[str, Any]:
    """Memory (MB) after one client and after each round, seconds a page, and what went wrong."""
    with tempfile.TemporaryDirectory() as folder, app(Path(folder)) as (port, process):
        answers = crowd(port, 1, pages, 0)
        memory, spent = [megabytes(process)], []
        for number in range(rounds):
            answers += (found := crowd(port, clients, pages, 100 * number))
            spent += [seconds for _, seconds, _ in found]
            memory.append(megabytes(process))
        processor = sum(process.cpu_times()[:2])
    return {
        "clients": clients,
        "pages": len(answers),
        "wrong": sorted({f"{page}: {wrong}" for page, _, wrong in answers if wrong}),
        "memory_mb": memory,
        "median_seconds": round(statistics.median(spent), 2),
        "longest_seconds": round(max(spent), 2),
        "processor_seconds_a_page": round(processor / len(answers), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=4)
    options = parser.parse_args()
    report = measure(options.clients, options.rounds)
    print(json.dumps(report, indent=2))
    (RESULTS / "many_clients.json").write_text(json.dumps(report, indent=2) + "\n")
    if report["wrong"]:
        raise SystemExit("Some pages failed.")
