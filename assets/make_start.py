"""Make assets/start/: the films of the start page's picture, one scene for every setting of its two sliders.

Run from the repository's root: ``python assets/make_start.py``. The models are trained by the same stages as in the app; equal
code and libraries give equal bytes. ``--out`` names another folder.
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
from unlearn_core.store import Store  # noqa: E402
from unlearn_core.views.start.data import Scene, scene_of  # noqa: E402
from unlearn_core.views.start.pack import pack  # noqa: E402
from unlearn_core.views.start.settings import FIRST, all_settings, films_digest, make_start_scenario, models_of  # noqa: E402
from unlearn_core.views.start.shipped import FOLDER, PROVENANCE, SCENES  # noqa: E402
from unlearn_core.views.start.stage import plan_films  # noqa: E402

PACKAGES = ("torch", "numpy")


def main() -> int:
    """Compute every scene, write them, and say what was written."""
    parser = argparse.ArgumentParser(description="Compute the start page's picture.")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder for the scenes [default: assets/start]")
    parser.add_argument("--store", type=Path, default=None, help="a store in which an interrupted run goes on")
    options = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(options.store or folder)
        anew = not store.find("film")
        scenes = compute(store)
    packed = pack(scenes, first=dict(zip(("regularity", "discovery"), FIRST, strict=True)))
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / SCENES.name).write_bytes(packed)
    told = provenance(scenes, round(time.monotonic() - start) if anew else None)
    (options.out / PROVENANCE.name).write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    for scene in scenes:
        ends = {name: f"{film.healed[-1]}, {film.utility[-1]:.3f}" for name, film in scene.films.items()}
        print(scene.scenario.corruption.regularity, scene.scenario.discovery, scene.memorised, ends)
    print(f"{len(scenes)} scenes, {len(packed) / 2**20:.2f} MB.")
    return 0


def compute(store: Store) -> list[Scene]:
    """Every scene, from the store or computed into it."""
    scenarios = [make_start_scenario(*setting) for setting in all_settings()]
    engine = Engine(store, address="inline")
    try:
        stages = [stage for scenario in scenarios for stage in plan_films(scenario, models_of(scenario))]
        if follow(engine, engine.submit(stages, "Start"), details=False).state != "done":
            sys.exit("A stage failed; nothing is written.")
    finally:
        engine.close()
    return [scene_of(store, scenario, models_of(scenario)) for scenario in scenarios]


def provenance(scenes: list[Scene], seconds: int | None) -> dict[str, Any]:
    """How it was made; ``seconds`` is None where a part had been computed before."""
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    return {
        "command": "python assets/make_start.py",
        "commit": commit,
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "seconds": seconds,
        "machine": f"{platform.system()} {platform.machine()}, cpu",
        "versions": {"python": platform.python_version()} | {name: metadata.version(name) for name in PACKAGES},
        "seed": scenes[0].scenario.seed,
        "scenarios": {
            f"regularity {scene.scenario.corruption.regularity:g}, discovery {scene.scenario.discovery:g}": scene.scenario.key
            for scene in scenes
        },
        "films": films_digest(),
    }


if __name__ == "__main__":
    sys.exit(main())
