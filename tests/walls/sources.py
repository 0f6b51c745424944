"""The product's files and what they import, read from their text; nothing is run."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

ROOT = Path(__file__).parents[2]
CORE = ROOT / "unlearn_core"
FILES = [ROOT / "app.py", *sorted(CORE.rglob("*.py")), *sorted((ROOT / "pages").rglob("*.py"))]

LEVELS = [
    {"errors", "canonical", "registry", "plugins", "kept_plugins", "component", "specs", "spec_input", "person", "support"},
    {"datasets"},
    {"models", "corruption", "forget_sets"},
    {"training"},
    {"discovery"},
    {"methods", "tuning", "evaluation", "presets"},
    {"results", "store"},
    {"stages"},
    {"engine", "views", "view_state"},
    {"bench", "contracts", "front_door"},
    {"cli", "__main__", "pages", "app"},
]
"""From the ground up: a room imports from its own level and from those below."""


def module_of(path: Path) -> str:
    """The dotted name of a file."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_of(path): path for path in FILES}


@functools.cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _for_types_alone(tree: ast.Module) -> set[int]:
    """Nodes under ``if TYPE_CHECKING``: they tie nothing together when the program runs."""
    ifs = [node for node in ast.walk(tree) if isinstance(node, ast.If)]
    blocks = [block for block in ifs if any(isinstance(n, ast.Name) and n.id == "TYPE_CHECKING" for n in ast.walk(block.test))]
    return {id(inner) for block in blocks for inner in ast.walk(block)}


@functools.cache
def imports(path: Path, types: bool = True) -> tuple[tuple[str, str], ...]:
    """(module, name) of everything that a file imports, also inside functions; name "" for ``import module``.

    ``types``: also what is imported for annotations alone.
    """
    tree = tree_of(path)
    skipped = set() if types else _for_types_alone(tree)
    found = list[tuple[str, str]]()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            found += ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found += ((node.module, alias.name) for alias in node.names)
    return tuple(found)


def imported_modules(path: Path, types: bool = True) -> set[str]:
    """The dotted names of the product's own modules that a file imports."""
    found = set()
    for module, name in imports(path, types):
        full = f"{module}.{name}"
        found.add(full if full in MODULES else module)
    return {name for name in found if name in MODULES} - {module_of(path)}


def room_of(module: str) -> str:
    """The part of the house that a module belongs to: ``unlearn_core.views.boundary.data`` → ``views``."""
    parts = module.split(".")
    return parts[1] if parts[0] == "unlearn_core" and len(parts) > 1 else parts[0]
