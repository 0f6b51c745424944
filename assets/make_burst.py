"""Make assets/start/burst.bin: where road signs with a sticker lie, in the original and under each method of the start page.

Run from the repository's root: ``python assets/make_burst.py``. The models are trained by the same stages as in the app.
``--out`` names another folder, ``--store`` one in which an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import platform
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from unlearn_core.cli.follow import follow  # noqa: E402
from unlearn_core.engine import Engine  # noqa: E402
from unlearn_core.methods import registry as methods  # noqa: E402
from unlearn_core.stages.unlearn import plan_runs  # noqa: E402
from unlearn_core.store import Store  # noqa: E402
from unlearn_core.views.embedding.figure import CLASS_COLORS  # noqa: E402
from unlearn_core.views.start.burst import METHODS, SignBurst, burst_digest, burst_methods, burst_of, make_burst_scenario  # noqa: E402
from unlearn_core.views.start.burst_pack import pack_burst  # noqa: E402
from unlearn_core.views.start.shipped import BURST, BURST_PROVENANCE, FOLDER  # noqa: E402

PACKAGES = ("torch", "numpy", "umap-learn", "pillow")


def main() -> int:
    """Train the models, lay them out, write the picture, and say what it shows."""
    parser = argparse.ArgumentParser(description="Compute the start page's star-burst.")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder for the picture [default: assets/start]")
    parser.add_argument("--store", type=Path, default=None, help="a store in which an interrupted run goes on")
    options = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(options.store or folder)
        anew = not store.find("run")
        burst = compute(store)
    labels = {name: methods.get(name).label.partition(":")[0] for name in METHODS}
    packed = pack_burst(burst, labels, CLASS_COLORS)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / BURST.name).write_bytes(packed)
    told = provenance(burst, round(time.monotonic() - start) if anew else None)
    (options.out / BURST_PROVENANCE.name).write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(told["home"]), f"{len(packed) / 2**10:.0f} kB")
    return 0


def compute(store: Store) -> SignBurst:
    """The picture, from the store or computed into it."""
    scenario = make_burst_scenario()
    specs = burst_methods(scenario)
    engine = Engine(store, address="inline")
    try:
        if follow(engine, engine.submit(plan_runs(scenario, specs), "Star-burst"), details=False).state != "done":
            sys.exit("A stage failed; nothing is written.")
    finally:
        engine.close()
    return burst_of(store, scenario, specs)


def provenance(burst: SignBurst, seconds: int | None) -> dict[str, Any]:
    """How it was made; ``seconds`` is None where a part had been computed before."""
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    return {
        "command": "python assets/make_burst.py",
        "commit": commit,
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "seconds": seconds,
        "machine": f"{platform.system()} {platform.machine()}, cpu",
        "versions": {"python": platform.python_version()} | {name: metadata.version(name) for name in PACKAGES},
        "scenario": burst.scenario.key,
        "seed": burst.scenario.seed,
        "of": len(burst.corrupted),
        "home": {name: burst.arrived(name)[0] for name in burst.models},
        "digest": burst_digest(),
    }


if __name__ == "__main__":
    sys.exit(main())
