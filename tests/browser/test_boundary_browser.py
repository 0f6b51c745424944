"""The boundary in a real browser: computed, stepped both ways, scrubbed and played; a copied link opens the same view."""

from __future__ import annotations

import re

import pytest
from browsertools import Server, Tab
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

WAIT = 120_000
QUERY = "dataset=blobs&training.epochs=12&amount=70&rem.epochs=2&views=original,rem"
ACTIVE = "() => document.querySelector('.js-plotly-plot')._fullLayout.sliders[0].active"
STILL = "() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"
LAST = "() => document.querySelector('.js-plotly-plot')._fullLayout.sliders[0].steps.length - 1"
GROUND = """() => {
    const maps = document.querySelector('.js-plotly-plot').calcdata.map(c => c[0]).filter(c => c.trace.type === 'heatmap');
    return maps.map(map => map.z.map(row => Array.from(row).join()).join());
}"""


def wait_for_step(page: Page, step: int) -> list[str]:
    """The ground of every panel once the timeline is there."""
    page.wait_for_function(f"step => ({ACTIVE})() === step", arg=step, timeout=30_000)
    # The slider moves first, the picture follows: its title says when it has.
    title = "still the original" if step == 0 else f"round {step} of"
    expect(page.locator(".annotation-text", has_text=title)).to_be_visible(timeout=30_000)
    found: list[str] = page.evaluate(GROUND)
    return found


def press(page: Page, label: str) -> None:
    page.locator(".updatemenu-button", has_text=label).click()


def test_the_timeline_steps_both_ways_and_a_link_opens_the_same_view(server: Server, tab: Tab) -> None:
    page = tab.page
    page.goto(f"{server.url}/boundary?{QUERY}")
    expect(page.get_by_text("Not computed yet for this scenario")).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator(".annotation-text", has_text=re.compile("heals|predicts"))).to_have_count(2, timeout=WAIT)

    page.wait_for_function(STILL, timeout=30_000)  # a control that is just being drawn anew may lose the click
    page.get_by_role("radio", name="Round by round").click()
    expect(page.locator(".updatemenu-button")).to_have_count(4, timeout=WAIT)
    assert page.evaluate(ACTIVE) == 0, "a story opens at its beginning"
    last: int = page.evaluate(LAST)
    for _ in range(last):
        press(page, "Step ▶")
    shown = {last: wait_for_step(page, last)}
    for step in range(last - 1, -1, -1):
        press(page, "◀ Step")
        shown[step] = wait_for_step(page, step)
    assert shown[0][0] == shown[0][1], "before the first round REM is the original"
    assert shown[last][1] != shown[0][1]
    assert {ground[0] for ground in shown.values()} == {shown[0][0]}, "the original never changes"
    press(page, "Step ▶")
    assert wait_for_step(page, 1) == shown[1]
    press(page, "Play")
    assert wait_for_step(page, last) == shown[last]
    page.locator(".slider-rail-touch-rect").click(position={"x": 4, "y": 8})
    assert wait_for_step(page, 0) == shown[0]

    page.get_by_role("spinbutton", name="Opens at step").fill("1")
    page.get_by_role("spinbutton", name="Opens at step").press("Enter")
    expect(page).to_have_url(re.compile("frame=1"), timeout=30_000)
    assert wait_for_step(page, 1) == shown[1]
    link = page.url
    page.goto("about:blank")
    page.goto(link)
    expect(page.locator(".updatemenu-button")).to_have_count(4, timeout=30_000)
    assert wait_for_step(page, 1) == shown[1]
    assert tab.complaints == []
