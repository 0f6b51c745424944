"""The heatmap in a real browser: opens on a picture, a click on a cell opens its runs, missing cells are run."""

from __future__ import annotations

import re

import pytest
from browsertools import Server, Tab
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

DRAWN = """() => {
  const box = e => { const b = e.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]; };
  const faint = e => { const s = getComputedStyle(e); return +s.opacity < 1 || +s.fillOpacity < 1; };
  const cells = [...document.querySelectorAll('.bars .point path')], plot = document.querySelector('.js-plotly-plot');
  return {
    faint: [...cells, ...plot.querySelectorAll('.textpoint text')].filter(faint).map(e => e.textContent),
    boxes: [...plot.querySelectorAll('.shapelayer path[d$="Z"]')].map(box), clicked: box(cells[40]),
  };
}"""
# A dataset of its own: the tests share a server, and another test's runs would be rows here.
QUICK = "dataset=waves&training.epochs=12&amount=60&methods=finetune,rem&finetune.epochs=2&rem.epochs=2&seeds=1"


def test_missing_cells_are_run_and_a_click_opens_them(server: Server, tab: Tab) -> None:
    page = tab.page
    page.goto(f"{server.url}/heatmap?{QUICK}&rows=chosen&tasks=stored")
    cells = page.locator(".bars .point path")
    expect(cells).to_have_count(4, timeout=60_000)
    page.get_by_role("button", name="Run these").click()
    expect(page.get_by_text("missing in all")).to_have_count(0, timeout=200_000)
    page.get_by_role("button", name="Measure them").click()
    expect(page.get_by_text("have not been measured yet")).to_have_count(0, timeout=60_000)
    expect(cells).to_have_count(5, timeout=30_000)  # the original has a row now
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=30_000)
    cells.nth(4).click(force=True)
    expect(page).to_have_url(re.compile(r"cell=rem"), timeout=30_000)
    expect(page.get_by_role("button", name="Compare seed 0")).to_be_visible(timeout=30_000)

    link = page.url
    page.goto("about:blank")
    page.goto(link)
    expect(page.get_by_role("button", name="Compare seed 0")).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Compare seed 0").click()
    expect(page.get_by_role("heading", name="Compare methods")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("All cached")).to_be_visible(timeout=30_000)
    assert tab.complaints == []


def test_a_click_keeps_the_neighbours_readable_and_outlines_the_cell(gallery_server: Server, tab: Tab) -> None:
    page = tab.page
    page.goto(f"{gallery_server.url}/heatmap?rows=chosen")
    cells = page.locator(".bars .point path")
    expect(cells.nth(40)).to_be_attached(timeout=60_000)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=30_000)
    assert page.evaluate(DRAWN)["boxes"] == []
    cells.nth(40).click(force=True)
    expect(page).to_have_url(re.compile(r"cell="), timeout=30_000)
    expect(page.locator(".shapelayer path[d$='Z']")).to_have_count(2, timeout=30_000)
    drawn = page.evaluate(DRAWN)
    assert drawn["faint"] == [], "what was not clicked stays as strong as it was"
    for box in drawn["boxes"]:  # a light line and a dark one, seen in both themes
        assert box == pytest.approx(drawn["clicked"], abs=6)
    assert tab.complaints == []
