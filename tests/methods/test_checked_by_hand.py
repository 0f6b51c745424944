"""Examples of methods on checked examples that can be computed on paper."""

from __future__ import annotations

import pytest
import torch
from tiny import tiny_data
from torch import nn

from unlearn_core.methods.adversarial.i_bau import fixed_point
from unlearn_core.methods.dampening.anp import Gates, choose_threshold
from unlearn_core.methods.dampening.clp import outliers, threshold
from unlearn_core.methods.dampening.fine_pruning import prune
from unlearn_core.methods.dampening.sap import Projection, importance
from unlearn_core.methods.shared.layer_inputs import input_moments
from unlearn_core.training import SilentReporter


def test_how_much_of_a_direction_passes() -> None:
    share = torch.tensor([0.8, 0.2], dtype=torch.float64)
    assert importance(share, 4.0).tolist() == pytest.approx([0.941, 0.5], abs=5e-4)
    assert torch.allclose(importance(share, 1.0), share)
    assert torch.allclose(importance(share, 1e12), torch.ones(2, dtype=torch.float64))


def test_a_projection_damps_what_checked_examples_hardly_use() -> None:
    """Inputs (2, 0) and (0, 1): r = (0.8, 0.2), and with α = 4 the weights' columns are multiplied by (0.941, 0.5)."""
    data = tiny_data(torch.tensor([[2.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 1]), 2)
    model = nn.Sequential(nn.Linear(2, 3))
    before, bias = model[0].weight.detach().clone(), model[0].bias.detach().clone()
    projection = Projection(model, input_moments(model, data, torch.arange(2), SilentReporter()))
    for _ in range(2):  # each time from the weights as they were
        projection.apply(4.0)
        assert torch.allclose(model[0].weight, before * torch.tensor([0.94118, 0.5]), atol=1e-4)
    assert torch.equal(model[0].bias, bias)


def test_two_channels_are_pruned() -> None:
    """Activations (0.1, 2.0, 0.5), accuracies 0.92, then 0.90, 0.84 and 0.10: the third would fall below 0.82."""
    activations, accuracies = torch.tensor([0.1, 2.0, 0.5]), {1: 0.90, 2: 0.84, 3: 0.10}
    off = prune(activations.argsort(), lambda off: accuracies[int(off.sum())], 0.92 - 0.1)
    assert off.tolist() == [True, False, True]
    assert prune(activations.argsort(), lambda off: 0.5, 0.82).tolist() == [False] * 3
    assert int(prune(torch.arange(300), lambda off: 1.0 if off.sum() <= 7 else 0.0, 0.5).sum()) == 6  # three a step


def test_masks_are_made_of_zeros_and_ones() -> None:
    """A mask of 0.05 below a threshold of 0.1 silences its channel, one of 0.12 leaves it at full strength."""
    model = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2))
    masks = torch.tensor([0.05, 0.12])
    gates = Gates(model, {"1": model[1]})
    limit = choose_threshold(masks, lambda off: 1.0 if off.sum() <= 1 else 0.3, 0.9)
    assert limit == pytest.approx(0.1)
    gates.prune(model, masks < limit)
    assert model[1].weight.tolist() == [0.0, 1.0]
    assert choose_threshold(masks, lambda off: 0.0, 0.9) == 0.0


def test_a_fixed_point_after_five_iterations() -> None:
    half = fixed_point(lambda v: 0.5 * v, torch.ones(1), 5)
    assert half.item() == 1.9375
    assert fixed_point(lambda v: 0.5 * v, torch.ones(1), 60).item() == pytest.approx(2.0)


def test_thresholds_of_a_layer() -> None:
    values = torch.tensor([1.0, 1.0, 1.0, 1.0, 6.0], dtype=torch.float64)
    assert threshold(values, 3.0) == pytest.approx(8.7, abs=0.01)
    assert threshold(values, 1.5) == pytest.approx(5.35, abs=0.01)
    assert not outliers(values, 3.0).any()
    assert outliers(values, 1.5).tolist() == [False] * 4 + [True]
    ten = torch.zeros(10).index_fill_(0, torch.tensor([0]), 1e6)
    assert not outliers(ten, 3.0).any()  # of ten channels none can lie so far out
    assert outliers(torch.cat([ten, torch.zeros(1)]), 3.0).any()
