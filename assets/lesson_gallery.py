"""Make assets/gallery/lessons/: what the steps of the lessons open on, found from the lessons themselves.

``python assets/make_gallery.py --lessons --store FOLDER`` calls this. What is there already stays as it is, to the byte.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from safetensors.numpy import save_file  # noqa: E402

from pages.cache import boundary as planes  # noqa: E402
from pages.cache import catalog  # noqa: E402
from unlearn_core import view_state as vs  # noqa: E402
from unlearn_core.evaluation import revisions  # noqa: E402
from unlearn_core.presets import make_method  # noqa: E402
from unlearn_core.results import gallery as g  # noqa: E402
from unlearn_core.results import gallery_lessons as told  # noqa: E402
from unlearn_core.results import gallery_records, tables  # noqa: E402
from unlearn_core.specs import MethodSpec, Scenario  # noqa: E402
from unlearn_core.stages.stage import Stage  # noqa: E402
from unlearn_core.stages.unlearn import plan_runs  # noqa: E402
from unlearn_core.store import Store  # noqa: E402
from unlearn_core.view_state.lessons import Lesson, lessons  # noqa: E402
from unlearn_core.views.boundary.data import FRAME_RESOLUTION  # noqa: E402
from unlearn_core.views.boundary.plane import plane_of  # noqa: E402
from unlearn_core.views.boundary.stage import plan_decision_maps, plan_frames, plan_plane  # noqa: E402
from unlearn_core.views.boundary.stored import computed_elsewhere  # noqa: E402
from unlearn_core.views.channels.stage import plan_channels  # noqa: E402
from unlearn_core.views.channels.strength import STEPS  # noqa: E402
from unlearn_core.views.embedding.stage import plan_embedding  # noqa: E402

LEFT_OUT = ("snapshots",)
"""Groups of arrays that stay behind: the weights of every round are most of what a run takes, and what a step shows of them is
kept as it is drawn."""
DIGITS = 6
"""Digits after the point, as in the map's table."""


@dataclass(frozen=True)
class Opened:
    """What the page of a step opens on. ``compared``: runs whose numbers and rounds are shown, each with the original;
    ``records``: the stages whose whole records it looks into, dependencies first."""

    scenario: Scenario
    compared: tuple[MethodSpec, ...] = ()
    records: tuple[Stage, ...] = ()

    @property
    def stages(self) -> list[Stage]:
        """Everything to compute, dependencies first."""
        runs = plan_runs(self.scenario, self.compared) if self.compared else []
        return list({stage.key: stage for stage in (*runs, *self.records)}.values())


def opened_by(page: str, state: vs.State) -> Opened | None:
    """What ``page`` opens on in this state; None where that is computed on the spot, or is the gallery's map."""
    if page == "compare":
        return Opened(vs.to_scenario(state), tuple(vs.to_methods(state, catalog.split_by_need(state)[0])))
    if page == "forget" and not vs.nothing_known(state):
        return _looking(state, [vs.to_search(state)])
    if page == "embedding":
        scenario = vs.to_scenario(state)
        return Opened(scenario, records=tuple(plan_embedding(scenario, vs.to_methods(state, state["embedded"]))))
    if page == "boundary":
        return _boundary(state)
    if page == "redirect":
        specs = vs.to_methods(state, [state["inspected"]])
        found = _looking(state, specs)
        groups = [STEPS] if any(abs(state["strength"] - step) < 1e-6 for step in STEPS) else [STEPS, (state["strength"],)]
        looks = plan_channels(found.scenario, specs[0], groups) if computed_elsewhere(found.scenario) else []
        return Opened(found.scenario, records=(*found.records, *looks))
    return None


def _looking(state: vs.State, specs: Sequence[MethodSpec]) -> Opened:
    scenario = vs.to_scenario(state)
    return Opened(scenario, records=tuple(plan_runs(scenario, specs)))


def _boundary(state: vs.State) -> Opened:
    chosen, asked = planes.chosen(state)[0], planes.asked(state)
    specs = vs.to_methods(state, [name for name in chosen if name != planes.ORIGINAL])
    found = _looking(state, specs)
    scenario, stages = found.scenario, list(found.records)
    plane, elsewhere = plane_of(scenario, asked), computed_elsewhere(scenario)
    shown: list[MethodSpec | None] = [*([None] if planes.ORIGINAL in chosen else []), *specs]
    if elsewhere:
        stages += [plan_plane(scenario, asked), *plan_decision_maps(scenario, shown, asked, plane)]
    if state["time"] == "rounds":
        stages += plan_frames(scenario, specs, asked, plane)
        stages += plan_decision_maps(scenario, [None], asked, plane, FRAME_RESOLUTION) if elsewhere and None in shown else []
    return Opened(scenario, records=tuple(stages))


def steps_of(all_lessons: Iterable[Lesson] | None = None) -> dict[str, Opened]:
    """What every step of the lessons opens on, by "lesson number"."""
    found = {}
    for lesson in lessons().values() if all_lessons is None else all_lessons:
        for number, step in enumerate(lesson.steps, 1):
            opened = opened_by(step.page, lesson.state_at(number, vs.default_state()))
            if opened is not None:
                found[f"{lesson.name} {number}"] = opened
    return found


@dataclass(frozen=True)
class Lacking:
    """What the gallery in a folder lacks of what the steps open on: ``rows`` by place, ``records`` by key."""

    rows: dict[tuple[str, float], tuple[Scenario, MethodSpec | None]]
    records: dict[str, Stage]
    steps: list[str]


def wanted(steps: Mapping[str, Opened], folder: Path) -> Lacking:
    """What has to be in the lessons' part of a gallery: all that is no part of its demo."""
    demo = {entry["key"] for entry in json.loads((folder / g.RECORDS).read_text())}
    rows: dict[tuple[str, float], tuple[Scenario, MethodSpec | None]] = {}
    records: dict[str, Stage] = {}
    for one in steps.values():
        if one.compared:
            rows[one.scenario.original_key, one.scenario.discovery] = (one.scenario, None)
        rows |= {(one.scenario.run_key(spec), one.scenario.discovery): (one.scenario, spec) for spec in one.compared}
        records |= {stage.key: stage for stage in one.records}
    return Lacking(
        {place: what for place, what in rows.items() if place[0] not in demo},
        {key: stage for key, stage in records.items() if key not in demo},
        list(steps),
    )


def lacking(steps: Mapping[str, Opened], folder: Path) -> Lacking:
    """What of it is not there, with the steps that want it."""
    there, kept = _kept(folder)
    found = {}
    for name, one in steps.items():
        need = wanted({name: one}, folder)
        if not (need.rows.keys() <= there.keys() and need.records.keys() <= kept.keys()):
            found[name] = one
    need = wanted(found, folder)
    return Lacking(
        {place: what for place, what in need.rows.items() if place not in there},
        {key: stage for key, stage in need.records.items() if key not in kept},
        list(found),
    )


def _kept(folder: Path) -> tuple[dict[tuple[str, float], dict[str, Any]], dict[str, dict[str, Any]]]:
    found = told.read_lessons(folder / g.LESSONS)
    if found is None:
        return {}, {}
    records = json.loads((found.folder / g.RECORDS).read_text())
    # One date and one set of definitions are said of all rows: where a metric is another one since, they are measured anew.
    rows = found.entries if found.provenance["metric_revisions"] == revisions() else []
    return {(one["key"], one["discovery"]): one for one in rows}, {one["key"]: one for one in records}


def _with_earlier(made: Mapping[str, Any], place: Path) -> dict[str, Any]:
    """How the new results were made, with how those were that stay."""
    found = told.read_lessons(place)
    if found is None:
        return dict(made)
    before = {name: found.provenance[name] for name in ("date", "machine", "versions", "note")}
    notes = dict.fromkeys(filter(None, (before["note"], made["note"])))
    return dict(made) | {"note": " ".join(notes), "before": [*found.provenance.get("before", []), before]}


def export(store: Store, steps: Mapping[str, Opened], folder: Path, made: Mapping[str, Any], timed: bool) -> dict[str, int]:
    """Write what the steps open on beside the gallery in ``folder``; returns how many rows and records are new, kept, and still
    not computed. ``timed``: whether nothing else ran while these were computed, so that their seconds are a measurement."""
    place, need, (rows, records) = folder / g.LESSONS, wanted(steps, folder), _kept(folder)
    new = [key for key in need.records if key not in records and store.get(key) is not None]
    # A gap to retraining needs retraining: a comparison is written once all of it is there.
    whole = [one for one in steps.values() if one.compared and _stored(store, plan_runs(one.scenario, one.compared))]
    places = wanted({str(k): one for k, one in enumerate(whole)}, folder).rows
    fresh = {where: _row(store, *what, timed) for where, what in places.items() if where not in rows}
    place.mkdir(parents=True, exist_ok=True)
    all_rows = [(rows | fresh)[where] for where in need.rows if where in rows or where in fresh]
    entries = [records.get(key) or _record(store, key, place, timed) for key in need.records if key in records or key in new]
    for path in (place / g.ARRAYS).glob("*"):  # of lessons that are no more
        if path.name.partition("-")[0] not in {entry["key"] for entry in entries}:
            path.unlink()
    for name, content in ((told.RUNS, all_rows), (g.RECORDS, entries)):
        (place / name).write_text("[\n" + ",\n".join(json.dumps(one, sort_keys=True) for one in content) + "\n]\n")
    if fresh or new:
        about = _with_earlier(made, place) if rows or records else dict(made)
        (place / told.PROVENANCE).write_text(json.dumps(about, indent=2) + "\n")
    return {
        "new": len(fresh) + len(new), "kept": len(all_rows) + len(entries) - len(fresh) - len(new),
        "lacking": len(need.rows) + len(need.records) - len(all_rows) - len(entries),
    }  # fmt: skip


def _stored(store: Store, stages: Sequence[Stage]) -> bool:
    keys = {stage.key for stage in stages}
    return store.has(keys) == keys


def _row(store: Store, scenario: Scenario, spec: MethodSpec | None, timed: bool) -> dict[str, Any]:
    """A stored run, or the original, as a comparison shows it."""
    shown = tables.comparison(store, scenario, [] if spec is None else [spec])
    found = shown[shown["method"] == (tables.ORIGINAL if spec is None else spec.name)]
    row = found.iloc[0].to_dict()
    values = {k: _rounded(v) for k, v in row.items() if k not in told.WHO and v == v and (timed or k != "seconds")}
    record = store.get(row["key"])
    points = (record.payload.get("trajectory") or []) if record is not None else []
    return {who: row[who] for who in told.WHO if who in row} | {
        "discovery": scenario.discovery,
        "oracle": bool(row["oracle"]),
        "values": values,
        "trajectory": [{k: _rounded(v) for k, v in point.items() if v is not None} for point in points],
        "spec": {
            "scenario": scenario.model_dump(mode="json"),
            "method": None if spec is None else spec.model_dump(mode="json"),
        },
    }


def _rounded(value: float) -> float:
    return value if isinstance(value, int) else round(float(value), DIGITS)


def _record(store: Store, key: str, place: Path, timed: bool) -> dict[str, Any]:
    """A whole record but for the weights of its rounds; its arrays go into files beside the list."""
    record = store.get(key)
    if record is None:
        raise LookupError(key)
    names = [name for name in record.arrays if name not in LEFT_OUT]
    for name in names:
        path = g.array_path(place, key, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(store.arrays(key, name), path)
    entry = {name: getattr(record, name) for name in ("key", "kind", "spec", "payload", "environment")}
    entry |= {"arrays": names, "set": changed(record.spec)}
    if record.kind not in ("original", "run", "embedding"):
        entry["of"] = gallery_records.looked_at(Scenario.parse(record.spec["scenario"]), record.spec, entry["set"])
    return entry if timed else entry | {"payload": _untimed(record.payload)}


def _untimed(payload: Mapping[str, Any]) -> dict[str, Any]:
    measured = {"metrics": dict(payload["metrics"]) | {"seconds": None}} if "metrics" in payload else {}
    return dict(payload) | ({"seconds": None} if "seconds" in payload else {}) | measured


def changed(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Which parameters of a run are not those of its method's preset."""
    if not spec.get("method"):
        return {}
    scenario = Scenario.parse(spec["scenario"])
    preset = make_method(spec["method"]["name"], scenario).params
    return {name: value for name, value in spec["method"]["params"].items() if preset.get(name) != value}
