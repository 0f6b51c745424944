"""Files and functions short enough to be read in one go. ``pytest tests/walls/test_lengths.py -s`` prints the longest."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.walls.sources import CORE, FILES, ROOT, tree_of

MAX_FILE, MAX_FUNCTION = 300, 40
REM, MAX_REM = CORE / "methods" / "redirection" / "rem.py", 250


def functions(path: Path) -> list[tuple[int, str]]:
    """(lines of the body, name) of every function. The signature is declarative: a command's has a line for each option."""
    found = []
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
            found.append((lines, f"{path.relative_to(ROOT)}:{node.name}"))
    return found


def test_no_file_and_no_function_is_too_long_to_be_read_in_one_go() -> None:
    every = [*FILES, *(ROOT / "tests").rglob("*.py")]
    files = sorted(((len(path.read_text().splitlines()), str(path.relative_to(ROOT))) for path in every), reverse=True)
    longest = sorted((entry for path in FILES for entry in functions(path)), reverse=True)
    print("\nLines of the longest files and functions:", *files[:10], *longest[:10], sep="\n")
    assert [entry for entry in files if entry[0] > MAX_FILE] == []
    assert [entry for entry in longest if entry[0] > MAX_FUNCTION] == []


def test_rem_is_read_in_one_file() -> None:
    """Other files have its parameters, its safeguards and what several methods share."""
    assert len(REM.read_text().splitlines()) <= MAX_REM
    defined = {name.rpartition(":")[2] for _, name in functions(REM)}
    assert {"masks", "ascend_loss", "descend_loss", "go_round", "flush", "redirect", "loss"} <= defined
