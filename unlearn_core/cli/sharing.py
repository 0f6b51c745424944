"""What ``app --share`` finds and says: the address in the local network, a free port, the lecturer's word, a QR code."""

from __future__ import annotations

import secrets
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from unlearn_core.errors import UserError

FIRST_PORT, LAST_PORT = 8501, 8600
EVERYWHERE = "0.0.0.0"
"""All addresses of this computer."""
_FAR = "192.0.2.1"
"""An address for documentation (RFC 5737): asking for the way there sends nothing."""


@dataclass(frozen=True)
class Shared:
    """Where a shared app listens, the address that students open, and the word that makes a visitor its lecturer."""

    listen: str
    port: int
    address: str
    word: str

    def variables(self) -> dict[str, str]:
        """What the pages read."""
        return {"UNLEARN_SHARE": self.address, "UNLEARN_LECTURER": self.word}

    def flags(self) -> list[str]:
        """What Streamlit is told."""
        own = {"server.address": self.listen, "server.port": str(self.port), "server.corsAllowedOrigins": self.address}
        # Named, or Streamlit would ask the internet for this computer's address there.
        own["browser.serverAddress"] = "localhost" if self.listen == EVERYWHERE else self.listen
        return [part for name, value in own.items() for part in (f"--{name}", value)]

    def announce(self) -> None:
        """Print the address, its QR code, and the lecturer's own ways in."""
        import segno

        print(f"\n  Students, in the same network:  {self.address}\n")
        try:
            segno.make(self.address, micro=False).terminal(border=2, compact=True)
        except UnicodeEncodeError:  # a terminal without the block characters
            print("  (This terminal cannot show the QR code; the page Start does.)")
        near = f"http://localhost:{self.port}" if self.listen == EVERYWHERE else ""
        print(f"\n  You, on this computer:          {near or 'the next address'}")
        print(f"  You, anywhere else:             {self.address}/?lecturer={self.word}")
        print("\n  Keep the last one to yourself. Ctrl-C ends the sharing.\n")
        sys.stdout.flush()


def refuse_others(passed_on: Sequence[str]) -> None:
    """Raises ``UserError`` for an option of Streamlit's that changes the address behind the back of what is printed."""
    for option in passed_on:
        if option.startswith(("--server.port", "--server.address", "--server.baseUrlPath", "--server.ssl", "--browser.server")):
            name = option.partition("=")[0]
            raise UserError(f"{name} does not go with --share, which prints the address: use --port and --address.")


def plan_sharing(address: str | None, port: int | None) -> Shared:
    """Where to share; raises :class:`UserError` without a network or a free port.

    ``address``: the one to listen on, all of this computer's if None; ``port``: the one to use, or the next free.
    """
    seen = own_address() if address in (None, EVERYWHERE) else address
    if seen is None:
        raise UserError(
            "This computer is in no network that students could reach. Join one, or name the address: --share --address "
            "192.168.1.7."
        )
    used = port or free_port()
    name = f"[{seen}]" if ":" in seen else seen
    return Shared(address or EVERYWHERE, used, f"http://{name}:{used}", secrets.token_urlsafe(12))


def own_address() -> str | None:
    """This computer's address in its network, as the way to other networks has it; None where there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((_FAR, 9))
        except OSError:
            return None
        found = str(probe.getsockname()[0])
    return None if found.startswith("127.") or found == EVERYWHERE else found


def free_port() -> int:
    """The first port from 8501 on that nothing listens on."""
    for port in range(FIRST_PORT, LAST_PORT):
        with socket.socket() as probe:
            try:
                probe.bind((EVERYWHERE, port))
            except OSError:
                continue
            return port
    raise UserError(f"No port from {FIRST_PORT} to {LAST_PORT - 1} is free; name one with --port.")
