"""A visitor with tools: opens pages over the websocket, sends any message, hands over files, and keeps all that it is sent."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.measure.serving import BIGGEST

SECONDS = 60.0


@dataclass
class Page:
    """What a page sent: every byte, its words, its buttons' and uploaders' ids, and why it did not come ("" if it did)."""

    data: bytes = b""
    words: list[str] = field(default_factory=list)
    buttons: dict[str, str] = field(default_factory=dict)
    uploaders: list[str] = field(default_factory=list)
    query: str = ""
    """What the page set in the address bar."""
    wrong: str = ""

    @property
    def text(self) -> str:
        return "\n".join(self.words)


class Visitor:
    """One session. ``token``: the browser's own, which Streamlit set as a cookie."""

    def __init__(self, connection: Any, port: int, cookie: str, base: str) -> None:
        self._connection, self.port, self.cookie, self.base = connection, port, cookie, base
        self.session = ""
        self._host = {"Host": f"localhost:{port}"}

    @classmethod
    @contextlib.asynccontextmanager
    async def on(
        cls, port: int, host: str = "localhost", origin: str = "", *, user: str = "", base: str = "", forwarded: str = ""
    ) -> AsyncIterator[Visitor]:
        """A new session of a new browser. Raises where the server refuses.

        ``user``: the cookie of somebody who signed in; ``base``: the path that the app is served under; ``forwarded``: what is
        said of the address in the header that proxies set.
        """
        from tornado.httpclient import HTTPRequest
        from tornado.websocket import websocket_connect

        named = {"Host": f"{host}:{port}"}
        cookie = (await request(port, "GET", f"{base}/_stcore/health", named))[1].partition(";")[0].partition("=")[2]
        headers = named | {"Cookie": f"_streamlit_xsrf={cookie}" + (f"; _streamlit_user={user}" if user else "")}
        headers |= {name: value for name, value in (("Origin", origin), ("X-Forwarded-For", forwarded)) if value}
        asked = HTTPRequest(f"ws://localhost:{port}{base}/_stcore/stream", connect_timeout=SECONDS, headers=headers)
        connection = await websocket_connect(asked, subprotocols=["streamlit", cookie], max_message_size=BIGGEST)
        try:
            visitor = cls(connection, port, cookie, base)
            visitor._host = named
            yield visitor
        finally:
            connection.close()

    async def open(self, page: str, query: str = "", widgets: list[dict[str, Any]] | None = None) -> Page:
        """Ask for a page, with values of widgets, and read until it is complete."""
        from streamlit.proto.BackMsg_pb2 import BackMsg

        message = BackMsg()
        message.rerun_script.query_string, message.rerun_script.page_name = query, page
        for widget in widgets or []:
            message.rerun_script.widget_states.widgets.add(**widget)
        await self.send(message)
        try:
            return await asyncio.wait_for(self._read(), SECONDS)
        except TimeoutError:
            return Page(wrong=f"no answer in {SECONDS:.0f} s")

    async def send(self, message: Any) -> None:
        """Any message of Streamlit's protocol."""
        await self._connection.write_message(message.SerializeToString(), binary=True)

    async def hand_over(self, name: str, data: bytes, query: str = "") -> Page:
        """Send a file to the page Your own, and wait until it has been read or refused."""
        from streamlit.proto.Common_pb2 import FileUploaderState

        before, file_id = await self.open("own", query), str(uuid.uuid4())
        if not before.uploaders:
            before.wrong = before.wrong or "the page has no field for files"
            return before
        status = (await self.put(self.session, file_id, name, data))[0]
        if status >= 300:
            return Page(wrong=f"the server answered {status}")
        path = f"/_stcore/upload_file/{self.session}/{file_id}"
        state = FileUploaderState()
        info = state.uploaded_file_info.add(name=name, size=len(data), file_id=file_id)
        info.file_urls.file_id, info.file_urls.upload_url, info.file_urls.delete_url = file_id, path, path
        widget = {"id": before.uploaders[0], "file_uploader_state_value": state}
        page = await self.open("own", query, [widget])
        for _ in range(40):
            if "What was read" in page.text or "error" in page.words:
                break
            await asyncio.sleep(0.5)
            page = await self.open("own", page.query or query, [widget])
        return page

    async def put(self, session: str, file_id: str, name: str, data: bytes, *, token: bool = True) -> tuple[int, str, bytes]:
        """Send a file to a session's address for uploads; ``token``: with what proves that no other page asks for it."""
        edge = uuid.uuid4().hex
        head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
        headers = self._host | {
            "Content-Type": f"multipart/form-data; boundary={edge}",
            "Cookie": f"_streamlit_xsrf={self.cookie}",
        }
        headers |= {"X-Xsrftoken": self.cookie} if token else {}
        body = head + data + f"\r\n--{edge}--\r\n".encode()
        return await request(self.port, "PUT", f"{self.base}/_stcore/upload_file/{session}/{file_id}", headers, body)

    async def _read(self) -> Page:
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        page = Page()
        while (data := await self._connection.read_message()) is not None:
            message = ForwardMsg()
            message.ParseFromString(data)
            page.data += data
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self.session = message.new_session.initialize.session_id or self.session
            elif kind == "page_info_changed":
                page.query = message.page_info_changed.query_string
            elif kind == "delta":
                _take(page, message.delta.new_element)
            elif kind == "script_finished":
                if message.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                    continue
                return page
        page.wrong = "the connection was closed"
        return page


def _take(page: Page, element: Any) -> None:
    kind = element.WhichOneof("type")
    if kind in ("markdown", "html", "alert"):
        page.words.append(getattr(element, kind).body)
    if kind == "alert" and element.alert.format == element.alert.ERROR:
        page.words.append("error")
    elif kind == "button":
        page.buttons[element.button.label] = element.button.id
    elif kind == "file_uploader":
        page.uploaders.append(element.file_uploader.id)
    elif kind == "exception":
        page.wrong = element.exception.message or "an exception"


async def request(
    port: int, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> tuple[int, str, bytes]:
    """One HTTP request as it is written: status, the cookie that is set, and the body."""

    def ask() -> tuple[int, str, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, answer.getheader("Set-Cookie") or "", answer.read()
        except (OSError, http.client.HTTPException) as error:
            return 599, "", str(error).encode()
        finally:
            connection.close()

    return await asyncio.to_thread(ask)
