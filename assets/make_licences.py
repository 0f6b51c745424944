"""Writes docs/licences.md from what the installed packages say of themselves: ``python assets/make_licences.py``.

Run it where ``pip install ".[postgresql]"`` was run and nothing else is of importance; the names come from requirements.txt.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "licences.md"
OPTIONAL = ("psycopg",)
"""What is installed on request alone."""
HEAD = """# Licences

Eunoe is licensed under Apache-2.0 (file `LICENSE`). It ships none of the packages below: `pip` installs them beside it, each
under its own licence. `python assets/make_licences.py` writes this page from what the installed packages say of themselves,
without checking it; licences of libraries that a package's binary wheel contains are in that package's own files.
The same as a bill of materials (CycloneDX): [sbom.cdx.json](sbom.cdx.json), for `pip-audit`: [versions.txt](versions.txt).

"""


def direct_names() -> list[str]:
    """The packages that requirements.txt names, and the optional ones, as the package index writes them."""
    lines = ((ROOT / "requirements.txt").read_text(encoding="utf-8")).splitlines()
    found = [Requirement(line).name for line in lines if line.strip() and not line.startswith("#")]
    return sorted(canonicalize_name(name) for name in [*found, *OPTIONAL])


def needed_by(names: Iterable[str]) -> list[str]:
    """Every installed package that these need on this machine, directly or not, without these themselves."""
    direct = set(names)
    seen, waiting = set[str](), sorted(direct)
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        for line in metadata.requires(name) or ():
            requirement = Requirement(line)
            other = canonicalize_name(requirement.name)
            if (requirement.marker is None or requirement.marker.evaluate({"extra": ""})) and is_installed(other):
                waiting.append(other)
    return sorted(seen - direct)


def is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def read_fields(name: str, field: str) -> list[str]:
    """Every value of one field of an installed package's metadata."""
    return [str(value) for value in metadata.metadata(name).get_all(field) or ()]


def read_licence(name: str) -> str:
    """What a package says: its SPDX expression, else its classifiers, else the first line of its licence field."""
    if expression := read_fields(name, "License-Expression"):
        return expression[0]
    marks = [line.split(" :: ")[-1] for line in read_fields(name, "Classifier") if line.startswith("License ::")]
    marks = [mark for mark in marks if mark != "OSI Approved"]
    line = "".join(read_fields(name, "License")[:1]).strip().split("\n")[0]
    return ", ".join(marks) or (line if 0 < len(line) < 60 else "see the package's licence file")


def read_home(name: str) -> str:
    """The package's page, as a link on its name; the name alone where it gives none."""
    links = dict(re.split(r",\s*", line, maxsplit=1) for line in read_fields(name, "Project-URL"))
    lower = {label.lower(): url for label, url in links.items()}
    named = [lower[label] for label in ("homepage", "home", "repository", "source") if label in lower]
    found = [url for url in (*read_fields(name, "Home-page"), *named) if url.startswith("http")]
    return f"[{name}]({found[0]})" if found else name


def make_table(names: Iterable[str]) -> str:
    rows = [f"| {read_home(name)} | {metadata.version(name)} | {read_licence(name)} |" for name in names]
    return "\n".join(["| Package | Version seen | Licence |", "|---|---|---|", *rows])


def main() -> int:
    """Write the page; returns the exit code."""
    direct = direct_names()
    if missing := [name for name in direct if not is_installed(name)]:
        print(f"Not installed: {', '.join(missing)}.", file=sys.stderr)
        return 1
    always = [name for name in direct if name not in OPTIONAL]
    parts = [
        ("## What Eunoe asks for\n", make_table(always)),
        ("## On request\n\nThe extra `postgresql`, for a store in a database.\n", make_table(OPTIONAL)),
        ("## What these bring along\n\nOn Linux; other systems and versions differ by a few.\n", make_table(needed_by(direct))),
    ]
    PAGE.write_text(HEAD + "\n".join(f"{title}\n{table}\n" for title, table in parts), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
