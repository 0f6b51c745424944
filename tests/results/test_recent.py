"""What was run lately: by scenario, the newest first, without what came with the gallery, and read from the end alone."""

from __future__ import annotations

import datetime as dt

import pytest

from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results.gallery import ADOPTED
from unlearn_core.results.recent import LOOKED_AT, how_long_ago, recent_runs
from unlearn_core.specs import Scenario
from unlearn_core.store import Store


def scenario(seed: int) -> Scenario:
    return make_scenario("blobs", amount=60, seed=seed)


def run(store: Store, seed: int, method: str = "rem", **environment: str) -> None:
    what, spec = scenario(seed), make_method(method, scenario(seed))
    about = {"scenario": what.model_dump(mode="json"), "method": spec.model_dump(mode="json")}
    store.put(what.run_key(spec), "run", about, {"metrics": {}}, environment)


@pytest.fixture
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store.open(tmp_path_factory.mktemp("recent"))


def test_runs_of_one_scenario_are_one_entry_the_newest_first(store: Store) -> None:
    assert recent_runs(store, 5) == []
    for seed, method in ((1, "rem"), (2, "rem"), (1, "finetune"), (3, "retrain"), (2, "npo")):
        run(store, seed, method)
    found = recent_runs(store, 5)
    assert [one.scenario.seed for one in found] == [2, 3, 1]
    assert [[spec.name for spec in one.methods] for one in found] == [["npo", "rem"], ["retrain"], ["finetune", "rem"]]
    assert [one.scenario.seed for one in recent_runs(store, 2)] == [2, 3]
    assert found[0].when >= found[1].when >= found[2].when


def test_what_came_with_the_gallery_was_not_run_here(store: Store) -> None:
    run(store, 1)
    run(store, 2, **{ADOPTED: "2026-01-01"})
    assert [one.scenario.seed for one in recent_runs(store, 5)] == [1]


def test_no_more_than_the_last_runs_are_read(store: Store) -> None:
    run(store, 1, "finetune")
    for seed in range(2, LOOKED_AT + 2):
        run(store, seed)
    assert len(store.runs.latest(3)) == 3
    found = recent_runs(store, LOOKED_AT + 5)
    assert len(found) == LOOKED_AT
    assert 1 not in {one.scenario.seed for one in found}


def test_a_run_that_is_deleted_is_not_listed(store: Store) -> None:
    run(store, 1)
    run(store, 2)
    store.delete(scenario(2).run_key(make_method("rem", scenario(2))))
    assert [one.scenario.seed for one in recent_runs(store, 5)] == [1]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (7200, "2 hours ago"),
        (200_000, "2 days ago"),
    ],
)
def test_how_long_ago_in_words(seconds: int, words: str) -> None:
    now = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
    assert how_long_ago(now - dt.timedelta(seconds=seconds), now) == words
