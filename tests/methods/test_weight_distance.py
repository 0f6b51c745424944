"""Weight distance: the hand example, where it begins, and that it does move away."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from trained import Trained

from unlearn_core.methods import registry
from unlearn_core.methods.fine_tuning.weight_distance import Start, distance, spoil
from unlearn_core.training import SilentReporter


def test_the_distance_is_the_root_of_the_mean_square() -> None:
    assert distance([torch.tensor([3.0]), torch.tensor([4.0])], [torch.zeros(1), torch.zeros(1)]).item() == pytest.approx(
        3.536, abs=5e-4
    )
    here = torch.zeros(3, requires_grad=True)
    distance([here], [torch.zeros(3)]).backward()  # type: ignore[no-untyped-call]
    assert here.grad is not None
    assert here.grad.tolist() == [0, 0, 0]  # at the original itself there is a slope, and it is none


class Uneven(nn.Module):
    """Two tensors of very different size, and one that is constant."""

    def __init__(self) -> None:
        super().__init__()
        drawn = torch.randn(2, 20_000, generator=torch.Generator().manual_seed(0))
        self.small, self.large = nn.Parameter(0.01 * drawn[0]), nn.Parameter(5 * drawn[1])
        self.constant = nn.Parameter(torch.full((3,), 2.0))


def begun(start: Start, noise: float = 0.5) -> tuple[Uneven, Uneven]:
    before, model = Uneven(), Uneven()
    spoil(model, start, noise, torch.Generator().manual_seed(1))
    return before, model


def test_a_distorted_start_has_noise_in_each_tensor_s_own_measure() -> None:
    before, model = begun("distorted")
    for one, other in ((before.small, model.small), (before.large, model.large)):
        assert ((other - one).std() / one.std()).item() == pytest.approx(0.5, rel=0.03)
    assert torch.equal(model.constant, before.constant)


def test_the_other_starts() -> None:
    before, model = begun("original")
    assert torch.equal(model.large, before.large)
    before, model = begun("attenuated")
    assert torch.equal(model.large, before.large / 2)
    before, model = begun("dropout")
    gone = model.large == 0
    assert gone.float().mean().item() == pytest.approx(0.2, abs=0.01)
    assert torch.equal(model.large[~gone], before.large[~gone])


def test_the_term_moves_the_weights_away_and_is_reported(points: Trained) -> None:
    def moved(weight: float) -> float:
        method, task = registry.get("weight_distance"), points.task()
        before = [value.detach().clone() for value in task.original.parameters()]
        model = method(method.params({"weight": weight, "epochs": 3})).unlearn(task, SilentReporter())
        found = distance(list(model.parameters()), before).item()
        assert model.report["distance"] == pytest.approx(found)  # type: ignore[index]
        return found

    assert moved(10.0) > 1.5 * moved(0.0)
