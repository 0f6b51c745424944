"""``unlearn``: a method on any network and tensors, without a scenario, a store or an engine."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

import torch
from torch import nn

from unlearn_core.errors import UserError
from unlearn_core.front_door.guest_data import (
    Moments,
    check_labels,
    place,
    take_data,
    take_forget,
    take_right_labels,
    take_trusted,
)
from unlearn_core.front_door.told import tell
from unlearn_core.front_door.watching import MethodReporter, display
from unlearn_core.methods import Method, UnlearningTask
from unlearn_core.methods.base import MethodParams
from unlearn_core.models.guest import GuestNet, inspect_network, reinitialise
from unlearn_core.models.redirect.tracing import TRACED
from unlearn_core.presets import Values
from unlearn_core.specs import TrainingSpec
from unlearn_core.training import DeviceData, computing_in, deterministic, predict, seeded

Net = TypeVar("Net", bound=nn.Module)
Kind = Literal["points", "digits", "photos"]
_LIKE: dict[Kind, str] = {"points": "blobs", "digits": "digits", "photos": "images"}
"""A dataset of each kind, whose values a method starts from."""
_SMALL_SIDE = 16
"""Images up to so many pixels are the digits' kind."""


def unlearn(
    model: Net,
    data: Any,
    forget: Any,
    method: str = "rem",
    *,
    right_labels: Any = None,
    trusted: Any = None,
    recipe: Mapping[str, Any] | None = None,
    values: Values = "tuned",
    kind: Kind | None = None,
    normalise: Moments | None = None,
    fresh: Callable[[], nn.Module] | None = None,
    device: str = "auto",
    seed: int = 0,
    progress: bool | None = None,
    **params: Any,
) -> Net:
    """Unlearn part of the training data of any classifier; returns a new network of the same class, in eval mode.

    The network given is left as it was. The one returned has the same names and shapes, so that its ``state_dict`` loads
    strictly wherever the given one's did: redirect channels, where the method uses some, are taken off again. What the run did
    is in ``returned.unlearning``, plain data: accuracies on given labels before and after, on the forget and the retain set,
    and what the method reports of itself.

    Args:
        model: a classifier in float32 that gives logits of shape (B, classes) for inputs of shape (B, …).
        data: a pair (inputs, labels), or a torch ``Dataset`` of such examples, each of which is looked up once. Inputs are
            floats (N, …), which go into the network as they are, or uint8 pixels (N, C, H, W), which are divided by 255 and
            normalised by ``normalise``. Labels are whole numbers (N,) from 0, as the network was trained on them, wrong ones
            included.
        forget: what is known to be wrong: indices into ``data``, or a mask bool (N,).
        method: a name that :func:`unlearn_core.methods` lists; oracles need the ground truth and are refused.
        right_labels: the true labels of the forget set, as {index: label} or by ascending index, -1 where unknown. Only
            methods that need them read them (``relabel_finetune``, …); ``returned.unlearning["right"]`` says on how many of
            them the network is right before and after.
        trusted: indices of examples outside of the forget set that were checked and found right, for methods that work on
            such. Where there are none, most of these take a stand-in, the examples that a short training learns best; a warning
            and ``returned.unlearning["report"]["stand_in"]`` say so.
        recipe: how the network was trained, as far as it departs from the usual for this kind of data: ``epochs``,
            ``batch_size``, ``learning_rate``, ``optimizer``, ``momentum``, ``weight_decay``, ``warmup``, ``final``, ``clip``.
        values: the method's values to start from: "tuned", or "paper" for its publication's.
        kind: the kind of data whose tuned values are taken: "points", "digits" or "photos". By default images larger than 16
            pixels are photos, smaller ones digits, and everything else points.
        normalise: (means, deviations), one number a channel for pixels from 0 to 1; for uint8 inputs alone.
        fresh: makes a new network of the same architecture. Only methods that train one need it, and only where some weights
            belong to no layer that can draw them anew.
        device: "auto", "cpu" or "cuda". The network returned is where the given one was.
        seed: of everything random; the same seed on the same machine gives the same weights.
        progress: whether to show a bar; by default on a terminal and in a notebook.
        **params: the method's parameters, such as ``epochs=5``.

    Raises:
        UserError: in one sentence, for whatever does not fit together.

    Source: for ``rem``, Schoepf et al. 2025, arXiv:2505.17730; each method's docstring names its own.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from unlearn_core import unlearn
        >>> inputs = torch.randn(300, 2, generator=torch.Generator().manual_seed(0))
        >>> labels = (inputs[:, 0] > 0).long()
        >>> labels[:20] = 1 - labels[:20]
        >>> net = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 2))
        >>> healed = unlearn(net, (inputs, labels), forget=range(20), method="finetune", epochs=1)
        >>> type(healed).__name__, list(healed.state_dict()) == list(net.state_dict())
        ('Sequential', True)
    """
    chosen = _method(method)
    inputs, labels = take_data(data)
    members = take_forget(forget, len(labels))
    found = _values(chosen, values, _kind(kind, inputs), params)
    task = make_task(model, inputs, labels, members, recipe, kind, normalise, fresh, device, seed)
    right = take_right_labels(right_labels, members, task.data.classes)
    task = tell(task, chosen, right, take_trusted(trusted, members, len(labels)))
    with computing_in(task.recipe.precision):
        before = _accuracies(task.original, task, right)
        with deterministic(threads=None), seeded(seed), display(progress) as shown:
            unlearned = chosen(found).unlearn(task, MethodReporter(shown, chosen.label))
        return _returned(model, unlearned, chosen, before, _accuracies(unlearned, task, right))


def make_task(
    model: nn.Module,
    inputs: torch.Tensor,
    labels: torch.Tensor,
    forget: torch.Tensor | None,
    recipe: Mapping[str, Any] | None,
    kind: Kind | None,
    normalise: Moments | None,
    fresh: Callable[[], nn.Module] | None,
    device: str,
    seed: int,
) -> UnlearningTask:
    """What a method gets, from a caller's network and data (``take_data``); ``forget`` (n,): None where nothing is known."""
    original, placed = _wrap(model, inputs, labels, normalise, recipe, kind, _device(device))
    members = torch.empty(0, dtype=torch.long) if forget is None else forget
    return _task(original, placed, members, _recipe(recipe, _kind(kind, inputs)), seed, _factory(model, original, fresh))


def search_values(method: str, kind: Kind | None, inputs: torch.Tensor) -> MethodParams:
    """The tuned values of ``method`` for this kind of data."""
    found: MethodParams = _values(_method(method), "tuned", _kind(kind, inputs), {})
    return found


def _method(name: str) -> type[Method[Any]]:
    from unlearn_core.methods import registry

    found = registry.get(name)
    if found.oracle:
        raise UserError(
            f"{found.label!r} is an oracle: it needs to know everything that is wrong, which only a scenario does (eunoe.run)."
        )
    return found


def _device(name: str) -> torch.device:
    from unlearn_core.stages.execution import resolve_device

    return resolve_device(name)


def _kind(kind: Kind | None, inputs: torch.Tensor) -> Kind:
    if kind is None:
        return "points" if inputs.dim() != 4 else "photos" if max(inputs.shape[2:]) > _SMALL_SIDE else "digits"
    if kind not in _LIKE:
        raise UserError(f"The kind of data is points, digits or photos (got {kind!r}).")
    return kind


def _recipe(given: Mapping[str, Any] | None, kind: Kind) -> TrainingSpec:
    from unlearn_core.datasets import registry

    found = TrainingSpec.parse(registry.get(_LIKE[kind]).preset.training.model_dump() | {"augment": False} | dict(given or {}))
    if found.augment:
        raise UserError("unlearn takes the inputs as they are and augments none; leave augment out of the recipe.")
    return found


def _values(method: type[Method[Any]], values: Values, kind: Kind, params: Mapping[str, Any]) -> Any:
    from unlearn_core.presets import values_of, with_overrides

    if values not in ("tuned", "paper", "rem"):
        raise UserError(f"A method's values are tuned, paper or rem (got {values!r}).")
    # A network that was trained elsewhere: where the method can, it looks for a learning rate that suits it.
    usual = values_of(method.name, _LIKE[kind], False, values, foreign=True)
    return method.params(with_overrides(method.name, usual, params))


def _wrap(
    model: nn.Module,
    inputs: torch.Tensor,
    labels: torch.Tensor,
    normalise: Moments | None,
    recipe: Mapping[str, Any] | None,
    kind: Kind | None,
    device: torch.device,
) -> tuple[GuestNet, DeviceData]:
    """A copy of the network that a method may change, and the data beside it."""
    if not isinstance(model, nn.Module):
        raise UserError(f"The model must be a torch.nn.Module (got {type(model).__name__}).")
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise UserError("The model has no weight that may change; model.requires_grad_(True) frees those that were frozen.")
    odd = next((p.dtype for p in model.parameters() if p.dtype != torch.float32), None)
    if odd is not None:
        raise UserError(
            f"The model must be in float32 (it holds {str(odd).removeprefix('torch.')}); model.float() makes it so."
        )
    net = copy.deepcopy(model).to(device)
    examples = place(inputs[:TRACED], labels[:TRACED], 1, normalise, device)
    layers, classes = inspect_network(net, examples.batch(torch.arange(TRACED, device=device)))
    check_labels(labels, classes)
    optimizer = _recipe(recipe, _kind(kind, inputs)).optimizer
    return GuestNet(net, layers, optimizer).eval(), place(inputs, labels, classes, normalise, device)


def _factory(model: nn.Module, original: GuestNet, fresh: Callable[[], nn.Module] | None) -> Callable[[int], GuestNet]:
    """seed → a newly initialised network of the same architecture."""
    template, device = copy.deepcopy(model), next(original.parameters()).device
    layers, optimizer = original.found, original.optimizer
    shapes = {name: value.shape for name, value in template.state_dict().items()}

    def make(seed: int) -> GuestNet:
        with seeded(seed):
            net = reinitialise(copy.deepcopy(template)) if fresh is None else fresh()
        if {name: value.shape for name, value in net.state_dict().items()} != shapes:
            raise UserError("The network that fresh= makes has other weights by name or shape than the one to unlearn.")
        return GuestNet(net, layers, optimizer).to(device)

    return make


def _task(
    original: GuestNet, data: DeviceData, forget: torch.Tensor, recipe: TrainingSpec, seed: int, make: Callable[[int], GuestNet]
) -> UnlearningTask:
    retained = torch.ones(len(data), dtype=torch.bool)
    retained[forget] = False
    return UnlearningTask(
        # Methods change it and measure against it; what is measured here is measured on a copy of its own.
        original=copy.deepcopy(original),
        data=data,
        forget=forget.to(data.device),
        retain=retained.nonzero()[:, 0].to(data.device),
        fresh_model=make,
        recipe=recipe,
        seed=seed,
    )


def _accuracies(model: nn.Module, task: UnlearningTask, right: torch.Tensor | None) -> dict[str, float | None]:
    """Shares of given labels that the network predicts, and of right labels where some are known."""
    labels = task.data.labels
    forget, retain = (predict(model, task.data, ids).argmax(1) for ids in (task.forget, task.retain))
    found: dict[str, float | None] = {
        "forget": float((forget == labels[task.forget]).float().mean()),
        "retain": float((retain == labels[task.retain]).float().mean()),
        "right": None,
    }
    if right is not None and (right >= 0).any():
        told = right.to(task.device)
        found["right"] = float((forget == told)[told >= 0].float().mean())
    return found


def _returned(
    model: Net,
    unlearned: nn.Module,
    method: type[Method[Any]],
    before: dict[str, float | None],
    after: dict[str, float | None],
) -> Net:
    """The unlearned weights in a network of the caller's class."""
    if not isinstance(unlearned, GuestNet):
        raise UserError(f"{method.label} returned {type(unlearned).__name__} instead of the network it was given.")
    unlearned.narrow()
    made = copy.deepcopy(model)
    made.load_state_dict(unlearned.base_state())
    report = getattr(unlearned, "report", {})
    # An attribute of the object and not a submodule: it is in no state dict.
    object.__setattr__(
        made,
        "unlearning",
        {"method": method.name, **{name: {"before": before[name], "after": after[name]} for name in before}, "report": report},
    )
    return made.eval()
