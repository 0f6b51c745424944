"""The table of docs/security.md on what an attacker tries: what ``python -m benchmarks run attacks`` found.

python -m benchmarks report attacks
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.paths import DOCS, RESULTS
from benchmarks.report.sections import markdown_table, write_section

PAGE = DOCS / "security.md"
START, END = "<!-- attacks, written by benchmarks report attacks -->", "<!-- end of attacks -->"
MODES = ("public", "read only", "default")


def rows(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[list[str]]:
    """One line for each attempt: who, what, and the outcome in every mode ("–" where it is not tried)."""
    tried = dict.fromkeys((one["kind"], one["what"]) for mode in MODES for one in found.get(mode, ()))
    by = {(mode, one["kind"], one["what"]): one for mode in MODES for one in found.get(mode, ())}
    return [[*attempt, *(outcome(by.get((mode, *attempt))) for mode in MODES)] for attempt in tried]


def outcome(one: Mapping[str, Any] | None) -> str:
    """What the server did, and in bold what the attacker reached."""
    if one is None:
        return "–"
    return f"**succeeded: {one['wrong']}**" if one["wrong"] else str(one["outcome"])


def main() -> None:
    found = json.loads((RESULTS / "attacks.json").read_text(encoding="utf-8"))
    count = sum(len(attempts) for attempts in found.values())
    succeeded = sum(bool(one["wrong"]) for attempts in found.values() for one in attempts)
    lines = [f"{count} attempts, of which {succeeded} succeeded.", ""]
    lines += markdown_table(["from", "what it tries", "`app --public`", "`--public --read-only`", "`app`"], rows(found))
    write_section(PAGE, START, lines, END)


if __name__ == "__main__":
    main()
