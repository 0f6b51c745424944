"""Make assets/screenshots/: every page of the real app in a real browser, as a first visitor sees it.

Run from the repository's root: ``python assets/make_screenshots.py``. Needs Chromium and requirements-dev.txt. The store is
empty; what the pages show comes from the gallery. ``--dark``, ``--out`` and ``--pages`` are for looking at the pages. The page
"moving" is the picture of the start page alone, frame by frame: the animated picture at the head of the README.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, ViewportSize, sync_playwright

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "assets" / "screenshots"
ARGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
PAGES = {
    "start": "",
    "craft": "craft",
    "compare": "compare",
    "boundary": "boundary",
    "redirect": "redirect",
    "embedding": "embedding",
    "heatmap": "heatmap",
    "forget": "forget",
    "lessons": "lessons",
}
MOVING = "moving"
FRAMES, MILLISECONDS, PAUSE = 40, 130, 2600
"""Frames of the moving picture, how long each is seen, and the last one."""
SCRUB = "(slider, time) => { slider.value = time; slider.dispatchEvent(new Event('input')); }"
STILL = """() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"""


def main() -> None:
    """Start the app, open each page, save what it shows."""
    parser = argparse.ArgumentParser(description="Take screenshots of every page.")
    parser.add_argument("--out", type=Path, default=TARGET, help="folder for the pictures [default: assets/screenshots]")
    parser.add_argument("--dark", action="store_true", help="with the dark theme")
    parser.add_argument("--pages", default=",".join([*PAGES, MOVING]), help="which pages, separated by commas")
    parser.add_argument("--height", type=int, default=720, help="height of the window in pixels; its width is 1280")
    parser.add_argument("--store", type=Path, default=None, help="an existing store [default: an empty one]")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    names = options.pages.split(",")
    with opened(options.height, options.dark, options.store) as (page, url):
        if MOVING in names:
            names.remove(MOVING)
            print(f"{MOVING}: {animate(page, url, options.out / f'{MOVING}.webp') / 1024:.0f} KB")
        for name in names:
            target = options.out / f"{name}.png"
            seconds = photograph(page, url + PAGES[name], target)
            print(f"{name}: {target.stat().st_size / 1024:.0f} KB, drawn after {seconds:.1f} s")


@contextlib.contextmanager
def opened(height: int = 720, dark: bool = False, store: Path | None = None) -> Iterator[tuple[Page, str]]:
    """The app on ``store`` (default: an empty one) and a window of a browser, with the app's address."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.exit("There is no Chromium on this machine; install it first.")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port), "--server.headless", "true"],
            cwd=ROOT,
            env=os.environ | {"UNLEARN_STORE": str(store or folder)},
            stdout=subprocess.DEVNULL,
        )
        try:
            wait_for(f"http://localhost:{port}/_stcore/health")
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=ARGS)
                window: ViewportSize = {"width": 1280, "height": height}
                yield browser.new_page(viewport=window, color_scheme="dark" if dark else "light"), f"http://localhost:{port}/"
                browser.close()
        finally:
            server.terminate()
            server.wait(15)


def wait_for(url: str) -> None:
    """Return once the server answers; give up after 30 seconds."""
    for _ in range(300):
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=1):
            return
        time.sleep(0.1)
    sys.exit("The app did not start within 30 seconds.")


def photograph(page: Page, url: str, target: Path) -> float:
    """Save the page once its script is done and its figures stand still; returns the seconds until it was."""
    start = time.perf_counter()
    page.goto(url)
    page.wait_for_selector("[data-testid=stMain] h1, [data-testid=stMain] h2, [data-testid=stMain] h3", timeout=60_000)
    page.wait_for_function(STILL, timeout=120_000)
    seconds = time.perf_counter() - start
    page.wait_for_timeout(2500)  # the figures' last animation
    page.wait_for_function(STILL, timeout=120_000)
    page.screenshot(path=target)
    return seconds


def animate(page: Page, url: str, target: Path) -> int:
    """Save the start page's picture from its first step to its last; returns the size in bytes."""
    page.goto(url)
    stage = page.locator(".start")
    page.locator(".start:not([data-state=empty])").wait_for(timeout=120_000)
    page.wait_for_function(STILL, timeout=120_000)
    frames = []
    for k in range(FRAMES):
        page.locator(".scrub").evaluate(SCRUB, k / (FRAMES - 1))
        frames.append(Image.open(io.BytesIO(stage.screenshot())).convert("RGB"))
    shown = [MILLISECONDS] * (FRAMES - 1) + [PAUSE]
    frames[0].save(target, save_all=True, append_images=frames[1:], duration=shown, loop=0, quality=72, method=4)
    return target.stat().st_size


if __name__ == "__main__":
    main()
