"""What a person gives reaches the methods that need it and no other; and nothing that was not given reaches any."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

import unlearn_core as eunoe
from unlearn_core import view_state as vs
from unlearn_core.cli import main
from unlearn_core.corruption import GroundTruth, check_examples, type_labels
from unlearn_core.engine import Engine
from unlearn_core.errors import UserError
from unlearn_core.evaluation import load_scenario_data
from unlearn_core.methods import UnlearningTask, registry
from unlearn_core.presets import given_to, make_method, make_scenario
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.stages.inputs import make_task
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store

QUICK = {"training.epochs": 5}
FIRST = "relabel_only"


def scenario(**person: Any) -> Scenario:
    more = {f"person.{name}": value for name, value in person.items()}
    return make_scenario("blobs", regularity=0.0, discovery=0.5, overrides=QUICK | more)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """It holds the original that all scenarios here share."""
    made = Store.open(tmp_path_factory.mktemp("person") / "store")
    run(made, scenario(typed=1.0), FIRST)
    yield made
    made.close()


def run(store: Store, on: Scenario, *names: str) -> list[MethodSpec]:
    specs = [make_method(name, on) for name in names]
    engine = Engine(store, address="inline", device="cpu")
    view = engine.wait(engine.submit(plan_runs(on, specs), "a test"))
    engine.close()
    assert view.state == "done", [stage.message for stage in view.stages]
    return specs


def task(store: Store, on: Scenario, name: str) -> tuple[UnlearningTask, GroundTruth]:
    data = load_scenario_data(on)
    return make_task(store, on, data, spec=make_method(name, on)), data.corrupted.truth


def test_a_method_is_told_what_was_typed_and_no_other_right_label(store: Store) -> None:
    for typed, slips in ((1.0, 0.0), (0.5, 0.0), (0.5, 0.25), (1.0, 1.0)):
        given, truth = task(store, scenario(typed=typed, slips=slips), FIRST)
        assert given.right is not None
        assert given.trusted is None
        assert given.right.shape == given.forget.shape  # of no example outside of F
        told = given.right >= 0
        assert int(told.sum()) == round(typed * len(told))
        wrong = given.right[told] != truth.clean_labels[given.forget][told]
        assert int(wrong.sum()) == int(slips * int(told.sum()) + 0.5)


def test_a_larger_share_types_more_labels_and_changes_none() -> None:
    labels = torch.arange(100) % 7
    truth = GroundTruth(torch.arange(40), torch.zeros(40, dtype=torch.int8), labels)
    forget = torch.arange(40)
    few, many = (type_labels(truth, forget, share, 0.2, 5, 7) for share in (0.3, 0.8))
    assert set((few >= 0).nonzero()[:, 0].tolist()) < set((many >= 0).nonzero()[:, 0].tolist())
    assert torch.equal(few, type_labels(truth, forget, 0.3, 0.2, 5, 7))
    assert not torch.equal(few, type_labels(truth, forget, 0.3, 0.2, 6, 7))
    unknown = GroundTruth(truth.corrupted, truth.kinds, torch.full((100,), -1))
    assert (type_labels(unknown, forget, 1.0, 0.0, 5, 7) == -1).all()


def test_checked_examples_are_right_and_outside_of_the_forget_set() -> None:
    clean = torch.arange(60) % 3
    given = clean.clone()
    given[:20] = (given[:20] + 1) % 3
    truth = GroundTruth(torch.arange(20), torch.zeros(20, dtype=torch.int8), clean)
    forget = torch.tensor([0, 1, 2, 30])
    checked = check_examples(truth, given, forget, 25, 0)
    assert len(checked.unique()) == 25
    assert not torch.isin(checked, forget).any()
    assert (given[checked] == clean[checked]).all()
    assert len(check_examples(truth, given, forget, 39, 0)) == 39
    with pytest.raises(UserError, match="39 examples are right, so 40"):
        check_examples(truth, given, forget, 40, 0)


def test_methods_that_do_not_need_it_get_nothing_and_their_runs_stay_the_same(store: Store) -> None:
    plain, person = scenario(), scenario(typed=1.0, checked=20)
    for name in registry.names():
        given, _ = task(store, person, name) if not registry.get(name).oracle else (None, None)
        needs = registry.get(name)
        if given is not None:
            assert (given.right is not None) == needs.needs_right_labels
            assert (given.trusted is not None) == needs.needs_trusted
        same = plain.run_key(make_method(name, plain)) == person.run_key(make_method(name, person))
        assert same == (not needs.needs_right_labels and not needs.needs_trusted)
    assert plain.setting_key == person.setting_key
    assert plain.original_key == person.original_key
    assert plain.key != person.key
    keys = {
        s.run_key(make_method(FIRST, s)) for s in (scenario(typed=1.0), scenario(typed=0.5), scenario(typed=1.0, slips=0.1))
    }
    assert len(keys) == 3
    assert len({s.cell_key(make_method(FIRST, s)) for s in (scenario(typed=1.0), scenario(typed=0.5))}) == 2


def test_without_right_labels_it_is_refused_in_a_sentence(capsys: pytest.CaptureFixture[str], store: Store) -> None:
    with pytest.raises(UserError, match=r"needs right labels of the forget set, and none is given") as caught:
        plan_runs(scenario(), [make_method(FIRST, scenario())])
    assert "\n" not in str(caught.value)
    command = ["run", "--dataset", "blobs", "--methods", FIRST, "--store", store.location, "--engine", "inline"]
    assert main([*command, "--set", "training.epochs=5"]) == 2
    assert "person.typed" in capsys.readouterr().err
    found = make_scenario("digits", overrides={"corruption.found": True, "person.typed": 1.0}).knowing([1, 2])
    with pytest.raises(UserError, match="a simulated person cannot give"):
        plan_runs(found, [make_method(FIRST, found)])
    with pytest.raises(UserError, match=r"person\.typed must be at most 1"):
        scenario(typed=2.0)
    with pytest.raises(UserError, match="can be checked and found right here"):
        plan_runs(scenario(checked=10_000), [make_method("retrain", scenario())])
    both = scenario().model_copy(update={"forget": (1, 2), "person": scenario().person.model_copy(update={"trusted": (2, 9)})})
    with pytest.raises(UserError, match="in the forget set and among the checked"):
        plan_runs(both, [make_method("retrain", both)])


def test_it_heals_what_was_typed(capsys: pytest.CaptureFixture[str], store: Store) -> None:
    command = ["run", "--dataset", "blobs", "--regularity", "0", "--discovery", "0.5", "--methods", FIRST, "--json"]
    command += ["--store", store.location, "--engine", "inline", "--set", "training.epochs=5", "--set", "person.typed=1"]
    assert main(command) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["scenario"]["person"] == {"typed": 1.0}
    assert answer["results"][0]["cached"]  # the run that the fixture made, by another door
    assert answer["results"][0]["metrics"]["healed_discovered"] > 0.9
    assert main([*command, "--set", "person.slips=1"]) == 0
    slipped = json.loads(capsys.readouterr().out)
    assert slipped["results"][0]["metrics"]["healed_discovered"] < 0.5  # it did as it was told
    assert answer["results"][0]["knows"] == ["F", "right labels"]


def test_a_link_and_its_command_bring_the_person_along() -> None:
    state, notices = vs.decode("methods=relabel_only,rem&person.typed=0.5&person.slips=0.1&discovery=0.4")
    assert notices == []
    assert vs.to_scenario(state).person.typed == 0.5
    assert vs.decode(vs.encode(state))[0] == state
    assert "--set person.slips=0.1 --set person.typed=0.5" in vs.as_cli(state)
    made: dict[str, Any] = {}
    exec(vs.as_python(state).replace("results = ", "results = None and "), made)
    assert made["scenario"].key == vs.to_scenario(state).key
    assert vs.decode("person.typed=7")[0]["overrides"] == {"person.typed": 1.0}


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_labels_of_a_forget_list_reach_the_method(tmp_path: Any) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (60, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "mine.npz", images=pixels, labels=np.arange(60) % 3)
    mine = eunoe.load_images(tmp_path / "mine.npz", forget={3: "1", 6: "2", 9: ""}, overrides={"training.epochs": 1})
    assert given_to(FIRST, mine).keys() == {"labels"}
    other = mine.knowing(mine.forget, {mine.forget[0]: "2"})
    assert mine.run_key(make_method(FIRST, mine)) != other.run_key(make_method(FIRST, other))
    assert mine.run_key(make_method("retrain", mine)) == other.run_key(make_method("retrain", other))
    store = Store.open(tmp_path / "store")
    (spec,) = run(store, mine, FIRST)
    given = make_task(store, mine, load_scenario_data(mine), spec=spec)
    assert given.right is not None
    assert sorted(given.right.tolist()) == [-1, 1, 2]
    with pytest.raises(UserError, match="others than those that it was planned with"):
        make_task(store, other, load_scenario_data(other), spec=spec)
    store.close()
    with pytest.warns(UserWarning, match="are not trained on; they are left out"):
        sure = eunoe.load_images(tmp_path / "mine.npz", forget=[3], trusted=list(range(10, 40)))
    assert 10 < len(sure.person.trusted) < 30
    assert sure.run_key(make_method("retrain", sure)) == sure.knowing(sure.forget).run_key(make_method("retrain", sure))
    both = eunoe.load_images(tmp_path / "mine.npz", forget=[3], trusted=[3])
    with pytest.raises(UserError, match="in the forget set and among the checked"):
        plan_runs(both, [make_method("retrain", both)])


def test_on_made_corruption_too_what_was_typed_and_checked_is_all_that_is_given(store: Store) -> None:
    """A simulated person says nothing where a real one does, and of what was not typed nobody says anything."""
    on = scenario(typed=1.0, checked=20)
    data = load_scenario_data(on)
    truth, names = data.corrupted.truth, data.corrupted.train.class_names
    forget = truth.forget_of(on)[:5].tolist()
    right = truth.clean_labels[forget].tolist()
    slip = (right[1] + 1) % len(names)
    trusted = [k for k in range(60) if k not in forget][:3]
    told = on.knowing(forget, {forget[0]: names[right[0]], forget[1]: names[slip]}, trusted)
    assert told.person.checked == 0
    given, _ = task(store, told, FIRST)
    assert given.right is not None
    assert given.right.tolist() == [right[0], slip, -1, -1, -1]
    assert given.trusted is None
    checked, _ = task(store, told, "sap")
    assert checked.right is None
    assert checked.trusted is not None
    assert checked.trusted.tolist() == trusted
    unlabelled = scenario().knowing(forget)
    with pytest.raises(UserError, match="none is given"):
        plan_runs(unlabelled, [make_method(FIRST, unlabelled)])
    other = told.knowing(forget, {forget[0]: names[right[0]]})
    with pytest.raises(UserError, match="others than those that it was planned with"):
        make_task(store, other, data, spec=make_method(FIRST, told))


def test_what_a_person_typed_is_in_the_keys_of_those_methods_alone() -> None:
    plain = scenario().knowing([1, 2, 3])
    typed, other, trusted = (
        plain.knowing([1, 2, 3], {1: "0"}),
        plain.knowing([1, 2, 3], {1: "1"}),
        plain.knowing([1, 2, 3], (), [7]),
    )
    assert Scenario.model_validate_json(trusted.model_dump_json()) == trusted
    assert typed.relabelled == ((1, "0"),)
    assert typed.key == other.key == plain.key
    assert trusted.knowing([1, 2, 3], (), ()).key == plain.key
    for name in registry.names():
        keys = [on.run_key(make_method(name, on)) for on in (plain, typed, other, trusted)]
        if registry.get(name).needs_right_labels:
            assert len(set(keys[:3])) == 3
        elif registry.get(name).needs_trusted:
            assert keys[0] == keys[1] == keys[2] != keys[3]
        else:
            assert len(set(keys)) == 1
