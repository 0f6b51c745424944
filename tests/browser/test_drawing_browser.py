"""Strokes with the mouse on one's own corruption: a lasso flips points, undo takes it back, and the link holds the drawing."""

from __future__ import annotations

import re

import pytest
from browsertools import Server, Tab
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


READY = "() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"


def flipped(page: Page) -> int:
    line = page.get_by_text(re.compile(r"^\d+ flipped, \d+ known"))
    expect(line).to_be_visible(timeout=60_000)
    return int(line.inner_text().split()[0])


def lasso(page: Page) -> None:
    """Draw a loop around the lower left of the plane."""
    page.wait_for_function(READY, timeout=60_000)
    area = page.get_by_test_id("stPlotlyChart").first.locator(".nsewdrag")
    expect(area).to_be_visible(timeout=60_000)
    area.scroll_into_view_if_needed()
    box, before = area.bounding_box(), None
    while box != before:  # what is above may still take its height
        page.wait_for_timeout(300)
        box, before = area.bounding_box(), box
    assert box is not None
    corners = ((0.02, 0.98), (0.45, 0.98), (0.45, 0.6), (0.02, 0.6), (0.02, 0.98))
    (x, y), *rest = [(box["x"] + a * box["width"], box["y"] + b * box["height"]) for a, b in corners]
    page.mouse.move(x, y)
    page.mouse.down()
    for x, y in rest:
        page.mouse.move(x, y, steps=6)
    page.mouse.up()


def test_a_lasso_flips_points_undo_takes_it_back_and_the_link_holds_it(server: Server, tab: Tab) -> None:
    page = tab.page
    page.goto(f"{server.url}/craft?dataset=blobs&draw=on")
    assert flipped(page) == 0
    lasso(page)
    expect(page).to_have_url(re.compile("corruption.flips="), timeout=30_000)
    first = flipped(page)
    assert first > 5
    page.get_by_text("known ✖", exact=True).click()
    lasso(page)
    expect(page.get_by_text(re.compile(rf"^{first} flipped, [1-9]\d* known"))).to_be_visible(timeout=30_000)
    drawn = page.get_by_text(re.compile(rf"^{first} flipped")).inner_text()
    assert int(drawn.split()[2]) > 0.9 * first, "the same loop, over a plane that may have moved by a pixel"
    link = page.url
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text(f"{first} flipped, 0 known")).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text("0 flipped, 0 known")).to_be_visible(timeout=30_000)
    page.goto(link)
    expect(page.get_by_text(drawn)).to_be_visible(timeout=60_000)
    assert tab.complaints == []
