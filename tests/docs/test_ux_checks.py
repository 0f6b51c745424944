"""docs/ux-checks.md has a line for each point that is asked, and what it names as a check is there to be run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from doc_blocks import ROOT

from benchmarks.__main__ import commands

TEXT = (ROOT / "docs" / "ux-checks.md").read_text("utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in TEXT.splitlines() if re.match(r"\| \d", line)]


def names_in(place: Path) -> str:
    """The names of the tests of a file, or of a folder's files, one a line."""
    files = sorted(place.rglob("test_*.py")) if place.is_dir() else [place]
    return "\n".join(name for file in files for name in re.findall(r"^ *def (test_\w+)", file.read_text("utf-8"), re.M))


def test_every_point_has_a_line_with_a_check_and_its_outcome() -> None:
    assert [int(number) for number, *_ in ROWS] == list(range(1, 42))
    for number, asked, checked, outcome in ROWS:
        assert asked, number
        assert re.search(r"`(pytest tests/|python -m benchmarks run |\.ci/run)", checked), number
        assert len(outcome) >= 6, number


def test_what_is_named_as_a_check_is_there() -> None:
    """Every path, every benchmark, every word behind ``-k`` in the name of a test, and for every file one of them."""
    looked_at, gone = 0, []
    for number, _, checked, _ in ROWS:
        for command in map(shlex.split, re.findall(r"`([^`]+)`", checked)):
            if command[:4] == ["python", "-m", "benchmarks", "run"]:
                gone += [] if command[4] in commands("run") else [(number, command[4])]
            elif command[0] == "pytest":
                paths = [ROOT / word for word in command[1:] if word.startswith("tests/")]
                gone += [(number, str(path)) for path in paths if not path.exists()]
                named = [names_in(path) for path in paths if path.exists()]
                words = command[command.index("-k") + 1].split(" or ") if "-k" in command else ["test_"]
                gone += [(number, word) for word in words if not any(word in names for names in named)]
                gone += [(number, str(paths[k])) for k, names in enumerate(named) if not any(word in names for word in words)]
                looked_at += len(paths)
    assert gone == []
    assert looked_at > 41
