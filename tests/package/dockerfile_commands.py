"""Runs the commands of the Dockerfile where no Docker daemon builds it: ``python -m tests.package.dockerfile_commands``.

Every ``RUN`` but that of the user account runs as it stands, with the image's folders replaced by those of a scratch folder;
``COPY`` takes what ``.dockerignore`` lets through. Then the image's own command is started, and its health check asked.
``--index`` replaces the index of torch. Not tried: the base image, the user account, the read-only root.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SYSTEM = ("useradd",)
"""What changes the machine: left out here."""


@dataclass(frozen=True)
class Instruction:
    """One line of a Dockerfile, continued lines joined."""

    word: str
    text: str


def read_instructions(text: str) -> list[Instruction]:
    """The instructions of a Dockerfile in their order; comments are left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [Instruction(*line.split(None, 1)) for line in joined.splitlines() if line.strip()]


def read_environment(instructions: list[Instruction], start: dict[str, str]) -> dict[str, str]:
    """What ENV and the defaults of ARG set, names of earlier ones replaced."""
    found = dict(start)
    for one in instructions:
        if one.word in ("ENV", "ARG"):
            for name, value in re.findall(r"(\w+)=(\S+)", one.text):
                if one.word == "ENV" or name not in start:
                    found[name] = re.sub(r"\$(\w+)", lambda match: found.get(match[1], ""), value)
    return found


def sent_files(root: Path, ignore: str) -> list[Path]:
    """The files that ``COPY . .`` copies: the last line of ``.dockerignore`` that names a path or a folder above decides."""
    rules = [line for line in ignore.splitlines() if line.strip() and not line.startswith("#")]

    def sent(path: Path) -> bool:
        names = [path.as_posix(), *(parent.as_posix() for parent in path.parents if parent.name)]
        kept = True
        for rule in rules:
            pattern = rule.removeprefix("!").removeprefix("**/")
            deep = [part for name in names for part in (name, Path(name).name)] if "**/" in rule else names
            if any(fnmatch.fnmatchcase(name, pattern) for name in deep):
                kept = rule.startswith("!")
        return kept

    files = (path.relative_to(root) for path in root.rglob("*") if path.is_file() and ".git" not in path.parts)
    return sorted(path for path in files if sent(path))


def place(text: str, scratch: Path) -> str:
    """A command with the image's folders in the scratch folder."""
    return re.sub(r"(?<![\w.])/(opt/eunoe|data|certificates|source|tmp/numba)\b", rf"{scratch}/\1", text)


def build(instructions: list[Instruction], environment: dict[str, str], scratch: Path) -> None:
    """Copy and run what the image is built from; raises ``CalledProcessError`` where a command fails."""
    source = scratch / "source"
    for one in instructions:
        if one.word == "COPY" and not one.text.startswith("--from"):
            files = sent_files(ROOT, (ROOT / ".dockerignore").read_text())
            wanted = files if one.text.startswith(".") else [Path(name) for name in one.text.split()[:-1]]
            for path in wanted:
                (source / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / path, source / path)
        elif one.word == "RUN" and not one.text.startswith(SYSTEM):
            command = place(one.text, scratch)
            began = time.monotonic()
            print(f"+ {command}", flush=True)
            subprocess.run(["sh", "-euc", command], cwd=source, env=environment, check=True, stdout=subprocess.DEVNULL)
            print(f"  {time.monotonic() - began:.0f} s", flush=True)


def serve(instructions: list[Instruction], environment: dict[str, str], scratch: Path) -> None:
    """Start the image's command and ask its health check until it is content; raises ``OSError`` where it never is."""
    last = {one.word: one.text for one in instructions}
    command = [*json.loads(last["ENTRYPOINT"]), *json.loads(last["CMD"])]
    check = json.loads(last["HEALTHCHECK"].partition("CMD")[2])
    check[0] = str(scratch / "opt/eunoe/bin/python")
    print(f"+ {' '.join(command)}", flush=True)
    command[0] = str(scratch / "opt/eunoe/bin" / command[0])
    process = subprocess.Popen(command, cwd=scratch / "data", env=environment)
    try:
        for _ in range(120):
            if process.poll() is not None:
                raise ChildProcessError(f"the command has ended with {process.returncode}")
            if subprocess.run(check, capture_output=True, check=False).returncode == 0:
                print("healthy")
                return
            time.sleep(1)
        raise TimeoutError("the health check was never content")
    finally:
        process.terminate()
        process.wait(20)


def main() -> int:
    """Try the whole Dockerfile; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", help="where torch comes from, in place of the Dockerfile's index")
    options = parser.parse_args()
    instructions = read_instructions((ROOT / "Dockerfile").read_text())
    start = {"PATH": os.environ["PATH"]} | ({"TORCH_INDEX": options.index} if options.index else {})
    start |= {
        name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_")) and name != "PIP_NO_CACHE_DIR"
    }
    with tempfile.TemporaryDirectory(prefix="eunoe-image-") as folder:
        scratch = Path(folder)
        for name in ("source", "data", "certificates", "opt"):
            (scratch / name).mkdir()
        environment = {name: place(value, scratch) for name, value in read_environment(instructions, start).items()}
        build(instructions, environment, scratch)
        serve(instructions, environment, scratch)
    return 0


if __name__ == "__main__":
    sys.exit(main())
