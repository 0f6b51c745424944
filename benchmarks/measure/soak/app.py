"""The app as what is disturbed: somebody presses Run on Compare, and ``kill -9`` hits the server while its workers compute."""

from __future__ import annotations

import contextlib
import random
import socket
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure.serving import Answer, Browser, run_apart
from benchmarks.measure.soak.fault import Fault
from benchmarks.measure.soak.work import Program, Work
from unlearn_core import view_state as vs
from unlearn_core.engine import Engine
from unlearn_core.stages.stage import Stage
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store

ANSWER_SECONDS = 180.0


def compare_page(query: str) -> Work:
    """What the button Run of the page Compare computes under this link; the program's own words are the server's."""

    def compute(place: Path) -> None:
        store = Store.open(place)
        engine = Engine(store, address="inline")
        engine.wait(engine.submit(stages_of(query), "undisturbed"))
        engine.close()
        store.close()

    return Work(tuple(stage.key for stage in stages_of(query)), lambda store: (query, store), compute)


def stages_of(query: str) -> list[Stage]:
    """The stages of a link to Compare."""
    state, notices = vs.decode(query)
    if notices:
        raise SystemExit(f"The link is not taken as it is: {notices}")
    return plan_runs(vs.to_scenario(state), vs.to_methods(state, state["methods"]))


class App(Program):
    """The served app, on which Run was pressed. It is over once everything is stored: then it is ended."""

    def __init__(self, query: str, place: str, keys: Sequence[str], folder: Path, environment: dict[str, str]) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        own = {"UNLEARN_STORE": place, "UNLEARN_ENGINE": "local", "UNLEARN_WARM_UP": "off"}
        words = ["-m", "streamlit", "run", "app.py", "--server.port", str(self._port), "--server.headless", "true"]
        super().__init__(words, folder / "scratch", folder / "log", own | environment)
        self._store, self._keys, self._done = Store.open(place, sweep=False), list(keys), False
        self._press(query)

    @property
    def over(self) -> bool:
        self._done = self._done or len(self._store.has(self._keys)) == len(self._keys)
        if self._done and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        return self.process.poll() is not None

    def wait(self, seconds: float) -> int | None:
        deadline = time.monotonic() + seconds
        while not self.over:
            if time.monotonic() > deadline:
                return None
            time.sleep(0.05)
        return 0 if self._done else 1

    def _press(self, query: str) -> None:
        """Press Run, and leave."""
        for _ in range(1200):
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(f"http://localhost:{self._port}/_stcore/health", timeout=1),
            ):
                break
            time.sleep(0.1)
        answer = run_apart(self._run(query))
        if answer.wrong:
            raise SystemExit(f"Run could not be pressed: {answer.wrong}")

    async def _run(self, query: str) -> Answer:
        async with Browser.on(self._port, ANSWER_SECONDS) as browser:
            answer: Answer = await browser.open("compare", query)
            if "Run" in answer.buttons:  # else everything is there
                answer = await browser.open("compare", query, press=answer.buttons["Run"])
            return answer


class KillApp(Fault):
    """``kill -9`` for the server of the app."""

    name, words, ends = "app", "the app is killed (kill -9)", True

    def start(self, work: Work, store: str, folder: Path) -> Program:
        query, place = work.words(store)
        return App(query, place, work.keys, folder, self.environment(folder))

    def strike(self, program: Program, rng: random.Random) -> bool:
        if program.over:
            return False
        program.process.kill()
        program.process.wait()
        return True
