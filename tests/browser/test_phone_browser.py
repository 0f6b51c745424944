"""On a phone: no texts of a picture meet or are cut, only a picture's own frame scrolls sideways, and a finger scrolls it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from browsertools import Server, Tab
from playwright.sync_api import CDPSession, Page, ViewportSize, expect

PHONE: ViewportSize = {"width": 390, "height": 844}
READY = "() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"
FAULTS = """() => {
  const shown = t => t.textContent.trim() && t.getBoundingClientRect().width > 0 && !t.closest('.modebar, .hoverlayer')
    && getComputedStyle(t).visibility !== 'hidden';
  // Corners of a text as it is turned: the box around one that slants would meet its neighbours.
  const corners = t => {
    const b = t.getBBox(), m = t.getScreenCTM();
    return [[b.x, b.y], [b.x + b.width, b.y], [b.x + b.width, b.y + b.height], [b.x, b.y + b.height]]
      .map(([x, y]) => [m.a * x + m.c * y + m.e, m.b * x + m.d * y + m.f]);
  };
  const apart = (one, other) => [one, other].some(box => [0, 1].some(side => {
    const across = [box[side + 1][1] - box[side][1], box[side][0] - box[side + 1][0]], long = Math.hypot(...across) || 1;
    const along = corner => (corner[0] * across[0] + corner[1] * across[1]) / long;
    const a = one.map(along), b = other.map(along);
    return Math.max(...a) < Math.min(...b) + 1.5 || Math.max(...b) < Math.min(...a) + 1.5;
  }));
  const found = [];
  for (const plot of document.querySelectorAll('.js-plotly-plot')) {
    const frame = plot.getBoundingClientRect(), texts = [...plot.querySelectorAll('svg text')].filter(shown);
    const boxes = texts.map(corners), words = texts.map(t => t.textContent.trim());
    boxes.forEach((box, k) => {
      for (let j = 0; j < k; j++) if (!apart(box, boxes[j])) found.push(`${words[j]} meets ${words[k]}`);
      if (box.some(([x, y]) => x < frame.left - 1 || x > frame.right + 1 || y < frame.top - 1 || y > frame.bottom + 1))
        found.push(`${words[k]} is cut`);
      if (parseFloat(getComputedStyle(texts[k]).fontSize) < 9) found.push(`${words[k]} is tiny`);
    });
  }
  const page = document.querySelector('[data-testid=stMain]');
  if (page.scrollWidth > page.clientWidth || document.documentElement.scrollWidth > innerWidth) found.push('the page is wide');
  return found;
}"""
PLACES = """() => { const frame = document.querySelector('.st-key-figure-grid'), name = frame.querySelector('.ytick text');
  return {across: frame.scrollLeft, down: document.querySelector('[data-testid=stMain]').scrollTop,
    more: frame.scrollWidth - frame.clientWidth, names: name.getBoundingClientRect().right,
    said: getComputedStyle(frame, '::before').content}; }"""


LASSO = "() => document.querySelector('.st-key-figure-embedding .js-plotly-plot')._fullLayout.dragmode === 'lasso'"


@pytest.fixture
def phone(tab: Tab) -> Iterator[Page]:
    """The page in a phone's size, with a finger; the next test has the mouse again."""
    tab.page.set_viewport_size(PHONE)
    session = tab.page.context.new_cdp_session(tab.page)
    session.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    usual = tab.page.evaluate("navigator.userAgent")
    session.send("Emulation.setUserAgentOverride", {"userAgent": f"{usual} Mobile"})
    yield tab.page
    session.send("Emulation.setTouchEmulationEnabled", {"enabled": False})
    session.send("Emulation.setUserAgentOverride", {"userAgent": usual})
    session.detach()
    assert tab.complaints == []


def drawn(page: Page, address: str, figure: str) -> None:
    """Open a page and wait until the picture and the script are done."""
    page.goto(address)
    expect(page.locator(f".st-key-figure-{figure} .js-plotly-plot .main-svg").first).to_be_attached(timeout=60_000)
    page.wait_for_function(READY, timeout=60_000)
    page.wait_for_timeout(800)  # pictures take their width once the page stands


@pytest.mark.parametrize(
    ("address", "figure"),
    [
        ("heatmap?dataset=signs&tasks=kinds&discovery=0.1", "grid"),
        ("craft", "plane"),
        ("", "start-scatter"),
        ("boundary", "boundary"),
        ("embedding?went=on", "went"),
        ("embedding", "embedding"),
        ("compare", "scatter"),
        ("compare?tab=classes", "confusion"),
        ("compare?tab=cost", "difference"),
        ("redirect?r_part=changes", "changed-layers"),
    ],
)
def test_no_texts_meet_and_the_page_stays_as_wide_as_the_window(
    gallery_server: Server, phone: Page, address: str, figure: str
) -> None:
    drawn(phone, f"{gallery_server.url}/{address}", figure)
    assert phone.evaluate(FAULTS) == []


def test_a_finger_on_a_wide_picture_scrolls_it_and_the_page_and_a_tap_is_a_click(gallery_server: Server, phone: Page) -> None:
    drawn(phone, f"{gallery_server.url}/heatmap?rows=stored", "grid")
    assert phone.evaluate(FAULTS) == []
    expect(phone.locator(".st-key-figure-grid .modebar").first).to_be_hidden()
    phone.locator(".st-key-figure-grid").evaluate("frame => frame.scrollIntoView()")
    phone.wait_for_timeout(300)
    before: dict[str, Any] = phone.evaluate(PLACES)
    assert "Wider than this window" in before["said"]
    finger = phone.context.new_cdp_session(phone)
    swipe(phone, finger, (330, 500), (-250, 0))
    after = phone.evaluate(PLACES)
    assert after["across"] > 100
    assert 60 < after["names"] <= before["names"] + 1 <= PHONE["width"], "names of rows stay in view"
    swipe(phone, finger, (250, 400), (0, 200))
    assert phone.evaluate(PLACES)["down"] < before["down"] - 50
    at_rest(phone)
    swipe(phone, finger, tuple(phone.evaluate(CELL)), (0, 0))
    expect(phone).to_have_url(re.compile("cell="))
    expect(phone.get_by_text("The runs of one cell")).to_be_attached()
    phone.wait_for_function(READY)
    assert phone.evaluate(PLACES)["across"] == pytest.approx(after["across"], abs=2), "drawn anew, it stays where it was"


@pytest.mark.parametrize(
    ("address", "figure"), [("boundary", "boundary"), ("embedding", "embedding"), ("embedding?went=on", "went")]
)
def test_panels_stand_below_one_another(gallery_server: Server, phone: Page, address: str, figure: str) -> None:
    drawn(phone, f"{gallery_server.url}/{address}", figure)
    frame = phone.locator(f".st-key-figure-{figure}")
    assert frame.evaluate("frame => frame.scrollWidth - frame.clientWidth") == 0
    titles = [box for one in frame.locator(".infolayer .annotation").all() if (box := one.bounding_box()) is not None]
    panels = [box for box in titles if abs(box["x"] + box["width"] / 2 - PHONE["width"] / 2) < 40]
    assert len({round(box["y"]) for box in panels}) == len(panels) >= 2


def test_a_lasso_is_drawn_with_a_finger_once_one_says_so(gallery_server: Server, phone: Page) -> None:
    drawn(phone, f"{gallery_server.url}/embedding", "embedding")
    plot = phone.locator(".st-key-figure-embedding .js-plotly-plot")
    assert plot.evaluate("plot => plot._fullLayout.dragmode") == "pan"  # in which a finger scrolls
    phone.get_by_text("Lasso with a finger").click()
    phone.wait_for_function(LASSO, timeout=30_000)
    phone.wait_for_function(READY, timeout=30_000)
    area = plot.locator(".nsewdrag").first
    area.scroll_into_view_if_needed()
    phone.wait_for_timeout(500)
    box = area.bounding_box()
    assert box is not None
    finger = phone.context.new_cdp_session(phone)
    corners = [(0.1, 0.1), (0.9, 0.1), (0.9, 0.6), (0.1, 0.6), (0.1, 0.12)]
    points = [{"x": box["x"] + a * box["width"], "y": box["y"] + b * box["height"]} for a, b in corners]
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": points[:1]})
    for before, after in pairwise(points):
        for share in (0.25, 0.5, 0.75, 1.0):
            point = {axis: before[axis] + share * (after[axis] - before[axis]) for axis in ("x", "y")}
            finger.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
            phone.wait_for_timeout(16)
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(phone.get_by_text(re.compile(r"^[\d,]+ of 1,437 examples"))).to_be_attached(timeout=30_000)


def test_on_a_screen_nothing_of_it_is_seen(gallery_server: Server, tab: Tab) -> None:
    drawn(tab.page, f"{gallery_server.url}/heatmap", "grid")
    places = tab.page.evaluate(PLACES)
    assert (places["more"], places["said"]) == (0, "none")
    assert tab.page.evaluate(FAULTS) == []


@pytest.mark.parametrize(
    ("address", "figure"), [("compare", "scatter"), ("craft", "plane"), ("boundary", "boundary"), ("embedding?went=on", "went")]
)
def test_no_texts_meet_on_a_screen(gallery_server: Server, tab: Tab, address: str, figure: str) -> None:
    drawn(tab.page, f"{gallery_server.url}/{address}", figure)
    assert tab.page.evaluate(FAULTS) == []
    assert tab.complaints == []


CELL = """() => {
  const middle = box => [Math.round(box.x + box.width / 2), Math.round(box.y + box.height / 2)];
  const cells = [...document.querySelectorAll(".st-key-figure-grid .bars .point path")];
  const places = cells.map(cell => middle(cell.getBoundingClientRect())).filter(([x, y]) =>
    x > innerWidth / 2 && x < innerWidth - 30 && y > 150 && y < innerHeight - 150);
  return places[Math.floor(places.length / 2)];
}"""
"""The middle of a cell that is in view, away from the names of the rows and from what lies over the page's edges. However far a
swipe takes the page, there is one."""


def at_rest(page: Page) -> None:
    """Wait until nothing scrolls any more: a finger put down before that stops the page, and is no click."""
    while (before := page.evaluate(PLACES)) != (page.wait_for_timeout(250), page.evaluate(PLACES))[1]:
        assert before


def swipe(page: Page, finger: CDPSession, start: tuple[int, int], way: tuple[int, int]) -> None:
    """Put a finger down, draw it along if it has a way to go, lift it."""
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": start[0], "y": start[1]}]})
    for k in range(1, 9) if any(way) else ():
        point = {"x": start[0] + way[0] * k / 8, "y": start[1] + way[1] * k / 8}
        finger.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
        page.wait_for_timeout(16)
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_timeout(500)
