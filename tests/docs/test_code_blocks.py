"""Every code block of the documents runs, or asks for what exists, or says why it is not run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from doc_blocks import BLOCKS, PAGES, ROOT, Block, blocks_of
from doc_shell import CLI, cli_words, commands, fault

from unlearn_core.cli import main
from unlearn_core.results.gallery import gallery
from unlearn_core.store import Store

SHELL = ("sh", "bash")
CHECKED = ("python", "yaml", *SHELL)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One store for all pages: what two of them compute is computed once. It has the gallery's demo, as that of anybody who
    opened the app has, which the README's example compares: tests/results/test_gallery.py computes of it anew."""
    folder, demo = tmp_path_factory.mktemp("results"), gallery(ROOT / "assets" / "gallery")
    assert demo is not None
    store = Store.open(folder / "store")
    demo.adopt(store)
    store.close()
    before = {name: os.environ.get(name) for name in ("UNLEARN_STORE", "UNLEARN_CACHE", "UNLEARN_ENGINE")}
    os.environ |= {"UNLEARN_STORE": str(folder / "store"), "UNLEARN_CACHE": str(folder / "cache"), "UNLEARN_ENGINE": "inline"}
    yield folder
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})


def test_every_block_is_checked_or_says_why_not() -> None:
    silent = [block.place for block in BLOCKS if block.language not in ("", *CHECKED) and not block.mark]
    assert silent == [], "no test knows these languages: say why they are not run (<!-- not run: … -->)"
    assert sum(block.is_run for block in BLOCKS) >= 12


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language in SHELL], ids=lambda block: block.place)
def test_commands_ask_for_what_exists(block: Block) -> None:
    if block.mark.startswith("not run"):
        return
    lines = commands(block.text)
    assert lines
    assert {" ".join(line): fault(line) for line in lines if fault(line)} == {}


@pytest.mark.parametrize(
    "line",
    [
        "eunoe runn", "eunoe --nope", "eunoe run --datast digits", "eunoe run --regularity x", "eunoe run --methods rem,remm",
        "eunoe run --dataset nope", "docker run --rm eunoe chek", "python -m benchmarks run nope", "pytest tests/nope/x.py",
        "streamlit run ap.py", "pip install -r nope.txt", "ls -l", "eunoe check && ls",
    ],
)  # fmt: skip
def test_what_does_not_exist_is_noticed(line: str) -> None:
    assert any(fault(command) for command in commands(line))


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "yaml"], ids=lambda block: block.place)
def test_plans_can_be_read(block: Block) -> None:
    documents = [document for document in yaml.safe_load_all(block.text) if document is not None]
    assert documents
    assert all(isinstance(document, dict) for document in documents)


RUN = [page for page in PAGES if any(block.is_run for block in blocks_of(page))]


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.name)
def test_what_a_page_says_runs(page: Path, results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From top to bottom in one empty folder; the Python of a page shares its names."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "__page__"}
    for block in blocks_of(page):
        if block.mark.startswith("file: "):
            (tmp_path / block.mark.removeprefix("file: ")).write_text(block.text, encoding="utf-8")
        if not block.is_run:
            continue
        if block.language == "python":
            exec(compile("\n" * block.line + block.text, str(page), "exec"), names)
        else:
            run_commands(block)


def run_commands(block: Block) -> None:
    """Run a block's commands in this process, which spares each of them the import of torch."""
    for command in commands(block.text):
        words = cli_words(command)
        assert words is not None, f"{block.place}: only commands of eunoe are run"
        name = next(word for word in words if word in CLI.commands)
        takes = {option for parameter in CLI.commands[name].params for option in parameter.opts}
        inline = ["--engine", "inline"] if "--engine" in takes else []
        assert main([*words, *inline]) == 0, f"{block.place}: {' '.join(command)}"


def test_the_readme_is_short_and_keeps_its_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.split()) <= 700
    assert "pip install -r requirements.txt -r requirements-dev.txt && pytest" in text
    assert "streamlit run app.py" in text
