"""Looks in a real browser: keys answer the cards, a reload keeps the answers, a picture asks for its like, healing follows."""

from __future__ import annotations

import re

import pytest
from browsertools import Server, Tab
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

WAIT = 180_000
QUERY = (
    "dataset=digits&training.epochs=6&amount=200&regularity=1&discovery=0&methods=rem,rem_discover&rem_discover.folds=2"
    "&rem_discover.epochs=1"
)


def standing(page: Page, words: str) -> None:
    """Wait until the line above the card says so."""
    expect(page.locator(".eunoe-looks").get_by_text(words)).to_be_visible(timeout=WAIT)


def test_keys_answer_cards_and_what_was_found_is_healed(server: Server, tab: Tab) -> None:
    page = tab.page
    page.goto(f"{server.url}/forget?{QUERY}")
    page.get_by_role("button", name="Start from nothing").click(timeout=60_000)
    standing(page, "0 looks")
    card = page.locator(".card")
    first = card.get_attribute("data-first")
    page.keyboard.press("ArrowLeft")
    standing(page, "1 look")
    expect(page).to_have_url(re.compile(r"looks=w\."), timeout=30_000)
    page.reload()
    standing(page, "1 look")
    expect(card).not_to_have_attribute("data-first", str(first), timeout=WAIT)

    card.get_by_role("button").first.click()
    expect(page.get_by_text("What lies closest to the example that you picked")).to_be_visible(timeout=WAIT)
    page.keyboard.press("ArrowRight")
    standing(page, "2 looks")
    page.keyboard.press("Backspace")
    standing(page, "1 look")

    with page.expect_download(timeout=60_000) as saved:
        page.get_by_role("button", name="Report").click()
    report = saved.value.path().read_text()
    assert "Group 1: called wrong" in report
    assert report.count("<img ") == 16
    assert "Nothing was healed yet with this list" in report

    page.get_by_role("button", name="Heal with it").click()
    expect(page.get_by_role("heading", name="Compare")).to_be_visible(timeout=WAIT)
    expect(page.get_by_text("16 in an edited forget set")).to_be_visible(timeout=WAIT)
    assert tab.complaints == []


def test_a_press_on_a_picture_of_any_page_leads_to_its_like(server: Server, tab: Tab) -> None:
    page = tab.page
    page.goto(f"{server.url}/craft?{QUERY}")
    folded = page.locator("[data-testid=stExpander]", has_text="More like this")
    folded.locator("summary").click(timeout=60_000)
    train = folded.get_by_role("button", name="Train it")
    found = folded.get_by_text("that are most like it")
    expect(train.or_(found)).to_be_visible(timeout=WAIT)
    if train.is_visible():
        train.click()
    expect(found).to_be_visible(timeout=WAIT)
    first = found.inner_text()
    folded.locator(".card").last.get_by_role("button").nth(3).click()
    expect(found).not_to_have_text(first, timeout=WAIT)
    assert tab.complaints == []
