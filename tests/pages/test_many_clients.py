"""A short form of ``python -m benchmarks run many_clients``: ten browsers at once on one running app."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.measure.many_clients import measure
from benchmarks.measure.serving import Answer, Browser

ROOT = Path(__file__).parents[2]
GROWTH_MB = 200
"""Ten sessions at once may take so much more than one."""


def test_ten_clients_at_once_are_all_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    report = measure(clients=10, rounds=1, pages=("", "compare"))
    assert report["pages"] == 2 + 20
    assert report["wrong"] == []
    alone, crowded = report["memory_mb"]
    assert crowded - alone < GROWTH_MB


class Wire:
    """What the server would send, message by message."""

    def __init__(self, *messages: ForwardMsg) -> None:
        self._messages = [message.SerializeToString() for message in messages]

    async def write_message(self, data: bytes, binary: bool) -> None:
        pass

    async def read_message(self) -> bytes | None:
        return self._messages.pop(0) if self._messages else None


def finished(how: ForwardMsg.ScriptFinishedStatus.ValueType) -> ForwardMsg:
    return ForwardMsg(script_finished=how)


def element() -> ForwardMsg:
    message = ForwardMsg()
    message.delta.new_element.markdown.body = "x"
    return message


def opened(*messages: ForwardMsg) -> Answer:
    with ThreadPoolExecutor(1) as thread:  # this one may have an event loop: that of the tests in a browser
        return thread.submit(lambda: asyncio.run(Browser(Wire(*messages), 9.0).open(""))).result()


def test_a_page_that_runs_once_more_is_read_to_its_end() -> None:
    again, done = finished(ForwardMsg.FINISHED_EARLY_FOR_RERUN), finished(ForwardMsg.FINISHED_SUCCESSFULLY)
    answer = opened(element(), again, element(), element(), done)
    assert (answer.wrong, answer.elements) == ("", 2)
    assert opened(element(), again).wrong == "the connection was closed"
    assert opened(finished(ForwardMsg.FINISHED_WITH_COMPILE_ERROR)).wrong == "ended with 1"
