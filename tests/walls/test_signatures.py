"""What a public function takes and gives is said: a bare ``Any`` in a signature needs a reason."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.walls.sources import FILES, module_of, tree_of

REASONS = {
    "unlearn_core.forget_sets.named.Records.get": "a record of the store, which stands above this room",
    "unlearn_core.forget_sets.named.Records.put": "a record, as above",
    "unlearn_core.methods.base.Method.expected_work": "its Setting is made from specs by a module that imports this one",
    "unlearn_core.models.checkpoints.pickles.Reader.read": "whatever a file holds; each caller narrows it",
    "unlearn_core.models.redirect.adapters.AdapterAttention.forward": "the base class's arguments, passed on",
    "unlearn_core.results.table_export.csv_text": "options of DataFrame.to_csv, passed on",
    "unlearn_core.front_door.guest_data.take_data": "what a stranger hands over: each is looked at before it is taken",
    "unlearn_core.front_door.guest_data.take_forget": "as above",
    "unlearn_core.front_door.guest_data.take_right_labels": "as above",
    "unlearn_core.front_door.guest_data.take_trusted": "as above",
    "unlearn_core.front_door.scenario.load_images": "a forget list in any of the forms that guest_data reads",
    "unlearn_core.front_door.unlearning.unlearn": "as above, and parameters of any method by name",
    "unlearn_core.bench.measure.summarise": "optional fields of Measurement, passed on",
    "unlearn_core.support.escaping.neutral_cell": "a cell of any kind of column; numbers come back as they are",
    "unlearn_core.store.records.plain": "JSON data, which Python's types cannot say without naming every nesting",
    "unlearn_core.cli.options.finite": "JSON data, as above",
    "unlearn_core.methods.shared.rounds.add_report": "JSON data by name, as above",
    "unlearn_core.views.least_width.least_width": "a Plotly figure, which files of figures alone import",
    "unlearn_core.views.points.Moved.before": "coordinates or pixels: an array that each picture reads in its own shape",
}
"""What stays open, and why."""


def is_open(annotation: ast.expr | None) -> bool:
    """Whether an annotation says nothing: ``Any``, alone or beside None."""
    if isinstance(annotation, ast.BinOp):
        return is_open(annotation.left) or is_open(annotation.right)
    return isinstance(annotation, ast.Name) and annotation.id == "Any"


def open_signatures(path: Path) -> Iterator[str]:
    """``module.function`` or ``module.Class.function`` of every public function in ``path`` whose signature has a bare Any."""

    def walk(body: list[ast.stmt], place: str) -> Iterator[str]:
        for node in body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                yield from walk(node.body, f"{place}.{node.name}")
            elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                given = node.args
                taken = [*given.posonlyargs, *given.args, *given.kwonlyargs, *filter(None, (given.vararg, given.kwarg))]
                if is_open(node.returns) or any(is_open(one.annotation) for one in taken):
                    yield f"{place}.{node.name}"

    return walk(tree_of(path).body, module_of(path))


def test_a_public_signature_with_a_bare_any_has_a_reason() -> None:
    found = {name for path in FILES for name in open_signatures(path)}
    assert found == set(REASONS)
