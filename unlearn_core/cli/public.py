"""What ``app --public`` sets and refuses: a server that strangers use."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence

from unlearn_core import plugins
from unlearn_core.errors import UserError
from unlearn_core.support import limits
from unlearn_core.support.public_mode import NAMED, PROXY, PUBLIC, READ_ONLY

HOSTS = "UNLEARN_HOSTS"
_ROOTS = "UNLEARN_DATA_ROOTS"
_GUARDS = (
    "--server.enableXsrfProtection",
    "--server.enableCORS",
    "--server.enableAgentApi",
    "--global.",
    "--server.corsAllowed",
)
"""Options of Streamlit's that would take away what keeps strangers' pages apart."""


def variables(
    read_only: bool, changes: Sequence[str], proxies: Sequence[str], hosts: Sequence[str], named: Sequence[str]
) -> dict[str, str]:
    """What the pages and workers read. ``changes``: of limits; ``proxies``: whose word about visitors' addresses counts;
    ``hosts``: names that the server is opened under; ``named``: plug-ins of the command line. Raises :class:`UserError`."""
    _check_plugins(named)
    before = [one for one in os.environ.get(limits.VARIABLE, "").split(",") if one.strip()]
    found = {PUBLIC: "1", READ_ONLY: "1" if read_only else "0", _ROOTS: "", PROXY: ",".join(map(_proxy, proxies))}
    asked = ",".join([*before, *changes])
    limits.parse_limits(asked.split(",") if asked else [])
    if asked:
        found[limits.VARIABLE] = asked
    if named:
        found[NAMED] = "1"
    if hosts:
        found[HOSTS] = ",".join([*filter(None, [os.environ.get(HOSTS, "")]), *hosts])
    return found


def flags(changes: Sequence[str]) -> list[str]:
    """What Streamlit is told: how large an upload may be, and no menu for developers."""
    before = [one for one in os.environ.get(limits.VARIABLE, "").split(",") if one.strip()]
    most = limits.parse_limits([*before, *changes]).upload_mb
    return ["--server.maxUploadSize", str(most), "--client.toolbarMode", "viewer"]


def refuse_others(passed_on: Sequence[str]) -> None:
    """Raises ``UserError`` for an option of Streamlit's that a public server must not be given."""
    for option in passed_on:
        if option.startswith(_GUARDS):
            raise UserError(f"{option.partition('=')[0]} does not go with --public: it protects one visitor from another.")


def _check_plugins(named: Sequence[str]) -> None:
    """Raises ``UserError`` where a plug-in would run that the command line does not name."""
    own = {os.path.realpath(os.path.expanduser(one)) for one in named}
    listed = [one for one in os.environ.get(plugins.VARIABLE, "").split(os.pathsep) if one.strip()]
    if strange := [one for one in listed if os.path.realpath(os.path.expanduser(one)) not in own]:
        raise UserError(
            f"{plugins.VARIABLE} names {strange[0]!r}, and a public server runs only the plug-ins that its command line names: "
            f"eunoe --plugin {strange[0]} app --public, or unset {plugins.VARIABLE}."
        )


def _proxy(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text.strip(), strict=False)).removesuffix("/32").removesuffix("/128")
    except ValueError:
        raise UserError(
            f"--trust-proxy takes an address or a network such as 127.0.0.1 or 10.0.0.0/8 (got {text!r})."
        ) from None
