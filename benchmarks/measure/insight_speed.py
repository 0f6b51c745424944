"""How fast the pictures that look inside a model answer, on this machine.

    python -m benchmarks run insight_speed [--only redirect] [--repeats 15]

Prints, as JSON, milliseconds (median, 90th percentile) for each picture: one function each, given a store with the demo's
methods on digits and spirals. Run it with nothing else going on.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

from benchmarks.paths import ROOT

DATASETS = ("digits", "spirals")
Measured = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=list(PICTURES), action="append", help="measure only this picture")
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"UNLEARN_STORE": folder, "UNLEARN_ENGINE": "inline", "UNLEARN_GALLERY": ""}
        os.chdir(ROOT)
        for dataset in DATASETS:
            _fill(folder, dataset)
        measured = {name: measure(options.repeats) for name, measure in PICTURES.items() if name in (options.only or PICTURES)}
    print(json.dumps(measured, indent=1))


def redirect(repeats: int) -> Measured:
    """Strength slider → the page is drawn again: server time of the whole script, at strengths it has not seen before."""
    found: Measured = {}
    for dataset in DATASETS:
        app = _page("redirect", f"dataset={dataset}")
        strengths = [round(0.05 * (k * 7 % 20), 2) for k in range(20)]
        times = []
        for strength in strengths[:repeats]:
            app.slider(key="control:strength").set_value(strength)
            times.append(_timed(app.run))
            if app.exception:
                raise SystemExit(str(app.exception[0].value))
        found[f"strength_slider_{dataset}_ms"] = _summary(times)
    return found


def boundary(repeats: int) -> Measured:
    """100×100 cells of the plane for one stored model, loading its weights included; and one frame of a timeline."""
    from unlearn_core.presets import make_method, make_scenario
    from unlearn_core.store import Store
    from unlearn_core.views.boundary.data import FRAME_RESOLUTION, RESOLUTION, map_decisions
    from unlearn_core.views.boundary.plane import plane_of

    store, found = Store.open(os.environ["UNLEARN_STORE"]), Measured()
    for dataset in DATASETS:
        scenario = make_scenario(dataset)
        plane, spec = plane_of(scenario), make_method("rem", scenario)
        for name, cells in (("grid", RESOLUTION), ("frame", FRAME_RESOLUTION)):
            call = functools.partial(map_decisions, store, scenario, spec, plane, cells)
            times = [_timed(call) for _ in range(repeats + 1)]
            found[f"boundary_{name}_{cells}x{cells}_{dataset}_ms"] = _summary(times[1:])
    return found


PICTURES: dict[str, Callable[[int], Measured]] = {"boundary": boundary, "redirect": redirect}


def _fill(folder: str, dataset: str) -> None:
    """Compute the demo's methods on ``dataset`` into the store at ``folder``."""
    from unlearn_core.presets import make_method, make_scenario
    from unlearn_core.stages.execution import run_stage
    from unlearn_core.stages.unlearn import plan_runs
    from unlearn_core.store import Store
    from unlearn_core.training import SilentReporter

    store, scenario = Store.open(folder), make_scenario(dataset)
    for stage in plan_runs(scenario, [make_method(name, scenario) for name in ("finetune", "oracle_retrain", "rem")]):
        run_stage(stage, store, "cpu", SilentReporter())


def _page(name: str, query: str) -> Any:
    """A page in Streamlit's headless test, opened."""
    from streamlit.testing.v1 import AppTest

    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    for part in query.split("&"):
        key, _, value = part.partition("=")
        app.query_params[key] = value
    app.switch_page(f"pages/{name}.py")
    return app.run()


def _timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - start)


def _summary(times: list[float]) -> dict[str, float]:
    times = sorted(times)
    return {"median": round(statistics.median(times), 1), "p90": round(times[int(0.9 * (len(times) - 1))], 1)}
