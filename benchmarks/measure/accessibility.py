"""What axe-core finds on every page, in the light and the dark theme, on a screen and on a phone.

    python -m benchmarks run accessibility [--pages craft,compare]

Opens each page in Chromium on the gallery that comes with the code, waits until it is still, and runs the rules of axe-core
(from the package axe-playwright-python; no network). Prints what is serious or critical with the first places of each, writes
``benchmarks/results/accessibility.json``, and ends with 1 if there is any. What axe-core says of text in charts is little:
``tests/browser/test_manners_browser.py`` measures their contrast.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from importlib import metadata
from importlib.resources import files
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.measure.serving import PAGES, served
from benchmarks.paths import RESULTS

SIZES = {"screen": (1280, 720), "phone": (390, 844)}
PHONE = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Mobile Safari/537.36"
"""What a phone's browser says that it is, by which panels stand below one another."""
SCHEMES = ("light", "dark")
GRAVE = ("serious", "critical")
STILL = "() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PLACES = 5


def grave(page: Page) -> list[dict[str, Any]]:
    """The findings of axe-core on an open page that are serious or critical: rule, how many places, and the first of them."""
    page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text("utf-8"))
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [
        {
            "rule": one["id"],
            "impact": one["impact"],
            "places": len(one["nodes"]),
            "first": [node["html"][:200] for node in one["nodes"][:PLACES]],
        }
        for one in found
        if one["impact"] in GRAVE
    ]


def looked_at(browser: Browser, url: str, pages: list[str]) -> Iterator[dict[str, Any]]:
    """One entry for each page, theme and size."""
    for size, (width, height) in SIZES.items():
        for scheme in SCHEMES:
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme=scheme,  # type: ignore[arg-type]
                user_agent=PHONE if size == "phone" else None,
            )
            page = context.new_page()
            for name in pages:
                page.goto(f"{url}/{name}")
                page.wait_for_timeout(1500)
                page.wait_for_function(STILL, timeout=120_000)
                page.wait_for_timeout(1500)
                yield {"page": name or "start", "scheme": scheme, "size": size, "grave": grave(page)}
            context.close()


def main() -> int:
    """Look at the pages, print and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", default=",".join(PAGES), help="addresses of pages; the start page's is empty")
    options = parser.parse_args()
    pages = options.pages.split(",")
    with tempfile.TemporaryDirectory() as folder:
        own = {"UNLEARN_STORE": f"{folder}/store", "UNLEARN_ENGINE": "inline"}
        with served(Path(folder) / "log.txt", own) as (port, _), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
            entries = list(looked_at(browser, f"http://localhost:{port}", pages))
            browser.close()
    found = [entry for entry in entries if entry["grave"]]
    for entry in found:
        print(json.dumps(entry, indent=2, ensure_ascii=False))
    print(f"{len(entries)} views of {len(pages)} pages, {len(found)} with something serious or critical.")
    if set(pages) == set(PAGES):
        told = {"axe": metadata.version("axe-playwright-python"), "views": len(entries), "found": found}
        (RESULTS / "accessibility.json").write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
