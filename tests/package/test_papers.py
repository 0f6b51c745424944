"""What comes with the code beside the code: a citation and a changelog of the version that they come with."""

from __future__ import annotations

import re

import yaml

from tests.package.conftest import ROOT
from unlearn_core import __version__


def test_the_citation_is_of_this_version() -> None:
    said = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors"} <= set(said), "fields that the format asks for"
    assert said["version"] == __version__
    assert said["license"] == "Apache-2.0"


def test_the_changelog_starts_with_this_version() -> None:
    versions = re.findall(r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[0] == __version__
    assert versions == sorted(versions, key=lambda version: [int(part) for part in version.split(".")], reverse=True)
