"""``store du`` and ``store prune``: what is counted, what goes, what stays and why; nothing that is in work goes."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from storetools import files
from upkeeptools import ask_store, make_older, plant, plant_original, plant_picture, plant_run

from tests.engine.dummy import RUNNER, Stage, until
from unlearn_core.cli import main
from unlearn_core.engine import Engine
from unlearn_core.engine.lease import has_ended, hold
from unlearn_core.errors import UserError
from unlearn_core.forget_sets import ForgetSet, NamedSets
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results.gallery_records import ADOPTED
from unlearn_core.store import Store
from unlearn_core.store.upkeep import Rule, count, lineage, plan_prune, prune

MONTH = Rule(older=30 * 86_400.0)


def going(store: Store, rule: Rule) -> set[str]:
    return set(plan_prune(store, rule, has_ended).goes)


def test_du_counts_by_kind_dataset_and_age(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    old, young = plant(store), plant(store, "waves")
    make_older(store, old, 40)
    found = ask_store(capsys, store, "du", "--older-than", "30d")
    assert {kind: part["records"] for kind, part in found["by_kind"].items()} == {"original": 2, "run": 2, "boundary": 2}
    assert found["by_dataset"]["blobs"]["records"] == found["by_dataset"]["waves"]["records"] == 3
    assert {name: part["records"] for name, part in found["by_age"].items() if part["records"]} == {"a day": 3, "a year": 3}
    on_disk = sum(path.stat().st_size for path in files(store))
    assert found["files"] == found["total"]["bytes"] == on_disk
    assert found["largest"][0]["key"] in (old[2], young[2])
    assert found["largest"][0]["bytes"] > 16_000
    assert found["database"] > 0
    # The run is one of the last 60, so the picture alone may go.
    assert found["prune"]["records"] == 1
    assert found["prune"]["kept"] == {"recent runs": 1, "needed by what stays": 1}


def test_what_others_build_on_stays_unless_it_may_go_too(store: Store) -> None:
    original, run, picture = plant(store)
    make_older(store, (original, picture), 40)
    assert going(store, MONTH) == {picture}
    plan = plan_prune(store, Rule(older=MONTH.older, needed_too=True), has_ended)
    assert set(plan.goes) == {picture, original}
    assert plan.again == 1
    make_older(store, (run,), 40)
    assert going(store, MONTH) == {original, run, picture}


def test_a_run_that_a_picture_shows_keeps_its_original_too(store: Store) -> None:
    original, run, _ = plant(store)
    make_older(store, (original, run), 40)
    plan = plan_prune(store, MONTH, has_ended)
    assert not plan.goes
    assert plan.kept == {"needed by what stays": 2}


@pytest.mark.parametrize(
    ("rule", "stays"),
    [
        (Rule(kinds=frozenset({"boundary"})), {"original", "run"}),
        (Rule(datasets=frozenset({"waves"})), {"original", "run", "boundary"}),
        (Rule(datasets=frozenset({"blobs"}), recent=1), {"original", "run"}),
        (Rule(datasets=frozenset({"blobs"})), set()),
    ],
)
def test_kind_dataset_and_recent_runs(store: Store, rule: Rule, stays: set[str]) -> None:
    plant(store)
    prune(store, plan_prune(store, rule, has_ended), has_ended)
    assert {record.kind for record in store.find()} == stays


def test_keys_asked_for_stay(store: Store) -> None:
    original, run, picture = plant(store)
    blobs = frozenset({"blobs"})
    assert going(store, Rule(datasets=blobs, keep=(original[:6],))) == {run, picture}
    assert going(store, Rule(datasets=blobs, keep=(picture,))) == set()  # what it shows stays along


def test_what_people_made_and_what_came_along_stays(store: Store) -> None:
    assert lineage.ADOPTED == ADOPTED
    scenario = make_scenario("blobs")
    spec = make_method("finetune", scenario)
    sets = NamedSets(store, scenario.sets_key)
    made = sets.create("ours", ForgetSet((1, 2)))
    edited, elsewhere = scenario.knowing([1, 2]), make_scenario("blobs", seed=1).knowing([1, 2])
    mine, other = plant_run(store, edited, spec), plant_run(store, elsewhere, spec)
    gallery = plant_run(store, scenario, spec, gallery="2026-11-01")
    everything = tuple(record.key for record in store.find())
    make_older(store, everything, 400)
    assert going(store, MONTH) == {other}
    sets.remove(made.id)
    make_older(store, tuple(record.key for record in store.find()), 400)
    assert going(store, MONTH) == {mine, other}
    assert gallery not in going(store, MONTH)
    with pytest.raises(UserError, match="made by people"):
        plan_prune(store, Rule(kinds=frozenset({"forget_set"})), has_ended)
    with pytest.raises(UserError, match="Say what may go"):
        plan_prune(store, Rule(), has_ended)


def test_what_is_in_work_or_built_on_stays(store: Store) -> None:
    """The app trains on an original, which nothing that is stored needs."""
    scenario = make_scenario("blobs")
    original = plant_original(store, scenario)
    make_older(store, (original,), 40)
    plan = plan_prune(store, MONTH, has_ended)
    assert set(plan.goes) == {original}
    with hold(store, "0123456789abcdef", "token", needs=(original,)):
        assert plan_prune(store, MONTH, has_ended).kept == {"in work": 1}
        late = prune(store, plan, has_ended)  # it was planned before
        assert (late.records, late.in_work) == (0, 1)
        assert store.has([original])
        assert prune(store, plan, lambda _: True).records == 1  # that process is known to be no more
    assert not store.has([original])
    assert not store.leases.in_work(has_ended)


def test_what_a_job_has_just_computed_stays_for_its_next_stages(store: Store) -> None:
    """Between two stages of a job nothing holds what the first left."""
    scenario = make_scenario("blobs")
    original = plant_original(store, scenario)
    everything = Rule(kinds=frozenset({"original"}))
    assert going(store, everything) == {original}
    with hold(store, "0123456789abcdef", "token"):
        assert plan_prune(store, everything, has_ended).kept == {"new, while something is computed": 1}
        make_older(store, (original,), 0.1)
        assert going(store, everything) == {original}


def test_a_worker_says_what_it_builds_on(store: Store) -> None:
    store.put("needed", "demo", {}, {}, {})
    with contextlib.closing(Engine(store, address="inline", runner=RUNNER)) as engine:
        job = engine.submit([Stage("slow", {"steps": 60, "pause": 0.05}, needs=("needed",))], "demo")
        until(lambda: {"slow", "needed"} <= store.leases.in_work(has_ended))
        engine.cancel(job)
        until(lambda: not store.leases.in_work(has_ended))


def test_a_record_written_anew_after_the_plan_stays(store: Store) -> None:
    _, _, picture = plant(store)
    plan = plan_prune(store, Rule(kinds=frozenset({"boundary"})), has_ended)
    store.delete(picture)
    plant(store)
    assert prune(store, plan, has_ended).records == 0
    assert store.has([picture])


def test_the_disk_gets_its_room_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = Store.open(tmp_path / "store")
    scenario = make_scenario("blobs")
    plant_original(store, scenario)
    for number in range(30):
        store.put(f"big{number}", "field", {}, {"text": "x" * 100_000}, {}, {"field": {"a": np.zeros(10_000)}})
    full = sum(path.stat().st_size for path in (tmp_path / "store").rglob("*") if path.is_file())
    told = ask_store(capsys, store, "prune", "--kind", "field")
    assert (told["dry_run"], told["records"]) == (True, 30)
    assert len(store.find("field")) == 30
    done = ask_store(capsys, store, "prune", "--kind", "field", "--yes")
    assert (done["dry_run"], done["records"], done["note"]) == (False, 30, None)
    assert done["database_bytes"] > 2_900_000
    left = sum(path.stat().st_size for path in (tmp_path / "store").rglob("*") if path.is_file())
    assert full - left > 30 * (100_000 + 80_000)
    assert [record.kind for record in store.find()] == ["original"]


def test_a_store_that_can_only_be_read_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.open(tmp_path / "store")
    plant(store)
    store.close()
    monkeypatch.setattr(os, "access", lambda path, *_: str(path).endswith(".zip"))
    assert ask_store(capsys, store, "du")["total"]["records"] == 3
    assert ask_store(capsys, store, "verify")["sound"]
    assert ask_store(capsys, store, "prune", "--kind", "boundary")["records"] == 1
    assert ask_store(capsys, store, "export", str(tmp_path / "a.zip"))["records"] == 3
    for command in (["prune", "--kind", "boundary", "--yes"], ["import", str(tmp_path / "a.zip")], ["verify", "--mend"]):
        assert main(["store", *command, "--store", store.location]) == 2
        assert "can only be read here" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["du"], ["prune", "--kind", "run"], ["export", "{}/a.zip"], ["verify"]])
def test_no_store_is_made_by_looking(tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    asked = ["store", *(part.format(tmp_path) for part in command), "--store", str(tmp_path / "none")]
    assert main(asked) == 2
    assert capsys.readouterr().err.startswith("Error: There is no store in")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (["prune"], "Say what may go"),
        (["prune", "--kind", "boundry"], "no records of kind 'boundry' here; there are: boundary, original, run."),
        (["prune", "--older-than", "soon"], "--older-than needs an age"),
        (["prune", "--older-than", "-3d"], "--older-than needs an age"),
        (["prune", "--older-than", "99999999y"], "--older-than needs an age"),
        (["prune", "--kind", "run", "--keep", " "], "--keep needs a key"),
        (["export", "x.zip", "--since", "yesterday"], "--since needs a day"),
    ],
)
def test_mistakes_get_one_sentence(store: Store, capsys: pytest.CaptureFixture[str], command: list[str], why: str) -> None:
    plant(store)
    assert main(["store", *command, "--store", store.location]) == 2
    assert why in capsys.readouterr().err


def test_what_people_read(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    plant(store)
    said: Callable[[], str] = lambda: "".join(capsys.readouterr())  # noqa: E731
    for command, words in (
        (["du"], "holds 3 records"),
        (["prune", "--kind", "boundary,original"], "1 needed by what stays"),
        (["prune", "--kind", "boundary"], "The same command with --yes does it"),
        (["prune", "--kind", "boundary", "--yes"], "Removed 1 record with"),
        (["prune", "--older-than", "1d", "--yes"], "Nothing would go"),
        (["verify"], "The store is sound."),
    ):
        assert main(["store", *command, "--store", store.location]) == 0
        assert words in said()


def test_counting_reads_a_picture_about_nothing(store: Store) -> None:
    store.put("aa", "strange", {"scenario": "none", "method": 3, "methods": "x"}, {}, {})
    plant_picture(store, make_scenario("blobs"), make_method("finetune", make_scenario("blobs")))
    assert count(store).by_dataset[None].records == 1
    assert "aa" in going(store, Rule(kinds=frozenset({"strange"})))
