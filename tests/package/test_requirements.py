"""Dependencies are written once for `pip install -r` and once for extras, and both say the same."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.package.conftest import ROOT
from unlearn_core import __version__

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def required(path: Path) -> set[str]:
    """The requirements in a file, written alike."""
    lines = (line.strip() for line in path.read_text().splitlines())
    return {str(Requirement(line)) for line in lines if line and not line.startswith("#")}


def extra(name: str) -> set[str]:
    return {str(Requirement(line)) for line in PROJECT["project"]["optional-dependencies"][name]}


def test_the_extra_for_developers_is_the_requirements_file() -> None:
    assert extra("dev") == required(ROOT / "requirements-dev.txt")


@pytest.mark.parametrize("name", ["postgresql", "docs"])
def test_what_an_extra_names_is_what_the_tests_run_with(name: str) -> None:
    assert extra(name) <= required(ROOT / "requirements-dev.txt")


def test_the_build_back_end_is_there_for_builds_without_a_network() -> None:
    assert {str(Requirement(line)) for line in PROJECT["build-system"]["requires"]} <= extra("dev")


def test_the_version_is_written_in_one_place() -> None:
    assert "version" in PROJECT["project"]["dynamic"]
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "unlearn_core/__init__.py"
    assert Version(__version__) >= Version("0.2.0")
