"""Your own in a real browser: a path entered, the overview seen, a list handed over, and on to Compare."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from browsertools import Server, Tab
from own_data.owntools import make_photos, write_list
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_from_a_folder_to_compare(server: Server, tab: Tab, tmp_path: Path) -> None:
    photos, page = make_photos(tmp_path / "photos"), tab.page
    listed = write_list(tmp_path / "found wrong.csv", labels=True)
    page.goto(f"{server.url}/own")
    expect(page.get_by_text("Enter a path, or hand over")).to_be_visible(timeout=60_000)
    field = page.get_by_role("textbox", name="Where your images are")
    field.fill(str(photos))
    field.press("Enter")
    expect(page.get_by_text("30 of 30 training images and 15 of 15 test images")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("No problems found.")).to_be_visible(timeout=30_000)
    page.wait_for_selector(".js-plotly-plot .barlayer", timeout=30_000)
    expect(page.locator(".eunoe-own img")).to_have_count(24, timeout=30_000)
    expect(page.get_by_role("button", name="Compare methods")).to_be_disabled(timeout=30_000)
    expect(page).to_have_url(re.compile(r"corruption=found"), timeout=30_000)

    page.locator("input[type=file]").last.set_input_files(str(listed))
    expect(page.get_by_text("training images are held to be wrong")).to_be_visible(timeout=30_000)
    expect(page).to_have_url(re.compile(r"forget=\w{12}"), timeout=30_000)
    page.get_by_role("button", name="Compare methods").click()
    expect(page.get_by_text("labels as found · 4 in an edited forget set")).to_be_visible(timeout=60_000)
    expect(page).to_have_url(re.compile(r"/compare\?.*corruption=found"), timeout=30_000)
    assert tab.complaints == []
