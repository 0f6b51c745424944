"""What a person expects of any page: one press of Back, decimal commas, a title for each tab, texts that can be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest
from browsertools import Server, Tab
from playwright.sync_api import Browser, Page, expect

expect.set_options(timeout=30_000)
READY = "() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"
FAINT = """() => {
  const luminance = c => {
    const p = c.map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
    return .2126 * p[0] + .7152 * p[1] + .0722 * p[2];
  };
  const numbers = text => (text.match(/[\\d.]+/g) || []).map(Number);
  // The number of a slider is inside its thumb, and stands above it: the thumb is not behind it.
  const over = (a, b) => b.left < a.right && b.right > a.left && b.top < a.bottom && b.bottom > a.top;
  const behind = e => {
    const text = e.getBoundingClientRect();
    for (; e; e = e.parentElement) {
      const c = numbers(getComputedStyle(e).backgroundColor);
      if (e.closest('[data-testid=stSlider]') && !over(text, e.getBoundingClientRect())) continue;
      if (c.length && (c.length < 4 || c[3] > .5)) return c.slice(0, 3);
    }
    return [255, 255, 255];
  };
  const shown = e => { let o = 1; for (; e; e = e.parentElement) o *= parseFloat(getComputedStyle(e).opacity); return o; };
  const found = [];
  // Texts of the page and of charts' axes, legends and captions; what is written on coloured cells has a test of its own.
  const wanted = '.xtick text, .ytick text, .xtitle, .ytitle, .legendtext, .annotation-text, p, h2, h3, h4, th, td, a span';
  for (const e of document.querySelectorAll(wanted)) {
    const words = e.textContent.trim(), svg = e instanceof SVGElement, style = getComputedStyle(e);
    if (!words || !e.getClientRects().length || e.closest('[disabled]')) continue;
    if (shown(e) === 0) continue;  // the ends of a slider, until it is pointed at
    const c = numbers(svg ? style.fill : style.color), back = behind(svg ? e.closest('svg').parentElement : e);
    const alpha = (c.length > 3 ? c[3] : 1) * shown(e) * (svg ? parseFloat(style.fillOpacity) : 1);
    const seen = c.slice(0, 3).map((v, k) => v * alpha + back[k] * (1 - alpha));
    const [high, low] = [luminance(seen), luminance(back)].sort((a, b) => b - a);
    if ((high + .05) / (low + .05) < 4.5) found.push(words.slice(0, 40) + ' ' + ((high + .05) / (low + .05)).toFixed(2));
  }
  return found;
}"""

AT_REST = "() => document.getAnimations().every(one => one.playState !== 'running')"


@pytest.fixture
def german(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 720}, locale="de-DE")
    yield context.new_page()
    context.close()


def settled(page: Page) -> None:
    page.wait_for_timeout(300)
    page.wait_for_function(READY)
    page.wait_for_timeout(300)


def test_back_needs_one_press_and_every_tab_has_its_title(server: Server, tab: Tab) -> None:
    page = tab.page
    page.goto(f"{server.url}/craft?seed=3")
    expect(page).to_have_title("Craft – Eunoe")
    settled(page)
    page.wait_for_function("() => window.settledInBrowser")  # the page's own script comes a moment after the page
    page.get_by_role("link", name="Compare").first.click()
    expect(page).to_have_title("Compare – Eunoe")
    expect(page).to_have_url(f"{server.url}/compare?seed=3")
    settled(page)
    page.go_back()
    expect(page).to_have_url(f"{server.url}/craft?seed=3")
    expect(page.get_by_text("Craft a corruption")).to_be_visible()
    page.go_forward()
    expect(page).to_have_url(f"{server.url}/compare?seed=3")


def test_a_decimal_comma_is_a_decimal_point(server: Server, german: Page) -> None:
    page = german
    page.goto(f"{server.url}/craft")
    settled(page)
    page.get_by_text("Training recipe").click()
    field = page.locator('input[aria-label="Learning rate"]')
    expect(field).to_be_visible()
    field.click()
    field.press("Control+a")
    field.type("0,02")
    expect(field).to_have_value("0.02")
    field.press("Enter")
    page.wait_for_url("**/craft?training.learning_rate=0.02")
    settled(page)

    field.click()
    field.press("Control+a")
    paste = """(e, text) => { const data = new DataTransfer(); data.setData('text', text);
      e.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true})) }"""
    field.evaluate(paste, "1.000,5")  # what this means cannot be told: nothing is pasted
    expect(field).to_have_value("0.02")
    field.evaluate(paste, "0,03")
    expect(field).to_have_value("0.03")
    field.press("Enter")
    page.wait_for_url("**/craft?training.learning_rate=0.03")


def test_the_dialog_for_teachers_is_not_covered(server: Server, tab: Tab) -> None:
    page = tab.page
    page.goto(f"{server.url}/compare")
    page.get_by_role("button", name="Share").click()
    page.get_by_role("button", name="Hide or lock controls").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("The link", exact=True)).to_be_visible()
    expect(page.get_by_text("Link to this view")).to_be_hidden()
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(server: Server, tab: Tab, scheme: Literal["light", "dark"]) -> None:
    page = tab.page
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme=scheme)
    for name in ("craft", "boundary", "own"):
        page.goto(f"{server.url}/{name}")
        if name == "craft":
            expect(page.locator(".js-plotly-plot .xtitle").first).to_be_attached()
        settled(page)
        page.wait_for_function(AT_REST)
        assert page.evaluate(FAINT) == [], name
        if name == "craft":
            slider = page.get_by_test_id("stSlider").first
            slider.hover()
            expect(slider.get_by_test_id("stSliderTickBar")).to_have_css("opacity", "1")
            assert slider.locator("p:visible").count() == 4  # its name, its number, and its two ends
            assert page.evaluate(FAINT) == []


def test_the_menu_on_a_phone_says_what_it_is(server: Server, tab: Tab) -> None:
    """To a screen reader, and by the keyboard: a group of links with groups in it, each of which opens and closes."""
    page = tab.page
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{server.url}/craft")
    settled(page)
    page.get_by_test_id("stExpandSidebarButton").click()
    pages = page.get_by_role("group", name="Pages")
    expect(pages.get_by_role("link")).to_have_count(10)
    expect(pages.get_by_role("listitem")).to_have_count(0)
    inside = pages.get_by_role("group", name="Look inside")
    expect(inside.get_by_role("link")).to_have_count(4)
    head = inside.get_by_role("button", name="Look inside")
    expect(head).to_have_attribute("aria-expanded", "true")
    head.press("Enter")
    expect(head).to_have_attribute("aria-expanded", "false")
    expect(inside.get_by_role("link")).to_have_count(0)
    head.press(" ")
    inside.get_by_role("link", name="Heatmap").click()
    expect(page).to_have_title("Heatmap – Eunoe")
