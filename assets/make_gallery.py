"""Make assets/gallery/: the sweep of gallery.yaml, computed into a store, exported as one table and the demo's records.

Run from the repository's root: ``python assets/make_gallery.py --store FOLDER``. It can be stopped at any moment and run
again with the same store: what is finished is kept. ``--export-only`` computes nothing and exports what is there.

``--map photographs`` makes the map of other data instead (gallery_photographs.yaml), from their folder, which ``--data`` names.
``--kinds`` makes the part with the kinds of corruption that have no place on the map (gallery_kinds.yaml) instead.
``--lessons`` makes the lessons' part of it instead: what their steps open on and neither the sweep nor the demo has. What is
there already stays as it is. The seconds of both are left out, unless ``--timed`` says that nothing else ran on the machine.
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import json
import platform
import shutil
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import pandas as pd  # noqa: E402
from safetensors.numpy import save_file  # noqa: E402

from assets import kind_gallery as of_kinds  # noqa: E402
from assets import lesson_gallery as of_lessons  # noqa: E402
from unlearn_core import view_state as vs  # noqa: E402
from unlearn_core.cli.follow import follow  # noqa: E402
from unlearn_core.cli.sweep import plan_stages, read_plan  # noqa: E402
from unlearn_core.engine import Engine  # noqa: E402
from unlearn_core.evaluation import revisions  # noqa: E402
from unlearn_core.presets import make_method, make_scenario  # noqa: E402
from unlearn_core.results import gallery as g  # noqa: E402
from unlearn_core.results import tables  # noqa: E402
from unlearn_core.specs import SweepSpec  # noqa: E402
from unlearn_core.stages.stage import Stage  # noqa: E402
from unlearn_core.stages.unlearn import plan_runs  # noqa: E402
from unlearn_core.store import Store  # noqa: E402
from unlearn_core.views.embedding.stage import plan_embedding  # noqa: E402

PLAN, KIND_PLAN = (ROOT / "assets" / f"gallery{part}.yaml" for part in ("", "_kinds"))
COMMAND = "python assets/make_gallery.py --store FOLDER"
PACKAGES = ("torch", "numpy", "scikit-learn")
UNTIMED = "There are no seconds of these runs: other work on the machine disturbed them."
DIGITS = 6
"""Digits after the point in the table: more than anybody reads, and the file stays small."""


def main() -> int:
    """Compute what is missing, export, and say what was written."""
    options = arguments()
    store = Store.open(options.store)
    if options.lessons:
        return lessons(store, options)
    if options.kinds:
        return kinds(store, options)
    if options.map:
        return other_map(store, options)
    plan = read_plan(options.plan)
    if not options.export_only:
        state = compute(store, plan, options.engine, options.workers)
        if state not in ("done", "failed"):
            print(f"The sweep is {state}: run the same command again to go on. Nothing is exported.", file=sys.stderr)
            return 1
        if state == "failed":
            print("Some runs failed (see above); their cells stay empty. Everything else is exported.", file=sys.stderr)
    counts = export(store, plan, options.out, options.note)
    size = sum(path.stat().st_size for path in options.out.rglob("*") if path.is_file())
    print(f"{counts['runs']} rows and {counts['records']} complete records in {options.out.name}/, {size / 2**20:.1f} MB.")
    return 0


def lessons(store: Store, options: argparse.Namespace) -> int:
    """Compute what the lessons' steps lack in the gallery, and write it beside the map."""
    if (present := g.gallery(options.out)) is not None:
        present.adopt(store)
    steps = of_lessons.steps_of()
    lacks = of_lessons.lacking(steps, options.out)
    print(f"{len(steps)} steps show results, {len(lacks.steps)} of them lack some: {', '.join(lacks.steps) or 'none'}.")
    stages = {stage.key: stage for name in lacks.steps for stage in steps[name].stages}
    if stages and not options.export_only:
        state = run(store, list(stages.values()), "Lessons", options.engine, options.workers)
        if state != "done":
            print(f"The lessons' runs are {state}: run the same command again. Nothing is exported.", file=sys.stderr)
            return 1
    note = " ".join(filter(None, (options.note, "" if options.timed else UNTIMED)))
    made = {"command": COMMAND.replace(" --store", " --lessons --store")} | machine(["cpu"]) | {"note": note}
    counts = of_lessons.export(store, steps, options.out, made, options.timed)
    size = sum(path.stat().st_size for path in (options.out / g.LESSONS).rglob("*") if path.is_file())
    print(f"{counts['new']} results are new, {counts['kept']} as before, {counts['lacking']} lack; {size / 2**20:.1f} MB.")
    return 1 if counts["lacking"] else 0


def kinds(store: Store, options: argparse.Namespace) -> int:
    """Compute and export the kinds that have no place on the map."""
    plan = read_plan(KIND_PLAN)
    scenarios = of_kinds.scenarios(plan)
    stages = [stage for what in scenarios for stage in plan_runs(what, [make_method(name, what) for name in plan.methods])]
    if not options.export_only and (state := run(store, stages, "Kinds", options.engine, options.workers)) != "done":
        print(f"The kinds' runs are {state}: run the same command again. Nothing is exported.", file=sys.stderr)
        return 1
    rows = of_kinds.table(store, scenarios, plan.methods)
    out = options.out / g.KINDS
    out.mkdir(parents=True, exist_ok=True)
    (rows if options.timed else rows.assign(seconds=None)).round(DIGITS).to_csv(out / g.RUNS, index=False)
    note = " ".join(
        filter(None, (options.note, of_kinds.lacking(rows, len(scenarios), plan.methods), "" if options.timed else UNTIMED))
    )
    made = provenance(plan, rows) | {"command": COMMAND.replace(" --store", " --kinds --store"), "note": note}
    del made["plan"]["regularity"]  # a kind has its own place on the dial
    (out / g.PROVENANCE).write_text(json.dumps(made, indent=2) + "\n")
    print(f"{len(rows)} rows of {rows['options'].nunique()} kinds.")
    return 0


def other_map(store: Store, options: argparse.Namespace) -> int:
    """Compute and export the map of other data, as far as there is one: what is not computed stays hatched."""
    plan = read_plan(ROOT / "assets" / f"gallery_{options.map}.yaml")
    if not options.export_only:
        there = {"dataset.data": options.data} if options.data else {}
        stages = plan_stages(plan.model_copy(update={"set": plan.set | there}))
        state = run(store, stages, f"Map of {options.map}", options.engine, options.workers)
        if state not in ("done", "failed"):
            print(f"The map's runs are {state}: run the same command again. Nothing is exported.", file=sys.stderr)
            return 1
    rows = table(store, plan)
    out = options.out / options.map
    out.mkdir(parents=True, exist_ok=True)
    (rows if options.timed else rows.assign(seconds=None)).round(DIGITS).to_csv(out / g.RUNS, index=False)
    tasks = len(plan.seeds) * len(plan.regularity) * len(plan.discovery)
    note = " ".join(filter(None, (options.note, of_kinds.lacking(rows, tasks, plan.methods), "" if options.timed else UNTIMED)))
    data = " --data FOLDER" if options.data else ""
    command = COMMAND.replace(" --store", f" --map {options.map}{data} --store")
    (out / g.PROVENANCE).write_text(json.dumps(provenance(plan, rows) | {"command": command, "note": note}, indent=2) + "\n")
    print(f"{len(rows)} rows of {options.map}.")
    return 0


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description="Compute and export the gallery.")
    parser.add_argument("--store", required=True, help="where results are computed; an interrupted sweep goes on there")
    parser.add_argument("--plan", type=Path, default=PLAN, help="the sweep's plan [default: assets/gallery.yaml]")
    parser.add_argument("--out", type=Path, default=g.FOLDER, help="where the gallery goes [default: assets/gallery]")
    parser.add_argument("--engine", default="local", help="local, inline or the address of a Dask scheduler [default: local]")
    parser.add_argument("--workers", type=int, default=None, help="worker processes [default: cores, at most 8]")
    parser.add_argument("--note", default="", help="a sentence about how it was made, shown with the provenance")
    parser.add_argument("--lessons", action="store_true", help="make what the lessons' steps open on, and nothing else")
    parser.add_argument("--kinds", action="store_true", help="make the kinds' part, and nothing else")
    parser.add_argument("--map", choices=g.MAPS, default="", help="make the map of these data, and nothing else")
    parser.add_argument("--data", default="", help="with --map photographs: the folder of CIFAR-10 as JPEG files")
    parser.add_argument(
        "--timed",
        action="store_true",
        help="with --lessons, --kinds or --map: keep the seconds, because nothing else ran",
    )
    parser.add_argument("--export-only", action="store_true", help="export what the store has, compute nothing")
    return parser.parse_args()


def compute(store: Store, plan: SweepSpec, address: str = "local", workers: int | None = None) -> str:
    """Run what the store lacks of the plan and of the demo; returns how that ended."""
    return run(store, [*demo_stages(), *plan_stages(plan)], "Gallery", address, workers)


def run(store: Store, stages: Sequence[Stage], title: str, address: str, workers: int | None) -> str:
    """Run what the store lacks of these stages; returns how that ended."""
    engine = Engine(store, address=address, workers=workers)
    try:
        job = engine.submit(stages, title)
        return str(follow(engine, job, details=False).state)
    except KeyboardInterrupt:
        return "stopped"
    finally:
        engine.close()


def demo_stages() -> list[Stage]:
    """What the first pictures need: the demo's runs, a quick search for suspects, the embedding that its page opens with."""
    demo = vs.default_state()
    scenario = vs.to_scenario(demo)
    embedded = vs.to_methods(demo, demo["embedded"])
    return [*plan_runs(scenario, [*vs.to_methods(demo), vs.to_search(demo)]), *plan_embedding(scenario, embedded)]


def export(store: Store, plan: SweepSpec, out: Path, note: str = "") -> dict[str, int]:
    """Write the gallery from the store; returns how many rows and records it has."""
    out.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(out / g.ARRAYS, ignore_errors=True)
    rows = table(store, plan)
    rows.round(DIGITS).to_csv(out / g.RUNS, index=False)
    records = demo_records(store, out)
    (out / g.RECORDS).write_text(json.dumps(records, indent=1, sort_keys=True) + "\n")
    (out / g.PROVENANCE).write_text(json.dumps(provenance(plan, rows) | {"note": note}, indent=2) + "\n")
    return {"runs": len(rows), "records": len(records)}


def table(store: Store, plan: SweepSpec) -> pd.DataFrame:
    """Every stored run of the plan with its methods' presets, every metric measured, and a row for each original."""
    wanted = {
        (seed, regularity, discovery): make_scenario(
            plan.dataset, regularity=regularity, discovery=discovery, model=plan.model, seed=seed, overrides=plan.set
        )
        for seed, regularity, discovery in itertools.product(plan.seeds, plan.regularity, plan.discovery)
    }
    runs = tables.results(store, dataset=plan.dataset)
    runs = runs[runs["method"].isin(plan.methods) & (runs["variant"] == "")]
    rows = of_kinds.with_originals(store, plan.dataset, runs, wanted.values())
    keep = [place in wanted for place in zip(rows["seed"], rows["regularity"], rows["discovery"], strict=True)]
    rows = rows[keep]
    rows = rows[rows["key"] == g.keys_today(rows)]
    return rows.sort_values(["regularity", "discovery", "seed", "method"], kind="stable", ignore_index=True)


def demo_records(store: Store, out: Path) -> list[dict[str, Any]]:
    """The demo's complete records; their arrays go into files beside the list."""
    entries = []
    for record in (store.get(key) for key in dict.fromkeys(stage.key for stage in demo_stages())):
        if record is None:
            continue
        for name in record.arrays:
            path = g.array_path(out, record.key, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            save_file(store.arrays(record.key, name), path)
        entries.append(
            {name: getattr(record, name) for name in ("key", "kind", "spec", "payload", "environment")}
            | {"arrays": list(record.arrays), "set": of_lessons.changed(record.spec)}
        )
    return entries


def provenance(plan: SweepSpec, rows: pd.DataFrame) -> dict[str, Any]:
    """How the gallery was made."""
    made = {"command": COMMAND} | machine(sorted(rows["device"].dropna().unique()))
    return made | {"plan": plan.model_dump(mode="json"), "rows": len(rows)}


def machine(devices: Sequence[str]) -> dict[str, Any]:
    """When and on what, and which definitions the metrics had."""
    return {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "machine": f"{platform.system()} {platform.machine()}, {'/'.join(devices)}",
        "versions": {"python": platform.python_version()} | {name: metadata.version(name) for name in PACKAGES},
        "metric_revisions": revisions(),
    }


if __name__ == "__main__":
    sys.exit(main())
