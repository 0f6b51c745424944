"""How well a checkpoint suits the labels it is given: whether it sees images as it did when it was trained."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from unlearn_core.canonical import content_key
from unlearn_core.datasets import registry as datasets
from unlearn_core.errors import Cancelled
from unlearn_core.evaluation.scenario_data import ScenarioData
from unlearn_core.models import build_model
from unlearn_core.models import registry as models
from unlearn_core.specs import ModelSpec, Scenario
from unlearn_core.training import DeviceData, Reporter, predict

MOST, TRIED = 2_000, 512
"""Images of each half that are looked at, and those on which other settings are tried."""
CLEARLY = 0.2
"""Another setting is named where it is right on so many more of the labels."""
BELOW_TEST = 0.1
"""Training labels of which fewer are right than of the test labels, by so much, are a sign of their own."""
_REVISION = 1
_AT_ONCE = 128


def fit_key(scenario: Scenario) -> str:
    """Key of what :func:`measure_fit` finds; it depends on neither the discovery rate nor the forget set."""
    return content_key("fit", _REVISION, scenario.original_key)


def measure_fit(scenario: Scenario, scenario_data: ScenarioData, reporter: Reporter) -> dict[str, Any]:
    """Accuracy of the brought network on the given training labels and on the test labels, as plain data.

    ``train_accuracy`` of ``train_images`` drawn by the seed, ``test_accuracy`` of ``test_images``; ``chance``: the share of
    the largest class among the given labels; ``bound``: halfway from there to 1. ``state``: "fine", "low" (below the bound:
    it does not see what it was trained on) or "contrary" (far better on test labels). Where it is not fine, ``tried`` has the
    accuracy under other settings, and ``reordered`` that with its outputs in the best other order of classes, ``order`` (the
    class of the data for each output). ``words``: what was done to weights and images, in sentences. Neither is ever used to
    choose anything. Raises :class:`UserError` for a file that does not fit.
    """
    source = models.get(scenario.model.name)
    params = source.params(scenario.model.params)
    model = _fresh(scenario.model, scenario_data, scenario.seed)
    source.give_weights(params, model)
    halves = [(data, _some(len(data), MOST, scenario.seed)) for data in (scenario_data.train, scenario_data.test)]
    steps = _Steps(reporter, sum(len(ids) for _, ids in halves))
    train, test = ((_labels(model, data, ids, steps), data.labels[ids.to(data.device)].cpu()) for data, ids in halves)
    right, tested_right = (float((said == given).float().mean()) for said, given in (train, test))
    chance = float(scenario_data.train.labels.bincount().max() / len(scenario_data.train))
    found: dict[str, Any] = {
        "train_accuracy": right,
        "train_images": len(train[0]),
        "train_total": len(scenario_data.train),
        "test_accuracy": tested_right,
        "test_images": len(test[0]),
        "chance": chance,
        "bound": chance + (1 - chance) / 2,
        "normalise": str(scenario.model.params.get("normalise", "")),
        "side": source.input_side(params) or int(scenario_data.corrupted.train.shape[-1]),
        "tried": {},
        "reordered": None,
        "order": [],
        "words": [*source.weights_words(params, model), *input_words(scenario)],
    }
    found["state"] = _state(found)
    if found["state"] == "low":
        found["tried"] = _try_variants(scenario, scenario_data, model, halves[0][1][:TRIED], reporter)
        least = max(right + CLEARLY, found["bound"])
        found |= _reorder_outputs(train, test, scenario_data.train.classes, least)
    return found


def fit_sentences(fit: dict[str, Any]) -> list[str]:
    """What :func:`measure_fit` found in sentences: the two accuracies, and what is wrong if something is."""
    of = f"{fit['train_images']:,}" + (f" of {fit['train_total']:,}" if fit["train_images"] < fit["train_total"] else "")
    said = [
        f"The checkpoint, seeing {fit['side']}×{fit['side']} pixels with normalise {fit['normalise']}, is right on "
        f"{fit['train_accuracy']:.1%} of the given training labels (of {of} images) and on {fit['test_accuracy']:.1%} of "
        f"{fit['test_images']:,} test labels."
    ]
    if fit["state"] == "contrary":
        said.append(
            "That is far fewer training than test labels, so the network sees the images rightly, and either many training "
            "labels are wrong or it was trained on other images."
        )
    if fit["state"] == "low":
        said.append(
            f"That is far too few training labels: a network that was trained on them is right on more than {fit['bound']:.1%} "
            f"(halfway between always naming the largest class, {fit['chance']:.1%}, and all). The usual causes are another "
            "normalisation (--normalise), another input size (--input-size) or another order of the classes."
        )
        best = max(fit["tried"], key=fit["tried"].__getitem__, default="")
        if best and fit["tried"][best] >= fit["train_accuracy"] + CLEARLY:
            said.append(f"With {best} it would be right on {fit['tried'][best]:.1%}.")
        if fit["reordered"] is not None:
            moved = next(f"output {k} for class {to}" for k, to in enumerate(fit["order"]) if k != to)
            said.append(
                f"With its outputs in another order of classes ({moved}, say) it would be right on {fit['reordered']:.1%}."
            )
    return said


def input_words(scenario: Scenario) -> list[str]:
    """What happens to an image between its file and a network that was brought, where that is easily overlooked."""
    source, network = datasets.get(scenario.dataset.name), models.get(scenario.model.name)
    side = network.input_side(network.params(scenario.model.params))
    kept = int(scenario.dataset.params.get("size") or 0)
    largest = source.largest_side(source.params(scenario.dataset.params)) if kept else 0
    if not kept:
        return []
    if not side:
        more = f", made smaller from files of up to {largest}" if largest > kept else ""
        return [f"No input size was given: the network sees the images as they are kept, {kept}×{kept} pixels{more}."]
    if side > kept:
        why = f"the files have at most {largest} pixels" if 0 < largest < side else f"the images are kept at {kept} pixels"
        return [f"The network takes {side}×{side} pixels and {why} along the shorter side: they are enlarged on the way in."]
    if side < kept:
        return [f"The images are kept at {kept}×{kept} pixels and made smaller on the way into the network, to {side}×{side}."]
    return []


class _Steps:
    """Counts what is looked at, and stops when asked."""

    def __init__(self, reporter: Reporter, total: int) -> None:
        self.reporter, self.done, self.total = reporter, 0, total

    def add(self, count: int) -> None:
        if self.reporter.cancelled():
            raise Cancelled
        self.done += count
        self.reporter.step(self.done, self.total)


def _fresh(spec: ModelSpec, scenario_data: ScenarioData, seed: int) -> Any:
    shape = scenario_data.corrupted.train.shape
    return build_model(spec, shape, scenario_data.train.classes, seed, scenario_data.train.mean_std).to(
        scenario_data.train.device
    )


def _some(size: int, most: int, seed: int) -> torch.Tensor:
    """All indices, or ``most`` of them drawn by the seed."""
    if size <= most:
        return torch.arange(size)
    return torch.randperm(size, generator=torch.Generator().manual_seed(seed))[:most]


def _labels(model: nn.Module, data: DeviceData, ids: torch.Tensor, steps: _Steps | None = None) -> torch.Tensor:
    parts = []
    for piece in torch.split(ids, _AT_ONCE):
        parts.append(predict(model, data, piece.to(data.device)).argmax(1).cpu())
        if steps is not None:
            steps.add(len(piece))
    return torch.cat(parts)


def _state(fit: dict[str, Any]) -> str:
    right, tested, bound = fit["train_accuracy"], fit["test_accuracy"], fit["bound"]
    if tested >= bound and right < tested - BELOW_TEST:
        return "contrary"
    return "low" if right < bound else "fine"


def _try_variants(
    scenario: Scenario, scenario_data: ScenarioData, model: Any, ids: torch.Tensor, reporter: Reporter
) -> dict[str, float]:
    """Accuracy on the given labels of ``ids`` with the same weights under other parameters."""
    source, found = models.get(scenario.model.name), {}
    given = scenario_data.train.labels[ids.to(scenario_data.train.device)].cpu()
    for words, params in source.variants(source.params(scenario.model.params)).items():
        if reporter.cancelled():
            raise Cancelled
        other = _fresh(ModelSpec(name=source.name, params=params.model_dump(mode="json")), scenario_data, scenario.seed)
        other.load_state_dict(model.state_dict())
        found[words] = float((_labels(other, scenario_data.train, ids) == given).float().mean())
    return found


def _reorder_outputs(
    train: tuple[torch.Tensor, torch.Tensor], test: tuple[torch.Tensor, torch.Tensor], classes: int, least: float
) -> dict[str, Any]:
    """Accuracy on training labels with each output taken for the class that suits it best, one each. ``train`` and ``test``:
    outputs and labels. Nothing where either half has not more than ``least``: a few images always suit some order."""
    from scipy.optimize import linear_sum_assignment  # comes with scikit-learn

    together = np.zeros((classes, classes))
    np.add.at(together, (train[0].numpy(), train[1].numpy()), 1)
    _, order = linear_sum_assignment(-together)
    moved = torch.from_numpy(order)
    found = [float((moved[said] == given).float().mean()) for said, given in (train, test)]
    if min(found) <= least:
        return {}
    return {"reordered": found[0], "order": order.tolist()}
