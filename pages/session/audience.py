"""Who looks at this page: in a class (``eunoe app --share``) its lecturer, or a visitor, who reads and no more; on a public
server (``--public``) a guest, who computes within limits, or on one that only shows what is stored a visitor as well."""

from __future__ import annotations

import hmac
import ipaddress
import os
import re
from urllib.parse import urlsplit

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from unlearn_core.errors import UserError
from unlearn_core.support.public_mode import is_public, is_read_only

SHARE = "UNLEARN_SHARE"
"""The app's address for a class, such as http://192.168.1.7:8501; empty where the app is one person's."""
LECTURER = "UNLEARN_LECTURER"
"""The word that makes a visitor the lecturer: it is printed in the terminal, and its link is opened once."""
WORD = "lecturer"
"""The link's parameter that holds the word. It is taken out of the address at once."""
ONLY_LECTURER = "In a shared app only the lecturer can do this: here you look, and change nothing on the lecturer's computer."
ONLY_SHOWN = "This server shows the gallery and stored runs: nothing is trained, changed or handed over here."
ON_THE_SERVER = "Something on the server does not work at this moment. Try again later."
_PLACE = re.compile(r"://|(?:^|[\s'\"“(])/[\w.-]+/")
_FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-Ip")


def shared() -> str:
    """The address that students open, without a slash at the end; "" where the app is not shared."""
    return os.environ.get(SHARE, "").strip().rstrip("/")


def visitor() -> bool:
    """Whether this session reads and no more: a student's, where the lecturer sits elsewhere, or anybody's on a public server
    that computes nothing."""
    return is_read_only() or (bool(shared()) and not lecturer())


def guest() -> bool:
    """Whether this session is a stranger's who may have things computed, within limits."""
    return is_public() and not is_read_only()


def refusal() -> str:
    """What a visitor cannot do, in a sentence."""
    return ONLY_SHOWN if is_read_only() else ONLY_LECTURER


def lecturer() -> bool:
    """Whether this session is the lecturer's: the word was given, or the app was opened on the computer that runs it."""
    return bool(shared()) and (bool(st.session_state.get(WORD)) or _on_this_computer())


def take_word() -> None:
    """Take the lecturer's word out of the link before anything else is read, and remember whether it was the right one."""
    given = st.query_params.get(WORD)
    if not shared() or given is None:
        return
    del st.query_params[WORD]
    expected = os.environ.get(LECTURER, "")
    if expected and hmac.compare_digest(given.encode(), expected.encode()):
        st.session_state[WORD] = True


def refuse_visitors() -> None:
    """Called before anything is written, started, fetched or read from a path. Raises :class:`UserError` for a visitor."""
    if visitor():
        raise UserError(refusal())


def told(message: object) -> str:
    """A message as this session may read it: to strangers, folders and addresses of the server are not named."""
    text = str(message)
    return ON_THE_SERVER if (visitor() or guest()) and _PLACE.search(text) else text


def session() -> str:
    """The id of this session; "" outside of one."""
    context = get_script_run_ctx()
    return context.session_id if context is not None else ""


def on_phone() -> bool:
    """Whether the browser says that it is a phone's: panels stand below one another there."""
    return "Mobi" in st.context.headers.get("User-Agent", "")


def address_of(page: str) -> str:
    """The address of a page for links that others open. ``page``: its name, "start" for the first."""
    path = "" if page == "start" else page
    if root := shared():
        return f"{root}/{path}"
    here = (st.context.url or "").rstrip("/").removesuffix(f"/{st.session_state['page']}")
    return f"{here}/{path}"


def _on_this_computer() -> bool:
    """Whether the browser talks to the server directly over the loopback interface, under a name of that interface."""
    other = peer()
    headers = st.context.headers
    if other is None or any(headers.get(name) for name in _FORWARDED):  # a proxy speaks for others
        return False
    name = urlsplit(f"//{headers.get('Host') or ''}").hostname or ""
    return is_loopback(other) and (name == "localhost" or is_loopback(name))


def peer() -> str | None:
    """The other end of the connection. ``st.context.ip_address`` says None for loopback and for unknown alike."""
    if not runtime.exists():
        return None
    client = runtime.get_instance().get_client(session())
    context = client.client_context if client is not None else None
    found = context.remote_ip if context is not None else None
    return found if isinstance(found, str) else None


def is_loopback(text: str) -> bool:
    """Whether this is an address of the loopback interface."""
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:
        return False
