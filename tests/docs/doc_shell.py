"""Lines of shell as words, and whether what they ask for exists: commands, options, files, tests. Nothing is run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import Any

import typer
from doc_blocks import ROOT

from benchmarks.__main__ import commands as laboratory
from unlearn_core.cli import app
from unlearn_core.datasets import registry as datasets
from unlearn_core.methods import registry as methods

CLI: Any = typer.main.get_command(app)
STARTS = (["eunoe"], ["python", "-m", "unlearn_core"])


def commands(text: str) -> list[list[str]]:
    """The words of every command of a block: comments and assignments in front are taken off, && and ; separate."""
    found: list[list[str]] = []
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        words = shlex.split(line, comments=True)
        while words:
            end = next((k for k, word in enumerate(words) if word in ("&&", ";", "|")), len(words))
            command, words = words[:end], words[end + 1 :]
            while command and re.fullmatch(r"[A-Z_]+=.*", command[0]):
                command = command[1:]
            if command and command[0] not in ("export", "cd"):
                found.append(command)
    return found


def cli_words(command: list[str]) -> list[str] | None:
    """What follows ``eunoe`` or ``python -m unlearn_core``; None for another program."""
    start = next((start for start in STARTS if command[: len(start)] == start), None)
    return None if start is None else command[len(start) :]


def fault(command: list[str]) -> str:
    """What is wrong with a command, in words; empty where nothing is, or where all it needs is there."""
    words = cli_words(command)
    if words is not None:
        return fault_of_cli([word for word in words if not word.startswith("$")])
    check = next((check for start, check in KNOWN.items() if command[: len(start)] == list(start)), None)
    if check is None:
        return f"no test knows {command[0]!r}: mark the block with the reason why it is not run"
    return check(command)


def fault_of_cli(words: list[str]) -> str:
    """Parse a command line of the product without running it, and look up the names that it gives."""
    at = next((k for k, word in enumerate(words) if word in CLI.commands), None)
    if at is None and not (words and words[0].startswith("-")):
        return f"there is no command {words[0]!r}" if words else ""
    try:
        root = CLI.make_context("eunoe", words[: at if at is not None else len(words)] + (["run"] if at is not None else []))
        if at is None:
            return ""
        command, rest = CLI.commands[words[at]], words[at + 1 :]
        while rest and rest[0] in getattr(command, "commands", {}):  # a group, such as `store du`
            command, rest = command.commands[rest[0]], rest[1:]
        given = command.make_context(words[at], rest, parent=root).params
    except typer.Exit:  # an option that only prints, such as --version
        return ""
    except Exception as error:  # noqa: BLE001  # typer's own complaint, whichever click it carries
        return str(error.format_message() if hasattr(error, "format_message") else error)
    return "" if "--plugin" in words else _unknown_names(given)


def _unknown_names(given: dict[str, Any]) -> str:
    named = [name.strip() for name in str(given.get("methods") or given.get("method") or "").split(",") if name.strip()]
    strange = [name for name in named if name not in methods and name.islower()]
    dataset = given.get("dataset")
    if dataset and dataset.islower() and dataset not in datasets:
        strange.append(dataset)
    return f"unknown names: {strange}" if strange else ""


def _docker(command: list[str]) -> str:
    """What an image is made of must be there; what the image "eunoe" is told is a command line of the product."""
    needed = "compose.yaml" if command[1:2] == ["compose"] else "Dockerfile"
    if not (ROOT / needed).exists():
        return f"missing: {needed}"
    told = command[command.index("eunoe") + 1 :] if command[1:2] == ["run"] and "eunoe" in command else []
    return fault_of_cli(told)


def _files(command: list[str]) -> str:
    """Files named after -r or by ``streamlit run``, and test files, must be there."""
    names = [command[k + 1] for k, word in enumerate(command[:-1]) if word in ("-r", "run")]
    missing = [name for name in names if not (ROOT / name).exists()]
    return f"missing: {missing}" if missing else ""


def _tests(command: list[str]) -> str:
    paths = [word.partition("::")[0] for word in command[1:] if "/" in word and "<" not in word]
    missing = [path for path in paths if not (ROOT / path).exists()]
    return f"missing: {missing}" if missing else ""


def _benchmark(command: list[str]) -> str:
    words = command[3:]
    if len(words) < 2:
        return "" if words in (["list"], ["report"]) else f"unknown: {words}"
    return "" if words[0] in ("run", "report") and words[1] in laboratory(words[0]) else f"there is no {' '.join(words[:2])}"


def _fine(command: list[str]) -> str:
    return ""


KNOWN: dict[tuple[str, ...], Callable[[list[str]], str]] = {
    ("pip", "install"): _files,
    ("streamlit", "run"): _files,
    ("pytest",): _tests,
    ("python", "-m", "pytest"): _tests,
    ("python", "-m", "benchmarks"): _benchmark,
    ("python", "-m", "venv"): _fine,
    (".", ".venv/bin/activate"): _fine,
    ("docker",): _docker,
    ("pip-audit",): _files,
}
