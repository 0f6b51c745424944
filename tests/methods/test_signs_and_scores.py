"""Signs, references and selection scores by hand: what a change of one character would turn into another method."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn
from trained import Trained

from unlearn_core.methods import UnlearningTask, registry
from unlearn_core.methods.redirection.params import RemParams
from unlearn_core.methods.redirection.rem import Redirection
from unlearn_core.methods.shared.rounds import proxy
from unlearn_core.models import shared_mask
from unlearn_core.training import DeviceData, SilentReporter, predict


class Table(nn.Module):
    """Logits looked up by the first coordinate of an input: a network whose every output the test chooses."""

    def __init__(self, logits: list[list[float]]) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.tensor(logits))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.logits[x[:, 0].round().long()]


def looked_up(logits: list[list[float]], labels: list[int], forget: list[int]) -> UnlearningTask:
    count = len(labels)
    inputs = torch.stack([torch.arange(float(count)), torch.zeros(count)], dim=1)
    data = DeviceData(inputs, torch.tensor(labels), len(logits[0]), torch.zeros(2), torch.ones(2))
    rest = torch.tensor([k for k in range(count) if k not in forget])
    model: Any = Table(logits)
    return UnlearningTask(model, data, torch.tensor(forget), rest, lambda seed: model, None, seed=0)  # type: ignore[arg-type]


def test_npo_raises_the_loss_on_the_forget_set_from_where_the_original_had_it() -> None:
    npo = registry.get("npo")
    # Softmax of (log 3, 0) is (3/4, 1/4): the original's loss on label 0 is log(4/3), and of (0, 0) it is log 2.
    task = looked_up([[math.log(3), 0.0], [0.0, 0.0], [5.0, 0.0]], labels=[0, 0, 0], forget=[0, 1])
    objective: Any = npo(npo.params({"beta": 2.0})).objective(task)  # type: ignore[attr-defined]
    ce = torch.tensor([1.0, 2.0], requires_grad=True)
    value = objective(ce, torch.tensor([0, 1]))
    margins = [1.0 - math.log(4 / 3), 2.0 - math.log(2)]
    assert value.item() == pytest.approx(sum(math.log(1 + math.exp(-2 * m)) for m in margins) / 2, abs=1e-6)
    value.backward()
    # Minimised, it raises the loss: the slope is −2/(1 + e^(β·margin)) for each, halved by the mean.
    assert ce.grad.tolist() == pytest.approx([-1 / (1 + math.exp(2 * m)) for m in margins], abs=1e-6)  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["npo", "ascent"])
def test_a_push_keeps_the_pass_with_the_best_proxy(name: str, digits: Trained) -> None:
    """Retain accuracy · (1 − max(0.2, forget accuracy)): what forgets most by breaking the rest is not the best."""
    method = registry.get(name)

    class Watching(SilentReporter):
        def __init__(self) -> None:
            self.models: list[torch.Tensor] = []

        def snapshot(self, model: nn.Module) -> None:
            self.models.append(predict(model, task.data))

    task, reporter = digits.task(), Watching()
    # So high a rate that later passes ruin the network, and a threshold that is never reached.
    params = method.params({"learning_rate": 0.05, "threshold": 0.0, "passes": 8, "keep_best": True})
    model = method(params).unlearn(task, reporter)
    right = [(logits.argmax(1) == task.data.labels).float() for logits in reporter.models]
    scores = [(r[task.retain].mean() * (1 - max(0.2, r[task.forget].mean().item()))).item() for r in right]
    assert len(scores) > 2
    assert max(scores) > scores[-1] + 0.02
    best = reporter.models[scores.index(max(scores))]
    assert torch.equal(predict(model, task.data).argmax(1), best.argmax(1))


def redirection(trained: Trained, **params: object) -> Redirection:
    task = trained.task(discovery=0.5)
    task.original.widen(1.0, 1)
    return Redirection(RemParams(**params), task, task.original, SilentReporter())


def test_the_proxy_by_hand() -> None:
    assert proxy(0.9, 0.5) == pytest.approx(0.45)
    assert proxy(0.9, 0.2) == proxy(0.9, 0.0) == pytest.approx(0.72)  # below 0.2 nothing is gained by forgetting more
    assert proxy(1.0, 1.0) == 0.0


def test_a_flush_leaves_no_momentum_to_redirection(digits: Trained) -> None:
    run = redirection(digits, learning_rate=0.02)
    before = [p.detach().clone() for _, p in run.model.base_parameters()]
    run.flush()
    assert any(not torch.equal(a, p) for a, (_, p) in zip(before, run.model.base_parameters(), strict=True))
    assert not run.optimizer.state


def test_every_layer_has_its_own_choice_of_forget_channels() -> None:
    first, second, third = shared_mask((32, 32, 32), 0.5, seed=0, device=torch.device("cpu"))[0].split(32)
    assert first.sum() == second.sum() == third.sum() == 16
    assert not torch.equal(first, second)
    assert not torch.equal(second, third)
    assert not torch.equal(first, third)
    other = shared_mask((32, 32, 32), 0.5, seed=1, device=torch.device("cpu"))[0].split(32)[0]
    assert not torch.equal(first, other)


def test_del_sets_what_it_selects_back_to_another_start_than_the_original_s(digits: Trained) -> None:
    method = registry.get("del")
    task = digits.task()
    started, restarted = digits.task().fresh_model(task.seed), task.fresh_model(task.seed + 1)
    # So small a rate that training moves nothing: what differs from the original afterwards is the reset alone.
    model = method(method.params({"epochs": 1, "learning_rate": 1e-12, "share": 0.3})).unlearn(task, SilentReporter())
    changed = same = 0
    others, origins = dict(restarted.named_parameters()), dict(started.named_parameters())
    for (name, now), before in zip(model.named_parameters(), digits.original.parameters(), strict=True):
        moved = (now - before).abs() > 1e-6
        changed, same = changed + int(moved.sum()), same + int((~moved).sum())
        torch.testing.assert_close(now[moved], others[name][moved], atol=1e-6, rtol=0)
        weights = now.dim() > 1 and moved.any()  # biases and batch norm start alike with every seed
        assert not weights or not torch.allclose(now[moved], origins[name][moved])
    assert 0.2 < changed / (changed + same) < 0.4
