"""Every notebook under ``examples/`` is executed from its first cell to its last, and carries no output in the repository."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from unlearn_core.methods import registry as methods

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
FIRST = ROOT / "examples" / "first_steps.ipynb"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Of the kernels: a store that they share, this checkout, and no network."""
    return {"UNLEARN_STORE": str(tmp_path_factory.mktemp("notebooks") / "store"), "PYTHONPATH": str(ROOT)}


@pytest.fixture(autouse=True)
def _in_it(environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    there = set(methods.names())
    yield
    for name in set(methods.names()) - there:  # one notebook adds a method
        methods.remove(name)


def test_a_notebook_runs_in_a_kernel() -> None:
    book = nbformat.read(FIRST, as_version=4)
    nbclient.NotebookClient(book, timeout=120, resources={"metadata": {"path": os.getcwd()}}).execute()
    shown = [output for cell in book.cells for output in cell.get("outputs", ())]
    assert shown
    assert not [output for output in shown if output.output_type == "error"]
    assert "Traceback" not in "".join(output.get("text", "") for output in shown)
    assert any("text/html" in output.get("data", {}) for output in shown)


@pytest.mark.parametrize("path", [path for path in NOTEBOOKS if path != FIRST], ids=lambda path: path.stem)
def test_a_notebook_s_cells_run_one_after_the_other(path: Path) -> None:
    """In this process: most of a kernel's time is spent on its start."""
    cells = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    namespace: dict[str, object] = {"__name__": "__main__"}
    shown = [show(last_value(source, namespace)) for source in cells]
    assert any(shown)


def last_value(source: str, namespace: dict[str, object]) -> object:
    """Run a cell; the value of its last line, where that is an expression."""
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), namespace)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), namespace) if isinstance(last, ast.Expr) else None


def show(value: object) -> str:
    """What a notebook would show of it."""
    draw = getattr(value, "_repr_html_", None)
    return "" if value is None else str(draw() if draw else repr(value))


def test_there_are_four() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["first_steps", "new_method", "own_data", "reading_the_map"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_carries_no_output(path: Path) -> None:
    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert code
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
