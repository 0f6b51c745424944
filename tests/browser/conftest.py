"""A real server with the real engine, and Debian's Chromium."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsertools import CHROMIUM_ARGS, SIZE, Server, Tab, chromium, watch
from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Without the gallery: a newcomer computes the demo."""
    with _served(tmp_path_factory.mktemp("browser"), UNLEARN_GALLERY="") as running:
        yield running


@pytest.fixture(scope="session")
def gallery_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With the gallery: what the first pictures need was computed beforehand, and no workers are started."""
    with _served(tmp_path_factory.mktemp("gallery"), UNLEARN_ENGINE="inline") as running:
        yield running


@pytest.fixture(scope="session")
def class_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Shared with a class, with the gallery."""
    own = {"UNLEARN_ENGINE": "inline", "UNLEARN_SHARE": "http://192.168.1.7:8501"}
    with _served(tmp_path_factory.mktemp("class"), **own) as running:
        yield running


@contextlib.contextmanager
def _served(folder: Path, **more: str) -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {"UNLEARN_STORE": str(folder / "store"), "UNLEARN_ENGINE": "local", "PYTHONPATH": str(ROOT)}
    started = time.monotonic()
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
            cwd=ROOT,
            env=os.environ | own | more,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield Server(_wait_for(f"http://localhost:{port}", process), process.pid, started, folder / "store")
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> str:
    for _ in range(300):
        assert process.poll() is None, "streamlit has ended"
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/_stcore/health", timeout=1):
            return url
        time.sleep(0.1)
    raise AssertionError("streamlit did not answer within 30 seconds")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium()
    if path is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def window(browser: Browser) -> Iterator[BrowserContext]:
    """One window for all tabs: a new one would load the app's scripts anew, which takes longer than most tests."""
    context = browser.new_context(viewport=SIZE)
    yield context
    context.close()


@pytest.fixture(scope="session")
def _pages() -> list[Page]:
    """The page that the tests hand on, once there is one."""
    return []


@pytest.fixture
def tab(window: BrowserContext, _pages: list[Page]) -> Iterator[Tab]:
    """An empty page. It is the same one for all tests, because a new one would be a new process that compiles the app's scripts
    anew: two seconds each time. What a test asked of it is taken back, and what it opened beside it is closed."""
    if not _pages or _pages[0].is_closed():
        _pages[:] = [window.new_page()]
    (page,) = _pages
    watched = watch(page)
    yield watched
    watched.look_away()
    for other in window.pages:
        if other is not page:
            other.close()
    with contextlib.suppress(Error):
        page.goto("about:blank")
        page.emulate_media(color_scheme="null", reduced_motion="null")
        page.set_viewport_size(SIZE)
        return
    page.close()  # it does not even do that: the next test gets another
