"""Networks whose base can be trained alone and widened by redirect channels later."""

from unlearn_core.models.base import ModelSource, build_model, check_fit, registry
from unlearn_core.models.checkpoints.form import Form
from unlearn_core.models.checkpoints.normalisation import parse_normalise, write_normalise
from unlearn_core.models.redirect.layers import (
    RedirectConv2d,
    RedirectLinear,
    RedirectNet,
    base_norms,
    example_masks,
    seen_activations,
    shared_mask,
)
from unlearn_core.models.redirect.norms import RedirectLayerNorm, RedirectNorm2d

register = registry.register

__all__ = [
    "Form",
    "ModelSource",
    "RedirectConv2d",
    "RedirectLayerNorm",
    "RedirectLinear",
    "RedirectNet",
    "RedirectNorm2d",
    "base_norms",
    "build_model",
    "check_fit",
    "example_masks",
    "parse_normalise",
    "register",
    "registry",
    "seen_activations",
    "shared_mask",
    "write_normalise",
]
