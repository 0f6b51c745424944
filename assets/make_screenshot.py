"""Make assets/screenshot.png: the real app in a real browser, with the demo computed from an empty store.

Run from the repository's root: ``python assets/make_screenshot.py``. Needs Chromium and requirements-dev.txt.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "assets" / "screenshot.png"
ARGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


def main() -> None:
    """Start the app, run the demo in Compare, save the picture."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.exit("There is no Chromium on this machine; install it first.")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
            cwd=ROOT,
            env=os.environ | {"UNLEARN_STORE": folder},
            stdout=subprocess.DEVNULL,
        )
        try:
            wait_for(f"http://localhost:{port}/_stcore/health")
            photograph(chromium, f"http://localhost:{port}/compare")
        finally:
            server.terminate()
            server.wait(15)
    print(f"{TARGET.relative_to(ROOT)}: {TARGET.stat().st_size / 1024:.0f} KB")


def wait_for(url: str) -> None:
    """Return once the server answers; give up after 30 seconds."""
    for _ in range(300):
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=1):
            return
        time.sleep(0.1)
    sys.exit("The app did not start within 30 seconds.")


def photograph(chromium: str, url: str) -> None:
    """Run the five methods and save what the page then shows."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGS)
        page = browser.new_page(viewport={"width": 1280, "height": 1420}, color_scheme="light")
        page.goto(url)
        page.get_by_role("button", name="Run").click(timeout=60_000)
        page.get_by_text("All cached").wait_for(timeout=300_000)
        page.get_by_text("Look for the top right").wait_for(timeout=60_000)
        page.wait_for_timeout(3000)  # the figures' last animation
        page.screenshot(path=TARGET)
        browser.close()


if __name__ == "__main__":
    main()
