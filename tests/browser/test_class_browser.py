"""A class in two real browsers: a student's page goes where the lecturer's goes, leaves, and answers a question."""

from __future__ import annotations

import asyncio
import importlib
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from browsertools import SIZE, Server, Tab, watch
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser
WAIT = 30_000
STILL = "() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"


@pytest.fixture
def student(browser: Browser) -> Iterator[Page]:
    """In a browser of their own, so that nothing that one keeps is the other's."""
    context = browser.new_context(viewport=SIZE)
    yield context.new_page()
    context.close()


def test_a_student_follows_leaves_and_answers(class_server: Server, tab: Tab, student: Page) -> None:
    lecturer, seen = tab.page, watch(student)
    lecturer.goto(f"{class_server.url}/craft?dataset=blobs")
    # Under a name other than localhost, which Chromium takes to the same server, a page is a student's.
    student.goto(class_server.url.replace("localhost", "student.localhost"))
    expect(student.get_by_alt_text(re.compile("QR code"))).to_have_count(0)
    lecturer.get_by_text("Lead", exact=True).click(timeout=WAIT)
    student.get_by_role("button", name="Follow the lecturer").click(timeout=WAIT)
    expect(student).to_have_url(re.compile("/craft.*dataset=blobs"), timeout=WAIT)
    expect(student.get_by_role("heading", name="Craft a corruption")).to_be_visible(timeout=WAIT)

    lecturer.wait_for_function(STILL, timeout=WAIT)  # a control that is just being drawn anew may lose the key
    dial = lecturer.get_by_role("slider", name=re.compile("Regularity"))
    dial.press("Home")
    expect(student).to_have_url(re.compile(r"regularity=0\.0(&|$)"), timeout=WAIT)
    expect(student.get_by_role("slider", name=re.compile("Regularity"))).to_have_value("0", timeout=WAIT)
    expect(lecturer.get_by_text("1 student here, 1 follow")).to_be_visible(timeout=WAIT)

    lecturer.get_by_role("button", name="Ask").click()
    lecturer.get_by_role("button", name="Ask the class").click()
    student.get_by_role("radio", name="They stay wrong").click(timeout=WAIT)
    expect(lecturer.get_by_text("1 answer, open")).to_be_visible(timeout=WAIT)
    expect(student.locator(".eunoe-poll")).to_have_count(0)
    lecturer.get_by_role("button", name="Reveal").click()
    expect(student.get_by_text("They stay wrong (yours)")).to_be_visible(timeout=WAIT)

    student.get_by_role("button", name="Leave").click()
    expect(student.get_by_role("button", name="Follow the lecturer")).to_be_visible(timeout=WAIT)
    student.get_by_role("slider", name=re.compile("Regularity")).press("End")
    expect(student).not_to_have_url(re.compile("regularity="), timeout=WAIT)
    expect(lecturer).to_have_url(re.compile(r"regularity=0\.0(&|$)"))
    expect(lecturer.get_by_text("1 student here, 0 follow")).to_be_visible(timeout=WAIT)

    student.get_by_role("button", name="Follow the lecturer").click()
    lecturer.goto(f"{class_server.url}/redirect")  # where a slider draws its part of the page alone
    expect(student).to_have_url(re.compile("/redirect"), timeout=WAIT)
    lecturer.get_by_role("slider", name=re.compile("Strength")).press("ArrowLeft", timeout=WAIT)
    expect(student).to_have_url(re.compile(r"strength=0\.95"), timeout=WAIT)
    expect(student.get_by_role("slider", name=re.compile("Strength"))).to_have_value("0.95", timeout=WAIT)
    assert seen.complaints == []


def test_what_a_browser_asks_of_the_page_before_changes_nothing(class_server: Server) -> None:
    lesson = importlib.import_module("benchmarks.measure.class")

    async def lag_behind() -> tuple[str, list[str]]:
        async with lesson.Session.on(urlsplit(class_server.url).port, "student.localhost") as student:
            start, bar = student.page, next(iter(student.fragments))
            await student.send(page_name="craft")
            assert await lesson.until(lambda: student.runs == 2)
            assert bar in student.fragments  # it stands in the same place of every page
            before = len(student.answers)
            await student.send(fragment_id=bar, page_script_hash=start)
            await student.send(fragment_id=bar)
            assert await lesson.until(lambda: student.page in student.answers[before:])
            return start, student.answers[before:]

    with ThreadPoolExecutor(1) as thread:  # this one has the event loop of the tests in a browser
        start, answers = thread.submit(lambda: asyncio.run(lag_behind())).result()
    assert answers
    assert start not in answers
