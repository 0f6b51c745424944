"""What ``import unlearn_core`` offers, and that it costs nothing before it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import unlearn_core as eunoe
from unlearn_core.methods import registry


def run_python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", eunoe.__all__)
def test_every_name_is_there_and_explains_itself(name: str) -> None:
    assert name in dir(eunoe)
    if name not in ("methods", "datasets"):  # their own packages, called
        assert len(getattr(eunoe, name).__doc__.splitlines()[0]) > 20


def test_the_import_alone_loads_no_library() -> None:
    heavy = ("torch", "pandas", "numpy", "plotly", "sqlalchemy", "pydantic", "rich")
    assert run_python(f"import sys, unlearn_core; print([m for m in {heavy} if m in sys.modules])") == "[]\n"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'unleam'"):
        eunoe.unleam  # noqa: B018  # pyright: ignore
    with pytest.raises(ImportError):
        exec("from unlearn_core import unleam")


FIRST = """
import unlearn_core as e; a, b = e.methods(), e.datasets()
from unlearn_core.methods import registry
from unlearn_core import methods
import unlearn_core.methods as package
assert list(a) == registry.names() == list(methods())
assert "digits" in b and package.__name__ == "unlearn_core.methods" and package.registry is registry
"""
AFTER_IMPORT = "import unlearn_core.methods, unlearn_core.datasets" + FIRST
PACKAGE_FIRST = """
from unlearn_core import methods
import unlearn_core
assert methods.registry.names() and methods is unlearn_core.methods
import unlearn_core.datasets
assert "digits" in unlearn_core.datasets.registry.names()
assert min(len(unlearn_core.methods().frame), len(unlearn_core.datasets().frame)) > 5
"""
FORKS = """
import os, sys
import pandas, torch  # what takes longest of all is imported once
assert "unlearn_core" not in sys.modules
for code in sys.argv[1:]:
    if not (child := os.fork()):
        exec(code)
        print("held", flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


def test_methods_and_datasets_are_packages_and_functions_whichever_comes_first() -> None:
    codes = (FIRST, AFTER_IMPORT, PACKAGE_FIRST)
    done = subprocess.run([sys.executable, "-c", FORKS, *codes], capture_output=True, text=True, check=False)
    assert done.stdout == "held\n" * len(codes), done.stderr


def test_tables_have_a_line_for_each() -> None:
    methods, datasets, metrics = eunoe.methods(), eunoe.datasets(), eunoe.metrics()
    assert list(methods) == registry.names()
    for table in (methods, datasets, metrics):
        assert len(table) == len(table.frame) == len(repr(table).splitlines()) - 1
        assert (table.frame[["name", "label", "family", "line"]].map(len) > 0).all(axis=None)
        assert max(map(len, repr(table).splitlines())) < 180
        assert table._repr_html_().count("<tr>") == len(table) + 1
    assert methods.frame.set_index("name").loc["oracle_retrain", "oracle"]
    assert "healed" in metrics
    assert "nothing" not in metrics
