"""What the browser tests share."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Error, Page, Request, ViewportSize

CHROMIUM_ARGS = [
    "--js-flags=--no-opt",  # no page is open long enough for what makes hot code fast: a tenth less of the processor
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZE: ViewportSize = {"width": 1280, "height": 720}


def chromium() -> str | None:
    """The browser's path, or None."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@dataclass
class Server:
    """A running app: where it listens, its process, when it was started, and where its results are."""

    url: str
    pid: int
    started: float
    store: Path


@dataclass
class Tab:
    """A page, everything its console complained about, and what it asked of another machine, which it never may."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def note_error(self, error: Error) -> None:
        self.complaints.append(str(error))

    def note_message(self, message: ConsoleMessage) -> None:
        if _is_ours(message):
            self.complaints.append(message.text)

    def note_request(self, request: Request) -> None:
        host = urlsplit(request.url).hostname or "localhost"  # what comes with the page has no host
        if host != "127.0.0.1" and host.rpartition(".")[2] != "localhost":
            self.complaints.append(f"another machine is asked: {request.url}")

    def look_away(self) -> None:
        """The page goes on without being watched."""
        self.page.remove_listener("request", self.note_request)
        self.page.remove_listener("pageerror", self.note_error)
        self.page.remove_listener("console", self.note_message)


def watch(page: Page) -> Tab:
    """Collect what the console reports as an error, and requests that leave this machine."""
    tab = Tab(page)
    page.on("request", tab.note_request)
    page.on("pageerror", tab.note_error)
    page.on("console", tab.note_message)
    return tab


def _is_ours(message: ConsoleMessage) -> bool:
    if message.type != "error":
        return False
    # Streamlit asks for its health below a deep link's path first, gets a 404, and then asks at the root.
    return "_stcore" not in message.location.get("url", "")
