"""Installed packages: each of their modules counts, and one that is broken costs no other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from plugintools import method

ROOT = Path(__file__).parents[2]
ENTRIES = """[eunoe.components]
one = twoparts.one
other = twoparts.inner.other
broken = twoparts.broken
gone = twoparts.gone
"""
BY_HAND = """
import twoparts.one
from unlearn_core.methods import registry

print(registry.names().index("still") > registry.names().index("rem"), registry.get("still").revision > 100)
"""


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(ROOT), str(folder)])
    environment = os.environ | {"PYTHONPATH": paths, "XDG_DATA_HOME": str(folder / "data")}
    return subprocess.run(
        [sys.executable, *command], env=environment, cwd=folder, capture_output=True, text=True, timeout=100, check=True
    )


def test_every_module_that_a_package_names_is_imported(tmp_path: Path) -> None:
    package, about = tmp_path / "twoparts", tmp_path / "twoparts-1.0.dist-info"
    (package / "inner").mkdir(parents=True)
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: twoparts\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(ENTRIES)
    texts = {"__init__": "", "one": method(), "inner/__init__": "", "inner/other": method("other"), "broken": "\nx = 1 / 0"}
    for name, text in texts.items():
        (package / f"{name}.py").write_text(text)
    done = run(tmp_path, "-m", "unlearn_core", "methods", "--json")
    assert {"still", "other"} <= {found["name"] for found in json.loads(done.stdout)}
    assert f"From a plug-in: other ({package / 'inner' / 'other.py'})." in done.stderr
    assert "could not be imported (ZeroDivisionError: division by zero (broken.py, line 2))" in done.stderr
    assert "the installed package names the module twoparts.gone, which is not there" in done.stderr
    # Imported by hand first, a package's component is a plug-in's all the same: behind ours, and with a version.
    assert run(tmp_path, "-c", BY_HAND).stdout.split() == ["True", "True"]
