"""Where the laboratory's folders lie."""

from __future__ import annotations

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
DOCS: Final = ROOT / "docs"
PLANS: Final = ROOT / "benchmarks" / "plans"
RESULTS: Final = ROOT / "benchmarks" / "results"
