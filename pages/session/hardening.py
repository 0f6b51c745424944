"""What Streamlit does for any browser that asks, and must not do for strangers: clear everybody's caches, fill the memory."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any, Final

from streamlit.runtime.app_session import AppSession
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from pages.session import audience
from unlearn_core.support.limits import limits
from unlearn_core.support.public_mode import is_public

if TYPE_CHECKING:
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
    from streamlit.runtime.uploaded_file_manager import UploadedFileRec

ANSWERED: Final = frozenset({"rerun_script", "app_heartbeat", "stop_script", "file_urls_request"})
"""The messages of a browser that drawing pages needs. The others clear the caches of all sessions, the engine among them, tell
about the server's files, or run what helps at developing."""
_MARK: Final = "guards"


def guard() -> None:
    """From now on messages and uploads of strangers are sifted; nothing where the app is one person's."""
    if not is_public() and not audience.shared():
        return
    if not getattr(AppSession.handle_backmsg, _MARK, False):
        _wrap_messages()
    if not getattr(AppSession._enqueue_forward_msg, _MARK, False):
        _wrap_answers()
    if not getattr(MemoryUploadedFileManager.add_file, _MARK, False):
        _wrap_uploads()


def refused(kind: str | None) -> bool:
    """Whether a browser's message of this kind is dropped."""
    return (is_public() or bool(audience.shared())) and kind not in ANSWERED


def _wrap_messages() -> None:
    answer = AppSession.handle_backmsg

    @functools.wraps(answer)
    def handle_backmsg(session: AppSession, message: BackMsg) -> None:
        if not refused(message.WhichOneof("type")):
            answer(session, message)

    setattr(handle_backmsg, _MARK, True)
    setattr(AppSession, "handle_backmsg", handle_backmsg)  # noqa: B010  mypy takes no method for another one


def _wrap_answers() -> None:
    """Every page tells the browser where ``app.py`` lies on the server; strangers are told its name."""
    send = AppSession._enqueue_forward_msg

    @functools.wraps(send)
    def enqueue(session: AppSession, message: ForwardMsg) -> None:
        if is_public() and message.WhichOneof("type") == "new_session":
            message.new_session.main_script_path = os.path.basename(message.new_session.main_script_path)
        send(session, message)

    setattr(enqueue, _MARK, True)
    setattr(AppSession, "_enqueue_forward_msg", enqueue)  # noqa: B010


def _wrap_uploads() -> None:
    add = MemoryUploadedFileManager.add_file

    @functools.wraps(add)
    def add_file(manager: MemoryUploadedFileManager, session_id: str, file: UploadedFileRec) -> None:
        if is_public():
            _make_room(manager, session_id, file)
        add(manager, session_id, file)

    setattr(add_file, _MARK, True)
    setattr(MemoryUploadedFileManager, "add_file", add_file)  # noqa: B010


def _make_room(manager: Any, session_id: str, file: UploadedFileRec) -> None:
    """Of one session the memory holds as much as it may hand over: what was sent first goes. Whoever sends to the address by
    hand, file after file, gains nothing."""
    held: dict[str, UploadedFileRec] = manager.file_storage.get(session_id, {})
    most = limits().uploads_mb * 2**20
    ids = [file_id for file_id in held if file_id != file.file_id]
    while ids and sum(len(held[one].data) for one in ids if one in held) + len(file.data) > most:
        manager.remove_file(session_id, ids.pop(0))
