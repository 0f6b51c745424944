"""``unlearn`` on networks that are none of this project: an effect, names and shapes as before, the given one left alone."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import TensorDataset

import unlearn_core as eunoe
from unlearn_core.support.torchvision_compat import torchvision

KNOWN, WRONG = 30, 80
RECIPE = {"epochs": 25, "batch_size": 64, "learning_rate": 0.05}


class Hand(nn.Module):
    """Written by hand: a view, a parameter of its own, and the last layer inside a block."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.norm = nn.Conv2d(1, 12, 3, padding=1), nn.BatchNorm2d(12)
        self.two = nn.Conv2d(12, 24, 3, stride=2, padding=1)
        self.hidden, self.hidden_norm = nn.Linear(24 * 16, 48), nn.BatchNorm1d(48)
        self.scale = nn.Parameter(torch.ones(48))
        self.block = nn.ModuleDict({"out": nn.Linear(48, 10)})

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.two(F.relu(self.norm(self.one(x)))))
        x = F.relu(self.hidden_norm(self.hidden(x.view(x.size(0), -1)))) * self.scale
        return self.block["out"](x)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Problem:
    """Digits of which :data:`WRONG` carry a wrong label, and a network that has learned them by heart."""

    inputs: torch.Tensor
    labels: torch.Tensor
    clean: torch.Tensor
    test: tuple[torch.Tensor, torch.Tensor]
    net: Hand

    @property
    def data(self) -> tuple[torch.Tensor, torch.Tensor]:
        return self.inputs, self.labels

    def forgotten(self, net: nn.Module) -> float:
        """Share of the known wrong labels that are given up."""
        return 1 - accuracy(net, self.inputs[:KNOWN], self.labels[:KNOWN])


def accuracy(net: nn.Module, inputs: torch.Tensor, labels: torch.Tensor) -> float:
    with torch.no_grad():
        return (net(inputs).argmax(1) == labels).float().mean().item()


def fit(net: nn.Module, inputs: torch.Tensor, labels: torch.Tensor, epochs: int) -> None:
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    generator = torch.Generator().manual_seed(0)
    for _ in range(epochs):
        net.train()
        for ids in torch.randperm(len(inputs), generator=generator).split(64):
            optimizer.zero_grad()
            F.cross_entropy(net(inputs[ids]), labels[ids]).backward()
            optimizer.step()
    net.eval()


@pytest.fixture(scope="module")
def problem() -> Problem:
    digits, generator = load_digits(), torch.Generator().manual_seed(1)
    order = torch.randperm(len(digits.target), generator=generator)
    inputs, clean = torch.tensor(digits.images, dtype=torch.float32)[order, None] / 16, torch.tensor(digits.target)[order]
    test, inputs, clean = (inputs[1200:], clean[1200:]), inputs[:1200], clean[:1200]
    labels = clean.clone()
    labels[:WRONG] = (labels[:WRONG] + 1 + torch.randint(0, 9, (WRONG,), generator=generator)) % 10
    torch.manual_seed(0)
    net = Hand()
    fit(net, inputs, labels, RECIPE["epochs"])  # type: ignore[arg-type]
    assert accuracy(net, inputs[:WRONG], labels[:WRONG]) > 0.95  # learned by heart
    return Problem(inputs, labels, clean, test, net)


def test_rem_heals_a_network_that_was_written_by_hand(problem: Problem) -> None:
    before = copy.deepcopy(problem.net.state_dict())
    right = dict(enumerate(problem.clean[:KNOWN].tolist()))
    healed = eunoe.unlearn(problem.net, problem.data, range(KNOWN), recipe=RECIPE, right_labels=right, fit_rate=False)
    assert type(healed) is Hand
    assert not healed.training
    assert problem.forgotten(problem.net) < 0.05 < 0.8 < problem.forgotten(healed)
    assert accuracy(healed, problem.inputs[WRONG:], problem.clean[WRONG:]) > 0.9
    assert accuracy(healed, *problem.test) > accuracy(problem.net, *problem.test) - 0.03
    # Beyond what was known: the other wrong labels go too, without being named.
    others = slice(KNOWN, WRONG)
    assert accuracy(problem.net, problem.inputs[others], problem.clean[others]) < 0.05
    assert accuracy(healed, problem.inputs[others], problem.clean[others]) > 0.5
    fresh = Hand()
    fresh.load_state_dict(healed.state_dict(), strict=True)
    assert torch.equal(fresh.eval()(problem.inputs), healed(problem.inputs))
    assert all(torch.equal(value, problem.net.state_dict()[name]) for name, value in before.items())
    assert not problem.net.training
    said: dict[str, Any] = healed.unlearning  # type: ignore[assignment]
    assert said["forget"]["after"] == pytest.approx(1 - problem.forgotten(healed))
    assert said["forget"]["before"] == pytest.approx(1 - problem.forgotten(problem.net))
    assert said["right"]["after"] == pytest.approx(accuracy(healed, problem.inputs[:KNOWN], problem.clean[:KNOWN]))
    copy.deepcopy(healed)


def test_the_same_call_gives_the_same_weights_whatever_form_the_data_have(problem: Problem) -> None:
    mask = torch.zeros(len(problem.labels), dtype=torch.bool)
    mask[:KNOWN] = True
    few = {"recipe": RECIPE, "method": "npo", "passes": 2}
    first = eunoe.unlearn(problem.net, problem.data, range(KNOWN), **few)
    for data, forget in (
        (TensorDataset(*problem.data), mask),
        ((problem.inputs.double().numpy(), problem.labels.numpy()), mask.numpy()),
        (problem.data, set(range(KNOWN))),
        (problem.data, list(range(KNOWN))[::-1]),
    ):
        again = eunoe.unlearn(problem.net, data, forget, **few)
        assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    other = eunoe.unlearn(problem.net, problem.data, range(KNOWN), recipe=RECIPE, method="npo", passes=2, seed=1)
    assert not all(torch.equal(a, b) for a, b in zip(first.parameters(), other.parameters(), strict=True))


def test_pixels_go_into_the_network_as_they_were_normalised(problem: Problem) -> None:
    pixels = (problem.inputs * 255).round().to(torch.uint8)
    as_floats = (pixels.float() / 255 - 0.4) / 0.2
    few = {"recipe": RECIPE, "method": "finetune", "epochs": 1}
    first = eunoe.unlearn(problem.net, (as_floats, problem.labels), range(KNOWN), **few)
    again = eunoe.unlearn(problem.net, (pixels, problem.labels), range(KNOWN), normalise=([0.4], [0.2]), **few)
    for one, other in zip(first.parameters(), again.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


SMALL = {"redirect_ratio": 0.05, "epochs": 2, "batch_size": 24, "flush_passes": 10, "fit_rate": False, "most_work": 0.0}
"""REM's values for a few dozen images and a network of eleven million weights: less to compute, and no search."""


def learn_by_heart(net: nn.Module, inputs: torch.Tensor, labels: torch.Tensor, steps: int) -> None:
    for norm in net.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.momentum = 0.5  # so few steps are too few for a slow mean
    net.train()
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(net(inputs), labels).backward()
        optimizer.step()
    net.eval()


@pytest.mark.parametrize(
    ("architecture", "steps", "method", "options"),
    [
        ("resnet18", 12, "rem", SMALL),
        ("mobilenet_v3_small", 25, "npo", {"learning_rate": 0.1}),
    ],
)
def test_a_plain_network_of_torchvision_leaves_as_it_came(
    architecture: str, steps: int, method: str, options: dict[str, Any]
) -> None:
    torch.manual_seed(0)
    make, generator = getattr(torchvision().models, architecture), torch.Generator().manual_seed(0)
    net, clean = make(num_classes=10), torch.arange(48) % 3
    inputs = torch.randn(48, 3, 32, 32, generator=generator) / 2 + torch.randn(3, 3, 32, 32, generator=generator)[clean]
    labels = clean.clone()
    labels[:6] = (labels[:6] + 1) % 3
    learn_by_heart(net, inputs, labels, steps)
    assert accuracy(net, inputs[:6], labels[:6]) > 0.9
    recipe = {"epochs": 20, "batch_size": 24}
    healed = eunoe.unlearn(net, (inputs, labels), range(6), method, recipe=recipe, **options)
    assert accuracy(healed, inputs[:6], labels[:6]) < 0.6
    assert accuracy(healed, inputs[6:], labels[6:]) > 0.85
    assert type(healed) is type(net)
    make(num_classes=10).load_state_dict(healed.state_dict(), strict=True)


def test_methods_that_train_anew_need_weights_that_can_be_drawn(problem: Problem) -> None:
    quick = {"epochs": 2} | {k: v for k, v in RECIPE.items() if k != "epochs"}
    with pytest.raises(eunoe.UserError, match="the network itself has weights that cannot be drawn anew; give fresh="):
        eunoe.unlearn(problem.net, problem.data, range(KNOWN), "retrain", recipe=quick)
    again = eunoe.unlearn(problem.net, problem.data, range(KNOWN), "retrain", recipe=quick, fresh=Hand)
    assert problem.forgotten(again) > 0.8
    plain = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    retrained = eunoe.unlearn(plain, problem.data, range(KNOWN), "retrain", recipe=quick)
    assert accuracy(retrained, *problem.test) > 0.5
    with pytest.raises(eunoe.UserError, match="other weights by name or shape"):
        eunoe.unlearn(problem.net, problem.data, range(KNOWN), "retrain", recipe=quick, fresh=lambda: plain)


class Headless(nn.Module):
    """Its last layer is not linear."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(1, 8, 3), nn.Conv2d(8, 10, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.two(F.relu(self.one(x))).mean((2, 3))


def test_a_network_without_a_linear_head_is_unlearned_by_methods_that_need_no_features(problem: Problem) -> None:
    net = Headless()
    healed = eunoe.unlearn(net, problem.data, range(KNOWN), recipe=RECIPE, epochs=1, fit_rate=False)
    Headless().load_state_dict(healed.state_dict(), strict=True)
    with pytest.raises(eunoe.UserError, match="does not end in one"):
        eunoe.unlearn(net, problem.data, range(KNOWN), "duck", recipe=RECIPE)


class Pair(nn.Module):
    """Gives two tensors instead of logits."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x, x


def _bad(problem: Problem) -> dict[str, tuple[Any, ...]]:
    """Words of the sentence → the call's positional arguments and options."""
    net, data, forget = problem.net, problem.data, range(KNOWN)
    inputs, labels = data
    return {
        "is an oracle: it needs to know everything": (net, data, forget, "oracle_retrain"),
        "no method called 'rme'": (net, data, forget, "rme"),
        "must be a torch.nn.Module": ("resnet18", data, forget),
        "has no weight that may change": (copy.deepcopy(net).requires_grad_(False), data, forget),
        "must be in float32": (copy.deepcopy(net).double(), data, forget),
        "cannot take examples of the shape (1, 6, 6)": (net, (inputs[..., :6, :6], labels), forget),
        "must give logits of the shape (examples, classes)": (Pair(), data, forget),
        "tells 10 classes apart, but the labels go from 1 to 10": (net, (inputs, labels + 1), forget),
        "are a pair (inputs, labels) or a torch Dataset": (net, 5, forget),
        "the labels (N,); got": (net, (inputs, labels[:9]), forget),
        "must be whole numbers from 0": (net, (inputs, labels.float()), forget),
        "must be floating-point numbers or uint8 pixels": (net, (inputs.long(), labels), forget),
        "not finite": (net, (inputs / 0, labels), forget),
        "The forget set is empty": (net, data, []),
        "names an example twice": (net, data, [1, 1]),
        "names example 1200, but there are 1,200": (net, data, [5, 1200]),
        "names example -1": (net, data, [-1]),
        "holds every example": (net, data, range(1200)),
        "has one entry for each of the 1,200 examples": (net, data, torch.ones(5, dtype=torch.bool)),
        "a list of whole numbers": (net, data, [0.5]),
        "spin": (net, data, forget, "rem", {"spin": 1}),
        "rem.beta": (net, data, forget, "rem", {"beta": -1}),
        "tuned, paper or rem": (net, data, forget, "rem", {"values": "best"}),
        "points, digits or photos": (net, data, forget, "rem", {"kind": "sounds"}),
        "normalise= is for pixels": (net, data, forget, "rem", {"normalise": ([0.5], [0.5])}),
        "learning_rate": (net, data, forget, "rem", {"recipe": {"learning_rate": -1}}),
        "leave augment out": (net, data, forget, "rem", {"recipe": {"augment": True}}),
        "The device must be": (net, data, forget, "rem", {"device": "tpu"}),
        "is not in the forget set": (net, data, forget, "rem", {"right_labels": {KNOWN: 1}}),
        "one for each of the 30 examples": (net, data, forget, "rem", {"right_labels": [1, 2]}),
        "Right labels go from 0 to 9": (net, data, forget, "rem", {"right_labels": {0: 10}}),
    }


def test_bad_input_gets_one_sentence(problem: Problem) -> None:
    for says, (model, data, forget, *more) in _bad(problem).items():
        options = more.pop() if more and isinstance(more[-1], dict) else {}
        with pytest.raises(eunoe.UserError) as caught:
            eunoe.unlearn(model, data, forget, *more, **options)
        assert says in str(caught.value), str(caught.value)
        assert "\n" not in str(caught.value)
    redirect = nn.Sequential(nn.Flatten(), nn.ModuleDict({"redirect": nn.Linear(64, 10)})["redirect"])
    assert eunoe.unlearn(redirect, problem.data, [0], "finetune", epochs=1) is not redirect
