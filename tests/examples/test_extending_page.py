"""The code on the page about extending is that of the example files, which are run."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "extending.md"
_MARK = r"<!-- not run: a copy of (?P<path>\S+), which tests/examples runs -->\n"
_COPY = re.compile(_MARK + r"```\w+\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_block_is_its_file() -> None:
    copies = {found["path"]: found["code"] for found in _COPY.finditer(PAGE.read_text())}
    files = [*(ROOT / "examples" / "plugin" / "files").glob("*.py"), *(ROOT / "examples" / "plugin").glob("*/method.py")]
    assert {str(path.relative_to(ROOT)) for path in files} <= set(copies)
    for path, code in copies.items():
        assert code.rstrip() == (ROOT / path).read_text().rstrip(), f"docs/extending.md shows another {path}"


def test_no_python_stands_on_the_page_that_is_in_no_file() -> None:
    text = PAGE.read_text()
    assert text.count("```python") == len([path for path in _COPY.findall(text) if path[0].endswith(".py")]) > 6
