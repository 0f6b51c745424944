"""How fast the pages are in a real browser, opened on the gallery that comes with the code.

    python -m benchmarks run browser_speed [--repeats 10]

Prints, as JSON, in milliseconds (median and 95th percentile), with nothing trained: the first visit after the server's start,
by a browser that was never here; then, with the server running, each page's first picture or table for such a browser; and with
the app's scripts in the browser's cache, from going to each page in a new tab, which includes the app's own start, to its first
picture or table, and how many times as long that takes as a bare Streamlit page with one Plotly figure, opened before it each
time; the same from a click in the navigation of an open tab; from such a click to the finished page; from a key press on the
strength slider to the redrawn bars (digits); UMAP of 1,437 points in a warm process; the scatter of 50,000 synthetic points in
each of two panels, from arrays to drawn; and the frames a second of the two animations on Start. Needs Chromium and
assets/gallery/. Run it with nothing else going on.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Locator, Page, Playwright, sync_playwright

from benchmarks.measure.serving import bare_page, served

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PICTURE = "[data-testid=stMain] .js-plotly-plot .main-svg, [data-testid=stMain] img"
PAGES = ("", "craft", "compare", "boundary", "redirect", "embedding", "heatmap", "forget", "lessons")
FIRST = {"compare": "[data-testid=stDataFrame]", "lessons": "[data-testid=stMain] button"}
"""What counts as the first picture, where it is none."""
GROUPS = {
    "Look inside": ("Decision boundary", "Redirect neurons", "Embedding", "Heatmap"),
    "Debug": ("Forget set", "Your own"),
}
"""Pages behind a group of the navigation, which is opened before the clock starts."""
VISIBLE = """selector => [...document.querySelectorAll(selector)].some(
    part => part.checkVisibility() && part.getBoundingClientRect().width > 50) && performance.now()"""
STILL = "() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"
SHOWN = "() => document.querySelector('[data-testid=stMain] h2, [data-testid=stMain] h1, [data-testid=stMain] h3')?.innerText"
MARK = """selector => { document.querySelectorAll(selector).forEach(part => part.setAttribute('data-before', ''));
    return performance.now(); }"""
NEW = """selector => [...document.querySelectorAll(selector)].some(part => !part.hasAttribute('data-before')
    && part.checkVisibility() && part.getBoundingClientRect().width > 50) && performance.now()"""

COUNT_FRAMES = """seconds => new Promise(done => {
    let drawn = false, frames = 0, start = 0;
    const pen = CanvasRenderingContext2D.prototype;
    for (const name of ["stroke", "fill", "fillRect", "drawImage", "putImageData"]) {
        const own = pen[name];
        pen[name] = function (...all) { drawn = true; return own.apply(this, all); };
    }
    const look = now => {
        start ||= now;
        frames += drawn;
        drawn = false;
        now - start < 1000 * seconds ? requestAnimationFrame(look) : done(1000 * frames / (now - start));
    };
    requestAnimationFrame(look);
})"""
"""Frames a second in which a canvas was drawn on."""

DRAW = """async json => {
    const start = performance.now();
    const figure = JSON.parse(json);
    await Plotly.newPlot('plot', figure.data, figure.layout);
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    return performance.now() - start;
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=10)
    repeats = parser.parse_args().repeats
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        first = _summary([_first_visit(play, Path(folder) / str(again)) for again in range(max(3, repeats // 3))])
    with (
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder) / "app.txt", {"UNLEARN_STORE": f"{folder}/store"}) as (port, _),
        bare_page(Path(folder)) as other,
        sync_playwright() as play,
    ):
        url, bare = f"http://localhost:{port}", f"http://localhost:{other}"
        browser = _browser(play, Path(folder) / "profile")
        page = browser.new_page()
        page.goto(url)
        page.locator(PICTURE).locator("visible=true").first.wait_for(timeout=60_000)
        _seconds(browser, bare, PICTURE)
        time.sleep(30)  # the engine's workers start and warm up behind the first page, once
        found: dict[str, Any] = {"load": os.getloadavg()[0], "first_visit_after_start": first}
        found["first_picture_of_a_new_visitor"] = {
            name or "start": _new_visitor(play, f"{url}/{name}", name, Path(folder), max(3, repeats // 3)) for name in PAGES
        }
        found |= {f"first_picture_{name or 'start'}": _open(browser, url, bare, name, repeats) for name in PAGES}
        found["first_picture_from_navigation"] = _navigate(page, repeats)
        found["switch_page"] = _switch(page, repeats)
        found["strength_slider_digits"] = _slide(page, url, repeats)
        found["frames_a_second"] = _frames(browser, url)
        found["scatter_50000_points"] = _cloud(browser)
        browser.close()
    found["umap_1437_points_two_models"] = _umap()
    print(json.dumps(found, indent=1))


def _first_visit(play: Playwright, folder: Path) -> float:
    """Seconds from the address to Start's first picture, as soon as a server answers, in a browser with nothing kept."""
    folder.mkdir()
    with served(folder / "app.txt", {"UNLEARN_STORE": f"{folder}/store"}) as (port, _):
        return _unknown(play, f"http://localhost:{port}", PICTURE, folder / "profile")


def _new_visitor(play: Playwright, address: str, name: str, folder: Path, repeats: int) -> dict[str, float]:
    return _summary(
        [_unknown(play, address, FIRST.get(name, PICTURE), folder / f"visitor-{name}-{again}") for again in range(repeats)]
    )


def _unknown(play: Playwright, address: str, picture: str, profile: Path) -> float:
    """Seconds to the picture in a browser of its own, whose cache is empty; its own start is not counted."""
    browser = _browser(play, profile)
    try:
        return _seconds(browser, address, picture)
    finally:
        browser.close()


def _browser(play: Playwright, profile: Path) -> BrowserContext:
    """Chromium with a profile on disk, as a visitor's browser has one: compiled scripts are kept there."""
    return play.chromium.launch_persistent_context(
        profile, executable_path="/usr/bin/chromium", args=FLAGS, viewport={"width": 1280, "height": 720}
    )


def _open(browser: BrowserContext, url: str, bare: str, name: str, repeats: int) -> dict[str, float]:
    """A new tab and a new session each time, after one of the bare page; the browser has all scripts from the first visit."""
    pairs = [
        (_seconds(browser, bare, PICTURE), _seconds(browser, f"{url}/{name}", FIRST.get(name, PICTURE))) for _ in range(repeats)
    ]
    times = statistics.median(ours / other for other, ours in pairs)
    return _summary([ours for _, ours in pairs]) | {"times_bare": round(times, 2)}


def _seconds(browser: BrowserContext, address: str, picture: str) -> float:
    """From the navigation to the picture, by the page's own clock, which is looked at in every frame."""
    page = browser.new_page()
    page.goto(address)
    seconds = float(page.wait_for_function(VISIBLE, arg=picture, timeout=60_000).json_value()) / 1000
    page.wait_for_function(STILL, timeout=60_000)
    page.close()
    return seconds


def _navigate(page: Page, repeats: int) -> dict[str, dict[str, float]]:
    """By page, from the click to its first picture; the pages of the round before are not kept in the browser."""
    titles = {
        "Start": "", "Craft": "craft", "Compare": "compare", "Decision boundary": "boundary", "Redirect neurons": "redirect",
        "Embedding": "embedding", "Forget set": "forget", "Heatmap": "heatmap", "Learn": "lessons",
    }  # fmt: skip
    times: dict[str, list[float]] = {title: [] for title in titles}
    for title in [title for _ in range(max(3, repeats // 2)) for title in list(titles)[1:] + list(titles)[:1]]:
        page.wait_for_timeout(300)
        link = _link(page, title)
        selector = FIRST.get(titles[title], PICTURE)
        start = page.evaluate(MARK, selector)
        link.click()
        shown = page.wait_for_function(NEW, arg=selector, timeout=60_000)
        times[title].append((shown.json_value() - start) / 1000)
        page.wait_for_function(STILL, timeout=60_000)
    return {title: _summary(found) for title, found in times.items()}


def _link(page: Page, title: str) -> Locator:
    """The link to a page in the navigation, whose group is opened first."""
    group = next((name for name, titles in GROUPS.items() if title in titles), "")
    if not group:
        return page.get_by_role("link", name=title, exact=True).first  # that of the navigation; doors of a page come later
    page.get_by_role("navigation").get_by_text(group, exact=True).click()
    return page.get_by_test_id("stTopNavDropdownLink").filter(has_text=title)


def _switch(page: Page, repeats: int) -> dict[str, float]:
    """Back and forth between pages that are open already, so that only the switch counts."""
    times = []
    for name in ("Compare", "Heatmap", "Craft", "Embedding", "Decision boundary", "Redirect neurons") * (1 + repeats // 6):
        before, link = page.evaluate(SHOWN), _link(page, name)
        start = time.perf_counter()
        link.click()
        page.wait_for_function(f"before => ({SHOWN})() !== before", arg=before, timeout=60_000)
        page.wait_for_function(STILL, timeout=60_000)
        times.append(time.perf_counter() - start)
        page.wait_for_timeout(500)
    return _summary(times[6:] or times)


def _slide(page: Page, url: str, repeats: int) -> dict[str, float]:
    page.goto(f"{url}/redirect")
    page.locator(PICTURE).locator("visible=true").first.wait_for(timeout=60_000)
    page.wait_for_function(STILL, timeout=60_000)
    thumb = page.get_by_role("slider").first
    thumb.focus()
    times, strength = [], 1.0
    for _ in range(repeats):
        strength -= 0.05
        text = f"at strength {strength:.2f}".rstrip("0").rstrip(".")
        start = time.perf_counter()
        page.keyboard.press("ArrowLeft")
        page.wait_for_function(
            "text => [...document.querySelectorAll('.js-plotly-plot')].some(p => (p.data || []).some(t => t.name === text))",
            arg=text,
            timeout=10_000,
        )
        times.append(time.perf_counter() - start)
        page.wait_for_function(STILL, timeout=60_000)
    return _summary(times)


def _frames(browser: BrowserContext, url: str, seconds: float = 2.0) -> dict[str, float]:
    """Of Start's planes, which play as soon as they are there, and of the signs, which fly for three seconds once they are in
    view and the planes are not, each in a tab of its own."""
    found = {}
    for name, part in (("planes", ".start"), ("signs", ".burst")):
        page = browser.new_page()
        page.goto(url)
        page.locator(f"{part}[data-state]").wait_for(timeout=60_000)
        page.wait_for_function(STILL, timeout=60_000)
        page.locator(f"{part} canvas").last.scroll_into_view_if_needed()
        page.locator(f"{part}[data-state=playing]").wait_for(timeout=60_000)
        found[name] = round(float(page.evaluate(COUNT_FRAMES, seconds)), 1)
        page.close()
    return found


def _cloud(browser: BrowserContext, count: int = 50_000) -> dict[str, float]:
    import numpy as np
    import pandas as pd
    from plotly.offline import get_plotlyjs

    from unlearn_core.views.embedding.figure import Cloud, clouds

    rng = np.random.default_rng(0)
    names = np.array(list("0123456789"))
    labels = rng.integers(0, 10, count)
    groups = np.array(["clean", "undiscovered", "discovered"])[rng.choice(3, count, p=(0.94, 0.04, 0.02))]
    frame = pd.DataFrame({"index": np.arange(count), "group": groups, "class": names[labels], "given": names[labels]})
    places = rng.normal(size=(2, count, 2)) + 4 * rng.normal(size=(10, 2))[labels]
    same, none = [names[labels]] * 2, [np.ones(count)] * 2
    start = time.perf_counter()
    figure = clouds(Cloud("umap", ("Original", "REM"), places, frame, same, none, tuple(names)), "group").figure.to_json()
    built = 1000 * (time.perf_counter() - start)
    page = browser.new_page()
    page.set_content(f"<script>{get_plotlyjs()}</script><div id=plot style='width:1080px;height:400px'></div>")
    drawn = page.evaluate(DRAW, figure)
    page.close()
    return {"figure": round(built), "browser": round(drawn), "both": round(built + drawn)}


def _umap() -> dict[str, float]:
    from unlearn_core.presets import make_method, make_scenario
    from unlearn_core.stages.execution import run_stage
    from unlearn_core.stages.unlearn import plan_runs
    from unlearn_core.store import Store
    from unlearn_core.training import SilentReporter
    from unlearn_core.views.embedding.data import embed

    with tempfile.TemporaryDirectory() as folder:
        store, scenario = Store.open(folder), make_scenario("digits")
        spec = make_method("rem", scenario)
        for stage in plan_runs(scenario, [spec]):
            run_stage(stage, store, "cpu", SilentReporter())
        times = []
        for _ in range(3):
            start = time.perf_counter()
            embed(store, scenario, [spec], "umap")
            times.append(time.perf_counter() - start)
    return {"first": round(1000 * times[0]), "warm": round(1000 * min(times[1:]))}


def _summary(times: list[float]) -> dict[str, float]:
    times = sorted(1000 * t for t in times)
    return {"median": round(statistics.median(times)), "p95": round(times[min(len(times) - 1, int(0.95 * len(times)))])}
