"""A registry is whole or not there, and a component that does not pass costs it no other."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import Field
from typer.testing import CliRunner

from unlearn_core import datasets, discovery, evaluation, methods, models
from unlearn_core.cli import app
from unlearn_core.component import Component, ComponentParams, ComponentRegistry
from unlearn_core.errors import UserError
from unlearn_core.methods import Method, MethodParams
from unlearn_core.registry import Registry

PACKAGE = """
from unlearn_core.registry import Registry
registry = Registry("part", "slowparts")
"""
MODULE = """
import time
from slowparts import registry
time.sleep(0.05)
registry.add("{name}", object())
"""
COMPONENTS = """
from unlearn_core.component import ComponentRegistry
registry = ComponentRegistry("component", "slowparts")
"""
COMPONENT = """
from slowparts import registry
from unlearn_core.component import Component

@registry.register
class Part(Component):
    name, label, summary = "{name}", "A part", "{summary}"

@registry.register
class Other(Component):
    name, label, summary = "{name}_other", "Another part", "It is complete."
"""


def fill(folder: Path, package: str, files: dict[str, str]) -> None:
    folder.mkdir()
    (folder / "__init__.py").write_text(package)
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the package ``slowparts`` is imported from, once a test has filled it."""
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.startswith("slowparts")]:
        monkeypatch.delitem(sys.modules, name)
    return tmp_path / "slowparts"


@pytest.fixture
def slow(folder: Path) -> Registry[object]:
    fill(folder, PACKAGE, {name: MODULE.format(name=name) for name in ("a", "b", "c", "d")})
    return imported()


def imported() -> Registry[Any]:
    from slowparts import registry

    found: Registry[Any] = registry
    return found


def test_everyone_who_asks_at_once_sees_all_parts(slow: Registry[object]) -> None:
    barrier = threading.Barrier(4)

    def ask(_: int) -> list[str]:
        barrier.wait()
        return slow.names()

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(ask, range(4))) == [["a", "b", "c", "d"]] * 4


def test_a_module_that_cannot_be_imported_is_disabled_and_costs_no_other(slow: Registry[object], folder: Path) -> None:
    (folder / "broken.py").write_text("raise RuntimeError('out of\\norder')")
    assert slow.names() == ["a", "b", "c", "d"]
    reason = "slowparts/broken.py could not be imported (RuntimeError: out of order)"
    assert slow.disabled == {"broken": reason}
    with pytest.raises(UserError) as error:
        slow.get("broken")
    assert str(error.value) == f"The part 'broken' is disabled: {reason}"


def test_what_a_module_registered_before_it_failed_is_not_listed(folder: Path) -> None:
    fill(folder, COMPONENTS, {"part": COMPONENT.format(name="part", summary="Whole.") + "raise RuntimeError('broken')"})
    registry = imported()
    assert registry.names() == []
    assert list(registry.disabled) == ["part"]


def test_a_component_that_does_not_pass_is_disabled_and_costs_its_own_file_no_other(folder: Path) -> None:
    fill(folder, COMPONENTS, {"part": COMPONENT.format(name="part", summary="")})
    registry = imported()
    assert registry.names() == ["part_other"]
    assert registry.disabled == {"part": "slowparts/part.py, class Part: it has no summary"}


def test_nothing_that_is_here_is_disabled() -> None:
    for registry in (methods.registry, datasets.registry, models.registry, discovery.registry, evaluation.registry):
        assert registry.disabled == {}, registry.noun


class CompleteParams(MethodParams):
    strength: float = Field(0.5, ge=0, le=1, description="Of nothing")


class Complete(Method[CompleteParams]):
    """Passes; each test takes one thing away from it."""

    name, label, family, summary = "complete", "Complete", "ascent", "It is complete."


def params(**fields: Any) -> type[ComponentParams]:
    """A class of parameters with these fields, each given as its type and its ``Field``."""
    annotations = {name: kind for name, (kind, _) in fields.items()}
    values = {name: value for name, (_, value) in fields.items()}
    body = {"__annotations__": annotations, "__module__": __name__} | values
    made: type[ComponentParams] = type("Params", (MethodParams,), body)
    return made


def test_a_complete_method_passes() -> None:
    registry: ComponentRegistry = ComponentRegistry("method", "unlearn_core.support")
    assert registry.register(Complete) is Complete
    assert registry.names() == ["complete"]


DESCRIBED: dict[str, Any] = {"description": "Of nothing"}


@pytest.mark.parametrize(
    ("lacking", "fault"),
    [
        ({"name": ""}, "it has no name"),
        ({"label": ""}, "it has no label"),
        ({"summary": ""}, "it has no summary"),
        ({"family": ""}, "it has no family (known: retraining, "),
        ({"family": "ascension"}, "its family 'ascension' is unknown (known: retraining, "),
        ({"Params": params(a=(float, Field(0.5, ge=0, le=1)))}, "its parameter 'a' has no description of one line"),
        ({"Params": params(a=(float, Field(0.5, ge=0, le=1, description="Two\nlines")))}, "'a' has no description of one line"),
        ({"Params": params(a=(int, Field(1, le=1, **DESCRIBED)))}, "its parameter 'a' has no smallest value"),
        ({"Params": params(a=(int, Field(1, gt=0, **DESCRIBED)))}, "its parameter 'a' has no largest value"),
    ],
)
def test_a_method_that_lacks_something_is_refused_with_file_and_class(lacking: dict[str, Any], fault: str) -> None:
    registry: ComponentRegistry = ComponentRegistry("method", "unlearn_core.support")
    incomplete = type("Incomplete", (Complete,), lacking | {"__module__": "unlearn_core.methods.ascent.incomplete"})
    with pytest.raises(ValueError) as error:
        registry.register(incomplete)
    assert str(error.value).startswith("unlearn_core/methods/ascent/incomplete.py, class Incomplete: ")
    assert fault in str(error.value)
    assert registry.names() == []


def test_all_that_is_missing_is_said_at_once() -> None:
    class Empty(Component):
        name: ClassVar[str] = ""

    assert Empty.faults() == ["it has no name", "it has no label", "it has no summary"]


def test_the_methods_command_names_what_is_disabled() -> None:
    assert "rem" in methods.registry  # loading it starts the list of what is disabled anew
    methods.registry.disable("mine", "mine.py, class Mine: it has no label")
    done = CliRunner().invoke(app, ["methods"])
    methods.registry.remove("mine")
    assert done.exit_code == 0
    assert "Disabled: mine. mine.py, class Mine: it has no label" in done.stderr
    assert "REM" in done.stdout
