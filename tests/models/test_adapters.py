"""torchvision's networks: untouched while redirect is off, side channels that come and go, pixels as they were trained on."""

from __future__ import annotations

import copy
import threading

import pytest
import torch

from unlearn_core.errors import UserError
from unlearn_core.models import build_model, seen_activations
from unlearn_core.models.redirect.adapters import MOST_CHANNELS
from unlearn_core.models.torchvision_nets import TorchvisionNet
from unlearn_core.specs import ModelSpec
from unlearn_core.support.torchvision_compat import torchvision

SIZES = {"resnet18": 32, "mobilenet_v3_small": 32, "convnext_tiny": 32, "densenet121": 32, "vit_b_16": 32, "swin_t": 32}
MOMENTS = torch.tensor([120.0]), torch.tensor([60.0])


def build(architecture: str, size: int = 32, grey: bool = True, **params: object) -> TorchvisionNet:
    spec = ModelSpec(name="torchvision", params={"architecture": architecture, **params})  # type: ignore[arg-type]
    model = build_model(spec, (1 if grey else 3, size, size), 4, 0, MOMENTS)
    assert isinstance(model, TorchvisionNet)
    return model


def plain(model: TorchvisionNet, architecture: str, size: int) -> torch.nn.Module:
    arguments = {"image_size": size} if architecture.startswith("vit") else {}
    with torch.device("meta"):  # to draw weights that are replaced would take longer than all else
        net = torchvision().models.get_model(architecture, num_classes=4, **arguments)
    net.load_state_dict({name: value.clone() for name, value in model.as_torchvision()[1].items()}, assign=True)
    return net.eval()


def pixels(size: int = 32, channels: int = 1, count: int = 4) -> torch.Tensor:
    return torch.randint(0, 256, (count, channels, size, size), generator=torch.Generator().manual_seed(1)).float()


def given(raw: torch.Tensor) -> torch.Tensor:
    """As the project's data normalise them."""
    return (raw - MOMENTS[0].view(-1, 1, 1)) / MOMENTS[1].view(-1, 1, 1)


@pytest.mark.parametrize("architecture", list(SIZES))
def test_redirect_off_is_the_plain_network_to_the_bit_widened_or_not(architecture: str) -> None:
    size = SIZES[architecture]
    model, raw = build(architecture, size).eval(), pixels(size)
    torch.nn.init.normal_(model.net.get_submodule(model.head_name).weight)  # a new ViT says nothing: its head is zero
    net = plain(model, architecture, size)
    mean, std = (torch.tensor(v).view(-1, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    with torch.no_grad():
        expected = net(((raw / 255).expand(-1, 3, -1, -1) - mean) / std)
        assert torch.equal(model(given(raw)), expected)
        names = list(model.state_dict())
        model.widen(0.5, seed=1)
        model.eval()
        assert torch.equal(model(given(raw)), expected)
        ones = torch.ones(1, model.redirect_channels)
        assert not torch.allclose(model(given(raw), ones), expected)
        torch.testing.assert_close(model(given(raw), 0 * ones), expected, rtol=1e-4, atol=1e-5)
        assert max(model.redirect_layers) <= MOST_CHANNELS
        assert len(model.redirect_layers) == len(model.hidden) > 3
        with seen_activations() as on:
            model.features(given(raw), ones)
        assert [x.shape[1] for x, _ in on] == [a + b for a, b in zip(model.hidden, model.redirect_layers, strict=True)]
        with seen_activations() as off:
            model.features(given(raw))
        assert [x.shape[1] for x, _ in off] == list(model.hidden)
        twin = copy.deepcopy(model)
        twin.narrow()
        assert list(twin.state_dict()) == names
        assert torch.equal(twin(given(raw)), expected)
        assert torch.equal(model(given(raw), ones), copy.deepcopy(model)(given(raw), ones))


@pytest.mark.parametrize("architecture", ["resnet18", "convnext_tiny"])
def test_a_mask_counts_per_example_and_gradients_reach_the_branches(architecture: str) -> None:
    model, x = build(architecture), given(pixels())
    model.widen(0.25, 0)
    model.eval()
    mask = torch.zeros(4, model.redirect_channels)
    mask[1] = 1
    with torch.no_grad():
        on, off = model(x, mask), model(x)
    torch.testing.assert_close(on[[0, 2, 3]], off[[0, 2, 3]], rtol=1e-4, atol=1e-5)
    assert not torch.allclose(on[1], off[1])
    model(x, torch.ones(1, model.redirect_channels)).square().sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    assert {"redirect" in name for name, _ in model.base_parameters()} == {False}


def test_statistics_move_in_a_plain_pass_alone() -> None:
    model, x = build("resnet18").train(), given(pixels())
    model.widen(0.25, 0)
    before = {k: v.clone() for k, v in model.as_torchvision()[1].items() if "running" in k}
    model(x, torch.ones(1, model.redirect_channels))
    assert all(torch.equal(model.as_torchvision()[1][k], v) for k, v in before.items())
    model(x)
    assert any(not torch.equal(model.as_torchvision()[1][k], v) for k, v in before.items())


def test_two_threads_use_one_network_at_a_time_each_with_its_own_mask() -> None:
    model, x = build("resnet18").eval(), given(pixels())
    model.widen(0.25, 0)
    masks = [None, torch.ones(1, model.redirect_channels)]
    with torch.no_grad():
        expected = [model(x, mask) for mask in masks]
    wrong: list[int] = []

    def work(k: int) -> None:
        with torch.no_grad():
            for _ in range(8):
                if not torch.equal(model(x, masks[k]), expected[k]):
                    wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_images_are_resized_repeated_and_normalised_as_asked() -> None:
    model = build("resnet18", size=8).eval()
    larger = build("resnet18", 8, normalise="0.5,0.5,0.5/0.25,0.25,0.25")
    assert larger.prepare_inputs(given(pixels(8))).shape == (4, 3, 8, 8)
    spec = ModelSpec(name="torchvision", params={"architecture": "resnet18", "size": 40, "normalise": "none"})
    resized = build_model(spec, (3, 8, 8), 4, 0, (torch.zeros(3), torch.ones(3)))
    assert isinstance(resized, TorchvisionNet)
    raw = pixels(8, channels=3)
    x = resized.prepare_inputs(raw)
    assert x.shape == (4, 3, 40, 40)
    assert 0 <= float(x.min()) <= float(x.max()) <= 1
    assert model(given(pixels(8))).shape == (4, 4)
    with pytest.raises(ValueError, match="normalised"):
        build_model(spec, (3, 8, 8), 4, 0)(raw)


@pytest.mark.parametrize(
    ("params", "shape", "sentence"),
    [
        ({"architecture": "resnet19"}, (3, 32, 32), "Did you mean resnet18"),
        ({"architecture": "squeezenet1_0"}, (3, 64, 64), "does not end in a linear layer"),
        ({"architecture": "inception_v3"}, (3, 32, 32), "cannot take images of 32×32"),
        ({"architecture": "vit_b_16"}, (3, 30, 30), "cannot take images of 30×30"),
        ({"architecture": "resnet18", "normalise": "0.5"}, (3, 32, 32), "three means"),
        ({"architecture": "resnet18", "normalise": "0,0,0/1,0,1"}, (3, 32, 32), "above 0"),
        ({"architecture": "resnet18"}, (2,), "takes images"),
    ],
)
def test_what_cannot_be_is_one_sentence(params: dict[str, object], shape: tuple[int, ...], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        build_model(ModelSpec(name="torchvision", params=params), shape, 4, 0)  # type: ignore[arg-type]


@pytest.mark.parametrize("architecture", ["vit_b_16", "inception_v3", "googlenet", "maxvit_t", "regnet_y_400mf"])
def test_shapes_of_larger_networks_are_found_without_computing(architecture: str) -> None:
    with torch.device("meta"):
        model = build(architecture, 224, grey=False)
    assert len(model.hidden) > 10
