"""Links between the documents lead somewhere, as they stand in the repository, and the tests that they name are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from doc_blocks import PAGES, ROOT

_LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s]*)\)")
TESTS = ROOT / "tests"
_CODE = re.compile(r"^ *```.*?^ *```|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and the site make them."""
    text = re.sub(r"^ *```.*?^ *```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    heads = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    dead = []
    for link in _LINK.findall(_CODE.sub("", page.read_text(encoding="utf-8"))):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    assert dead == []


def test_every_test_that_is_named_is_there() -> None:
    """In `code`, as a proof of what the sentence says: ``test_file.py``, ``test_file.py::test_name`` or ``…::test_name``."""
    files = {
        path.name: set(re.findall(r"^ *def (test_\w+)", path.read_text("utf-8"), re.M)) for path in TESTS.rglob("test_*.py")
    }
    tests, parameters, gone = set().union(*files.values()), {"test_limit", "test_share"}, []
    for page in PAGES:
        for code in re.findall(r"`([^`\n]*\btest_[^`\n]*)`", page.read_text("utf-8")):
            for file, name in re.findall(r"(test_\w+\.py)?(?:::)?(test_\w+)?", code):
                if file and (file not in files or (name and name not in files[file])):
                    gone.append(f"{page.name}: {file} {name}")
                elif name and not file and name not in tests | parameters and f"{name}.py" not in files:
                    gone.append(f"{page.name}: {name}")
    assert gone == []


@pytest.mark.parametrize("name", ["reliability.md", "security.md"])
def test_every_promise_of_a_table_names_its_test(name: str) -> None:
    """A table whose last column is headed "test": every row of it names one, which the test above looks for."""
    untested, rows, last = [], 0, ""
    for line in (ROOT / "docs" / name).read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            last = ""
        elif set(cells[-1]) <= {"-"}:
            continue
        elif not last:
            last = "test" if cells[-1].startswith("test") else "other"
        elif last == "test":
            rows += 1
            untested += [] if re.search(r"`[^`]*\btest_\w+[^`]*`", cells[-1]) else [cells[0]]
    assert untested == []
    assert rows >= {"reliability.md": 45, "security.md": 4}[name]


def test_every_page_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[2]
    missing = [page.name for page in (ROOT / "docs").glob("*.md") if page.name not in re.findall(r"[\w-]+\.md", navigation)]
    assert missing == []
