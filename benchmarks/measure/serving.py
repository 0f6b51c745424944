"""The app as a server, and a browser without a window: what the benchmarks on the running app share."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psutil

from benchmarks.paths import ROOT

PAGES = ("", "craft", "compare", "boundary", "redirect", "embedding", "forget", "heatmap", "own", "lessons")
BIGGEST = 200 * 2**20
T = TypeVar("T")


def streamlit(port: int) -> list[str]:
    """The command that serves the app on ``port``."""
    return [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]


@contextlib.contextmanager
def served(
    log: Path,
    environment: Mapping[str, str],
    command: Callable[[int], list[str]] = streamlit,
    health: str = "/_stcore/health",
) -> Iterator[tuple[int, psutil.Process]]:
    """The running app, once it answers: its port and its process. What it prints goes to ``log``."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with log.open("wb") as out:
        server = subprocess.Popen(command(port), cwd=ROOT, env=os.environ | environment, stdout=out, stderr=out)
    try:
        for _ in range(1200):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"http://localhost:{port}{health}", timeout=1):
                break
            time.sleep(0.1)
        yield port, psutil.Process(server.pid)
    finally:
        server.kill()
        server.wait()


BARE = """import plotly.graph_objects as go
import streamlit as st

st.plotly_chart(go.Figure(go.Scatter(x=[0, 1, 2], y=[0, 1, 0])))
"""
"""A page of Streamlit's with nothing but one Plotly figure."""


@contextlib.contextmanager
def bare_page(folder: Path) -> Iterator[int]:
    """The port of a server of that page alone: what the app's pages are compared with."""
    script = folder / "bare.py"
    script.write_text(BARE, encoding="utf-8")

    def command(port: int) -> list[str]:
        return [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port), "--server.headless", "true"]

    with served(folder / "bare.txt", {}, command) as (port, _):
        yield port


@dataclass
class Answer:
    """A page as it came: what is wrong with it (or ""), how many elements it has, the bytes of its messages, and its buttons'
    ids by their labels."""

    wrong: str = ""
    elements: int = 0
    seen: bytes = b""
    buttons: dict[str, str] = field(default_factory=dict)


class Browser:
    """One session of the app over the websocket that a browser uses."""

    def __init__(self, connection: Any, seconds: float) -> None:
        self._connection = connection
        self._seconds = seconds

    @classmethod
    @contextlib.asynccontextmanager
    async def on(cls, port: int, seconds: float) -> Any:
        """A new session with the app on ``port``; a page that takes longer than ``seconds`` counts as not answered."""
        from tornado.httpclient import HTTPRequest
        from tornado.websocket import websocket_connect

        request = HTTPRequest(f"ws://localhost:{port}/_stcore/stream", connect_timeout=seconds)
        connection = await websocket_connect(request, subprotocols=["streamlit"], max_message_size=BIGGEST)
        try:
            yield cls(connection, seconds)
        finally:
            connection.close()

    async def open(self, page: str, query: str = "", press: str = "") -> Answer:
        """Ask for a page and read until it is complete. ``press``: the id of a button of this session that is clicked."""
        from streamlit.proto.BackMsg_pb2 import BackMsg

        message = BackMsg()
        message.rerun_script.query_string, message.rerun_script.page_name = query, page
        if press:
            message.rerun_script.widget_states.widgets.add(id=press, trigger_value=True)
        await self._connection.write_message(message.SerializeToString(), binary=True)
        try:
            return await asyncio.wait_for(self._answer(), self._seconds)
        except TimeoutError:
            return Answer(f"no answer in {self._seconds:.0f} s")

    async def _answer(self) -> Answer:
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        answer = Answer()
        while (data := await self._connection.read_message()) is not None:
            message = ForwardMsg()
            message.ParseFromString(data)
            answer.seen += data
            kind = message.WhichOneof("type")
            if kind == "delta":
                answer.elements += 1
                element = message.delta.new_element
                if element.WhichOneof("type") == "exception":
                    answer.wrong = answer.wrong or element.exception.message or "an exception"
                elif element.WhichOneof("type") == "button":
                    answer.buttons[element.button.label] = element.button.id
            elif kind == "page_not_found":
                answer.wrong = answer.wrong or "no such page"
            elif kind == "script_finished":
                if message.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                    # What the page waited for was there meanwhile, or it set its own link: it runs once more, unasked.
                    answer.elements, answer.seen = 0, b""
                    continue
                if message.script_finished != ForwardMsg.FINISHED_SUCCESSFULLY:
                    answer.wrong = answer.wrong or f"ended with {message.script_finished}"
                return answer
        return Answer(answer.wrong or "the connection was closed")


def run_apart(work: Coroutine[Any, Any, T]) -> T:
    """What ``work`` gives, in a thread of its own: in the caller's another event loop may run, as that of a tests' browser."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
