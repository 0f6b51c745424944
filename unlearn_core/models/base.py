"""The base of every network source, and the registry."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import torch
from torch.overrides import TorchFunctionMode
from typing_extensions import TypeVar

from unlearn_core.component import ComponentParams, ComponentRegistry, SourceComponent
from unlearn_core.errors import UserError
from unlearn_core.models.checkpoints.form import Form
from unlearn_core.models.redirect.layers import RedirectNet
from unlearn_core.specs import ModelSpec

registry: ComponentRegistry[ModelSource[Any]] = ComponentRegistry("model", "unlearn_core.models")

P = TypeVar("P", bound=ComponentParams, default=ComponentParams)


class ModelSource(SourceComponent[P]):
    """One network architecture. ``build`` returns the base network, freshly initialised."""

    offered: ClassVar[bool] = True
    """Whether it is one to choose among where none is asked for by name."""
    training: ClassVar[dict[str, Any]] = {}
    """Where its usual recipe departs from the dataset's, such as another optimiser."""
    quick_start: ClassVar[bool] = False
    """Whether the quick recipe is for it, which whitens the first filters and begins with smaller images."""

    @classmethod
    def build(cls, params: P, shape: tuple[int, ...], classes: int) -> RedirectNet:
        """A base network for examples of ``shape``; raises :class:`UserError` where the shape does not suit it."""
        raise NotImplementedError

    @classmethod
    def check(cls, params: P, shape: tuple[int, ...], class_names: tuple[str, ...]) -> None:
        """Raise :class:`UserError`, before anything runs, for files that do not suit these parameters and data."""

    @classmethod
    def input_side(cls, params: P) -> int:
        """The side in pixels that the network takes, whatever the images have; 0 where it takes them as they are."""
        return 0

    @classmethod
    def brought(cls, params: P) -> bool:
        """Whether these parameters mean weights that were trained elsewhere."""
        return False

    @classmethod
    def weights_words(cls, params: P, model: RedirectNet) -> list[str]:
        """What was taken off, left out or converted when the weights were read for such a model; sentences."""
        return []

    @classmethod
    def variants(cls, params: P) -> dict[str, P]:
        """Other parameters under which the same weights may be right, each under the words that ask for it."""
        return {}

    @classmethod
    def weights_form(cls, params: P, model: RedirectNet) -> Form | None:
        """How the weights lay in their file, for writing others in the same form; None where they came from none."""
        return None

    @classmethod
    def give_weights(cls, params: P, model: RedirectNet) -> bool:
        """Put weights that were trained elsewhere into a fresh network; False where there are none and it is trained here."""
        return False


def build_model(
    spec: ModelSpec,
    shape: tuple[int, ...],
    classes: int,
    seed: int,
    moments: tuple[torch.Tensor, torch.Tensor] | None = None,
) -> RedirectNet:
    """A freshly initialised base network on the CPU; the same seed gives the same weights on every machine.

    ``moments``: mean and deviation per channel by which its inputs will be normalised.
    """
    source = registry.get(spec.name)
    params = source.params(spec.params)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # of the CPU alone: torch.manual_seed notes its caller for every other device
        model: RedirectNet = source.build(params, shape, classes)
    if moments is not None:
        model.set_input_stats(*moments)
    return model


def check_fit(spec: ModelSpec, shape: tuple[int, ...], classes: int) -> None:
    """Raise :class:`UserError` when the network does not take examples of this shape; nothing is allocated or drawn."""
    source: Any = registry.get(spec.name)  # a class, which mypy does not take for hashable
    if sentence := _misfit(source, json.dumps(spec.params, sort_keys=True), shape, classes):
        raise UserError(sentence)


class _NothingDrawn(TorchFunctionMode):
    """Weights without memory need no numbers. Drawing or scaling them would load torch's compiler, which takes long."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        name = getattr(func, "__name__", "")
        if name in ("normal_", "uniform_", "mul_") and args:
            return args[0]
        return (torch.empty if name in ("randn", "rand") else func)(*args, **(kwargs or {}))


@functools.lru_cache(maxsize=512)
def _misfit(source: type[ModelSource[Any]], params: str, shape: tuple[int, ...], classes: int) -> str:
    """Why the network does not fit; "" where it does. Pages ask for every network each time that they are drawn."""
    try:
        with torch.random.fork_rng(devices=[]), torch.device("meta"), _NothingDrawn():
            source.build(source.params(json.loads(params)), shape, classes)
    except UserError as error:
        return str(error)
    return ""
