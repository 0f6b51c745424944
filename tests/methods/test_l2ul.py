"""L2UL: the hand examples, its attack, and what it leaves alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from trained import Trained

from unlearn_core.methods import registry
from unlearn_core.methods.adversarial.attack import Space, targeted
from unlearn_core.methods.adversarial.l2ul import L2ul, balanced, normalised
from unlearn_core.training import SilentReporter, predict


def idle() -> None: ...


def test_importances_become_prices() -> None:
    spans = normalised(torch.tensor([1.0, 3.0, 5.0, 7.0, 7.0]), [torch.zeros(3), torch.zeros(1, 2)])
    assert (1 - spans[0]).tolist() == [1.0, 0.5, 0.0]
    assert spans[1].tolist() == [[0.0, 0.0]]  # where all are the same there is nothing to tell apart


def test_the_two_losses_count_by_their_examples() -> None:
    assert balanced(torch.tensor(1.0), torch.tensor(0.4), 2, 6).item() == pytest.approx(0.05)


@pytest.mark.parametrize("kind", ["digits", "points"])
def test_the_attack_reaches_other_classes_and_stays_in_its_ball(kind: str, request: pytest.FixtureRequest) -> None:
    trained: Trained = request.getfixturevalue(kind)
    task, radius = trained.task(discovery=1.0), 2.0
    space, ids = Space(task.data), task.forget[:16]
    clean, classify = space.values(ids), space.classifier(task.frozen_original())
    target = (classify(clean).argmax(1) + 1) % task.data.classes

    def attack(steps: int) -> torch.Tensor:
        return targeted(classify, clean, target, radius, steps, space.bounded, torch.Generator().manual_seed(0), idle)

    found = attack(20)
    assert ((found - clean).flatten(1).norm(dim=1) <= radius * (1 + 1e-5)).all()
    assert (classify(found).argmax(1) == target).float().mean() > 0.4  # none before
    assert not torch.equal(found, attack(1))
    if kind == "digits":
        assert found.min() >= 0
        assert found.max() <= 1


def test_no_adversarial_example_is_drawn_to_the_given_label(digits: Trained) -> None:
    task = digits.task()
    method, ids = L2ul(L2ul.params({"attack_steps": 1})), task.forget.repeat_interleave(30)
    made = method.attack(task, (ids,), SilentReporter())
    assert (made.labels != task.data.labels[ids]).all()
    assert torch.equal(made.labels.unique(), torch.arange(task.data.classes))


def test_the_memory_bounds_the_copies(digits: Trained) -> None:
    task = digits.task()
    each = 4 * task.data.inputs[0].numel() * len(task.forget)
    assert L2ul(L2ul.params({"memory": 1, "copies": 1000})).copies(task) == 2**20 // each
    assert L2ul(L2ul.params({"copies": 7})).copies(task) == 7


def test_the_retain_set_is_not_read_and_statistics_stay(digits: Trained) -> None:
    method = registry.get("l2ul")
    params = method.params({"passes": 3, "copies": 3, "attack_steps": 3, "learning_rate": 0.01})

    def run(noise: bool) -> dict[str, torch.Tensor]:
        task = digits.task()
        if noise:
            inputs = torch.randint_like(task.data.inputs, 256)
            inputs[task.forget] = task.data.inputs[task.forget]
            task = replace(task, data=replace(task.data, inputs=inputs))
        return method(params).unlearn(task, SilentReporter()).state_dict()

    one, other, before = run(False), run(True), digits.original.state_dict()
    moved = 0
    for key, value in one.items():
        assert torch.equal(value, other[key]), key
        assert "running" not in key or torch.equal(value, before[key]), key
        moved += not torch.equal(value, before[key])
    assert moved


def test_it_ends_once_none_of_f_is_said_as_given(digits: Trained) -> None:
    method, task = registry.get("l2ul"), digits.task()
    task = replace(task, forget=task.forget[:4])
    model = method(method.params({"attack_steps": 5, "radius": 1.0, "learning_rate": 0.005})).unlearn(task, SilentReporter())
    assert model.report["adversarial"] == {"copies": 20, "left": 0.0}  # type: ignore[index]
    assert (predict(model, task.data, task.forget).argmax(1) != task.data.labels[task.forget]).all()
    few = method(method.params({"attack_steps": 5, "passes": 1})).unlearn(
        replace(task, original=digits.task().original), SilentReporter()
    )
    assert few.report["adversarial"]["left"] > 0  # type: ignore[index]


def test_moving_what_does_not_matter_for_f_has_a_price(digits: Trained) -> None:
    def moved(penalty: float) -> float:
        method, task = registry.get("l2ul"), digits.task()
        before = torch.cat([value.detach().clone().flatten() for value in task.original.parameters()])
        params = {"passes": 5, "copies": 2, "attack_steps": 2, "learning_rate": 0.01, "weight_decay": 0.0, "penalty": penalty}
        model = method(method.params(params)).unlearn(task, SilentReporter())
        return float((torch.cat([value.detach().flatten() for value in model.parameters()]) - before).norm())

    assert moved(100.0) < 0.6 * moved(0.0)
