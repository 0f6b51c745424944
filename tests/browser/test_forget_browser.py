"""Forget set in a real browser: searched, the threshold moved, accepted, run again, opened from a copied link."""

from __future__ import annotations

import re

import pytest
from browsertools import Server, Tab, watch
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

WAIT = 180_000
QUERY = (
    "dataset=spirals&training.epochs=12&amount=80&discovery=0.4&methods=rem,rem_discover&rem.epochs=2"
    "&rem_discover.folds=3&rem_discover.epochs=3&set=&cut=12"
)

STILL = "() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"


def above(page: Page, count: int) -> None:
    """Wait until the picture of the points shows so many above the threshold."""
    look = """name => [...document.querySelectorAll('.js-plotly-plot')].some(
        g => (g._fullData || []).some(trace => trace.name === name))"""
    page.wait_for_function(look, arg=f"above the threshold ({count})", timeout=WAIT)


def test_search_accept_run_again(server: Server, tab: Tab) -> None:
    page = tab.page
    page.goto(f"{server.url}/forget?{QUERY}")
    expect(page.get_by_text("Nobody has searched with this forget set yet")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Run", exact=True).click()
    above(page, 12)
    page.wait_for_function(STILL)  # a slider that is just being drawn anew loses the key
    slider = page.get_by_role("slider", name=re.compile("Threshold"))
    slider.press("ArrowRight")
    above(page, 13)
    expect(page).to_have_url(re.compile(r"cut=13"), timeout=30_000)

    page.get_by_role("button", name="Accept 13 above").click()
    expect(page.get_by_text("13 added to the set in use")).to_be_visible(timeout=30_000)
    expect(page).to_have_url(re.compile(r"set=\w{12}"), timeout=30_000)
    page.wait_for_function(STILL)  # a page that is just being drawn anew may take the button away under the pointer
    page.get_by_role("button", name="Run again").click()
    # Another click at once, which stops the script of the first: the run must have been handed over by then.
    page.get_by_role("tab", name="What your set changes").click()
    expect(page.get_by_text("The next suspects.")).to_be_visible(timeout=WAIT)
    expect(page.get_by_text("Follow each line from the open circle")).to_be_visible(timeout=30_000)

    page.get_by_role("tab", name="Suspects", exact=True).click()
    expect(page.get_by_text("the most suspect first")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("The next suspects.")).to_be_hidden(timeout=30_000)
    page.locator('[data-testid="stDataFrame"]:visible').first.click(
        position={"x": 20, "y": 62}
    )  # the box before the first suspect, below a header of one row's height
    page.get_by_role("button", name="Reject 1").click()
    expect(page.get_by_text("12 added to the set in use")).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("13 added to the set in use")).to_be_visible(timeout=30_000)

    other = watch(page.context.new_page())
    other.page.goto(page.url)
    above(other.page, 13)
    expect(other.page.get_by_text("13 added to the set in use")).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("the same as the set in use")).to_be_visible(timeout=30_000)
    assert tab.complaints == []
    assert other.complaints == []
