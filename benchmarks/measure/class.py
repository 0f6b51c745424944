"""A class that follows its lecturer: how long until what the lecturer shows has reached every student, and what that costs.

    python -m benchmarks run class [--followers 50] [--changes 24]

Starts the app as ``eunoe app --share`` does, with an empty store and the gallery. One session is the lecturer's and leads; the
others are students' and follow, over the websocket that a browser uses, asking as often as a browser would. The lecturer goes
through the steps of the lessons. Counted is the time from the lecturer's click until a student's page is complete: its script
has finished, with the step's page and settings in the address. Writes ``benchmarks/results/class.json``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import psutil

from benchmarks.measure.many_clients import app, megabytes
from benchmarks.measure.serving import BIGGEST
from benchmarks.paths import RESULTS
from benchmarks.target import Target

ASKED_SECONDS = 2.0
LONGEST = 30.0
OPENING = 300.0
BETWEEN = 4.0
"""Seconds that the lecturer stays on a step after all have it."""
ADDRESS = "192.168.1.7"
"""The name that students' requests carry: any but localhost, whose sessions are the lecturer's."""
WORD = "word"
STUDENTS_SECONDS = 2.5
"""The longest that a student's page goes without asking (``pages.widgets.class_bar``)."""
Step = tuple[str, str]


@dataclass
class Session:
    """A page of the app in a browser, as far as the server can tell: it keeps what the server's messages say of it."""

    connection: Any
    page: str = ""
    query: str = ""
    fragments: dict[str, float] = field(default_factory=dict)
    widgets: dict[str, str] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    whole: bool = True
    runs: int = 0
    arrived: dict[Step, float] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)
    """The page of every answer, that of a part too."""

    @classmethod
    @contextlib.asynccontextmanager
    async def on(cls, port: int, host: str, query: str = "") -> AsyncIterator[Session]:
        """A new session whose first page has been drawn; its messages are read until the end."""
        from tornado.httpclient import HTTPRequest
        from tornado.websocket import websocket_connect

        request = HTTPRequest(
            f"ws://localhost:{port}/_stcore/stream", connect_timeout=LONGEST, headers={"Host": f"{host}:{port}"}
        )
        connection = await websocket_connect(request, subprotocols=["streamlit"], max_message_size=BIGGEST)
        session = cls(connection, query=query)
        reading = asyncio.create_task(session._read())
        try:
            await session.send(page_name="", query_string=query)
            await until(lambda: session.runs > 0 or reading.done(), OPENING)
            if reading.done():
                reading.result()  # what went wrong in it
            yield session
        finally:
            reading.cancel()
            connection.close()

    async def send(self, **values: str) -> None:
        """Ask for a run of the script."""
        await self._send(values)

    async def press(self, label: str, **value: bool) -> None:
        """Click a button or set a toggle of the class's bar."""
        if not await until(lambda: label in self.widgets, OPENING):
            raise SystemExit(f"The page never showed {label!r}.")
        await self._send({}, {"id": self.widgets[label], **value})

    async def tick(self) -> None:
        """What a browser's timer asks for, once."""
        for fragment in list(self.fragments):
            await self._send({"fragment_id": fragment}, timer=True)

    async def _send(self, values: dict[str, str], widget: dict[str, Any] | None = None, timer: bool = False) -> None:
        from streamlit.proto.BackMsg_pb2 import BackMsg

        message = BackMsg()
        wanted = {"query_string": self.query, "page_script_hash": "" if "page_name" in values else self.page} | values
        for name, value in wanted.items():
            setattr(message.rerun_script, name, value)
        message.rerun_script.is_auto_rerun = timer
        if widget is not None:
            message.rerun_script.widget_states.widgets.add(**widget)
        await self.connection.write_message(message.SerializeToString(), binary=True)

    async def _read(self) -> None:
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        while (data := await self.connection.read_message()) is not None:
            message = ForwardMsg()
            message.ParseFromString(data)
            self._take(message)

    def _take(self, message: Any) -> None:
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self.whole, self.page = not message.metadata.run.fragment_ids, message.new_session.page_script_hash
            self.answers.append(self.page)
            if self.whole:
                self.fragments.clear()
        elif kind == "navigation":
            self.pages |= {page.page_script_hash: page.url_pathname for page in message.navigation.app_pages}
            self.page = message.navigation.page_script_hash  # before it is known, that of the app's own file
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            self.fragments[message.auto_rerun.fragment_id] = message.auto_rerun.interval
        elif kind == "delta":
            element = message.delta.new_element
            if (sort := element.WhichOneof("type")) in ("button", "checkbox"):
                self.widgets[getattr(element, sort).label] = getattr(element, sort).id
        elif kind == "script_finished" and self.whole and message.script_finished == message.FINISHED_SUCCESSFULLY:
            self.runs += 1
            self.arrived.setdefault((self.pages.get(self.page, ""), settings(self.query)), time.perf_counter())


def settings(query: str) -> str:
    """A query string in one order."""
    return "&".join(sorted(f"{name}={value}" for name, value in parse_qsl(query)))


async def until(true: Any, seconds: float = LONGEST) -> bool:
    """Wait for something; whether it came."""
    deadline = time.perf_counter() + seconds
    while not true() and time.perf_counter() < deadline:
        await asyncio.sleep(0.02)
    return bool(true())


def steps(count: int) -> list[Step]:
    """Pages and queries of the lessons' steps, one after the other, no two alike."""
    from unlearn_core import view_state as vs
    from unlearn_core.view_state.lessons import lessons

    found = [
        ("" if step.page == "start" else step.page, vs.encode(lesson.state_at(number, vs.default_state())))
        for lesson in lessons().values()
        for number, step in enumerate(lesson.steps, 1)
    ]
    return list(itertools.islice(dict.fromkeys(found), count))


async def keep_asking(students: Sequence[Session]) -> None:
    """Every student's timers, spread over time as in a class."""

    async def one(number: int, student: Session) -> None:
        await asyncio.sleep(STUDENTS_SECONDS * number / len(students))
        while True:
            await asyncio.gather(student.tick(), asyncio.sleep(min([STUDENTS_SECONDS, *student.fragments.values()])))

    await asyncio.gather(*(one(number, student) for number, student in enumerate(students)))


async def lead(port: int, process: psutil.Process, followers: int, changes: Sequence[Step]) -> dict[str, Any]:
    """The lesson; what it took."""
    async with contextlib.AsyncExitStack() as stack:
        lecturer = await stack.enter_async_context(Session.on(port, "localhost", f"lecturer={WORD}"))
        await lecturer.press("Lead", bool_value=True)
        alone, students = megabytes(process), []
        for _ in range(followers):
            students.append(await stack.enter_async_context(Session.on(port, ADDRESS)))
        for student in students:
            await student.press("Follow the lecturer", trigger_value=True)
        asking = asyncio.create_task(keep_asking(students))
        await asyncio.sleep(BETWEEN)
        start, spent = time.perf_counter(), sum(process.cpu_times()[:2])
        await asyncio.sleep(10.0)
        idle = (sum(process.cpu_times()[:2]) - spent) / (time.perf_counter() - start)
        seconds: list[float] = []
        slowest = {}
        for page, query in changes:
            step = (page, settings(query))
            clicked = time.perf_counter()
            await lecturer.send(page_name=page, query_string=query)
            await until(lambda step=step: all(step in student.arrived for student in students))
            took = [student.arrived.get(step, clicked + LONGEST) - clicked for student in students]
            seconds += took
            slowest[f"{page or 'start'}?{query}"] = round(max(took), 2)
            await asyncio.sleep(BETWEEN)
        asking.cancel()
    return {
        "followers": followers,
        "changes": len(changes),
        "median_seconds": round(statistics.median(seconds), 2),
        "p95_seconds": round(statistics.quantiles(seconds, n=20)[-1], 2),
        "longest_seconds": round(max(seconds), 2),
        "slowest_by_step": slowest,
        "idle_share_of_a_core": round(idle, 2),
        "memory_mb": [alone, megabytes(process)],
    }


def measure(followers: int, changes: int) -> dict[str, Any]:
    """The app with a class of so many."""
    own = {"UNLEARN_SHARE": f"http://{ADDRESS}:8501", "UNLEARN_LECTURER": WORD}
    with tempfile.TemporaryDirectory() as folder, app(Path(folder), **own) as (port, process):
        return asyncio.run(lead(port, process, followers, steps(changes)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--followers", type=int, default=50)
    parser.add_argument("--changes", type=int, default=24)
    options = parser.parse_args()
    report = measure(options.followers, options.changes)
    print(json.dumps(report, indent=2))
    p95 = report["p95_seconds"]
    print(Target.at_most(p95, ASKED_SECONDS, "seconds until a change has reached a student, p95").line())
    (RESULTS / "class.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
