"""The base of every network source, and the registry."""

from __future__ import annotations

from typing import Any

import torch

from unlearn_core.models._redirect import RedirectNet
from unlearn_core.parts import Part, PartRegistry
from unlearn_core.specs import ModelSpec

registry = PartRegistry("model", "unlearn_core.models")


class ModelSource(Part):
    """One network architecture. ``build`` returns the base network, freshly initialised."""

    @classmethod
    def build(cls, params: Any, shape: tuple[int, ...], classes: int) -> RedirectNet:
        """A base network for examples of ``shape``; raises :class:`UserError` where the shape does not suit it."""
        raise NotImplementedError


def build_model(spec: ModelSpec, shape: tuple[int, ...], classes: int, seed: int) -> RedirectNet:
    """A freshly initialised base network on the CPU; the same seed gives the same weights on every machine."""
    source = registry.get(spec.name)
    params = source.params(spec.params)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return source.build(params, shape, classes)
