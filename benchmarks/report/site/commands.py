"""The page of the command line, from the commands' own help."""

from __future__ import annotations

import re
from typing import Any

import typer

from benchmarks.report.site.text import prose, table
from unlearn_core.cli import app

HEAD = """# Commands

`eunoe COMMAND …` and `python -m unlearn_core COMMAND …` are the same. Bad input gets one sentence and the exit code 2; a run
that failed gives 1, one that was interrupted 130. `--set` takes the keys of [Options](options.md).
"""


def page() -> str:
    """The whole page."""
    group: Any = typer.main.get_command(app)
    root = group.make_context("eunoe", ["--help-is-not-asked-for"], resilient_parsing=True)
    return "\n".join([HEAD, *(line for name, command in group.commands.items() for line in section(name, command, root))])


def section(name: str, command: Any, root: Any) -> list[str]:
    """One command: what it does, and its options."""
    context = command.make_context(name.split()[-1], [], parent=root, resilient_parsing=True)
    records = [record for parameter in command.get_params(context) if (record := parameter.get_help_record(context))]
    rows = [(f"`{_option(words)}`", prose(" ".join(text.split()))) for words, text in records]
    lines = [f"## {name}", "", prose(" ".join((command.help or "").split())), "", *table(("option", "meaning"), rows)]
    below = getattr(command, "commands", {})  # of a group, such as `store`
    return [*lines, *(line for part, one in below.items() for line in section(f"{name} {part}", one, context))]


def _option(words: str) -> str:
    """An option as it is typed, such as "--seed <int>"; a bar between alternatives would end the cell of a table."""
    return re.sub(r"\s+", " ", words).replace("|", "/")
