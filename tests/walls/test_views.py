"""Inside the pictures: figures alone draw, one folder alone knows UMAP, and what computes never draws."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.walls.sources import CORE, imported_modules, imports

VIEWS = CORE / "views"
FILES = sorted(VIEWS.rglob("*.py"))
DRAWING = {"figure", "picture", "points", "timeline", "task_map"}


def draws(path: Path) -> bool:
    return path.stem in DRAWING or path.stem.endswith("_figure")


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(VIEWS)) for path in FILES])
def test_each_library_has_its_files(path: Path) -> None:
    packages = {module.split(".")[0] for module, _ in imports(path)}
    assert "plotly" not in packages or draws(path)
    assert "umap" not in packages or path.parent.name == "embedding"


def test_data_and_stages_import_no_figure() -> None:
    for path in FILES:
        if path.stem in ("data", "stage", "stored"):
            used = [name for name in imported_modules(path) if name.startswith("unlearn_core.views.")]
            assert not [name for name in used if any(draws(Path(part)) for part in name.split("."))], path


def test_a_folder_with_a_stage_has_its_data() -> None:
    for folder in {path.parent for path in FILES if path.stem == "stage"}:
        assert (folder / "data.py").exists(), folder
