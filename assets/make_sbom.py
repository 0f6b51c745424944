"""Writes docs/sbom.cdx.json and docs/versions.txt, every package that Eunoe needs: ``python assets/make_sbom.py``.

The first is a bill of materials (CycloneDX 1.6) of what is installed here, with licences, who needs whom, and checksums; the
second has the same versions for ``pip-audit``. Run it beside ``python assets/make_licences.py``; a test compares the three.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import uuid
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from assets.make_licences import OPTIONAL, direct_names, is_installed, needed_by, read_fields, read_licence  # noqa: E402
from unlearn_core import __version__  # noqa: E402

BILL, VERSIONS = ROOT / "docs" / "sbom.cdx.json", ROOT / "docs" / "versions.txt"
_NAMESPACE = uuid.UUID("6f0c1c5e-2b0f-5d0a-9a55-2f2b6f0e6a10")
_SPDX = re.compile(r"[A-Za-z0-9.+-]+( (AND|OR|WITH) [A-Za-z0-9.+-]+)*")
HEAD = """\
# Every package that Eunoe needs, at the versions that it was last tested with on Linux; written by assets/make_sbom.py.
# What is known against them: pip-audit --no-deps -r docs/versions.txt (asks the internet).
"""


def packages() -> list[str]:
    """Names of all packages, with what they need; raises ``SystemExit`` where one is not installed."""
    direct = direct_names()
    if missing := [name for name in direct if not is_installed(name)]:
        raise SystemExit(f"Not installed: {', '.join(missing)}.")
    return sorted({*direct, *needed_by(direct)})


def make_bill(names: Iterable[str]) -> dict[str, Any]:
    """The bill of materials; the same for the same packages, so it carries no date."""
    found = sorted(names)
    components = [describe(name) for name in found]
    root = f"pkg:pypi/eunoe@{__version__}"
    bill: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": root,
                "name": "eunoe",
                "version": __version__,
                "purl": root,
                "licenses": [{"expression": "Apache-2.0"}],
            }
        },
        "components": components,
        "dependencies": [
            {"ref": root, "dependsOn": [reference(name) for name in found if name in direct_names()]},
            *({"ref": reference(name), "dependsOn": [reference(other) for other in needs(name, found)]} for name in found),
        ],
    }
    return bill | {"serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, json.dumps(bill, sort_keys=True))}"}


def describe(name: str) -> dict[str, Any]:
    """One package as CycloneDX says it; ``scope`` is optional for what comes on request alone."""
    licence = read_licence(name)
    expressed = bool(read_fields(name, "License-Expression")) and _SPDX.fullmatch(licence.replace("(", "").replace(")", ""))
    told: dict[str, Any] = {
        "type": "library",
        "bom-ref": reference(name),
        "name": name,
        "version": metadata.version(name),
        "scope": "optional" if name in OPTIONAL else "required",
        "licenses": [{"expression": licence} if expressed else {"license": {"name": licence}}],
        "purl": reference(name),
    }
    if (checksum := installed_checksum(name)) is not None:
        told["properties"] = [{"name": "eunoe:installed-sha256", "value": checksum}]
    return told


def reference(name: str) -> str:
    """A package's URL; a build's own mark ("+cpu") is written as URLs have it."""
    return f"pkg:pypi/{name}@{metadata.version(name).replace('+', '%2B')}"


def needs(name: str, among: Iterable[str]) -> list[str]:
    """Those of these packages that this one asks for on this machine, without its extras."""
    asked = [Requirement(line) for line in metadata.requires(name) or ()]
    wanted = {canonicalize_name(one.name) for one in asked if one.marker is None or one.marker.evaluate({"extra": ""})}
    return [other for other in among if other in wanted]


def installed_checksum(name: str) -> str | None:
    """SHA-256 over the paths and checksums of the files that the package's wheel brought, as its RECORD has them; None where
    it has none. What an installer adds (launchers, notes of its own) is left out, so equal wheels give equal checksums."""
    files = metadata.files(name) or ()
    own = {"INSTALLER", "REQUESTED", "direct_url.json", "RECORD"}
    lines = [f"{file} {file.hash.value}" for file in files if file.hash and ".." not in file.parts and file.name not in own]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest() if lines else None


def make_versions(names: Iterable[str]) -> str:
    """Requirements with exact versions; a build's own mark is no version that an index has."""
    return HEAD + "".join(f"{name}=={metadata.version(name).partition('+')[0]}\n" for name in sorted(names))


def main() -> int:
    """Write both; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="write the bill of this environment there, and nothing else")
    options = parser.parse_args()
    names = packages()
    bill = json.dumps(make_bill(names), indent=1, ensure_ascii=False) + "\n"
    (options.out or BILL).write_text(bill, encoding="utf-8")
    if options.out is None:
        VERSIONS.write_text(make_versions(names), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
