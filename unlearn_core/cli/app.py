"""``app``: the dashboard in the browser, from the source tree or from wherever the package was installed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from unlearn_core.cli import public as strangers
from unlearn_core.cli.options import Device, StoreOption
from unlearn_core.cli.sharing import plan_sharing, refuse_others
from unlearn_core.errors import UserError

PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}
"""Options of Streamlit's own, such as ``--server.baseUrlPath``, go to Streamlit."""


def app(
    context: typer.Context,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port to listen on. [default: 8501, or the next free]")
    ] = None,
    address: Annotated[
        str | None, typer.Option(help="Address to listen on; 0.0.0.0 for all (docs/security.md). [default: localhost]")
    ] = None,
    share: Annotated[
        bool,
        typer.Option("--share", help="For a class: listen on the local network, print address and QR code (docs/class.md)."),
    ] = False,
    public: Annotated[
        bool, typer.Option("--public", help="For strangers: nothing of this computer can be reached (docs/public.md).")
    ] = False,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="With --public: show the gallery and stored runs, and compute nothing.")
    ] = False,
    limit: Annotated[
        list[str] | None, typer.Option("--limit", help="With --public: a limit and its value, such as seconds=300; repeat it.")
    ] = None,
    host: Annotated[
        list[str] | None,
        typer.Option("--host", help="A name that the app is opened under, such as that of a proxy."),
    ] = None,
    trust_proxy: Annotated[
        list[str] | None,
        typer.Option("--trust-proxy", help="With --public: a proxy whose word about visitors' addresses counts."),
    ] = None,
    store: StoreOption = None,
    engine: Annotated[
        str | None, typer.Option(help="local, inline or a Dask scheduler: tcp://host:8786. [default: $UNLEARN_ENGINE or local]")
    ] = None,
    device: Annotated[
        Device | None, typer.Option("--device", help="Where to compute. [default: $UNLEARN_DEVICE or auto]", show_default=False)
    ] = None,
    browser: Annotated[
        bool | None, typer.Option("--browser/--no-browser", help="Open a browser. [default: in a terminal on a desktop]")
    ] = None,
) -> int:
    """Open the dashboard. Options of Streamlit's own go to Streamlit: --server.baseUrlPath eunoe."""
    passed_on = _check_passed_on(context.args)
    environment = {"UNLEARN_STORE": store, "UNLEARN_ENGINE": engine, "UNLEARN_DEVICE": device.value if device else None}
    if host and not public:
        environment["UNLEARN_HOSTS"] = ",".join([*filter(None, [os.environ.get("UNLEARN_HOSTS", "")]), *host])
    if not public and (read_only or limit or trust_proxy):
        raise UserError("--read-only, --limit and --trust-proxy go with --public.")
    if public and share:
        raise UserError("An app is shared with a class (--share) or open to strangers (--public), not both.")
    if share:
        refuse_others(passed_on)
        shared = plan_sharing(address, port)
        flags = shared.flags()
        environment |= shared.variables()
    else:
        own = {"--server.port": port, "--server.address": address}
        flags = [part for name, value in own.items() if value is not None for part in (name, str(value))]
    if public:
        strangers.refuse_others(passed_on)
        named = list((context.parent.params.get("plugin") if context.parent is not None else None) or [])
        environment |= strangers.variables(read_only, limit or [], trust_proxy or [], host or [], named)
        flags += strangers.flags(limit or [])
    if _on_desktop() if browser is None else browser:
        flags += ["--server.headless", "false", "--server.showEmailPrompt", "false"]
    os.environ.update({name: value for name, value in environment.items() if value is not None})
    if share:
        shared.announce()
    return _serve([*flags, *passed_on], guarded=public)


def _check_passed_on(arguments: Sequence[str]) -> Sequence[str]:
    """What is left over, if it starts with an option as Streamlit writes them; raises ``UserError`` otherwise."""
    if arguments and not re.match(r"--[a-z]+\.\w+", arguments[0]):
        raise UserError(f"`app` has no option {arguments[0]!r}; Streamlit's own are written like --server.port 8502.")
    return arguments


def _on_desktop() -> bool:
    """Whether a person sits at this terminal and a browser can be opened beside it."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    screen = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    return screen or sys.platform in ("win32", "darwin")


def _serve(flags: Sequence[str], guarded: bool = False) -> int:
    """Become Streamlit's server; returns its exit code where a process cannot become another. ``guarded``: one that sifts what
    strangers send from the first message on."""
    from unlearn_core.support.dashboard import DASHBOARD

    script = DASHBOARD / "app.py"
    if not script.is_file():
        raise UserError(f"The dashboard is not there: {str(script)!r} is missing. Install Eunoe again.")
    # -P: no module of the folder that this was called in may take the place of one of the app's.
    server = [str(DASHBOARD / "pages" / "session" / "serve.py")] if guarded else ["-m", "streamlit"]
    command = [sys.executable, "-P", *server, "run", str(script), *flags]
    if sys.platform != "win32":  # there a terminal would not wait for what a process became
        os.execv(sys.executable, command)
    return subprocess.call(command)
