"""mkdocs calls these while it builds the site: they add the pages that are made from the code, and mend links out of docs/."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))  # mkdocs loads this file by its path

from mkdocs.structure.files import File, Files  # noqa: E402

from benchmarks.report.methods import ours  # noqa: E402
from benchmarks.report.site import commands, door, lessons, methods, metrics, options  # noqa: E402

AT_THE_ROOT = {"CHANGELOG.md": "changelog.md", "ARCHITECTURE.md": "architecture.md", "CONTRIBUTING.md": "contributing.md"}
PICTURES = {"assets/screenshots": "screenshots", "assets/icon.svg": "icon.svg"}


def on_config(config: Any) -> Any:
    """Fill in the navigation: "@methods", "@metrics" and "@lessons" stand for their pages."""
    config["nav"] = [_filled(item) for item in config["nav"]]
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add what is made from the code, and what lies outside of docs/."""
    made = methods.pages() | metrics.pages() | lessons.pages() | {"options.md": options.page(), "commands.md": commands.page()}
    made |= {name: (ROOT / file).read_text(encoding="utf-8") for file, name in AT_THE_ROOT.items()}
    for uri, text in made.items():
        files.append(File.generated(config, uri, content=text))
    for source, target in PICTURES.items():
        place = ROOT / source
        for path in [place] if place.is_file() else sorted(one for one in place.rglob("*") if one.is_file()):
            uri = target if path == place else f"{target}/{path.relative_to(place).as_posix()}"
            files.append(File.generated(config, uri, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Point links that are right in the repository to where the same thing is on the site."""
    up = "../" * page.file.src_uri.count("/")
    if page.file.src_uri in AT_THE_ROOT.values():
        markdown = markdown.replace("](docs/", "](").replace("](README.md", "](index.md")
    for file, name in AT_THE_ROOT.items():
        markdown = markdown.replace(f"](../{file}", f"]({up}{name}").replace(f"]({file}", f"]({up}{name}")
    markdown = markdown.replace("](../README.md", f"]({up}index.md").replace("](../assets/", f"]({up}")
    return markdown.replace(door.MARK, door.entries()) if door.MARK in markdown else markdown


def _filled(item: Any) -> Any:
    """One entry of the navigation with its pages."""
    if item in ("@methods", "@metrics", "@lessons"):
        raise ValueError(f"{item} must stand in a section")
    if isinstance(item, str):
        return item
    ((title, inside),) = item.items()
    return item if isinstance(inside, str) else {title: [entry for one in inside for entry in _entries(one)]}


def _entries(item: Any) -> list[Any]:
    if item == "@methods":
        return [f"{methods.FOLDER}/{method.name}.md" for method in ours()]
    if item in ("@metrics", "@lessons"):
        every = metrics.pages() if item == "@metrics" else lessons.pages()
        return [uri for uri in every if not uri.endswith("index.md")]
    return [_filled(item)]
