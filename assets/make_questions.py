"""Make docs/questions.md: what a lecturer asks, each with the view that answers it without scrolling, from questions.yaml.

Run from the repository's root: ``python assets/make_questions.py``. Every view is opened in a real browser, on an empty
store, in a window of 1280 × 720; the command fails where one of its texts does not lie inside the window. ``--text`` writes
the page alone.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TypedDict

import yaml
from playwright.sync_api import Page

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from assets.make_screenshots import opened, photograph  # noqa: E402

QUESTIONS, PAGE = ROOT / "assets" / "questions.yaml", ROOT / "docs" / "questions.md"
PICTURES = ROOT / "assets" / "screenshots" / "questions"
HEAD = """# Five questions of a lecture

Questions that come up in front of a class, each with the view that answers it without scrolling, on a fresh install, in a
window of 1280 × 720. A click on the address opens it in an app that runs on your computer. `python assets/make_questions.py`
writes this page: it opens every view in a browser and fails where a part of the answer is not on the screen.
"""
OUTSIDE = """wanted => {
  const plain = text => text.replace(/\\s+/g, ' ').trim();
  const boxes = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT);
  while (walker.nextNode()) {
    const box = walker.currentNode.getBoundingClientRect();
    if (box.width && box.height && box.top >= 0 && box.left >= 0 && box.bottom <= innerHeight && box.right <= innerWidth)
      boxes.push(plain(walker.currentNode.textContent));
  }
  return wanted.filter(text => !boxes.some(seen => seen.includes(text)));
}"""
"""Which of some texts stand in no element that lies in the window with all of its box."""


class Asked(TypedDict):
    """A question, its view as the part of an address, the answer in words, and texts that must be seen there."""

    name: str
    ask: str
    view: str
    answer: str
    seen: list[str]


def read_questions() -> list[Asked]:
    """The questions in their order."""
    found: list[Asked] = yaml.safe_load(QUESTIONS.read_text(encoding="utf-8"))
    return found


def written(questions: list[Asked]) -> str:
    """The page."""
    parts = [HEAD]
    for number, one in enumerate(questions, 1):
        picture = (PICTURES / f"{one['name']}.png").relative_to(ROOT)
        parts.append(
            f"## {number}. {one['ask']}\n\n{one['answer'].strip()}\n\n"
            f"<http://localhost:8501/{one['view']}>\n\n![The view: {one['ask']}](../{picture})\n"
        )
    return "\n".join(parts)


def unseen(page: Page, wanted: list[str]) -> list[str]:
    """Those of the texts that are not inside the window."""
    found: list[str] = page.evaluate(OUTSIDE, wanted)
    return found


def main() -> int:
    """Open each view, check what is seen, take its picture; then write the page."""
    parser = argparse.ArgumentParser(description="Make the page of questions and its pictures.")
    parser.add_argument("--text", action="store_true", help="write the page and open no browser")
    options = parser.parse_args()
    questions, missed = read_questions(), 0
    if not options.text:
        PICTURES.mkdir(parents=True, exist_ok=True)
        with opened() as (page, url):
            for one in questions:
                photograph(page, url + one["view"], PICTURES / f"{one['name']}.png")
                lacks = unseen(page, one["seen"])
                missed += len(lacks)
                print(f"{one['name']}: {'not on the screen: ' + '; '.join(lacks) if lacks else 'answered on the screen'}")
    PAGE.write_text(written(questions), encoding="utf-8")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
