"""A lesson in a real browser, from its card to its end; a teacher's link locks what it says."""

from __future__ import annotations

import re

import pytest
from browsertools import Server, Tab
from playwright.sync_api import expect

from unlearn_core.view_state.lessons import lessons

pytestmark = pytest.mark.browser


def test_a_lesson_runs_to_its_end(server: Server, tab: Tab) -> None:
    page, lesson = tab.page, lessons()["plane"]
    page.goto(f"{server.url}/lessons")
    expect(page.get_by_role("button", name="Start", exact=True)).to_have_count(len(lessons()), timeout=30_000)
    page.get_by_role("button", name="Start", exact=True).nth(list(lessons()).index("plane")).click()
    for number, step in enumerate(lesson.steps, 1):
        expect(page.get_by_text(f"step {number} of {len(lesson.steps)}")).to_be_visible(timeout=30_000)
        expect(page.get_by_text(step.title, exact=True)).to_be_visible()
        expect(page).to_have_url(re.compile(f"/{step.page}.*lesson=plane"), timeout=30_000)
        expect(page.get_by_test_id("stException")).to_have_count(0)
        if step.panel.startswith("figure:"):  # a table is there only where something has been run
            # Streamlit keeps the element of before beside the new one for a moment.
            part = page.locator(f".st-key-{step.panel.replace(':', '-')}").first
            expect(part).to_be_in_viewport(ratio=0.5, timeout=30_000)
            expect(part).to_have_css("outline-style", "solid")
        expect(page.get_by_text(step.title, exact=True)).to_be_in_viewport()
        page.get_by_role("button", name="Finish" if number == len(lesson.steps) else "Next", exact=True).click()
    expect(page.get_by_role("heading", name="Lessons")).to_be_visible(timeout=30_000)
    expect(page).not_to_have_url(re.compile("lesson="))
    assert tab.complaints == []


def test_a_teacher_s_link_locks_and_hides(server: Server, tab: Tab) -> None:
    page = tab.page
    page.goto(f"{server.url}/craft?regularity=0.5&lock=regularity&hide=plane")
    dial = page.get_by_role("slider", name=re.compile("Regularity"))
    expect(dial).to_be_visible(timeout=30_000)
    expect(dial).to_have_value("0.5")
    expect(dial).to_be_disabled()
    expect(page.get_by_role("slider", name=re.compile("Discovery rate"))).to_be_enabled()
    assert tab.complaints == []
