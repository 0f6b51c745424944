"""Plug-in files that the app's user added: checked in a process of their own, kept in the user's data folder, removed again."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path

from unlearn_core import plugins
from unlearn_core.errors import UserError

MAX_BYTES, CHECK_SECONDS = 2**20, 300.0
"""A file that is larger holds more than code; checks that take longer than this are ended."""


@dataclass(frozen=True)
class Checked:
    """What the checks said of a file: one line each, "component: check - what is wrong". ``kept``: whether it was added."""

    name: str
    passed: tuple[str, ...]
    failed: tuple[str, ...]
    kept: bool


def add(text: str) -> Checked:
    """Check a plug-in file of this user's and, where it passes, keep a copy that is loaded from now on.

    Raises :class:`UserError` for what is no such file: it has to belong to the user whose program this is, and other users may
    not be able to write to it, because its writer decides what runs here.
    """
    path = plugins.check_file(text)
    _check_owner(path)
    source = _read_plugin(path)
    folder = plugins.user_folder()
    trial = folder / f".{uuid.uuid4().hex}" / path.name
    try:
        folder.mkdir(0o700, parents=True, exist_ok=True)
        trial.parent.mkdir(0o700)
        trial.touch(0o600)
        trial.write_bytes(source)
        passed, failed = _check(trial)
        if not failed:
            trial.replace(folder / path.name)
    except OSError as error:
        raise UserError(f"The file cannot be kept in {str(folder)!r}: {error.strerror or error}.") from None
    finally:
        shutil.rmtree(trial.parent, ignore_errors=True)
    plugins.refresh()
    return Checked(path.name, passed, failed, not failed)


def kept() -> list[Path]:
    """The files that are kept, by name."""
    return sorted(plugins.user_folder().glob("*.py"))


def remove(name: str) -> None:
    """Forget a file that is kept; what was computed with it stays in the store."""
    path = next((one for one in kept() if one.name == name), None)
    if path is not None:
        path.unlink(missing_ok=True)
    plugins.refresh()


def _check_owner(path: Path) -> None:
    """Raise :class:`UserError` for a file that others own or may write to, where the system tells."""
    about = path.stat()
    if not hasattr(os, "getuid"):
        return
    if about.st_uid != os.getuid():
        raise UserError(f"The file {path.name!r} belongs to another user, whose code would run with your rights.")
    if about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise UserError(f"Others may write to the file {path.name!r}; take that right from them first (chmod go-w).")


def _read_plugin(path: Path) -> bytes:
    """The source, if it is a plug-in's at all: any other program of yours is not run by mistake."""
    if path.stat().st_size > MAX_BYTES:
        raise UserError(f"The file {path.name!r} is larger than {MAX_BYTES >> 20} MB.")
    if not re.fullmatch(r"[\w.-]+\.py", path.name) or path.name.startswith("."):
        raise UserError("The name of a plug-in file has letters, digits, _ and - alone, and ends in .py.")
    source = path.read_bytes()
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        place = f", line {line}" if line else ""
        raise UserError(f"The file {path.name!r} is no Python ({error.args[0]}{place}).") from None
    imported = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    imported += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    if not any(f"{module}.".startswith("unlearn_core.") for module in imported):
        raise UserError(f"The file {path.name!r} imports nothing of unlearn_core, so it cannot add a method.")
    return source


def _check(path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Lines of the checks that passed and that failed, from a process of its own: what the file does there ends with it."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(one for one in sys.path if one)}
    command = [sys.executable, "-m", "unlearn_core", "check-plugin", str(path), "--json"]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=CHECK_SECONDS, check=False)
        outcomes = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return (), (f"{path.name}: the checks did not end within {CHECK_SECONDS:.0f} seconds",)
    except ValueError:
        last = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "it says nothing")
        return (), (f"{path.name}: the checks ended early ({last.strip()})",)
    lines = [" - ".join(filter(None, (f"{o['component']}: {o['check']}", o["message"]))) for o in outcomes]
    told = list(zip(lines, (bool(o["passed"]) for o in outcomes), strict=True))
    return tuple(line for line, passed in told if passed), tuple(line for line, passed in told if not passed)
