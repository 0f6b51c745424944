"""Several processes on one store, on both databases: nothing is lost, none fails."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from storetools import files

from unlearn_core.cli import main
from unlearn_core.forget_sets import ForgetSet, NamedSets
from unlearn_core.store import Store

ROOT = Path(__file__).parents[2]

WRITER = """
import sys, numpy as np
from unlearn_core.store import Store
store = Store.open(sys.argv[1])
for index in range(20):
    store.put(f"shared{index}", "run", {}, {}, {}, {"w": {"a": np.full(50, int(sys.argv[2]))}})
    store.put(f"own{sys.argv[2]}-{index}", "run", {}, {}, {}, {"w": {"a": np.full(50, index)}})
    store.fail(f"shared{index + 1}", "run", "It broke.")
    store.fail("always", "run", "It broke.")
    store.has([f"shared{k}" for k in range(20)])
    store.delete(f"gone{index}")
    store.put(f"gone{index}", "run", {}, {}, {}, {"w": {"a": np.full(50, index)}})
"""


def finish(process: subprocess.Popen[bytes]) -> str:
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors.decode()
    return out.decode()


def python(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_several_processes_create_and_write_one_store(place: str) -> None:
    for writer in [python("-c", WRITER, place, str(number)) for number in (1, 2)]:
        finish(writer)
    store = Store.open(place)
    records = store.find()
    assert {r.key for r in records if not r.key.startswith("gone")} == {
        *(f"shared{k}" for k in range(20)),
        *(f"own{n}-{k}" for n in (1, 2) for k in range(20)),
    }
    assert store.has([f"gone{k}" for k in range(20)]) == {f"gone{k}" for k in range(20)}
    assert len(files(store)) == len(store.find())
    for record in records:
        assert len(store.arrays(record.key, "w")["a"]) == 50
        assert store.failure(record.key) is None
    assert store.failure("always") is not None
    store.close()


def test_killed_while_writing_leaves_a_sound_store(place: str) -> None:
    store = Store.open(place)
    endless = WRITER.replace("index in range(20)", "index in range(10**6)")
    writer = python("-c", endless, place, "1")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and len(files(store)) < 5:
        time.sleep(0.02)
    writer.kill()
    writer.communicate()
    store.sweep()
    assert store.find()
    for record in store.find():
        store.arrays(record.key, "w")
    store.close()


def test_two_people_who_change_one_forget_set_lose_no_change(place: str) -> None:
    people = [NamedSets(Store.open(place), "data") for _ in range(2)]
    made = people[0].create("ours", ForgetSet(()))

    def add(person: int) -> None:
        for index in range(person, 12, 2):
            people[person].change(made.id, lambda content, index=index: content.adding([index]), f"added {index}")

    threads = [threading.Thread(target=add, args=(person,)) for person in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    found = people[0].get(made.id)
    assert people[0].now(found).indices == tuple(range(12))
    assert [change.number for change in found.history] == list(range(13))


APP = """
import sys
from tests.engine.dummy import RUNNER, Stage
from unlearn_core.engine import Engine
from unlearn_core.store import Store
engine = Engine(Store.open(sys.argv[1]), address="inline", runner=RUNNER)
stages = [Stage(f"stage{k}", {"steps": 2, "pause": 0.01}, needs=(f"stage{k - 1}",) if k else ()) for k in range(25)]
view = engine.wait(engine.submit(stages, "demo"), 90)
engine.close()
print(view.state)
"""
PLAN = "{dataset: blobs, regularity: [0.0], discovery: [0.5], methods: [finetune], seeds: [0], set: {training.epochs: 2}}"


def test_two_apps_and_a_command_line_on_one_store(place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The engines of two apps ask for the same stages while ``sweep``, here, computes others into the same store."""
    plan = tmp_path / "plan.yaml"
    plan.write_text(PLAN)
    apps = [python("-c", APP, place) for _ in range(2)]
    assert main(["sweep", str(plan), "--engine", "inline", "--store", place, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["failed"] == []
    assert [finish(app).strip() for app in apps] == ["done", "done"]
    store = Store.open(place)
    assert store.has([f"stage{k}" for k in range(25)]) == {f"stage{k}" for k in range(25)}
    assert {"original", "run"} <= {record.kind for record in store.find() if not record.key.startswith("stage")}
    for record in store.find():
        for name in record.arrays:
            store.arrays(record.key, name)
    store.close()
