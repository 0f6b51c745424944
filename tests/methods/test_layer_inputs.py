"""What layers see: rows times weights are the layer's own outputs, and their moments are those of all examples."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from tiny import tiny_data
from torch import nn
from trained import Trained

from unlearn_core.errors import Cancelled
from unlearn_core.methods.shared.layer_inputs import (
    input_moments,
    input_rows,
    kernel_layers,
    moment_steps,
    weight_rows,
    write_rows,
)
from unlearn_core.models import RedirectConv2d, build_model
from unlearn_core.specs import ModelSpec
from unlearn_core.training import SilentReporter


@pytest.mark.parametrize(
    "how",
    [
        {"kernel_size": 3, "padding": 1},
        {"kernel_size": 5, "stride": 2, "padding": 2},
        {"kernel_size": (3, 2), "stride": (1, 2), "padding": (2, 1), "dilation": (2, 1)},
        {"kernel_size": 3, "padding": 1, "groups": 2},
        {"kernel_size": 3, "padding": 1, "groups": 4},
        {"kernel_size": (4, 3), "padding": "same", "dilation": (1, 2)},
        {"kernel_size": 2, "padding": "valid"},
        {"kernel_size": 3, "padding": 1, "padding_mode": "reflect"},
    ],
)
def test_rows_times_weights_are_what_a_convolution_says(how: dict[str, Any]) -> None:
    torch.manual_seed(0)
    layer, x = nn.Conv2d(4, 8, **how), torch.randn(3, 4, 9, 8)
    products = input_rows(layer, x) @ weight_rows(layer).transpose(1, 2)  # (groups, B · positions, outputs / groups)
    out = layer(x) - layer.bias.view(-1, 1, 1)
    expected = out.permute(0, 2, 3, 1).reshape(-1, 8)
    assert torch.allclose(products.permute(1, 0, 2).reshape(-1, 8), expected, atol=1e-5)


def test_the_layers_of_this_project_see_alike() -> None:
    torch.manual_seed(0)
    layer, x = RedirectConv2d(3, 6, 5, stride=2, padding=2), torch.randn(2, 3, 8, 8)
    products = input_rows(layer, x)[0] @ weight_rows(layer)[0].T + layer.bias
    assert torch.allclose(products, layer(x, False).permute(0, 2, 3, 1).reshape(-1, 6), atol=1e-5)
    rows = weight_rows(layer)
    write_rows(layer, 2 * rows)
    assert torch.equal(weight_rows(layer), 2 * rows)
    tokens = torch.randn(2, 5, 4)
    assert torch.equal(input_rows(nn.Linear(4, 3), tokens), tokens.reshape(1, 10, 4))


def test_moments_of_a_layer_by_hand() -> None:
    """Inputs (1, 0) and (2, 0) have the moments diag(5, 0)."""
    data = tiny_data(torch.tensor([[1.0, 0.0], [2.0, 0.0], [7.0, 7.0]]), torch.tensor([0, 1, 0]), 2)
    found = input_moments(nn.Sequential(nn.Linear(2, 2)), data, torch.tensor([0, 1]), SilentReporter())
    assert found["0"].dtype == torch.float64
    assert found["0"].tolist() == [[[5.0, 0.0], [0.0, 0.0]]]


def test_moments_are_those_of_all_rows_of_all_layers(digits: Trained) -> None:
    task = digits.task()
    model, ids = task.original, task.retain[:1100]
    assert moment_steps(model, task.data, ids) > 1
    found = input_moments(model, task.data, ids, SilentReporter())
    assert list(found) == list(kernel_layers(model)) == ["layers.0", "layers.1", "layers.2", "head"]
    x = task.data.batch(ids)
    rows = F.unfold(x, 3, padding=1).transpose(1, 2).reshape(-1, 9).double()
    assert torch.allclose(found["layers.0"][0], rows.T @ rows, rtol=1e-6)
    features = model.features(x).double()
    assert torch.allclose(found["head"][0], features.T @ features, rtol=1e-5, atol=1e-3)


def test_a_limit_on_rows_draws_some_and_keeps_their_scale(digits: Trained) -> None:
    task = digits.task()
    whole, some = (input_moments(task.original, task.data, task.retain, SilentReporter(), most=m) for m in (0, 2000))
    positions = 64 * len(task.retain)
    ratio = some["layers.0"].diagonal(dim1=1, dim2=2).sum() / whole["layers.0"].diagonal(dim1=1, dim2=2).sum()
    assert float(ratio) * positions == pytest.approx(2000, rel=0.1)
    assert torch.equal(some["head"], whole["head"])  # it sees a row of each example, fewer than that
    again = input_moments(task.original, task.data, task.retain, SilentReporter(), most=2000)
    assert torch.equal(some["layers.0"], again["layers.0"])


def test_redirect_channels_have_no_part_in_it(digits: Trained) -> None:
    task = digits.task()
    before = input_moments(task.original, task.data, task.forget, SilentReporter())
    task.original.widen(0.5, 0)
    after = input_moments(task.original, task.data, task.forget, SilentReporter())
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("name", ["resnet9", "resnet18", "vit"])
def test_every_layer_of_every_network_is_seen(name: str) -> None:
    model = build_model(ModelSpec(name=name, params={}), (3, 32, 32), 10, 0)
    data = tiny_data(torch.zeros(2, 3, 32, 32, dtype=torch.uint8), torch.tensor([0, 1]), 10)
    data = type(data)(data.inputs, data.labels, 10, torch.zeros(3), torch.ones(3))
    found = input_moments(model, data, torch.arange(2), SilentReporter())
    assert set(found) == set(kernel_layers(model))
    for layer, moment in found.items():
        d = weight_rows(kernel_layers(model)[layer]).shape[-1]
        assert moment.shape == (1, d, d)


def test_it_stops_when_it_is_told(digits: Trained) -> None:
    class Impatient(SilentReporter):
        def cancelled(self) -> bool:
            return True

    task = digits.task()
    with pytest.raises(Cancelled):
        input_moments(task.original, task.data, task.retain, Impatient())
