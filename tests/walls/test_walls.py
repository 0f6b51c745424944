"""The house's walls, read from the imports, and its doors: one file adds a part."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "unlearn_core"
COMPUTE = ("specs", "spec_input", "datasets", "corruption", "models", "training", "discovery", "methods", "evaluation")
LEVELS = [
    {"errors", "registry", "component", "specs", "spec_input", "support"},
    {"datasets"},
    {"models", "corruption", "forget_sets"},
    {"training"},
    {"discovery"},
    {"methods", "tuning", "evaluation", "presets"},
    {"results", "store"},
    {"engine", "stages", "views", "view_state"},
    {"bench"},
    {"cli", "__main__"},
]


def imports(path: Path, top_level_only: bool = False) -> set[str]:
    tree = ast.parse(path.read_text())
    nodes = tree.body if top_level_only else ast.walk(tree)
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def place(path: Path) -> str:
    return path.relative_to(CORE).parts[0].removesuffix(".py")


FILES = sorted(CORE.rglob("*.py"))


@pytest.mark.parametrize(
    ("package", "allowed"),
    [("streamlit", set()), ("plotly", {"views"}), ("umap", {"views"}), ("dask", {"engine"}), ("distributed", {"engine"}),
     ("sqlalchemy", {"store"})],
)  # fmt: skip
def test_a_library_stays_in_its_room(package: str, allowed: set[str]) -> None:
    for path in FILES:
        if any(name.split(".")[0] == package for name in imports(path)):
            assert place(path) in allowed, f"{path} imports {package}"


def test_arrows_point_downwards() -> None:
    level = {name: k for k, names in enumerate(LEVELS) for name in names}
    for path in FILES:
        here = place(path)
        if here == "__init__":
            continue
        assert here in level, f"{here} has no place in the house"
        for name in imports(path):
            parts = name.split(".")
            if parts[0] == "unlearn_core" and len(parts) > 1 and parts[1] in level and parts[1] != here:
                assert level[parts[1]] <= level[here], f"{path.name} ({here}) imports {parts[1]}"


def test_pages_compute_nothing() -> None:
    for path in [ROOT / "app.py", *(ROOT / "pages").rglob("*.py")]:
        names = {name.split(".")[0] for name in imports(path)}
        assert not names & {"torch", "sklearn", "scipy", "sqlalchemy", "distributed"}, path


def test_ground_truth_is_read_by_evaluation_and_oracles_alone() -> None:
    doors = {"unlearn_core.corruption.GroundTruth", "unlearn_core.corruption.truth"}
    readers = {path for path in FILES if doors & imports(path)}
    assert {place(path) for path in readers} <= {"corruption", "methods", "evaluation"}
    for path in (CORE / "methods").rglob("*.py"):
        if path.name != "base.py" and "truth" in path.read_text().replace("ground truth", ""):
            assert "oracle = True" in path.read_text(), path
