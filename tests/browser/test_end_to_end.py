"""A newcomer's way through the app in a real browser, with the real engine."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path

import psutil
import pytest
from browsertools import Server, Tab
from playwright.sync_api import Locator, Page, expect

from unlearn_core import view_state as vs
from unlearn_core.results.gallery import gallery
from unlearn_core.store import Store

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]

WAIT = 200_000  # the demo takes half a minute; machines that run other things beside it take longer


def table(page: Page, models: int) -> dict[str, dict[str, str]]:
    """The first table of the page, once it has this many rows: model → column → text."""
    expect(page.get_by_test_id("stDataFrame").first).to_be_visible(timeout=WAIT)
    grid = page.get_by_test_id("stDataFrame").first.locator("table[role=grid]")
    expect(grid.locator("tbody tr")).to_have_count(models, timeout=30_000)
    rows: list[list[str]] = grid.evaluate(
        "grid => [...grid.querySelectorAll('tr')].map(row => [...row.querySelectorAll('th,td')].map(cell => cell.innerText))"
    )
    header = rows[0]
    cells = [dict(zip(header, row, strict=False)) for row in rows[1:]]
    return {row["Model"].split(maxsplit=1)[1]: row for row in cells}


def choose_next(page: Page, box: Locator) -> None:
    """Choose the next option of a select box; a picture that is still settling may close the list once."""
    for _ in range(10):
        box.press("ArrowDown")
        page.wait_for_timeout(500)
        if page.get_by_role("option").count():
            box.press("ArrowDown")
            box.press("Enter")
            return
    raise AssertionError("the list of options did not open")


def share(text: str) -> float:
    return float(re.sub(r"[^\d.]", "", text))


class Chosen:
    """A store that takes the demo's runs of these methods alone; whatever else is offered it pretends to have."""

    def __init__(self, place: Path, *methods: str) -> None:
        state = vs.default_state()
        self.store, task = Store.open(place), vs.to_scenario(state)
        self.wanted = {task.run_key(spec) for spec in vs.to_methods(state) if spec.name in methods}
        self.put = self.store.put

    def has(self, keys: Iterable[str]) -> set[str]:
        return set(keys) - self.wanted


def labels(links: Locator) -> list[str]:
    """The words of links, without the names of their icons."""
    return [link.inner_text().splitlines()[-1].strip() for link in links.all()]


def test_a_deep_link_is_the_first_thing_a_fresh_server_sees(server: Server, tab: Tab) -> None:
    page = tab.page
    page.goto(f"{server.url}/craft?discovery=7&zzz=1")
    expect(page.get_by_text("nearest possible value")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("86 of 86 corrupted examples are known")).to_be_visible(timeout=30_000)
    page.get_by_role("slider", name=re.compile("Discovery rate")).press("ArrowLeft")
    expect(page.get_by_text("85 of 86 corrupted examples are known")).to_be_visible(timeout=30_000)
    expect(page).to_have_url(re.compile(r"discovery=0\.99"))
    names = labels(page.get_by_role("navigation").get_by_role("link"))
    for section in ("Look inside", "Debug"):
        page.get_by_role("navigation").get_by_text(section, exact=True).click()
        inside = page.get_by_test_id("stTopNavDropdownLink")
        expect(inside.first).to_be_visible()
        names += labels(inside)
        page.keyboard.press("Escape")
        expect(inside).to_have_count(0)
    pages = re.findall(r'st\.Page\(.*?title="([^"]+)"', (ROOT / "app.py").read_text())
    assert names == pages
    expect(page.locator(".eunoe-card img")).to_have_count(36)  # before, the change, after
    assert tab.complaints == []


def test_from_the_demo_to_a_copied_link(server: Server, tab: Tab) -> None:
    """The two methods that train from scratch and NPO, most of the demo's work, come from the gallery."""
    known, page = gallery(ROOT / "assets" / "gallery"), tab.page
    assert known is not None
    known.adopt(Chosen(server.store, "retrain", "oracle_retrain", "npo"))
    page.goto(server.url)
    expect(page.get_by_role("button", name="Run the demo")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("Nothing is drawn before it is computed")).to_be_visible()
    page.get_by_role("button", name="Run the demo").click()
    expect(page.get_by_text(re.compile(r"of 6 stages")).first).to_be_visible(timeout=30_000)
    page.reload()  # which may take as long as the two methods that are left
    expect(page.get_by_text(re.compile(r"of 6 stages|3 · Heal")).first).to_be_visible(timeout=30_000)

    # The table fills one run at a time; the demo's button is gone for good once everything is stored.
    expect(page.get_by_text("3 · Heal")).to_be_visible(timeout=WAIT)
    expect(page.get_by_text("Look for the top right")).to_be_visible(timeout=WAIT)
    assert page.get_by_text("failed.").count() == 0
    rows = table(page, 6)
    assert {"Original", "Fine-tune", "NPO", "Retrain", "Oracle", "REM"} == set(rows)
    healed = {name: share(row["Healed"]) for name, row in rows.items()}
    assert healed["REM"] > healed["Fine-tune"]
    assert healed["REM"] > healed["Retrain"]

    page.get_by_role("button", name="Open the demo in Compare").click()
    expect(page.get_by_role("heading", name="Compare methods")).to_be_visible(timeout=30_000)
    # The engine's line ends the page: once it is there, nothing is drawn any more that would close an open list.
    expect(page.get_by_text(re.compile("^Computes on"))).to_be_visible(timeout=30_000)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=30_000)
    choose = page.get_by_role("combobox", name=re.compile("Metric over time"))
    choose_next(page, choose)
    expect(page).to_have_url(re.compile("metric="), timeout=30_000)
    page.get_by_role("button", name="Share").click()
    link = page.get_by_test_id("stCode").first.inner_text().strip()
    assert link.startswith(server.url)
    assert "metric=" in link

    page.goto("about:blank")
    page.goto(link)
    expect(page.get_by_text("All cached")).to_be_visible(timeout=30_000)
    again = table(page, 6)
    assert {name: row["Healed"] for name, row in again.items()} == {name: row["Healed"] for name, row in rows.items()}
    assert tab.complaints == []


def test_a_killed_worker_is_said_and_the_run_goes_on(server: Server, tab: Tab) -> None:
    page = tab.page
    page.goto(f"{server.url}/compare?dataset=digits&training.epochs=400&methods=finetune,npo&finetune.epochs=1")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text(re.compile(r"running · \d+ of \d+ steps")).first).to_be_visible(timeout=30_000)
    computing(server.store).kill()
    expect(page.get_by_text(re.compile("worker lost, started again|worker process ended")).first).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("The run was cancelled")).to_be_visible(timeout=30_000)
    assert tab.complaints == []


def computing(store: Path) -> psutil.Process:
    """The process that holds a stage of this store. Not the busiest: a worker that starts beside it is busy as well."""
    with contextlib.closing(sqlite3.connect(store / "lethe.sqlite")) as db:
        for _ in range(200):  # between two stages none is held
            if (row := db.execute("SELECT place FROM leases").fetchone()) is not None:
                return psutil.Process(int(row[0].split()[1]))
            time.sleep(0.05)
    raise AssertionError("no stage is held")
