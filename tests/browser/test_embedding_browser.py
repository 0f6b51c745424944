"""The embedding in a real browser: a lasso narrows the grid, unselected points stay, and a copied link opens the same view."""

from __future__ import annotations

import re

import pytest
from browsertools import Server, Tab
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

WAIT = 200_000
UMAP = "() => document.querySelector('.js-plotly-plot')?._fullLayout?.xaxis?.title?.text?.startsWith('UMAP')"


def drawn(page: Page) -> None:
    """Wait until the page is complete and its clouds can be touched."""
    expect(page.get_by_text(re.compile("^Computes on")).last).to_be_visible(timeout=60_000)
    expect(page.get_by_test_id("stPlotlyChart").locator(".nsewdrag").first).to_be_visible(timeout=60_000)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=60_000)


def lasso(page: Page, across: float = 0.5) -> None:
    """Draw a loop around the left half of the first panel, or around so much of it."""
    panel = page.get_by_test_id("stPlotlyChart").locator(".nsewdrag").first
    panel.evaluate("panel => panel.scrollIntoView({block: 'center'})")  # a control below may have been pressed before
    box = panel.bounding_box()
    assert box is not None
    corners = ((0.01, 0.01), (across, 0.02), (across, 0.98), (0.01, 0.98), (0.01, 0.01))
    (x, y), *rest = [(box["x"] + a * box["width"], box["y"] + b * box["height"]) for a, b in corners]
    page.mouse.move(x, y)
    page.mouse.down()
    for x, y in rest:
        page.mouse.move(x, y, steps=8)
    page.mouse.up()


def focus(page: Page) -> int:
    """How many examples the page says are in focus."""
    line = page.get_by_text(re.compile(r"examples in focus")).last
    expect(line).to_be_visible(timeout=60_000)
    return int(line.inner_text().split()[0].replace(",", ""))


def test_a_lasso_filters_the_grid_and_a_copied_link_opens_the_same_view(gallery_server: Server, tab: Tab) -> None:
    page = tab.page
    page.goto(f"{gallery_server.url}/embedding")
    expect(page.get_by_text("All 1,437").last).to_be_visible(timeout=WAIT)
    page.wait_for_function(UMAP, timeout=WAIT)
    drawn(page)
    lasso(page)
    chosen = focus(page)
    assert 0 < chosen < 1437
    expect(page.get_by_text(re.compile(rf"of {chosen:,}: given label"))).to_be_visible(timeout=30_000)
    assert page.locator(".eunoe-thumb").count() == min(60, chosen)
    assert page.get_by_text("failed.").count() == 0
    page.get_by_role("radio", name="remove").click()
    drawn(page)
    lasso(page, 0.7)  # not the same loop: the browser tells of the same points once
    expect(page.get_by_text("All 1,437").last).to_be_visible(timeout=30_000)
    page.get_by_role("radio", name="replace").click()
    drawn(page)
    lasso(page)
    expect(page.get_by_text(re.compile(rf"of {chosen:,}: given label"))).to_be_visible(timeout=30_000)

    page.get_by_text(re.compile(r"^healed \d+")).click()
    expect(page).to_have_url(re.compile("highlight=healed"), timeout=30_000)
    expect(page.get_by_text(re.compile("selected ∩"))).to_be_visible(timeout=30_000)
    drawn(page)
    page.get_by_role("button", name="Share").click()
    link = page.get_by_test_id("stCode").first.inner_text().strip()
    page.goto("about:blank")
    page.goto(link)
    drawn(page)
    expect(page.get_by_text(re.compile("Corrupted examples that the original predicts wrong"))).to_be_visible(timeout=30_000)
    expect(page.get_by_text(re.compile("selected ∩"))).to_be_visible(timeout=30_000)  # the lasso came along
    both = focus(page)
    assert 0 < both < chosen
    page.get_by_text("all", exact=True).first.click()
    expect(page.get_by_text(re.compile(rf"^{chosen:,} of"))).to_be_visible(timeout=30_000)
    assert tab.complaints == []


PLACES = """() => [...document.querySelectorAll('.js-plotly-plot .scatterlayer .trace')]
  .flatMap(trace => [...trace.querySelectorAll('path.point')].map(point => point.getAttribute('transform'))).join()"""
"""Where every mark that is drawn as SVG stands: those that fly among them."""
APART = """(a, b) => {
  const [from, to] = [a, b].map(text => text.match(/-?[0-9.]+/g).map(Number));
  return from.length === to.length ? Math.max(...from.map((value, k) => Math.abs(value - to[k]))) : Infinity;
}"""
"""The largest difference between two such texts, in pixels."""


def test_examples_fly_from_before_to_after_and_a_reload_shows_the_arrows_again(gallery_server: Server, tab: Tab) -> None:
    page = tab.page
    page.goto(f"{gallery_server.url}/embedding?projection=pca")
    drawn(page)
    page.get_by_text("Show where they went").click()
    expect(page).to_have_url(re.compile("went=on"), timeout=30_000)
    expect(page.get_by_text(re.compile("^Of 86 corrupted examples")).first).to_be_visible(timeout=30_000)
    drawn(page)
    after = page.evaluate(PLACES)
    page.get_by_text("Before", exact=True).click()
    page.wait_for_function(f"after => ({APART})(after, ({PLACES})()) > 20", arg=after, timeout=30_000)
    page.get_by_text("▶ Play").click()
    page.wait_for_function(f"after => ({APART})(after, ({PLACES})()) < 1", arg=after, timeout=30_000)
    page.reload()
    drawn(page)
    assert page.evaluate(f"after => ({APART})(after, ({PLACES})())", after) < 1
    assert tab.complaints == []
