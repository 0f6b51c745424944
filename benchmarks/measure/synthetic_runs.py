"""Synthetic but well-formed run records by the hundred thousand: real specs and keys, numbers from dice, no array files.

Specs are turned into text once each and joined, which the checks in :func:`rows` hold against the product's own keys.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import random
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.measure.many_records import DIALS, ROUNDS
from unlearn_core.canonical import SCHEMA_VERSION, canonical_json
from unlearn_core.store.run_rows import make_row

CHECKED = 500  # one record in so many is compared with what the product itself would write

Row = dict[str, Any]


def write(place: str, count: int, batch: int = 5000) -> None:
    """Fill an empty store with so many runs, their rows in the table of runs, and their originals."""
    import sqlalchemy as sa

    from unlearn_core.store import Store
    from unlearn_core.store.schema import records, runs

    store = Store.open(place)

    def put(db: sa.Connection, part: list[tuple[Row, Row | None]]) -> None:
        db.execute(sa.insert(records), [record for record, _ in part])
        if index := [row for _, row in part if row is not None]:
            db.execute(sa.insert(runs), index)

    source = rows(count)
    while part := list(itertools.islice(source, batch)):
        store.inside.db.write(functools.partial(put, part=part))
    store.close()


def rows(count: int) -> Iterator[tuple[Row, Row | None]]:
    """(record, row of the table of runs) of ``count`` runs, and (record, None) of the originals that they build on."""
    from unlearn_core.evaluation import registry as metrics
    from unlearn_core.methods import registry as methods
    from unlearn_core.presets import make_method, make_scenario
    from unlearn_core.results.late_metrics import at

    dice, numbers, made = random.Random(0), itertools.count(), 0
    usual = make_scenario("digits")
    other = make_scenario("digits", overrides={"training.epochs": 20})
    specs = [make_method(name, usual) for name in methods.names()]
    specs += [make_method("rem", usual, {"epochs": n}) for n in range(2, 6)]
    told = [(spec, canonical_json(spec), spec.model_dump_json()) for spec in {one.key: one for one in specs}.values()]
    names = sorted(metric.name for metric in metrics if not metric.as_found)
    known = [set(metrics.get(name).compares_with) <= {"original"} for name in names]
    for seed in itertools.count():
        base = other if seed % 10 == 9 else usual
        for regularity, discoveries in itertools.groupby(DIALS, key=lambda dial: dial[0]):
            scenarios = [at(base, regularity, discovery, seed) for _, discovery in discoveries]
            yield (
                _record(scenarios[0].original_key, "original", scenarios[0].model_dump_json(), None, "{}", next(numbers)),
                None,
            )
            for scenario in scenarios:
                canonical, shown = canonical_json(scenario), scenario.model_dump_json()
                first: Row | None = None
                for spec, one, method in told:
                    key = hashlib.sha256(f'[{SCHEMA_VERSION},"run",{canonical},{one}]'.encode()).hexdigest()[:16]
                    values = [dice.random() if there else None for there in known]
                    payload = _payload(spec, dict(zip(names, values, strict=True)), dice)
                    record = _record(key, "run", shown, method, payload, next(numbers))
                    if first is None or made % CHECKED == 0:
                        assert key == scenario.run_key(spec)
                        row = make_row(key, record["spec"], payload)
                        first = first or row
                    packed = np.array([np.nan if value is None else value for value in values], dtype="<f8").tobytes()
                    index = first | {"key": key, "method": spec.name, "spec": spec.key, "numbers": packed}
                    assert first is None or made % CHECKED or index == row
                    yield record, index
                    made += 1
                    if made == count:
                        return


def _payload(spec: Any, metrics: dict[str, float | None], dice: random.Random) -> str:
    rounds = [{"round": k, "healed": dice.random(), "utility": dice.random(), "retain_accuracy": dice.random(),
               "forget_accuracy": dice.random(), "healed_x_utility": dice.random()} for k in range(ROUNDS)]  # fmt: skip
    told = {"method": spec.name, "params": dict(spec.params), "metrics": metrics, "seconds": 1.0, "device": "cpu"}
    return json.dumps(told | {"trajectory": rounds, "redirect_layers": []})


def _record(key: str, kind: str, scenario: str, method: str | None, payload: str, number: int) -> Row:
    spec = f'{{"scenario": {scenario}}}' if method is None else f'{{"scenario": {scenario}, "method": {method}}}'
    about = {"key": key, "token": f"{number:032x}", "kind": kind, "spec": spec, "payload": payload}
    return about | {"environment": '{"device": "cpu", "torch": "2"}', "files": "[]", "created": 1.8e9 + number}
