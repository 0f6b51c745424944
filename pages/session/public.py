"""One session of a public server: who it is, what it may have computed and hand over, and what the audit log keeps of it."""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.session import audience, sign_in
from unlearn_core.errors import UserError
from unlearn_core.support import audit, visitor_files
from unlearn_core.support.limits import limits

if TYPE_CHECKING:
    from unlearn_core.engine import Engine
    from unlearn_core.stages.stage import Stage
    from unlearn_core.store import Store

NO_PATHS = (
    "A public server opens no path: hand the file over on “Your own” instead. What the link or the setting named is left out."
)
NOT_YOURS = "This run was started by somebody else, and is theirs to cancel."
_COOKIE = "_streamlit_xsrf"
_PLACES = ("data", "weights", "file", "own")
"""Parameters that name files of the server."""
_KINDS = frozenset({"fetching", "fit"})
"""Stages that fetch or measure what strangers may not bring."""
_SWEEP_SECONDS = 60.0
lock = threading.RLock()
"""Held from the look at the limits until the engine has the stages: two clicks at once are two looks."""
_key = secrets.token_bytes(32)
_addresses: dict[str, str] = {}
_swept = -math.inf


def secret() -> str:
    """What only this session knows: the name that was signed in with and, without one, the browser's own random token.

    Streamlit gives every browser that token against forged requests, so a page that is loaded again is the same session here. A
    browser that keeps none has a session for each connection.
    """
    if person := sign_in.person():
        return f"person {person}"
    return token_of(str(st.context.cookies.get(_COOKIE) or "")) or f"session {audience.session()}"


def owner() -> str:
    """Twelve hexadecimal digits that name this session to itself and to the audit log, and lead back to nobody."""
    return hmac.new(_key, secret().encode(), hashlib.sha256).hexdigest()[:12]


def use_key(key: bytes) -> None:
    """The server's own secret from now on: with it nobody finds a token that leads to another's name."""
    global _key
    _key = key


def token_of(cookie: str) -> str:
    """The browser's token out of Streamlit's cookie ``2|mask|token|time``, whose mask is another one each time."""
    parts = cookie.strip("\"'").split("|")
    try:
        mask, masked = bytes.fromhex(parts[1]), bytes.fromhex(parts[2])
    except (IndexError, ValueError):
        return ""
    if parts[0] != "2" or len(mask) != 4 or len(masked) < 8:
        return ""
    return "browser " + bytes(byte ^ mask[k % 4] for k, byte in enumerate(masked)).hex()


def address() -> str:
    """The visitor's network address: that of the connection, or what a proxy says that the operator trusts (uvicorn reads
    that); "" where it is not known, behind a proxy on this computer that nobody declared."""
    peer = audience.peer() or ""
    return "" if audience.is_loopback(peer) else peer


# -- what may be computed -------------------------------------------------------------------------------------------------


def admit(store: Store, engine: Engine, stages: Sequence[Stage]) -> None:
    """Raise :class:`UserError` where a stranger may not have this computed, with the limit and what to do."""
    fresh = {stage.key: stage for stage in stages}
    for key in store.has(fresh):
        del fresh[key]
    _check_places(store, fresh.values())
    allowed, mine = limits(), owner()
    if len(fresh) > allowed.cells:
        raise UserError(
            f"This asks for {len(fresh):,} stages at once, and a request may ask for {allowed.cells} on this server. Take "
            "fewer methods, seeds or settings."
        )
    from unlearn_core.stages.size import check_size

    for stage in fresh.values():
        check_size(stage, allowed.size)
    load = engine.load()
    _check_load(load, mine, len(fresh))
    account = engine.account(mine)
    if fresh and account is not None and account.left <= 0:
        soon = account.more_in < math.inf
        again = f"in about {max(1, math.ceil(account.more_in / 60))} min" if soon else "when yours have ended"
        raise UserError(
            f"You have used up the {allowed.seconds:,} seconds of computing that a session has in {allowed.window:,} seconds "
            f"on this server; some are free again {again}."
        )
    if fresh:
        _addresses[mine] = address()


def _check_load(load: dict[str, int], mine: str, coming: int) -> None:
    allowed = limits()
    if coming and load.get(mine, 0) + coming > allowed.waiting:
        raise UserError(
            f"{load.get(mine, 0):,} stages of yours wait or are computed, and with these it would be more than the "
            f"{allowed.waiting} that one session may have on this server. Wait for some of them, or cancel a run."
        )
    if coming and sum(load.values()) + coming > allowed.waiting_all:
        raise UserError(f"This server is busy: it takes {allowed.waiting_all:,} stages at a time. Try again in a few minutes.")
    where = address()
    others = {name for name, count in load.items() if count and name != mine and where and _addresses.get(name) == where}
    if coming and allowed.sessions and len(others) >= allowed.sessions:
        raise UserError(
            f"{allowed.sessions} sessions of your network address have something computed, and no more may at a time on this "
            "server. Try again when one of them is done."
        )


def _check_places(store: Store, stages: Sequence[Stage] | Any) -> None:
    """Nothing that a stranger starts reads a file but theirs, fetches anything, or loads a checkpoint."""
    for stage in stages:
        named = [path for path in _named_files(stage.payload) if not visitor_files.owned(path, store.uploads)]
        if named or stage.kind in _KINDS:
            raise UserError(NO_PATHS)


def _named_files(payload: Any) -> Iterator[str]:
    """Every file that a stage's plan names."""
    if isinstance(payload, dict):
        for name, value in payload.items():
            if name in _PLACES and isinstance(value, str) and value:
                yield value
            yield from _named_files(value)
    elif isinstance(payload, list):
        for value in payload:
            yield from _named_files(value)


# -- files ----------------------------------------------------------------------------------------------------------------


def keep_upload(store: Store, name: str, data: bytes) -> Path:
    """Keep what this session hands over; raises :class:`UserError` beyond its quota."""
    path = visitor_files.keep(store.uploads, name, data, owner(), secret(), limits())
    note(store, "uploaded", what=f"{len(data)} bytes, {path.name.partition('-')[2]}")
    return path


def may_open(store: Store, path: str) -> bool:
    """Whether this session may set this path: a file that it handed over itself."""
    return visitor_files.owned(path, store.uploads, owner())


def sweep(store: Store) -> None:
    """Delete files that have expired; at most once a minute, whoever's page is drawn."""
    global _swept
    now = time.monotonic()
    if now - _swept >= _SWEEP_SECONDS and not store.read_only:
        _swept = now
        visitor_files.sweep(store.uploads, limits())


# -- the audit log --------------------------------------------------------------------------------------------------------


def note(store: Store, event: str, *, what: str = "", job: str = "") -> None:
    """One line in the audit log, beside the store's files."""
    if store.read_only:
        return
    folder = store.uploads.parent
    audit.note(folder, event, owner(), person=sign_in.person(), address=address(), what=what, job=job)
