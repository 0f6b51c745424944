"""REM's pieces against closed forms, and the picture that the whole thing is about."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from trained import Trained

from unlearn_core.methods import accuracy_on, bounded_loss, registry
from unlearn_core.methods.redirection.params import RemParams
from unlearn_core.methods.redirection.references import masked_losses
from unlearn_core.methods.redirection.rem import Redirection
from unlearn_core.training import SilentReporter, predict


def test_the_bounded_loss_and_its_gradient() -> None:
    ce = torch.tensor([0.1, 1.0, 5.0], dtype=torch.float64, requires_grad=True)
    reference = torch.tensor([0.2, 1.0, 0.5], dtype=torch.float64)
    beta = 2.0
    loss = bounded_loss(ce, reference, beta)
    for value, c, r in zip(loss.tolist(), ce.tolist(), reference.tolist(), strict=True):
        assert value == pytest.approx(2 / beta * math.log(1 / (1 + math.exp(-beta * (c - r)))))
        assert value <= 0
    loss.sum().backward()
    assert ce.grad is not None
    for slope, c, r in zip(ce.grad.tolist(), ce.tolist(), reference.tolist(), strict=True):
        assert slope == pytest.approx(2 / (1 + math.exp(beta * (c - r))))
    # Pushing CE up (minimising -ℓ) starts with the pull of plain ascent and fades; it is never stronger than twice that.
    assert ce.grad[1].item() == pytest.approx(1.0)
    assert ce.grad[2] < 0.01


def redirection(trained: Trained, **params: object) -> Redirection:
    task = trained.task(discovery=0.5)
    task.original.widen(1.0, 1)
    return Redirection(RemParams(**params), task, task.original, SilentReporter())


def test_all_of_the_forget_set_shares_one_mask_and_every_other_example_has_its_own(digits: Trained) -> None:
    run = redirection(digits, forget_share=0.5)
    masks = run.masks(run.task.forget)
    assert (masks == masks[0]).all()
    assert torch.equal(masks[0], run.forget_mask[0])
    others = run.masks(run.task.retain[:50])
    assert len({tuple(row.tolist()) for row in others}) > 45


def test_reference_losses_are_those_of_the_original_without_redirect(digits: Trained) -> None:
    run = redirection(digits)
    data = digits.arena.train
    expected = torch.nn.functional.cross_entropy(predict(digits.original, data), data.labels, reduction="none")
    torch.testing.assert_close(run.reference.dropped, expected, rtol=1e-4, atol=1e-5)


def test_the_objective_by_hand(digits: Trained) -> None:
    run = redirection(digits)
    ids = torch.cat([run.task.forget[:3], run.task.retain[:5]])
    # At the start CE = CE₀ in eval mode, so every ℓ is 2·log(1/2): F counts −ℓ + ℓ = 0, the rest ℓ.
    run.model.eval()
    assert run.loss(ids).item() == pytest.approx(5 / 8 * 2 * math.log(0.5), abs=1e-4)
    weighted = redirection(digits, forget_weight=2.0)
    weighted.model.eval()
    # The removal's mean over F is −2·log(1/2), counted twice; the repair is the mean over all eight.
    assert weighted.loss(ids).item() == pytest.approx((1 - 2) * 2 * math.log(0.5), abs=1e-4)


def test_what_was_never_learned_is_hardly_pushed_further_with_the_removal_capped(digits: Trained) -> None:
    task = digits.task(discovery=0.5)
    task.original.widen(1.0, 1)
    member, rest = task.forget[:3], task.retain[:5]
    labels = task.data.labels.clone()
    labels[member[0]] = (labels[member[0]] + 1) % 10  # a label that was never taught
    task = dataclasses.replace(task, data=dataclasses.replace(task.data, labels=labels))
    run = Redirection(RemParams(removal_cap=0.0), task, task.original, SilentReporter())
    run.model.eval()
    losses = masked_losses(run.model, run.task.data, run.task.data.batch(member), member, None)
    assert losses[0] > 2 > losses[1:].max()
    # −ℓ(CE, 0) for the removal; the repair of all eight starts from CE₀ as it was.
    removal = -2 * torch.nn.functional.logsigmoid(losses).sum().item()
    expected = (removal + 8 * 2 * math.log(0.5)) / 8
    assert run.loss(torch.cat([member, rest])).item() == pytest.approx(expected, abs=1e-4)
    # So the pull on what was learned is half of the most there is, as in the paper, and on what was not next to nothing.
    pull = torch.autograd.functional.jacobian(lambda ce: run.ascend_loss(ce, torch.zeros(3)).sum(), losses.detach())
    assert -pull[0] < 0.3 < 0.7 < -pull[1:].max()


def test_a_round_takes_at_most_so_many_steps(digits: Trained) -> None:
    class Counting(SilentReporter):
        def step(self, done: int, total: int, **scalars: float | torch.Tensor) -> None:
            seen.append((done, total))

    seen: list[tuple[int, int]] = []
    method = registry.get("rem")
    for limit, per_round in ((3, 3), (0, 6), (100, 6)):
        seen.clear()
        params = method.presets["digits"] | {"epochs": 2, "round_steps": limit}
        method(method.params(params)).run_single(digits.task(discovery=0.5), Counting())
        assert seen == [(done + 1, 2 * per_round) for done in range(2 * per_round)]


def test_flushing_lowers_the_forget_accuracy_to_its_threshold(digits: Trained) -> None:
    run = redirection(digits, learning_rate=0.02, flush_threshold=0.2)
    assert accuracy_on(run.model, run.task, run.task.forget) > 0.8
    run.flush()
    assert accuracy_on(run.model, run.task, run.task.forget) <= 0.2


def test_extra_forget_examples_join_every_batch(digits: Trained) -> None:
    run = redirection(digits, forget_per_batch=16)
    ids = run.add_forget(run.task.retain[:10])
    assert len(ids) == 26
    assert torch.isin(ids[10:], run.task.forget).all()


def test_rem_heals_what_was_never_discovered_and_retraining_does_not(digits: Trained) -> None:
    truth = digits.arena.corrupted.truth
    task = digits.task(discovery=0.5)
    hidden = task.retain[torch.isin(task.retain, truth.corrupted)]

    def healed(name: str) -> float:
        method = registry.get(name)
        params = method.presets.get("digits", {})
        task = digits.task(discovery=0.5)
        model = method(method.params(params)).unlearn(task, SilentReporter())
        return (predict(model, digits.arena.train, hidden).argmax(1) == truth.clean_labels[hidden]).float().mean().item()

    assert healed("rem") > 0.5
    assert healed("finetune") < 0.15
