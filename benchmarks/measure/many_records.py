"""How long a store with 50,000 runs keeps people waiting: heatmap, a click in it, `results`, worst cases, recent runs.

    python -m benchmarks run many_records [--runs 50000] [--repeats 5] [--out benchmarks/results/many_records.json]

Makes a store of synthetic but well-formed records (real specs and keys, payloads with rounds, two small files each), opens it
as a new process would, and measures. Every figure is seconds of a processor, the least of several repeats: it says what the
work takes, not what else ran. A million runs, rows alone: ``python -m benchmarks run store_scale``.
``first`` is with nothing in memory, ``again`` with everything, ``click`` the page drawn anew by one.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.paths import ROOT

DIALS = [(r, d) for r in (0.0, 0.5, 1.0) for d in (0.1, 0.3, 0.5, 0.75, 1.0)]
ROUNDS = 8
ASKED = {"heatmap_first_s": 2.0, "heatmap_click_s": 0.5, "results_command_s": 3.0}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=50_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, help="where the figures go, as JSON [default: printed]")
    parser.add_argument("--note", default="nothing else was running", help="what else the machine did, for the report")
    parser.add_argument("--store", help="a store that an earlier call left; made anew without")
    options = parser.parse_args()
    os.chdir(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        place = options.store or folder
        os.environ |= {"UNLEARN_STORE": place, "UNLEARN_ENGINE": "inline"}
        made = None if (Path(place) / "lethe.sqlite").exists() else round(_timed(lambda: fill(place, options.runs)), 1)
        figures = measure(place, options.repeats)
    found = {
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "runs": options.runs,
        "repeats": options.repeats,
        "note": options.note,
        "made_in_s": made,
        "asked": ASKED,
        "measured": {name: round(value, 3) for name, value in figures.items()},
    }
    text = json.dumps(found, indent=1) + "\n"
    if options.out:
        options.out.write_text(text)
    print(text, end="")


def fill(place: str, count: int) -> None:
    """Write the records past the store's own writing, which syncs every file."""
    import sqlalchemy as sa

    from unlearn_core.store import Store
    from unlearn_core.store.schema import records

    store = Store.open(place)
    batch: list[dict[str, Any]] = []

    def write(rows: list[dict[str, Any]]) -> None:
        store._db.write(lambda db: db.execute(sa.insert(records), rows))

    runs = 0
    for number, row in enumerate(_records(Path(place) / "artifacts")):
        runs += row["kind"] == "run"
        if runs > count:
            break
        batch.append(row | {"created": 1.8e9 + number})
        if len(batch) == 2000:
            write(batch)
            batch = []
    if batch:
        write(batch)
    store.close()


def _records(artifacts: Path) -> Iterator[dict[str, Any]]:
    """Every method on the map, seed after seed, with a few other parameters; each twentieth seed in another setting."""
    from unlearn_core.methods import registry as methods
    from unlearn_core.presets import make_method, make_scenario
    from unlearn_core.results.late_metrics import at

    dice = random.Random(0)
    usual = make_scenario("digits")
    settings = [make_scenario("digits", overrides={"training.epochs": n}) for n in (10, 20, 40)]
    settings += [make_scenario("digits", amount=amount) for amount in (20, 50)]
    presets = [make_method(name, usual) for name in methods.names()]
    varied = [make_method("rem", usual, {"epochs": n}) for n in range(2, 10)]
    varied += [make_method("finetune", usual, {"epochs": n}) for n in range(2, 9)]
    varied = [spec for spec in varied if spec not in presets]
    for seed in itertools.count():
        base = settings[seed // 20 % len(settings)] if seed % 20 == 19 else usual
        for regularity in dict(DIALS):
            yield _original(at(base, regularity, 1.0, seed))
        others = [varied[(seed + k) % len(varied)] for k in range(4)]
        for (regularity, discovery), spec in itertools.product(DIALS, [*presets, *others]):
            yield _record(at(base, regularity, discovery, seed), spec, artifacts, dice)


def _original(scenario: Any) -> dict[str, Any]:
    return {
        "key": scenario.original_key,
        "token": uuid.uuid4().hex,
        "kind": "original",
        "spec": json.dumps({"scenario": scenario.model_dump(mode="json")}),
        "payload": json.dumps({"seconds": 1.0, "device": "cpu"}),
        "environment": json.dumps({"device": "cpu", "torch": "2"}),
        "files": "[]",
    }


def _record(scenario: Any, spec: Any, artifacts: Path, dice: random.Random) -> dict[str, Any]:
    from unlearn_core.evaluation import registry as metrics

    key = scenario.run_key(spec)
    # A run is measured beside its original; what else a metric compares with is there only later.
    found = {metric.name: set(metric.compares_with) <= {"original"} for metric in metrics if not metric.as_found}
    measured = {name: dice.random() if known else None for name, known in found.items()}
    rounds = [{"round": k, "healed": dice.random(), "utility": dice.random(), "retain_accuracy": dice.random(),
               "forget_accuracy": dice.random(), "healed_x_utility": dice.random()} for k in range(ROUNDS)]  # fmt: skip
    payload = {"method": spec.name, "params": dict(spec.params), "metrics": measured, "seconds": dice.random(),
               "device": "cpu", "trajectory": rounds, "redirect_layers": []}  # fmt: skip
    (artifacts / key[:2]).mkdir(exist_ok=True)
    files = []
    for name in ("logits", "weights"):
        path = f"{key[:2]}/{key}-{name}.safetensors"
        (artifacts / path).write_bytes(b"{}")
        files.append({"name": name, "path": path, "size": 2, "sha256": ""})
    return {
        "key": key,
        "token": uuid.uuid4().hex,
        "kind": "run",
        "spec": json.dumps({"scenario": scenario.model_dump(mode="json"), "method": spec.model_dump(mode="json")}),
        "payload": json.dumps(payload),
        "environment": json.dumps({"device": "cpu", "torch": "2"}),
        "files": json.dumps(files),
    }


def measure(place: str, repeats: int) -> dict[str, float]:
    """Seconds, the least of ``repeats``."""
    found = {"fill_table_once_s": _timed(lambda: _new_store(place).runs.changes())}
    found["open_store_s"] = _least(repeats, lambda: _new_store(place))
    found |= _data_paths(place, repeats)
    found |= _pages(place, repeats)
    command = [sys.executable, "-m", "unlearn_core", "results", "--store", place]
    start = _least(repeats, lambda: _quiet([sys.executable, "-m", "unlearn_core", "methods"]))
    found["results_command_s"] = _least(repeats, lambda: _quiet(command))
    return found | {"python_and_imports_s": start}


def _data_paths(place: str, repeats: int) -> dict[str, float]:
    from unlearn_core.presets import make_method, make_scenario
    from unlearn_core.results import tables
    from unlearn_core.results.recent import recent_runs
    from unlearn_core.views.heatmap.data import cells, heatmap_data
    from unlearn_core.views.heatmap.worst_case import worst_cases

    scenario = make_scenario("digits")
    specs = [make_method(name, scenario) for name in ("rem", "finetune", "retrain")]

    def table() -> None:
        tables.summary(tables.results(_new_store(place), "healed_x_utility"), "healed_x_utility")

    warm = _new_store(place)
    calls: dict[str, Callable[[], Any]] = {
        "heatmap_data_first_s": lambda: cells(heatmap_data(_new_store(place), scenario, "healed_x_utility").runs),
        "results_data_first_s": table,
        "compare_worst_first_s": lambda: worst_cases(_new_store(place), scenario, specs),
    }
    found = {name: _least(repeats, call) for name, call in calls.items()}
    heatmap_data(warm, scenario, "healed_x_utility")
    found["heatmap_data_again_s"] = _least(repeats, lambda: cells(heatmap_data(warm, scenario, "healed_x_utility").runs))
    found["heatmap_other_metric_s"] = _least(repeats, lambda: cells(heatmap_data(warm, scenario, "utility").runs))
    found["compare_worst_again_s"] = _least(repeats, lambda: worst_cases(warm, scenario, specs))
    found["recent_s"] = _least(repeats, lambda: recent_runs(warm, 5))
    found["compare_tables_s"] = _least(repeats, lambda: tables.comparison(warm, scenario, specs))
    return found


def _pages(place: str, repeats: int) -> dict[str, float]:
    """Server time of the heatmap's whole script: opened with an empty cache, and after a click on a cell."""
    from streamlit.testing.v1 import AppTest

    from unlearn_core.results import run_table as _runs
    from unlearn_core.views.heatmap.tasks import Cell

    first, click = [], []
    for _ in range(repeats + 1):
        _runs._kept.clear()
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=600)
        app.switch_page("pages/heatmap.py")
        first.append(_timed(app.run))
        for cell in (("rem", Cell(1.0, 0.3)), ("finetune", Cell(0.5, 0.5))):
            app.selectbox(key="cell-row").set_value((cell[0], ""))
            app.run()
            app.selectbox(key="cell-task").set_value(cell[1])
            click.append(_timed(app.run))
        if app.exception:
            raise SystemExit(str(app.exception[0].value))
    return {"heatmap_first_s": min(first[1:]), "heatmap_click_s": min(click), "heatmap_first_of_the_process_s": first[0]}


def _new_store(place: str) -> Any:
    from unlearn_core.store import Store

    return Store.open(place)


def _quiet(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _least(repeats: int, call: Callable[[], object]) -> float:
    return min(_timed(call) for _ in range(repeats))


def _timed(call: Callable[[], object]) -> float:
    start = sum(os.times()[:4])  # of this process and its children: other programs do not count
    call()
    return sum(os.times()[:4]) - start
