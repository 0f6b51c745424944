"""Traces of noise canaries (GUS): does the gradient at the image without its noise still point along that noise?

Pawelczyk et al. 2025, arXiv:2406.17216. Training on x + ξ makes the loss fall along ξ. A network that keeps no trace of this
draw gives scores that are normal with mean 0 and deviation 1 exactly, whatever else it knows: ξ is independent of it.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from unlearn_core.corruption.noise.noise_canaries import NAME, NoiseCanariesParams, canary_noise
from unlearn_core.datasets import load_dataset
from unlearn_core.evaluation import Evidence, Metric, ScenarioData, register
from unlearn_core.evaluation.base import share
from unlearn_core.specs import Scenario

THRESHOLD = 2.326
"""Above this lies one standard normal score in a hundred."""
_BATCH = 256


def trace_scores(gradients: torch.Tensor, noise: torch.Tensor, strength: float) -> torch.Tensor:
    """I = −⟨∇ℓ, ξ⟩ / (ε‖∇ℓ‖) of each canary: float64 (n,) from two tensors (n, …). Positive: the loss falls along the noise."""
    g, xi = gradients.double().flatten(1), noise.double().flatten(1)
    along, length = (g * xi).sum(1), g.square().sum(1).sqrt().clamp_min(1e-30)
    return -along / (strength * length)


def canary_traces(model: nn.Module, data: ScenarioData, scenario: Scenario) -> torch.Tensor | None:
    """:func:`trace_scores` of ``model`` for every canary of the scenario, in order of discovery, on the CPU; None where it has
    none. Gradients are taken at the images without their noise, in eval mode."""
    if scenario.corruption.kind != NAME:
        return None
    strength = NoiseCanariesParams.model_validate(dict(scenario.corruption.options)).strength
    train, chosen = load_dataset(scenario.dataset, scenario.seed).train, data.corrupted.truth.corrupted
    clean, labels = train.inputs[chosen], train.labels[chosen]
    noise, model = canary_noise(strength, clean.shape, scenario.seed), model.eval()
    pieces = zip(clean.split(_BATCH), labels.split(_BATCH), strict=True)
    return trace_scores(torch.cat([_gradient(model, data, x, y) for x, y in pieces]), noise, strength)


def as_group(scores: torch.Tensor | None) -> dict[str, dict[str, np.ndarray]]:
    """The scores as the store keeps them beside a model; nothing where there are none."""
    return {} if scores is None else {"canaries": {"scores": scores.numpy()}}


def _gradient(model: nn.Module, data: ScenarioData, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Gradient of each example's loss by its pixels (n, C, H, W); their scale does not matter for the score."""
    mean, std = data.train.mean_std
    x = images.to(mean.device).float().requires_grad_()
    with torch.enable_grad():
        logits = model((x - mean[:, None, None]) / std[:, None, None])
        loss = F.cross_entropy(logits.float(), labels.to(mean.device), reduction="sum")
    return torch.autograd.grad(loss, x)[0].cpu()


def _of_forget(evidence: Evidence) -> torch.Tensor | None:
    """The scores of those canaries that are in F; None without any."""
    if evidence.canaries is None:
        return None
    scores = evidence.canaries[torch.isin(evidence.corrupted.truth.corrupted, evidence.forget)]
    return scores if len(scores) else None


class _Trace(Metric):
    split, off_dial = "discovered noise canaries (F), their images without noise", True


@register
class NoiseTrace(_Trace):
    name, label, direction, unit = "noise_trace", "Noise trace", "none", "score"
    formula = (
        "mean of −⟨∇ℓ, ξ⟩ / (ε‖∇ℓ‖) over the noise canaries in F, gradient at the image without its noise ξ (GUS): 0 where no "
        "trace is left; only where the corruption is noise canaries"
    )

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        scores = _of_forget(evidence)
        return None if scores is None else float(scores.mean())


@register
class NoiseTraceZ(_Trace):
    name, label, direction, unit = "noise_trace_z", "Noise trace, z", "none", "score"
    formula = (
        "√n · noise trace, with n canaries in F: standard normal where no trace is left, so above 2 is a trace; only where the "
        "corruption is noise canaries"
    )

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        scores = _of_forget(evidence)
        return None if scores is None else float(len(scores) ** 0.5 * scores.mean())


@register
class NoiseTraceTpr(_Trace):
    name, label, direction = "noise_trace_tpr", "Noise trace, TPR at 1 % FPR", "lower"
    formula = (
        f"share of the noise canaries in F whose score is above {THRESHOLD}: 1 % where no trace is left; only where the "
        "corruption is noise canaries"
    )

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        scores = _of_forget(evidence)
        return None if scores is None else share(scores > THRESHOLD)
