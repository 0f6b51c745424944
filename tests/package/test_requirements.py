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


@pytest.mark.parametrize("name", ["dev", "docs"])
def test_an_extra_is_its_requirements_file(name: str) -> None:
    assert extra(name) == required(ROOT / f"requirements-{name}.txt")


def test_the_driver_of_the_database_is_the_one_that_the_tests_run_with() -> None:
    assert extra("postgresql") == {line for line in extra("dev") if line.startswith("psycopg")}


def test_the_build_back_end_is_there_for_builds_without_a_network() -> None:
    assert {str(Requirement(line)) for line in PROJECT["build-system"]["requires"]} <= extra("dev")


def test_the_version_is_written_in_one_place() -> None:
    assert "version" in PROJECT["project"]["dynamic"]
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "unlearn_core/__init__.py"
    assert Version(__version__) >= Version("0.2.0")
