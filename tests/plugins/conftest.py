"""Plug-in files for a test, which are gone afterwards, with whatever they registered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from plugintools import Plug

from unlearn_core import plugins
from unlearn_core.datasets import registry as datasets
from unlearn_core.discovery import registry as scores
from unlearn_core.evaluation import registry as metrics
from unlearn_core.methods import registry as methods
from unlearn_core.models import registry as models
from unlearn_core.stages.stage import stage_kinds


@pytest.fixture
def plug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plug]:
    """Write a plug-in file (name, text), or write it anew, and have it loaded."""
    for registry in (methods, datasets, models, scores, metrics):
        registry.names()
    stage_kinds()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv(plugins.VARIABLE, "")
    plugins.refresh()

    def write(name: str, text: str) -> plugins.Plugin:
        path = tmp_path / name
        path.write_text(text)
        plugins.name_files([str(path)])
        plugins.refresh()
        return next(plugin for plugin in plugins.known() if plugin.path == str(path.resolve()))

    yield write
    monkeypatch.undo()
    plugins.refresh()
