"""Under which names the app answers: a page on the web that lets its own name point here (DNS rebinding) gets nothing."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit


def host_allowed(host: str, served: Iterable[str] = ()) -> bool:
    """Whether a browser that sent this ``Host`` header opened the app under a name of its own.

    Those are localhost, any numeric address (no name can point elsewhere then), this machine's name, and ``served``: names
    that were configured. A leading ``*.`` stands for any part before it.
    """
    name = _name(host)
    if name is None:
        return False
    if name == "localhost" or name.endswith(".localhost") or _is_number(name):
        return True
    own = socket.gethostname().lower()
    known = {own, f"{own.partition('.')[0]}.local", *(one.strip().lower().rstrip(".") for one in served)}
    return name in known or any(one.startswith("*.") and name.endswith(one[1:]) for one in known)


def _name(host: str) -> str | None:
    """The name in a ``Host`` header without its port; None where it is no such header."""
    try:
        found = urlsplit(f"//{host.strip()}")
        _ = found.port  # raises for one that is no number
    except ValueError:
        return None
    if found.path or found.query or found.fragment or found.username is not None or not found.hostname:
        return None
    return found.hostname.rstrip(".")


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True
