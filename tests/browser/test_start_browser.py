"""The picture that moves: it plays, its sliders ask no server, it keeps still where motion is unwelcome, and it runs live."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from browsertools import Server, Tab
from playwright.sync_api import Page, WebSocket, expect

expect.set_options(timeout=30_000)
pytestmark = pytest.mark.browser

SUM = """canvas => { const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  let sum = 0; for (let k = 0; k < pixels.length; k++) sum = (31 * sum + pixels[k]) | 0;
  return [sum, new Set(pixels).size] }"""


READY = "() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"


def seen(page: Page, model: str) -> tuple[int, int]:
    """A checksum of what is drawn of one model, and of how many different numbers its pixels consist."""
    total, colors = page.locator(f"figure[data-model={model}] canvas").evaluate(SUM)
    return total, colors


def in_state(page: Page, state: str) -> None:
    expect(page.locator(f".start[data-state={state}]")).to_be_visible()


def counted(page: Page) -> Callable[[], int]:
    """How many frames about the picture the page has sent to the server since."""
    sent: list[object] = []
    page.on("websocket", lambda socket: listen(socket, sent))
    return lambda: len(sent)


def listen(socket: WebSocket, sent: list[object]) -> None:
    def note(frame: str | bytes) -> None:
        if b"start-picture" in (frame if isinstance(frame, bytes) else frame.encode()):  # others ask by the clock
            sent.append(frame)

    socket.on("framesent", note)


HELD = """(() => { let kept; Object.defineProperty(window, 'eunoeScenes',
  { get: () => window.letGo ? kept : undefined, set: (scenes) => { kept = scenes; } }); })()"""


def test_a_slider_that_is_moved_before_its_scene_has_come_gets_it_when_it_comes(gallery_server: Server, tab: Tab) -> None:
    page = tab.page.context.new_page()
    page.add_init_script(HELD)
    page.goto(gallery_server.url)
    in_state(page, "playing")
    sentence = page.locator(".sentence").inner_text()
    page.wait_for_function(READY)
    page.locator(".discovery").press("End")
    expect(page.locator(".sentence")).to_have_text(sentence)  # the picture goes on with what it has
    page.evaluate("() => { window.letGo = true; window.dispatchEvent(new Event('eunoe-scenes')); }")
    expect(page.locator(".discovery-word")).to_contain_text("60 of 60")
    expect(page.locator(".sentence")).not_to_have_text(sentence)


def test_it_moves_by_itself_and_its_sliders_ask_no_server(gallery_server: Server, tab: Tab) -> None:
    page = tab.page
    sent = counted(page)
    page.goto(gallery_server.url)
    in_state(page, "playing")
    assert seen(page, "rem")[1] > 20
    page.get_by_role("button", name="Pause").click()
    in_state(page, "paused")
    before, at = seen(page, "rem"), page.locator(".start").get_attribute("data-at") or ""
    assert seen(page, "rem") == before
    page.get_by_role("button", name="Play").click()
    expect(page.locator(".start")).not_to_have_attribute("data-at", at)
    page.locator(".scrub").press("End")
    in_state(page, "ended")
    assert seen(page, "rem") != before
    expect(page.get_by_text("Computes on").first).to_be_attached()
    page.wait_for_function(READY)

    told, sentence = sent(), page.locator(".sentence").inner_text()
    label = page.locator("figure[data-model=rem] canvas").get_attribute("aria-label") or ""
    assert re.search(r"REM: \d+ healed \d+ still wrong", label)
    page.locator(".discovery").press("End")
    expect(page.locator(".sentence")).not_to_have_text(sentence)
    page.locator(".regularity").press("Home")
    expect(page.locator(".regularity-word")).to_contain_text("random labels")
    assert page.locator("figure[data-model=rem] canvas").get_attribute("aria-label") != label
    assert sent() == told
    page.locator(".open button").last.click()
    expect(page).to_have_title("Compare – Eunoe")
    assert sent() > told
    assert tab.complaints == []


def test_it_keeps_still_where_motion_is_unwelcome(gallery_server: Server, tab: Tab) -> None:
    page = tab.page
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(reduced_motion="reduce", color_scheme="dark")
    page.goto(gallery_server.url)
    in_state(page, "ended")
    last = seen(page, "rem")
    page.wait_for_timeout(300)
    assert seen(page, "rem") == last
    page.get_by_role("button", name="From the start").click()
    in_state(page, "paused")
    page.get_by_role("button", name="Step").click()
    assert page.locator(".start").get_attribute("data-at") == "0.125"
    tops = [page.locator(".planes figure").nth(k).bounding_box() for k in range(3)]
    assert all(box for box in tops)
    assert tops[0]["y"] < tops[1]["y"] < tops[2]["y"]  # type: ignore[index]
    assert tab.complaints == []


def test_a_live_run_fills_the_same_picture(server: Server, tab: Tab) -> None:
    page = tab.page
    page.goto(server.url)
    in_state(page, "playing")
    page.get_by_role("button", name="Run it live").click()
    expect(page.locator(".sentence")).to_contain_text("Live, seed")
    expect(page.locator("figure[data-model=retrain] .how")).to_contain_text("epoch", timeout=120_000)
    expect(page.locator(".sentence")).to_contain_text("discovered", timeout=120_000)
    page.locator(".discovery").press("ArrowRight")
    expect(page.locator(".sentence")).not_to_contain_text("Live")
    assert tab.complaints == []


BURST = "section.burst"


def test_the_star_burst_plays_when_it_is_seen_and_follows_the_method(gallery_server: Server, tab: Tab) -> None:
    page = tab.page
    page.goto(gallery_server.url)
    in_state(page, "playing")
    assert page.locator(BURST).get_attribute("data-state") == "empty"  # nothing is unpacked before it is wanted
    page.locator(f"{BURST} canvas").last.scroll_into_view_if_needed()
    expect(page.locator(f"{BURST}[data-state=playing]")).to_be_visible()
    expect(page.locator(f"{BURST}[data-state=after]")).to_be_visible()
    right = page.locator(f"{BURST} [data-side=right]")
    expect(right.locator(".label")).to_have_text("REM")
    sentence, label = right.locator(".told").inner_text(), right.locator("canvas").get_attribute("aria-label")
    total, colors = right.locator("canvas").evaluate(SUM)
    assert colors > 20
    assert re.fullmatch(r"REM: \d+ of \d+ come home", label or "")
    page.get_by_role("button", name="Fine-tune").click()
    expect(right.locator(".told")).not_to_have_text(sentence)
    expect(page.get_by_role("button", name="Fine-tune")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(f"{BURST}[data-state=after]")).to_be_visible()
    assert right.locator("canvas").evaluate(SUM)[0] != total
    page.get_by_role("button", name="Open in Embedding").click()
    expect(page).to_have_title("Embedding – Eunoe")
    expect(page).to_have_url(re.compile(r"dataset=signs.*discovery=0\.1.*embedded=retrain%2Cfinetune.*went=on"))
    assert tab.complaints == []


def test_the_star_burst_keeps_still_where_motion_is_unwelcome(gallery_server: Server, tab: Tab) -> None:
    page = tab.page
    page.emulate_media(reduced_motion="reduce")
    page.goto(gallery_server.url)
    in_state(page, "ended")
    page.locator(f"{BURST} canvas").last.scroll_into_view_if_needed()
    expect(page.locator(f"{BURST}[data-state=after]")).to_be_visible()
    canvas = page.locator(f"{BURST} [data-side=right] canvas")
    after = canvas.evaluate(SUM)[0]
    page.wait_for_timeout(400)
    assert canvas.evaluate(SUM)[0] == after
    page.get_by_role("button", name="Before", exact=True).click()
    expect(page.locator(f"{BURST}[data-state=before]")).to_be_visible()
    assert canvas.evaluate(SUM)[0] != after
