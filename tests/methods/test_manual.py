"""A method's docstring is its manual page: the equation, its symbols as parameters, inputs, limits and source."""

from __future__ import annotations

import re
from typing import Any

import pytest

from unlearn_core.methods import Method, MethodParams, registry

METHODS = list(registry)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_it_opens_with_an_equation_and_maps_symbols_to_parameters_that_exist(method: type[Method[Any]]) -> None:
    manual = method.manual()
    assert re.search("[=←∂∇]|min_|max_", manual["Equation"]), manual["Equation"]
    assert all(manual[section] for section in ("Symbols", "Given", "Fails", "Source"))
    quoted = set(re.findall(r"``(\w+)``", manual["Symbols"])) - {"bounded_loss"}
    assert quoted <= set(method.Params.model_fields), quoted - set(method.Params.model_fields)
    assert bool(quoted) == bool(method.Params.model_fields)


def test_the_source_names_the_papers_that_the_lists_show() -> None:
    for method in METHODS:
        for paper in re.findall(r"arXiv:\d+\.\d+", method.paper):
            assert paper in method.manual()["Source"], method.name


def test_sections_are_told_apart_and_each_is_one_line() -> None:
    class Sectioned(Method[MethodParams]):
        """θ ← 0.

        Symbols: none of
        them. Given: is no section here.
        Values: what it says.
        """

    assert Sectioned.manual() == {
        "Equation": "θ ← 0.",
        "Symbols": "none of them. Given: is no section here.",
        "Values": "what it says.",
    }
