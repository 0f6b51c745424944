"""The examples of every docstring of the Python door are run; they share a store, so that nothing is computed twice."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import unlearn_core
from unlearn_core import front_door

MODULES = ["unlearn_core", *(f"{front_door.__name__}.{m.name}" for m in pkgutil.iter_modules(front_door.__path__))]
EXAMPLES = [
    test
    for name in MODULES
    for test in doctest.DocTestFinder(recurse=True).find(importlib.import_module(name))
    if test.examples and (name != "unlearn_core" or test.name == name)
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda test: test.name)
def test_an_example_says_what_happens(example: doctest.DocTest, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_STORE", str(place))
    said: list[str] = []
    outcome = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example, out=said.append)
    assert outcome.attempted
    assert not outcome.failed, "".join(said)


def test_every_function_of_the_door_has_an_example() -> None:
    shown = {test.name.rpartition(".")[2] for test in EXAMPLES}
    functions = {"run", "discover", "unlearn", "load_images", "methods", "datasets", "metrics", "make", "from_url", "Results"}
    assert functions <= shown
    assert unlearn_core.__doc__
    assert "eunoe.run" in unlearn_core.__doc__
