"""Networks: the base trained alone, widened, masked, narrowed."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F

from unlearn_core.errors import UserError
from unlearn_core.models import RedirectNet, build_model, example_masks, registry, shared_mask
from unlearn_core.models.pooling import pool, pool_to_2x2
from unlearn_core.models.redirect.norms import RedirectNorm2d
from unlearn_core.models.resnet9 import ResNet9Net
from unlearn_core.specs import ModelSpec

SHAPES = {"mlp": (2,), "cnn": (1, 8, 8), "resnet9": (3, 32, 32), "resnet18": (3, 16, 16), "vit": (1, 8, 8)}
SHAPES["torchvision"] = (3, 32, 32)
MOMENTS = torch.tensor(0.0), torch.tensor(1.0)
NARROW = {
    "mlp": {"width": 16},
    "cnn": {"width": 8},
    "resnet9": {"width": 0.125},
    "resnet18": {"width": 0.125},
    "vit": {"width": 16, "depth": 2},
    "torchvision": {"architecture": "mobilenet_v3_small"},
}


def build(name: str, seed: int = 0) -> RedirectNet:
    return build_model(ModelSpec(name=name, params=NARROW[name]), SHAPES[name], 5, seed, MOMENTS)


@pytest.fixture(params=list(SHAPES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_registered_model_is_tested_here() -> None:
    assert set(SHAPES) == set(registry.names())


def test_widening_leaves_the_function_unchanged_to_the_bit(name: str) -> None:
    model, x = build(name), torch.randn(16, *SHAPES[name])
    model.train()
    model(x)  # gives batch norm running statistics that matter
    model.eval()
    before, features = model(x), model.features(x)
    model.widen(1.0, seed=3)
    model.eval()
    assert torch.equal(model(x), before)
    assert torch.equal(model.features(x), features)
    strong = model(x, torch.ones(1, model.redirect_channels))
    assert not torch.allclose(strong, before)


def test_a_mask_of_zeros_is_the_same_function_as_redirect_off(name: str) -> None:
    model, x = build(name), torch.randn(8, *SHAPES[name])
    model.widen(1.0, seed=3)
    model.eval()
    torch.testing.assert_close(model(x, torch.zeros(1, model.redirect_channels)), model(x), rtol=1e-4, atol=1e-5)


def test_narrowing_gives_the_base_back(name: str) -> None:
    model = build(name)
    plain = copy.deepcopy(model.state_dict())
    x = torch.randn(4, *SHAPES[name])
    model.eval()
    before = model(x)
    model.widen(0.5, seed=1)
    model.narrow()
    assert list(model.state_dict()) == list(plain)
    assert torch.equal(model.eval()(x), before)


def test_a_pass_with_redirect_on_leaves_the_base_s_running_statistics_alone(name: str) -> None:
    model, x = build(name), torch.randn(16, *SHAPES[name])
    model.widen(1.0, seed=0)
    model.train()
    before = {k: v.clone() for k, v in model.state_dict().items() if "running" in k and "redirect" not in k}
    model(x, torch.ones(1, model.redirect_channels))
    assert all(torch.equal(model.state_dict()[k], v) for k, v in before.items())
    model(x)
    assert not before or any(not torch.equal(model.state_dict()[k], v) for k, v in before.items())


def test_gradients_reach_the_redirect_channels_only_where_the_mask_is_on(name: str) -> None:
    model, x = build(name), torch.randn(6, *SHAPES[name])
    model.widen(1.0, seed=0)
    model.eval()
    mask = torch.zeros(1, model.redirect_channels)
    mask[:, ::2] = 1
    mask.requires_grad_(True)
    model(x, mask).square().sum().backward()
    redirect = [p.grad for n, p in model.named_parameters() if "redirect" in n]
    assert all(g is not None for g in redirect)
    assert sum(float(g.abs().sum()) for g in redirect) > 0
    model.zero_grad()
    model(x).square().sum().backward()
    assert all(p.grad is None or not p.grad.any() for n, p in model.named_parameters() if "redirect" in n)


def test_the_same_seed_gives_the_same_weights_whatever_the_global_generator_does(name: str) -> None:
    one = build(name).state_dict()
    torch.rand(17)
    two, other = build(name).state_dict(), build(name, seed=1).state_dict()
    assert all(torch.equal(one[k], two[k]) for k in one)
    assert any(not torch.equal(one[k], other[k]) for k in one)


def test_example_masks_are_fixed_independent_and_have_the_asked_share() -> None:
    ids = torch.arange(4000)
    masks = example_masks(ids, 50, 0.2, seed=7)
    assert masks.float().mean().item() == pytest.approx(0.2, abs=0.005)
    assert torch.equal(example_masks(ids[100:110], 50, 0.2, seed=7), masks[100:110])
    assert not torch.equal(example_masks(ids, 50, 0.2, seed=8), masks)
    correlation = torch.corrcoef(masks.T.float())
    assert (correlation - torch.eye(50)).abs().max() < 0.1
    rows = torch.corrcoef(example_masks(torch.arange(200), 3000, 0.5, seed=1).float())
    assert (rows - torch.eye(200)).abs().max() < 0.12


def test_the_shared_mask_takes_its_share_of_each_layer() -> None:
    mask = shared_mask((16, 32, 1), 0.25, seed=0, device=torch.device("cpu"))
    assert [int(part.sum()) for part in mask.split((16, 32, 1), dim=1)] == [4, 8, 1]


@pytest.mark.parametrize(("model", "shape"), [("mlp", (1, 8, 8)), ("cnn", (2,)), ("resnet9", (1, 8, 8))])
def test_a_model_that_does_not_suit_the_data_says_which_one_does(model: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match="choose"):
        build_model(ModelSpec(name=model), shape, 3, 0)


@pytest.mark.parametrize("size", [(4, 4), (8, 8), (7, 8), (6, 10)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_pooling_without_gradients_says_what_torch_s_kernel_says(size: tuple[int, int], dtype: torch.dtype) -> None:
    x = torch.randn(5, 3, *size, generator=torch.Generator().manual_seed(0)).to(dtype)
    x[0, 0, 0, 0], x[1, 0, 1, 1] = torch.nan, torch.inf
    wanted = x.clone().requires_grad_()
    for pooled in (pool, pool_to_2x2):
        assert torch.equal(pooled(x).nan_to_num(9.0), pooled(wanted).detach().nan_to_num(9.0))
    assert torch.equal(pool(x).nan_to_num(9.0), F.max_pool2d(x, 2).nan_to_num(9.0))


@pytest.mark.parametrize("training", [True, False])
def test_one_pass_over_all_channels_normalises_as_two_apart_do(training: bool) -> None:
    torch.manual_seed(0)
    apart, whole = RedirectNorm2d(3, whole=False), RedirectNorm2d(3)
    for norm in (apart, whole):
        norm.widen(2)
        norm.double()
    with torch.no_grad():
        for value in apart.state_dict().values():
            value.copy_(value + torch.rand(value.shape) if value.is_floating_point() else value)
    whole.load_state_dict(apart.state_dict())
    x, grads = torch.randn(4, 5, 6, 6, dtype=torch.float64), []
    for norm in (apart, whole):
        norm.train(training)
        given = x.clone().requires_grad_(True)
        out = norm(given, True)
        out.square().sin().sum().backward()
        grads.append([out.detach(), given.grad, *(p.grad for p in norm.parameters())])
    for one, other in zip(*grads, strict=True):
        torch.testing.assert_close(one, other)
    for name, value in apart.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            torch.testing.assert_close(whole.state_dict()[name], value)


@pytest.mark.parametrize("on", [False, True])
@pytest.mark.parametrize("mixed", [False, True])
def test_leaving_out_a_bias_that_normalising_takes_away_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, on: bool, mixed: bool
) -> None:
    """As on a graphics card: outputs, gradients and what the network says in eval mode afterwards."""
    found = []
    for skips in (False, True):
        monkeypatch.setattr("unlearn_core.models.resnet9.skips_bias", lambda x, skips=skips: skips)
        torch.manual_seed(0)
        net = ResNet9Net(3, 0.0625, 10).double()
        with torch.no_grad():
            for unit in net.units:
                unit.conv.bias.normal_()
        net.widen(1.0, 0)
        net.double()
        for norm in (m for m in net.modules() if isinstance(m, RedirectNorm2d)):
            norm.mixed = mixed
        x = torch.randn(16, 3, 32, 32, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
        mask = torch.ones(1, net.redirect_channels, dtype=torch.bool) if on else None
        out = net.train()(x, mask)
        out.square().sum().backward()
        biases = {id(part) for unit in net.units for part in (unit.conv.bias, unit.conv.redirect_bias)}
        gradients = [p.grad for p in net.parameters() if p.grad is not None and id(p) not in biases]
        with torch.no_grad():
            says = [net.eval()(x, m) for m in (None, torch.ones(1, net.redirect_channels, dtype=torch.bool))]
        found.append([out.detach(), *gradients, *says])
    for plain, without in zip(*found, strict=True):
        torch.testing.assert_close(without, plain, rtol=1e-9, atol=1e-9)


def test_a_bias_counts_where_normalising_by_frozen_statistics_leaves_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unlearn_core.models.resnet9.skips_bias", lambda x: True)
    torch.manual_seed(0)
    net = ResNet9Net(3, 0.0625, 10).train()
    for unit in net.units:
        unit.norm.base.eval()
        torch.nn.init.normal_(unit.conv.bias)
    x = torch.randn(4, 3, 32, 32)
    torch.testing.assert_close(net(x), copy.deepcopy(net).eval()(x))
