"""The report of a comparison, saved from the page and opened without a network: everything that it says is in it."""

from __future__ import annotations

from pathlib import Path

from browsertools import Server, Tab
from playwright.sync_api import expect

SEEN = """() => ({
  drawn: [...document.querySelectorAll('figure[aria-label]')].map(f => f.querySelector('.main-svg')?.clientHeight ?? 0),
  tables: document.querySelectorAll('table').length,
  wide: document.documentElement.scrollWidth - innerWidth,
})"""


def test_a_saved_report_opens_offline_with_pictures_numbers_and_commands(
    gallery_server: Server, tab: Tab, tmp_path: Path
) -> None:
    page = tab.page
    page.goto(f"{gallery_server.url}/compare?tab=export")
    with page.expect_download(timeout=60_000) as saved:
        page.get_by_role("button", name="Report").click(timeout=60_000)
    target = tmp_path / "eunoe-report.html"
    saved.value.save_as(target)

    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.context.set_offline(True)
    try:
        page.goto(target.as_uri())
        expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible()
        expect(page.locator("pre").first).to_contain_text("run --dataset digits")
        for size in ({"width": 1280, "height": 720}, {"width": 390, "height": 844}):
            page.set_viewport_size(size)  # type: ignore[arg-type]
            page.wait_for_timeout(300)
            seen = page.evaluate(SEEN)
            assert len(seen["drawn"]) >= 3
            assert min(seen["drawn"]) > 100
            assert seen["tables"] >= 2
            assert seen["wide"] <= 0
    finally:
        page.context.set_offline(False)
    assert [address for address in asked if not address.startswith(("file:", "data:", "blob:"))] == []
    assert tab.complaints == []
