"""docs/sbom.cdx.json and docs/versions.txt are in step with each other, the requirements and docs/licences.md."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from assets.make_licences import PAGE, direct_names
from assets.make_sbom import BILL, VERSIONS, installed_checksum, make_bill, packages
from unlearn_core import __version__

ROOT = Path(__file__).parents[2]
RUN = "run: python assets/make_sbom.py"
STORED: dict[str, Any] = json.loads(BILL.read_text(encoding="utf-8"))


def versions(bill: dict[str, Any]) -> dict[str, str]:
    return {part["name"]: part["version"] for part in bill["components"]}


def test_bill_versions_and_licences_name_the_same_packages() -> None:
    rows = re.findall(r"^\| \[?([a-z0-9-]+)\]?[^|]*\| ([^| ]+) \| [^|]+ \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert dict(rows) == versions(STORED), RUN
    lines = [line for line in VERSIONS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert lines == [f"{name}=={version.partition('+')[0]}" for name, version in sorted(versions(STORED).items())], RUN


def test_it_has_what_the_requirements_ask_for() -> None:
    own = STORED["metadata"]["component"]
    assert (own["name"], own["version"]) == ("eunoe", __version__), RUN
    first = next(part for part in STORED["dependencies"] if part["ref"] == own["bom-ref"])
    assert sorted(ref.removeprefix("pkg:pypi/").partition("@")[0] for ref in first["dependsOn"]) == direct_names(), RUN
    asked = [Requirement(line) for line in (ROOT / "requirements.txt").read_text().splitlines() if line and line[0] != "#"]
    outside = [str(one) for one in asked if not one.specifier.contains(versions(STORED)[canonicalize_name(one.name)])]
    assert outside == [], RUN


@pytest.mark.parametrize("make", [lambda: STORED, lambda: make_bill(packages())], ids=["stored", "of this environment"])
def test_it_is_a_bill_of_materials(make: Callable[[], dict[str, Any]]) -> None:
    """What CycloneDX 1.6 asks for, and that every package is needed by one that is there."""
    bill = make()
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", bill["serialNumber"])
    refs = [part["bom-ref"] for part in bill["components"]]
    assert len(refs) == len(set(refs)) > 60
    for part in bill["components"]:
        assert part["type"] == "library"
        assert part["purl"] == f"pkg:pypi/{part['name']}@{part['version'].replace('+', '%2B')}"
        assert len(part["licenses"]) == 1
        assert re.fullmatch(r"[0-9a-f]{64}", part["properties"][0]["value"])
    needs = {part["ref"]: part["dependsOn"] for part in bill["dependencies"]}
    root = bill["metadata"]["component"]["bom-ref"]
    assert set(needs) == {root, *refs}
    reached, waiting = set[str](), [root]
    while waiting:
        one = waiting.pop()
        waiting += [other for other in needs[one] if other not in reached]
        reached |= set(needs[one])
    assert reached == set(refs)


def test_the_checksum_is_of_what_the_wheel_brought(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    folder = tmp_path / "demo_sbom-1.0.dist-info"
    folder.mkdir()
    (tmp_path / "demo.py").touch()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: demo-sbom\nVersion: 1.0\n")

    def checksum(*lines: str) -> str | None:
        (folder / "RECORD").write_text("\n".join(lines) + "\n")
        return installed_checksum("demo-sbom")

    module = "demo.py,sha256=abc,3"
    found = checksum(module, "demo_sbom-1.0.dist-info/RECORD,,")
    assert found is not None
    assert (
        checksum(module, "../../../bin/demo,sha256=of-this-place,9", "demo_sbom-1.0.dist-info/INSTALLER,sha256=pip,4") == found
    )
    assert checksum("demo.py,sha256=abd,3") != found
    assert checksum("demo.py,,") is None


def test_what_is_promised_is_of_this_version() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    assert f"| {__version__.rpartition('.')[0]} (" in text
    assert "docs/versions.txt" in text
