"""Methods on checked examples: a planted backdoor, and what they read and what they don't."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from tiny import tiny_data, tiny_task
from torch import nn
from trained import Trained

from unlearn_core.errors import UserError
from unlearn_core.methods import UnlearningTask, registry
from unlearn_core.methods.adversarial.attack import Space
from unlearn_core.methods.adversarial.i_bau import Game, ascend
from unlearn_core.methods.dampening.anp import Gates
from unlearn_core.methods.dampening.fine_pruning import last_channels
from unlearn_core.methods.shared.channels import hidden_layers, mean_activations, scaling_modules, switch_off
from unlearn_core.methods.shared.layer_inputs import kernel_layers
from unlearn_core.models import build_model
from unlearn_core.presets import make_method
from unlearn_core.specs import ModelSpec
from unlearn_core.training import DeviceData, SilentReporter, predict

NAMES = [method.name for method in registry if method.needs_trusted]


def unlearned(name: str, trained: Trained, task: UnlearningTask, **params: float) -> nn.Module:
    method = registry.get(name)
    values = make_method(name, trained.scenario, params).params
    return method(method.params(values)).unlearn(task, SilentReporter())


QUICK: dict[str, dict[str, float]] = {
    "anp": {"steps": 3, "learning_rate": 10.0, "limit": 1.0},
    "clp": {"deviations": 1.0},
    "fine_pruning": {"epochs": 1},
    "i_bau": {"rounds": 1, "steps": 2, "learning_rate": 1e-3},
    "sap": {"alpha": 1e3},
}


# Hand examples


# A planted backdoor


class Planted(nn.Module):
    """Horizontal bars are class 0, vertical ones class 1, each seen by several channels; the last channel answers to a bright
    block of 3×3 with class 0, so strongly that nothing else counts."""

    def __init__(self) -> None:
        super().__init__()
        bar = torch.tensor([[-0.5, -0.5, -0.5], [1.0, 1.0, 1.0], [-0.5, -0.5, -0.5]]) / 4.5**0.5
        self.conv, self.norm = nn.Conv2d(1, 12, 3, padding=1, bias=False), nn.BatchNorm2d(12)
        self.head = nn.Linear(12, 2, bias=False)
        with torch.no_grad():
            self.conv.weight.copy_(torch.stack([bar] * 6 + [bar.T] * 5 + [torch.ones(3, 3) / 3])[:, None])
            self.norm.weight[-1], self.norm.bias[-1] = 8.0, -12.0
            self.head.weight.copy_(torch.tensor([[1.0] * 6 + [0.0] * 5 + [1.0], [0.0] * 6 + [1.2] * 5 + [0.0]]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(F.relu(self.norm(self.conv(x))).amax((2, 3)))


def bars(trigger: bool) -> DeviceData:
    """Twelve images 8×8 with a bar at different places, with or without the block in a corner."""
    images, labels = torch.zeros(12, 1, 8, 8), torch.arange(12) % 2
    for k, image in enumerate(images[:, 0]):
        (image if k % 2 == 0 else image.T)[k // 2] = 1.0
    if trigger:
        images[:, :, 5:, 5:] = 1.0
    return DeviceData(images, labels, 2, torch.zeros(1), torch.ones(1))


@pytest.mark.parametrize(("name", "params"), [("anp", {"steps": 60}), ("clp", {}), ("fine_pruning", {"epochs": 1})])
def test_the_channel_of_a_planted_backdoor_is_switched_off(name: str, params: dict[str, float]) -> None:
    method, model = registry.get(name), Planted().eval()
    clean, triggered = bars(False), bars(True)
    assert (predict(model, clean).argmax(1) == clean.labels).all()
    assert (predict(model, triggered).argmax(1) == 0).all()
    task = replace(tiny_task(model, clean, [0]), trusted=torch.arange(12) if method.needs_trusted else None)
    healed = method(method.params(params)).unlearn(task, SilentReporter())
    assert healed.norm.weight[-1] == 0
    assert healed.norm.bias[-1] == 0
    assert (predict(healed, clean).argmax(1) == clean.labels).all()
    if name != "fine_pruning":  # which goes on while accuracy lasts
        assert (healed.norm.weight[:-1] != 0).all()
        assert (predict(healed, triggered).argmax(1) == triggered.labels).all()


def test_noise_raises_the_loss_by_the_planted_channel() -> None:
    model, data = Planted().eval(), bars(False)
    gates = Gates(model, scaling_modules(model, data))
    quiet = gates.loss(data.inputs, data.labels)
    assert float(quiet.detach()) == pytest.approx(F.cross_entropy(model(data.inputs), data.labels).item(), rel=1e-5)
    only = torch.zeros(12)
    only[-1] = 0.4
    assert gates.loss(data.inputs, data.labels, only, -only) > 10 * quiet
    assert model.norm.weight[-1] == 8.0  # the network itself is as it was


# Channels


def test_which_module_scales_the_channels(digits: Trained) -> None:
    model, data = digits.task().original, digits.arena.train
    found = hidden_layers(model, data)
    assert [one.name for one in found] == ["layers.0", "layers.1", "layers.2"]
    assert [one.norm for one in found] == [norm.base for norm in model.norms]  # type: ignore[union-attr]
    assert last_channels(found).name == "layers.2"
    off = torch.zeros(32, dtype=torch.bool)
    off[[3, 5]] = True
    activations = mean_activations(model, data, digits.task().retain, found[-1])
    assert (activations > 0).sum() > 20
    switch_off(found[-1].scale, off)
    again = mean_activations(model, data, digits.task().retain, found[-1])
    assert (again[off] == 0).all()
    assert torch.equal(again[~off], activations[~off])
    assert list(scaling_modules(model, data)) == ["norms.0.base", "norms.1.base", "norms.2.base"]


def test_without_norms_layers_scale_their_channels_themselves(points: Trained) -> None:
    model, data = points.task().original, points.arena.train
    found = hidden_layers(model, data)
    assert all(one.norm is None and one.scale is one.layer for one in found)
    assert last_channels(found) is found[-1]
    assert list(scaling_modules(model, data)) == [one.name for one in found]
    linear = tiny_data(torch.randn(4, 2), torch.tensor([0, 1, 0, 1]), 2)
    with pytest.raises(UserError, match="this network has no hidden layer"):
        hidden_layers(nn.Sequential(nn.Linear(2, 2)), linear)


def images(count: int = 12) -> DeviceData:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (count, 3, 32, 32), generator=generator, dtype=torch.uint8)
    return DeviceData(pixels, torch.arange(count) % 3, 3, torch.full((3,), 128.0), torch.full((3,), 64.0))


@pytest.mark.parametrize("name", [*NAMES, "clp"])
@pytest.mark.parametrize("network", ["vit", "resnet9", "torchvision"])
def test_it_runs_on_other_networks(name: str, network: str) -> None:
    """A transformer without batch norm, a residual network, and a foreign one with convolutions in groups."""
    params = {"torchvision": {"architecture": "mobilenet_v3_small"}, "resnet9": {"width": 0.125}}.get(network, {})
    data, method = images(), registry.get(name)
    model = build_model(ModelSpec(name=network, params=params), (3, 32, 32), 3, 0, data.mean_std).eval()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    task = replace(tiny_task(model, data, [0]), trusted=torch.arange(1, 12) if method.needs_trusted else None)
    after = method(method.params(QUICK[name])).unlearn(task, SilentReporter())
    assert torch.isfinite(predict(after, data)).all()
    assert all(value.requires_grad for value in after.parameters())
    moved = [key for key, value in after.state_dict().items() if not torch.equal(value, before[key])]
    assert moved or (name, network) == ("anp", "torchvision")  # untrained, what it says hangs on no channel
    assert not [key for key in moved if "running" in key and method.statistics == "kept"]


# What is read


@pytest.mark.parametrize("name", NAMES)
def test_nothing_but_the_checked_examples_is_read(name: str, digits: Trained) -> None:
    """Other labels are shuffled and other images are noise, and the result is the same to the bit."""
    method = registry.get(name)
    task = digits.task_for(method)
    assert task.trusted is not None
    others = torch.ones(len(task.data), dtype=torch.bool).index_fill(0, task.trusted, False)
    labels, inputs = task.data.labels.clone(), task.data.inputs.clone()
    labels[others] = (labels[others] + 3) % 10
    if method.statistics == "kept":  # where they are measured the inputs of the retain set are read, and no label
        inputs[others] = torch.randint_like(inputs[others], 256)
    changed = replace(digits.task_for(method), data=replace(task.data, labels=labels, inputs=inputs), forget=task.forget[:0])
    one, two = (unlearned(name, digits, given, **QUICK[name]) for given in (task, changed))
    for key, value in one.state_dict().items():
        assert torch.equal(value, two.state_dict()[key]), key
    assert any(not torch.equal(value, digits.original.state_dict()[key]) for key, value in one.state_dict().items())


def test_weights_alone_are_read_by_clp(digits: Trained) -> None:
    task = digits.task()
    noise = replace(task.data, inputs=torch.randint_like(task.data.inputs, 256), labels=task.data.labels.flip(0))
    one, two = (unlearned("clp", digits, given) for given in (task, replace(digits.task(), data=noise)))
    assert all(torch.equal(value, two.state_dict()[key]) for key, value in one.state_dict().items())
    assert one.report["pruned"]["channels"] > 0  # type: ignore[index]


@pytest.mark.parametrize("name", NAMES)
def test_no_checked_example_at_all_is_refused(name: str, digits: Trained) -> None:
    with pytest.raises(UserError, match="No example was checked and found right"):
        unlearned(name, digits, replace(digits.task(), trusted=torch.empty(0, dtype=torch.long)))


def test_what_is_pruned_stays_so_while_it_is_fine_tuned(digits: Trained) -> None:
    model = unlearned("fine_pruning", digits, digits.task_for(registry.get("fine_pruning")), epochs=3, limit=0.5)
    norm = model.norms[-1].base  # type: ignore[index]
    silent = (norm.weight == 0) & (norm.bias == 0)
    assert int(silent.sum()) == model.report["pruned"]["channels"] > 0  # type: ignore[index]


def worst_loss(model: nn.Module, task: UnlearningTask, radius: float) -> float:
    """The loss of the checked examples under the worst pattern that 20 steps find."""
    assert task.trusted is not None
    space, delta = Space(task.data), torch.zeros(1, 1, 8, 8)
    for _ in range(20):
        game = Game(model, space, task.trusted, 0.01, torch.Generator().manual_seed(0))
        delta = ascend(game, delta, 10.0, radius)
    assert float(delta.norm()) <= radius + 1e-5
    return -float(game.inner(delta).detach())


def test_training_against_perturbations_makes_them_harmless(digits: Trained) -> None:
    task = digits.task_for(registry.get("i_bau"))
    healed = unlearned("i_bau", digits, task)
    assert worst_loss(healed, task, 1.4) < 0.6 * worst_loss(digits.original.eval(), task, 1.4)


class Gentle(Game):
    """A game on a network in double precision."""

    def __init__(self, model: nn.Module, data: DeviceData) -> None:
        super().__init__(model, Space(data), torch.arange(len(data)), 0.5, torch.Generator().manual_seed(1))
        self.classify = model


def test_the_implicit_term_by_differences() -> None:
    """With K = 1 it is the slope, in a weight, of ⟨∂L/∂δ, Φ(δ, θ)⟩ with the first factor held."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    data = tiny_data(torch.randn(6, 2, dtype=torch.float64), torch.tensor([0, 1, 0, 1, 0, 1]), 2)
    game, weight = Gentle(model, data), model[0].weight
    point = torch.full((1, 2), 0.3, dtype=torch.float64, requires_grad=True)
    (pull,) = torch.autograd.grad(game.outer(point), [point])

    def moved(change: float) -> float:
        with torch.no_grad():
            weight[0, 0] += change
        (slope,) = torch.autograd.grad(game.inner(point), [point])
        with torch.no_grad():
            weight[0, 0] -= change
        return float((pull * (point - 0.1 * slope)).sum().detach())

    found = []
    for iterations in (0, 1, 5):
        assert game.give_gradients(point, iterations) is bool(iterations)
        assert weight.grad is not None
        found.append(float(weight.grad[0, 0]))
    assert found[1] - found[0] == pytest.approx((moved(1e-5) - moved(-1e-5)) / 2e-5, rel=1e-4)
    assert abs(found[2] - found[0]) > abs(found[1] - found[0]) > 0


def test_an_implicit_term_that_does_not_come_to_rest_is_left_out() -> None:
    torch.manual_seed(0)
    steep = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2)).double()
    with torch.no_grad():
        for weight in steep.parameters():
            weight *= 8
    data = tiny_data(torch.randn(6, 2, dtype=torch.float64), torch.tensor([0, 1, 0, 1, 0, 1]), 2)
    point = torch.full((1, 2), 0.3, dtype=torch.float64)
    assert not Gentle(steep, data).give_gradients(point, 5)
    kinked = nn.Sequential(nn.Linear(2, 4), nn.Hardsigmoid(), nn.Linear(4, 2)).double()  # torch has no second derivative of it
    assert not Gentle(kinked, data).give_gradients(point, 5)
    assert all(weight.grad is not None for weight in kinked.parameters())


def test_every_layer_takes_part_in_a_projection(digits: Trained) -> None:
    before = {name: layer.weight.clone() for name, layer in kernel_layers(digits.original).items()}

    def moved(alpha: float) -> dict[str, float]:
        """How far each layer's weight has moved, relative to its length."""
        model = unlearned("sap", digits, digits.task_for(registry.get("sap")), alpha=alpha)
        assert model.report["projection"] == {"alpha": alpha}  # type: ignore[index]
        return {
            name: ((layer.weight - before[name]).norm() / before[name].norm()).item()
            for name, layer in kernel_layers(model).items()
        }

    harsh, gentle = moved(30.0), moved(1e9)
    assert min(harsh.values()) > 0.05
    # What no checked example uses at all goes in any case: the head sees a row of each, fewer than it has inputs.
    assert max(value for name, value in gentle.items() if name != "head") < 1e-3 < gentle["head"] < harsh["head"]


def test_alpha_is_chosen_where_nothing_was_projected_by(digits: Trained) -> None:
    """Of a grid from hardly anything to nearly all: the smallest passes too little, which the other half of V shows."""
    model = unlearned("sap", digits, digits.task_for(registry.get("sap")), alpha=0.0, alpha_least=1.0)
    assert model.report["projection"]["alpha"] in (3.0, 10.0, 30.0, 100.0)  # type: ignore[index]
