"""Query strings over real sessions: each opens a page of the running app over the websocket that a browser uses."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psutil

from benchmarks.measure.fuzzing.values import value
from benchmarks.measure.fuzzing.watch import shut_in
from benchmarks.measure.serving import PAGES, Answer, Browser, served

ANSWER_SECONDS = 120.0


@dataclass
class Outcome:
    """What happened: inputs tried, what went wrong (input: how), writes outside the store, and the largest memory in MB."""

    tried: int = 0
    wrong: list[str] = field(default_factory=list)
    escapes: list[str] = field(default_factory=list)
    memory_mb: int = 0


def make_query(rng: random.Random) -> str:
    """One query string: some of the app's own settings and parameters, some that do not exist, hostile values for all."""
    from unlearn_core.view_state.controls import BY_QUERY

    names = list(BY_QUERY)
    sections: tuple[str, ...] = (
        *("dataset.data", "dataset.download", "dataset.limit", "dataset.size", "trigger.size", "x.y"),
        *("model.width", "model.weights", "model.architecture", "model.normalise", "training.epochs", "training.augment"),
        *("rem.epochs", "npo.beta"),
    )
    parts = []
    for _ in range(rng.choice((1, 1, 2, 3, 5, 12))):
        name = rng.choice(names) if rng.random() < 0.6 else rng.choice(sections) if rng.random() < 0.8 else value(rng, ())
        control = BY_QUERY.get(name)
        allowed = list(control.choices()) if control is not None and control.choices else ["0", "0.3", "1", "7"]
        text = value(rng, allowed)
        parts.append(f"{quote(name, errors='replace')}={quote(text, safe=rng.choice(('', '%&=/')), errors='replace')}")
    if rng.random() < 0.3:
        parts.insert(0, "dataset=images")
    return "&".join(parts)


@contextlib.contextmanager
def app(folder: Path) -> Iterator[tuple[int, psutil.Process]]:
    """The app on a store in ``folder``, watched: its port and its process."""

    def command(port: int) -> list[str]:
        return [sys.executable, "-m", "benchmarks.measure.fuzzing.served", str(folder), str(folder / "escapes.txt"), str(port)]

    with served(folder / "server.txt", shut_in(folder), command) as running:
        yield running


async def open_page(port: int, page: str, query: str) -> str:
    """One new session that opens ``page`` with ``query``; what went wrong, or ""."""
    async with Browser.on(port, ANSWER_SECONDS) as browser:
        answer: Answer = await browser.open(page, query)
    return answer.wrong


def run(count: int, seed: int, folder: Path, sessions: int = 4) -> Outcome:
    """``count`` query strings, a session each, ``sessions`` at a time."""
    rng = random.Random(seed)
    jobs = [(rng.choice(PAGES), make_query(rng)) for _ in range(count)]
    outcome = Outcome(tried=count)

    async def worker(port: int, queue: list[tuple[str, str]]) -> None:
        while queue:
            page, query = queue.pop()
            if wrong := await open_page(port, page, query):
                outcome.wrong.append(f"/{page}?{query}: {wrong}")

    async def everything(port: int) -> None:
        queue = jobs[::-1]
        await asyncio.gather(*(worker(port, queue) for _ in range(sessions)))

    with app(folder) as (port, process), ThreadPoolExecutor(1) as thread:
        job = thread.submit(lambda: asyncio.run(everything(port)))
        while not job.done():
            with contextlib.suppress(psutil.Error):
                outcome.memory_mb = max(outcome.memory_mb, round(process.memory_info().rss / 2**20))
            time.sleep(0.5)
        job.result()
    log = (folder / "server.txt").read_text(errors="replace")
    if "Traceback (most recent call last)" in log:
        outcome.wrong.append("the server's log holds a traceback: " + log[log.index("Traceback (most recent") :][:2000])
    escapes = folder / "escapes.txt"
    outcome.escapes = sorted(set(escapes.read_text(errors="replace").splitlines())) if escapes.exists() else []
    return outcome
