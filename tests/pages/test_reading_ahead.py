"""What is loaded in the background is what the first visit to a page would load: the pages then load little."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = """
import json, sys
from pages.session.reading_ahead import read_ahead
from streamlit.testing.v1 import AppTest
app = AppTest.from_file("app.py", default_timeout=60)
app.run()
read_ahead()
before = set(sys.modules)
app.query_params["discovery"] = "0.4"  # nothing of it is stored, so that its cost is counted
app.switch_page("pages/compare.py").run()
assert not app.exception
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def test_comparing_then_loads_no_library(tmp_path: Path) -> None:
    own = {"UNLEARN_STORE": str(tmp_path), "UNLEARN_ENGINE": "inline", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, env=os.environ | own, capture_output=True, text=True, check=True, timeout=120
    )
    loaded = json.loads(done.stdout.splitlines()[-1])
    assert [name for name in loaded if name.split(".")[0] in ("torch", "scipy", "sklearn", "umap", "numba")] == []
    assert len(loaded) < 100
