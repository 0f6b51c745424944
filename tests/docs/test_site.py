"""The pages that are made from the code: one for everything that is registered, with what the registry says."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
from doc_blocks import ROOT

from benchmarks.report.methods import ours
from benchmarks.report.site import beside_papers, commands, gallery, methods, metrics, options
from benchmarks.report.site.text import mean_and_error, prose
from unlearn_core.evaluation import registry

ELSEWHERE = re.compile(r"""<(?:script|link|img|iframe|source)\b[^>]*?\b(?:src|href)=["'](?:https?:)?//[^"']*["'][^>]*>""")
STYLE = re.compile(r"""@import\b[^;]*|url\(["']?(?:https?:)?//""")


def test_every_method_has_its_page_with_equation_map_cost_and_parameters() -> None:
    pages = methods.pages()
    for method in ours():
        text = pages[f"methods/{method.name}.md"]
        assert "## On the map" in text
        assert "## Published, and here" in text
        assert all(f"`{method.name}.{name}`" in text for name in method.Params.model_fields)
    assert 'class="equation"' in pages["methods/rem.md"]
    assert {f"methods/{method.name}.md" for method in ours()} < set(pages)


def test_a_page_shows_the_gallery_s_numbers() -> None:
    """One cell and the cost, computed here by hand from the rows."""
    frame = gallery.rows()
    mine = frame[(frame.method == "rem") & (frame.variant == "")]
    cell = mine[(mine.regularity == 1.0) & (mine.discovery == 0.1)].healed_x_utility
    text = methods.page(next(method for method in ours() if method.name == "rem"))
    assert f"{cell.mean():.2f} ± {cell.std() / len(cell) ** 0.5:.2f}" in text
    assert f"{mine.seconds.median():.1f} s" in text


def test_published_numbers_belong_to_methods_and_stand_beside_ours() -> None:
    assert set(beside_papers.published()) <= {method.name for method in ours()}
    lines = "\n".join(beside_papers.section("rem"))
    assert "0.734 ± 0.014" in lines
    assert "9 cells" in lines
    assert any("only a part" in line and "| 1.0 | not run like this |" in line for line in beside_papers.section("tarf"))
    assert beside_papers.section("jit")[0] == beside_papers.NONE


def test_every_metric_has_its_page_and_says_what_misleads() -> None:
    names = {metric.name for metric in registry if metric.__module__.startswith("unlearn_core.")}
    assert set(metrics.notes()["misleads"]) == names
    assert set(metrics.notes()["sources"]) < names
    pages = metrics.pages()
    for metric in registry:
        assert prose(metric.split) in pages[f"metrics/{metric.name}.md"]


def test_options_and_commands_are_those_of_the_program() -> None:
    text = options.page()
    assert "| `corruption.regularity` | a number, 0 to 1 | 1 |" in text
    assert "| `training.optimizer` | `sgd` or `adam` | sgd |" in text
    assert "| `rem.momentum` | a number, at least 0, below 1 |" in text
    assert "`--regularity <float>`" in commands.page()
    assert "## discover" in commands.page()
    assert "## store prune" in commands.page()


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("c*(x) = μ_{c*(x)}", r"c\*(x) = μ\_{c\*(x)}"),
        ("``epochs`` passes | end", "`epochs` passes &#124; end"),
        ("arXiv:2505.17730, a", "[arXiv:2505.17730](https://arxiv.org/abs/2505.17730), a"),
    ],
)
def test_docstrings_mean_nothing_in_markdown(text: str, markdown: str) -> None:
    assert prose(text) == markdown


def test_a_mean_has_its_standard_error() -> None:
    assert mean_and_error([0.9, 1.0, float("nan")]) == "0.95 ± 0.05"
    assert mean_and_error([0.5]) == "0.50"
    assert mean_and_error([]) == "–"


@pytest.mark.skipif(importlib.util.find_spec("mkdocs") is None, reason="mkdocs is not installed (requirements-docs.txt)")
def test_the_site_is_built_without_a_warning_and_needs_no_network(tmp_path: Path) -> None:
    built = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    done = subprocess.run(built, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    pages, styles = list(tmp_path.rglob("*.html")), list(tmp_path.rglob("*.css"))
    assert len(pages) > 60
    assert {page.name: found for page in pages if (found := ELSEWHERE.findall(page.read_text(encoding="utf-8")))} == {}
    assert {style.name: found for style in styles if (found := STYLE.findall(style.read_text(encoding="utf-8")))} == {}
