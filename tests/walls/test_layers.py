"""The house's walls, read from the imports: which way arrows point, which library stays where, who sees the truth."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.walls.sources import CORE, FILES, LEVELS, MODULES, ROOT, imported_modules, imports, module_of, room_of, tree_of


def libraries(path: Path) -> set[str]:
    return {module.split(".")[0] for module, _ in imports(path)}


@pytest.mark.parametrize(
    ("library", "rooms"),
    [("streamlit", {"pages", "app"}), ("plotly", {"views"}), ("umap", {"views"}), ("dask", {"engine"}),
     ("distributed", {"engine"}), ("sqlalchemy", {"store"})],
)  # fmt: skip
def test_a_library_stays_in_its_room(library: str, rooms: set[str]) -> None:
    users = {path for path in FILES if library in libraries(path)}
    assert users, f"nothing imports {library}"
    assert {room_of(module_of(path)) for path in users} <= rooms


def test_arrows_point_downwards() -> None:
    level = {name: k for k, names in enumerate(LEVELS) for name in names}
    for module, path in MODULES.items():
        here = room_of(module)
        if module == "unlearn_core":
            continue
        assert here in level, f"{here} has no place in the house"
        for other in imported_modules(path):
            if room_of(other) != "unlearn_core":
                assert level[room_of(other)] <= level[here], f"{module} imports {other}"


def test_every_import_names_its_room() -> None:
    """The walls are read from full names: a relative import would pass through all of them unseen."""
    for path in FILES:
        relative = [node.lineno for node in ast.walk(tree_of(path)) if isinstance(node, ast.ImportFrom) and node.level]
        assert not relative, f"{path}: lines {relative}"


def test_pages_compute_nothing() -> None:
    for path in (ROOT / "app.py", *(ROOT / "pages").rglob("*.py")):
        assert not libraries(path) & {"torch", "sklearn", "scipy", "sqlalchemy", "distributed"}, path


def test_no_room_reaches_for_what_another_keeps_to_itself() -> None:
    for module, path in MODULES.items():
        for other, name in imports(path):
            if other.split(".")[0] in ("unlearn_core", "pages") and other.rpartition(".")[0] != module.rpartition(".")[0]:
                private = [part for part in (*other.split("."), name) if part.startswith("_") and not part.startswith("__")]
                assert not private, f"{module} imports {other}.{name}"


def test_tests_come_in_by_the_public_doors() -> None:
    files = sorted((ROOT / "tests").rglob("*.py"))
    assert Path(__file__) in files
    for path in files:
        for module, name in imports(path):
            if module.split(".")[0] in ("unlearn_core", "pages"):
                private = [part for part in (*module.split("."), name) if part.startswith("_") and not part.startswith("__")]
                assert not private, f"{path.relative_to(ROOT)} imports {module}.{name}"


def test_ground_truth_is_read_by_evaluation_and_oracles_alone() -> None:
    def sees_truth(path: Path) -> bool:
        return any(module.startswith("unlearn_core.corruption") and name == "GroundTruth" for module, name in imports(path))

    readers = {room_of(module) for module, path in MODULES.items() if sees_truth(path)}
    assert {"methods"} <= readers <= {"corruption", "methods", "evaluation"}
    for path in (CORE / "methods").rglob("*.py"):
        if path.name != "base.py" and "truth" in path.read_text().replace("ground truth", ""):
            assert "oracle = True" in path.read_text(), path
