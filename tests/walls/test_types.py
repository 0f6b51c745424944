"""mypy knows the parameters of every method, dataset and network: a misspelt one is refused before anything runs.

What it must accept and refuse stands in ``typed_examples.py``, which is checked with everything else (a run of mypy here would
read all of torch again). These tests hold that it is checked, strictly, and that no slip was taken out.
"""

from __future__ import annotations

import re
import tomllib

from tests.walls.sources import ROOT

EXAMPLES = "tests/walls/typed_examples.py"
SLIPS = {
    "self.p.betta": "attr-defined, no-any-return",
    "str = self.p.strength": "assignment",
    "params.nose": "attr-defined, no-any-return",
    "Blobs.params(values).nose": "attr-defined, no-any-return",
    "params.widht": "attr-defined",
    "params: str": "override",
}


def test_mypy_reads_the_examples_and_names_an_ignore_that_hides_nothing() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
    assert settings["strict"] is True  # which reports an ignore that hides nothing
    assert not settings.keys() & {"warn_unused_ignores", "disable_error_code", "overrides"}
    assert "tests" in settings["files"]
    assert not re.search(settings["exclude"], EXAMPLES)
    assert "\nmypy\n" in (ROOT / ".ci" / "run").read_text()


def test_every_slip_is_ignored_where_it_stands_and_nothing_else_is() -> None:
    found = [line for line in (ROOT / EXAMPLES).read_text().splitlines() if "# type: ignore" in line]
    assert len(found) == len(SLIPS)
    for line, (slip, codes) in zip(found, SLIPS.items(), strict=True):
        assert slip in line
        assert line.endswith(f"# type: ignore[{codes}]")
