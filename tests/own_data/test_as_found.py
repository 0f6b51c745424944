"""Corruption as found: older keys stay, the truth is what the data say or it is unknown, and unknown is never a number."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from owntools import CLASSES, SETTINGS, WRONG, write_list, write_manifest

from unlearn_core.cli import main
from unlearn_core.corruption import FOUND, corrupt, truth_known
from unlearn_core.datasets import load_dataset
from unlearn_core.engine import Engine
from unlearn_core.errors import UserError
from unlearn_core.evaluation import load_scenario_data, measure, measured_for
from unlearn_core.evaluation import registry as metrics
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results import tables
from unlearn_core.results.reader import GROUPS, groups_of
from unlearn_core.specs import CorruptionSpec, Scenario
from unlearn_core.stages.inputs import make_task
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.views.embedding import examples

KEYS = {
    # Computed before there was corruption as found: scenario, corruption, original, run (of retraining revision 2), edited,
    # corruption spec.
    "digits": ("5c4f24294d32ff54", "789fbc26d1e89acc", "34e07370cef611d5", "838af636581fae7d", "f97cb9582440892e",
               "28af3fac52a0a956"),
    "waves": ("fe97d86f8e429c58", "856ed1f0f0339673", "ad8faa3e162e7c26", "dae90175d7331df8", "050a573e1cf28192",
              "ebbf3f5109a16de5"),
}  # fmt: skip
NEEDS_TRUTH = {
    "healed", "healed_discovered", "healed_undiscovered", "healed_x_utility", "attack_success", "confused_accuracy",
    "gap_oracle", "agreement_oracle",
}  # fmt: skip


def found(path: Path, **more: object) -> Scenario:
    overrides = {"dataset.data": str(path), "corruption.found": True, **SETTINGS, **more}
    return make_scenario("images", discovery=0, overrides=overrides)


def run(scenario: Scenario, names: list[str]) -> tuple[Store, list]:
    store = Store.open()
    engine = Engine(store, address="inline")
    specs = [make_method(name, scenario, {"epochs": 1} if name == "finetune" else {}) for name in names]
    view = engine.wait(engine.submit(plan_runs(scenario, specs), "test"), 120)
    engine.close()
    assert view.state == "done", view
    return store, specs


@pytest.mark.parametrize("dataset", KEYS)
def test_every_older_key_stays(dataset: str) -> None:
    more = {"regularity": 0.25, "amount": 40, "discovery": 0.5, "seed": 3} if dataset == "waves" else {}
    scenario = make_scenario(dataset, **more)
    spec = make_method("retrain", scenario)
    edited = scenario.knowing([1, 5])
    keys = scenario.key, scenario.corruption_key, scenario.original_key, scenario.run_key(spec), edited.key
    assert (*keys, scenario.corruption.key) == KEYS[dataset]
    assert "found" not in scenario.model_dump_json()
    assert "relabelled" not in edited.model_dump_json()


def test_as_found_the_dial_has_no_meaning_and_right_labels_change_no_key() -> None:
    assert CorruptionSpec(found=True, regularity=0.2, amount=7, class_a=1) == CorruptionSpec(found=True)
    made = make_scenario("digits", overrides={"corruption.found": True})
    assert made.model_dump(mode="json")["corruption"] == {"found": True}
    assert made.corruption_key != make_scenario("digits").corruption_key
    plain, told = made.knowing([4, 2]), made.knowing([4, 2], {4: "7"})
    assert told.relabelled == ((4, "7"),)
    assert told.key == plain.key
    assert Scenario.model_validate_json(told.model_dump_json()) == told
    simulated = make_scenario("digits").knowing([4], {4: "7"})
    assert simulated.relabelled == ((4, "7"),)
    assert simulated.key == make_scenario("digits").knowing([4]).key


def test_clean_labels_for_all_make_the_truth(photos: Path) -> None:
    scenario = found(write_manifest(photos))
    split = load_dataset(scenario.dataset, 0)
    made = corrupt(split, scenario.dataset, scenario.corruption, 0)
    wrong = [split.names.index(name) for name in WRONG]
    assert sorted(made.truth.corrupted.tolist()) == sorted(wrong)
    assert made.truth.known
    assert set(made.truth.kinds.tolist()) == {FOUND}
    assert torch.equal(made.train.inputs, split.train.inputs)
    assert torch.equal(made.train.labels, split.train.labels)
    # Discovery goes on in an order of its own for every seed, and only ever adds.
    half, whole = (set(made.truth.forget_indices(rate).tolist()) for rate in (0.5, 1.0))
    assert len(half) == 2
    assert half < whole == set(wrong)
    orders = {tuple(corrupt(split, scenario.dataset, scenario.corruption, seed).truth.corrupted.tolist()) for seed in range(9)}
    assert len(orders) > 1


@pytest.mark.parametrize("known", [None, 12])
def test_unknown_truth_has_no_number_that_needs_it(photos: Path, known: int | None) -> None:
    path = photos if known is None else write_manifest(photos, known)
    scenario = found(path).knowing([10, 11, 22])
    assert not truth_known(scenario)
    store, specs = run(scenario, ["finetune", "retrain"])
    for values in (
        tables.original_metrics(store, scenario),
        tables.run_metrics(store, scenario, specs[0], store.get(scenario.run_key(specs[0])).payload),
    ):
        assert {name for name in NEEDS_TRUTH if values[name] is not None} == set()
        for name in ("utility", "forget_accuracy", "retain_accuracy", "agreement_original", "agreement_retrain"):
            assert 0 <= values[name] <= 1
        # The table knows two of the wrong ones (bee/00 and bee/01); without it nobody said anything.
        assert (values["healed_relabelled"] is None) == (known is None)
    stored = store.get(scenario.run_key(specs[0])).payload
    assert not {"healed", "healed_relabelled"} & {
        k for p in [stored["metrics"], *stored["trajectory"]] for k, v in p.items() if v is not None
    }
    shown = examples.examples(store, scenario, specs)
    assert {GROUPS[k] for k in groups_of(scenario)} == {"discovered", "unknown"}
    assert set(shown.words(shown.clean)) <= {"not known", *CLASSES}
    if known is None:
        assert set(shown.words(shown.clean)) == {"not known"}
    # Of examples that nobody judged nothing is said, not even a 0.
    assert set(examples.modes(shown, "finetune")) == (set() if known is None else {"healed", "still wrong"})


def test_right_labels_are_measured_when_somebody_gives_them(photos: Path) -> None:
    scenario = found(photos).knowing([10, 11, 22])
    store, (spec,) = run(scenario, ["finetune"])
    stored = store.get(scenario.run_key(spec)).payload
    assert tables.run_metrics(store, scenario, spec, stored)["healed_relabelled"] is None
    logits = torch.from_numpy(store.arrays(scenario.run_key(spec), "logits")["train"].copy()).argmax(1)
    for labels in ({10: "ant", 11: "ant"}, {10: "cow"}, {10: "bee"}):  # the last is the given label: nothing is wrong there
        told = scenario.knowing(scenario.forget, labels)
        assert store.get(told.run_key(spec)) is not None  # the same run
        wanted = [int(logits[k]) == CLASSES.index(name) for k, name in labels.items() if name != "bee"]
        value = tables.run_metrics(store, told, spec, stored)["healed_relabelled"]
        assert value == (sum(wanted) / len(wanted) if wanted else None)


def test_nothing_leaks_and_oracles_refuse(photos: Path) -> None:
    scenario = found(write_manifest(photos, 12)).knowing([10, 11], {10: "ant"})
    store, _ = run(scenario, ["finetune"])
    task = make_task(store, scenario, load_scenario_data(scenario, torch.device("cpu")))
    assert torch.equal(task.data.labels, load_dataset(scenario.dataset, 0).train.labels)
    for field in dataclasses.fields(task):
        assert not isinstance(getattr(task, field.name), Scenario)
    for name in ("oracle_retrain", "rem_ideal"):
        with pytest.raises(UserError, match=r"needs to know every wrong label, and here nobody does"):
            plan_runs(scenario, [make_method(name, scenario)])
    with pytest.raises(UserError, match="nobody knows which are wrong"):
        plan_runs(scenario.at_rate(0.3), [make_method("finetune", scenario)])
    with pytest.raises(UserError, match="needs a forget set"):
        plan_runs(scenario.at_rate(0), [make_method("rem", scenario)])


def test_a_known_truth_is_measured_as_ever(photos: Path) -> None:
    scenario = found(write_manifest(photos)).at_rate(0.5)
    store, specs = run(scenario, ["finetune", "oracle_retrain"])
    values = tables.run_metrics(store, scenario, specs[0], store.get(scenario.run_key(specs[0])).payload)
    assert values["healed"] is not None
    assert values["agreement_oracle"] is not None
    assert values["attack_success"] is None
    assert values["confused_accuracy"] is None
    assert values["healed_relabelled"] is None
    assert set(measured_for(scenario)) - set(measured_for(make_scenario("digits"))) == {
        metric.name for metric in metrics if metric.as_found
    }
    shown = tables.results(store)  # as found they have no place on the dial, and so rows of their own
    assert len(shown) == 2
    assert shown["regularity"].isna().all()


def test_nothing_wrong_is_said(photos: Path) -> None:
    table = write_manifest(photos)
    head, *rows = table.read_text().splitlines()
    agreed = [(path, label, label, split) for path, label, _, split in (row.split(",") for row in rows)]
    table.write_text("\n".join([head, *map(",".join, agreed)]))
    scenario = found(table)
    with pytest.raises(UserError, match="nothing to discover"):
        plan_runs(scenario.at_rate(0.3), [make_method("finetune", scenario)])


def test_the_command_line_runs_a_list(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed = write_list(tmp_path / "known.csv", labels=True)
    command = ["run", "--data", str(photos), "--found", "--engine", "inline", "--set", "training.epochs=2"]
    assert main([*command, "--forget", str(listed), "--methods", "finetune", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["scenario"]["corruption"] == {"found": True}
    assert len(answer["scenario"]["forget"]) == 4
    assert answer["results"][0]["metrics"]["healed"] is None
    assert answer["results"][0]["metrics"]["healed_relabelled"] is not None
    assert main([*command, "--forget", str(listed), "--methods", "finetune"]) == 0
    assert "labels as found · 4 in the forget set" in " ".join(capsys.readouterr().out.split())
    for more, sentence in (
        ([], "nobody knows which are wrong, so there is no discovery rate: give a forget list"),
        (["--amount", "5", "--forget", str(listed)], "--amount has no meaning"),
        (["--methods", "oracle_retrain", "--forget", str(listed)], "here nobody does: leave it out"),
    ):
        assert main([*command, *more]) == 2
        error = capsys.readouterr().err.strip().splitlines()[-1]
        assert sentence in error
        assert error.startswith("Error: ")


def test_measure_never_takes_minus_one_for_a_label(photos: Path) -> None:
    from unlearn_core.evaluation import Evidence, Logits

    scenario = found(photos).knowing([10])
    split = load_dataset(scenario.dataset, 0)
    corrupted = corrupt(split, scenario.dataset, scenario.corruption, 0)
    outputs = torch.zeros(len(split.train), 3)
    evidence = Evidence(scenario, corrupted, torch.tensor([10]), Logits(outputs, outputs[:15], outputs[:15]))
    assert {name: value for name, value in measure(evidence).items() if name in NEEDS_TRUTH and value is not None} == {}
    with pytest.raises(ValueError, match="not known"):
        evidence.correct_on(torch.tensor([10]))
