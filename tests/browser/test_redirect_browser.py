"""Redirect neurons in a real browser: computed, turned down to the stored numbers, opened again from a copied link."""

from __future__ import annotations

import re

import pytest
from browsertools import Server, Tab
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

WAIT = 120_000
QUERY = "dataset=blobs&training.epochs=12&amount=60&rem.epochs=2"
BARS = """name => {
    const found = [...document.querySelectorAll('.js-plotly-plot')].map(g => (g._fullData || [])[0]);
    const bars = found.find(trace => trace && trace.type === 'bar' && trace.name === name);
    return bars ? Array.from(bars.y) : null;
}"""
TICKS = """() => {
    const found = [...document.querySelectorAll('.js-plotly-plot')].map(g => (g._fullData || [])[1]);
    return Array.from(found.find(trace => trace && /dropped/.test(trace.name)).y);
}"""


def bars(page: Page, strength: str) -> list[float]:
    """The heights of the bars once they show this strength."""
    name = f"at strength {strength}"
    page.wait_for_function(f"name => ({BARS})(name)", arg=name, timeout=WAIT)
    return list(page.evaluate(BARS, name))


def test_the_strength_slider_ends_at_the_stored_numbers(server: Server, tab: Tab) -> None:
    page = tab.page
    page.goto(f"{server.url}/redirect?{QUERY}")
    expect(page.get_by_text("has not been run on this scenario yet")).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Run").click()
    assert len(bars(page, "1")) == 7
    stored = page.evaluate(TICKS)
    slider = page.get_by_role("slider", name=re.compile("Strength"))
    slider.press("Home")
    assert bars(page, "0") == stored
    expect(page).to_have_url(re.compile(r"strength=0\.0"), timeout=30_000)
    slider.press("ArrowRight")
    bars(page, "0.05")

    page.get_by_role("button", name="Share").click()  # the slider draws its part alone, and what is shared knows of it
    expect(page.get_by_text(re.compile(r"/redirect\?.*strength=0\.05"))).to_be_visible(timeout=30_000)
    page.keyboard.press("Escape")

    page.get_by_role("button", name="⋯").first.click()
    with page.expect_download(timeout=30_000) as saved:
        page.get_by_role("button", name="Picture as SVG").click()
    assert saved.value.suggested_filename == "eunoe-strength.svg"
    assert re.match("<svg.*share of the group", saved.value.path().read_text(), re.DOTALL)

    page.get_by_role("radio", name="Maps of the plane").click()
    expect(page.get_by_text("Look for channels that are bright")).to_be_visible(timeout=30_000)
    expect(page).to_have_url(re.compile("r_part=maps"), timeout=30_000)

    before = bars(page, "0.05")
    link = page.url
    page.goto("about:blank")
    page.goto(link)
    expect(page.get_by_text("Look for channels that are bright")).to_be_visible(timeout=30_000)
    assert bars(page, "0.05") == before
    assert tab.complaints == []
