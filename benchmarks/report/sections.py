"""Parts of a document that a command writes, between two marks, the rest being written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

END = "<!-- end -->"


def write_section(page: Path, start: str, lines: Sequence[str], end: str = END) -> None:
    """Put ``lines`` between the marks ``start`` and ``end`` of ``page``; raises ValueError where it lacks one of them."""
    before, found, rest = page.read_text(encoding="utf-8").partition(start)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{page.name} has no {start if not found else end!r}.")
    page.write_text("\n".join([before + start, *lines, end + after]), encoding="utf-8")
    print(f"{page.name} written")


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table in Markdown, and the empty line after it."""
    return [f"| {' | '.join(head)} |", "|---" * len(head) + "|", *(f"| {' | '.join(row)} |" for row in rows), ""]
