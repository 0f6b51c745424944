"""Methods that are told right labels: what they fit, what they leave alone, and what they do not read."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from trained import Trained

from unlearn_core.errors import UserError
from unlearn_core.methods import UnlearningTask, registry
from unlearn_core.methods.shared.right_labels import relabelled
from unlearn_core.presets import make_method
from unlearn_core.training import SilentReporter, predict
from unlearn_core.tuning.held_out import with_forget_set

NAMES = [method.name for method in registry if method.needs_right_labels]


def told(trained: Trained, discovery: float) -> UnlearningTask:
    return trained.task_for(registry.get("relabel_only"), discovery)


def unlearned(name: str, trained: Trained, task: UnlearningTask, **params: float) -> torch.nn.Module:
    method = registry.get(name)
    values = make_method(name, trained.scenario, params).params
    return method(method.params(values)).unlearn(task, SilentReporter())


def healed(trained: Trained, model: torch.nn.Module, ids: torch.Tensor) -> float:
    said = predict(model, trained.arena.train, ids).argmax(1)
    return float((said == trained.arena.corrupted.truth.clean_labels[ids]).float().mean())


@pytest.mark.parametrize("name", NAMES)
def test_without_any_right_label_it_says_so(name: str, points: Trained) -> None:
    method, task = registry.get(name), points.task()
    for right in (None, torch.full_like(task.forget, -1)):
        with pytest.raises(UserError, match="No right label of the forget set is known"):
            method(method.params({})).unlearn(replace(task, right=right), SilentReporter())


def test_members_of_f_without_a_right_label_are_left_out(points: Trained) -> None:
    task = told(points, 0.5)
    assert task.right is not None
    some = replace(task, right=task.right.clone().index_fill_(0, torch.tensor([0, 2]), -1))
    corrected, labels = relabelled(some)
    assert set(task.forget.tolist()) - set(corrected.tolist()) == set(task.forget[[0, 2]].tolist())
    assert torch.equal(labels[corrected], points.arena.corrupted.truth.clean_labels[corrected])
    assert torch.equal(labels[task.retain], task.data.labels[task.retain])


def test_a_smaller_forget_set_takes_its_own_right_labels_along_and_no_others(points: Trained) -> None:
    task = told(points, 0.5)
    known = task.forget[torch.tensor([5, 1, 3])]
    part = with_forget_set(task, known)
    assert part.right is not None
    assert torch.equal(part.right, points.arena.corrupted.truth.clean_labels[part.forget])
    assert with_forget_set(points.task(), known).right is None


def test_the_last_phase_reads_nothing_but_f_and_moves_no_statistics(digits: Trained) -> None:
    """Nothing but F is read: with noise in place of all other images the result is the same to the bit."""
    task = told(digits, 0.3)
    before = {key: value.clone() for key, value in task.original.state_dict().items()}
    one = unlearned("relabel_only", digits, task, steps=5)
    other = told(digits, 0.3)
    noise = torch.randint_like(other.data.inputs, 256)
    noise[other.forget] = other.data.inputs[other.forget]
    two = unlearned("relabel_only", digits, replace(other, data=replace(other.data, inputs=noise)), steps=5)
    moved = []
    for key, value in one.state_dict().items():
        assert torch.equal(value, two.state_dict()[key]), key
        if "running" in key:
            assert torch.equal(value, before[key]), key
        elif not torch.equal(value, before[key]):
            moved.append(key)
    assert moved


def test_rem_with_right_labels_is_rem_and_then_that_phase(points: Trained) -> None:
    short = {"epochs": 2, "repeat": False}
    last = {"relabel_rate": 0.3, "relabel_loss": 0.01}
    both = unlearned("rem_relabel", points, told(points, 0.5), **short, **last, relabel_share=1.0)
    rem = unlearned("rem", points, points.task(0.5), **short)
    after = unlearned("relabel_only", points, replace(told(points, 0.5), original=rem), rate=0.3, steps=60, enough=0.01)
    assert all(torch.equal(value, after.state_dict()[key]) for key, value in both.state_dict().items())
    plain = unlearned("rem", points, points.task(0.5), **short).state_dict()
    assert any(not torch.equal(value, plain[key]) for key, value in both.state_dict().items())
    half = unlearned("rem_relabel", points, told(points, 0.5), **short, **last, relabel_share=0.5).state_dict()
    for key, value in both.state_dict().items():
        assert torch.allclose(half[key], (plain[key] + value) / 2, atol=1e-6), key


def test_a_fit_stops_where_it_fits(points: Trained) -> None:
    class Counting(SilentReporter):
        done = 0

        def step(self, done: int, total: int, **scalars: object) -> None:
            self.done = done

    def steps(enough: float) -> int:
        method, reporter = registry.get("relabel_only"), Counting()
        method(method.params({"enough": enough, "steps": 40})).unlearn(told(points, 0.5), reporter)
        return reporter.done

    assert steps(5.0) == 1
    assert 1 < steps(0.02) < steps(1e-6) == 40


def test_correcting_labels_heals_what_was_corrected_and_hardly_anything_else(digits: Trained) -> None:
    """As it must be: what was not found stays among the data and is rehearsed."""
    truth = digits.arena.corrupted.truth
    task = replace(told(digits, 0.3), recipe=digits.scenario.training)
    hidden = truth.corrupted[~torch.isin(truth.corrupted, task.forget)]
    model = unlearned("relabel_finetune", digits, task, share=0.0, epochs=5)
    assert healed(digits, model, task.forget) >= 0.95
    assert healed(digits, model, hidden) <= 0.05


def test_a_share_of_its_own_makes_the_corrected_part_heal_sooner(digits: Trained) -> None:
    def after(share: float) -> float:
        task = replace(told(digits, 0.3), recipe=digits.scenario.training)
        return healed(digits, unlearned("relabel_finetune", digits, task, share=share, epochs=1), task.forget)

    assert after(0.5) > after(0.0) + 0.2


def test_discovery_finds_first_and_the_right_labels_are_taught_last(points: Trained) -> None:
    task, short = told(points, 0.3), {"epochs": 2, "rounds": 1, "folds": 2}
    plain = unlearned("rem_discover", points, told(points, 0.3), **short)
    taught = unlearned("rem_relabel_discover", points, task, **short, relabel_loss=0.0005)
    assert plain.report["discovery"] == taught.report["discovery"]  # type: ignore[index]
    assert task.right is not None
    losses = [F.cross_entropy(predict(model, points.arena.train, task.forget), task.right) for model in (plain, taught)]
    assert losses[1] < losses[0] / 2
    untouched = unlearned("rem_relabel_discover", points, told(points, 0.3), **short, relabel_share=0.001)
    one, other = (predict(model, points.arena.train, task.retain).softmax(1) for model in (plain, untouched))
    assert (one - other).abs().max() < 0.02
