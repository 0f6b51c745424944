"""Many browsers at once on one running app: does every page answer, how long does it take, and does memory stay bounded?

    python -m benchmarks.many_clients [--clients 20] [--rounds 4]

Starts the app with an empty store and the gallery. One client opens every page; then, in each round, all clients connect
at once, each opens every page in an order of its own (over the websocket that a browser uses), and leaves. Counts pages that
failed, and reads the app's resident memory. Writes ``benchmarks/many_clients.json``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("", "craft", "compare", "boundary", "redirect", "embedding", "forget", "heatmap", "own", "lessons")
ANSWER_SECONDS = 300.0
BIGGEST = 200 * 2**20


@contextlib.contextmanager
def app(folder: Path, engine: str = "inline", **environment: str) -> Iterator[tuple[int, psutil.Process]]:
    """A running app on a store in ``folder``: its port and its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (folder / "log.txt").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
            cwd=ROOT,
            env=os.environ | {"UNLEARN_STORE": str(folder / "store"), "UNLEARN_ENGINE": engine} | environment,
            stdout=log,
            stderr=log,
        )
    try:
        for _ in range(1200):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=1):
                break
            time.sleep(0.1)
        yield port, psutil.Process(server.pid)
    finally:
        server.kill()
        server.wait()


async def client(port: int, pages: Sequence[str]) -> list[tuple[str, float, str]]:
    """One browser that opens these pages one after the other: (page, seconds, what went wrong or "")."""
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from tornado.httpclient import HTTPRequest
    from tornado.websocket import websocket_connect

    request = HTTPRequest(f"ws://localhost:{port}/_stcore/stream", connect_timeout=ANSWER_SECONDS)
    connection = await websocket_connect(request, subprotocols=["streamlit"], max_message_size=BIGGEST)
    answers = []
    for page in pages:
        start, message = time.perf_counter(), BackMsg()
        message.rerun_script.query_string = ""
        message.rerun_script.page_name = page
        await connection.write_message(message.SerializeToString(), binary=True)
        try:
            wrong = await asyncio.wait_for(_answer(connection), ANSWER_SECONDS)
        except TimeoutError:
            wrong = "no answer"
        answers.append((page or "start", time.perf_counter() - start, wrong))
    connection.close()
    return answers


async def _answer(connection: Any) -> str:
    """Read until the page is complete; what is wrong with it, or ""."""
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

    wrong, elements = "", 0
    while (data := await connection.read_message()) is not None:
        message = ForwardMsg()
        message.ParseFromString(data)
        kind = message.WhichOneof("type")
        if kind == "delta":
            elements += 1
            if message.delta.new_element.WhichOneof("type") == "exception":
                wrong = wrong or message.delta.new_element.exception.message or "an exception"
        elif kind == "page_not_found":
            wrong = wrong or "no such page"
        elif kind == "script_finished":
            finished = message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY
            return wrong or ("" if finished and elements > 3 else f"ended with {message.script_finished}, {elements} elements")
    return "the connection was closed"


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
    return round(process.memory_info().rss / 2**20)


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
    (ROOT / "benchmarks" / "many_clients.json").write_text(json.dumps(report, indent=2) + "\n")
    if report["wrong"]:
        raise SystemExit("Some pages failed.")


if __name__ == "__main__":
    main()
