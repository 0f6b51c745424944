"""Normalisation of base channels and, beside them, redirect channels, each with moments of its own."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


class RedirectNorm2d(nn.Module):
    """Batch normalisation with separate statistics for base and redirect channels.

    The base's running statistics belong to the pass with redirect *off*, the function used at inference: a pass with
    redirect on normalises by its batch but leaves them alone. With ``mixed`` they follow both, as REM's public program has it.

    ``whole``: normalise all channels in one pass. Cut apart, they and their gradients lose the layout that the kernels are
    quick in, and a step takes two to three times as long; the two differ in the last digits.
    """

    def __init__(self, channels: int, whole: bool = True) -> None:
        super().__init__()
        self.base, self.whole, self.mixed = nn.BatchNorm2d(channels), whole, False
        self.redirect: nn.BatchNorm2d | None = None

    def widen(self, channels: int) -> None:
        self.redirect = nn.BatchNorm2d(channels).to(self.base.weight.device)

    def narrow(self) -> None:
        self.redirect = None

    def forward(self, x: torch.Tensor, on: bool, lacks: torch.Tensor | None = None) -> torch.Tensor:
        """``lacks``: a number for each channel that was not added to ``x``, in train mode. Normalising would take it away;
        the running means count it."""
        if not on:
            return self._by(self.base, x, lacks)
        if self.redirect is None:  # a layer without redirect channels of its own, in a network that has some
            return self._base_alone(x, lacks)
        if self.whole:
            return self._at_once(x, self.redirect, lacks)
        count = self.base.num_features
        lack, lacked = (None, None) if lacks is None else (lacks[:count], lacks[count:])
        return torch.cat([self._base_alone(x[:, :count], lack), self._by(self.redirect, x[:, count:], lacked)], dim=1)

    def _base_alone(self, x: torch.Tensor, lacks: torch.Tensor | None) -> torch.Tensor:
        if self.mixed or not self.training:
            return self._by(self.base, x, lacks)
        return F.batch_norm(x, None, None, self.base.weight, self.base.bias, training=True, eps=self.base.eps)

    @staticmethod
    def _by(norm: nn.BatchNorm2d, x: torch.Tensor, lacks: torch.Tensor | None) -> torch.Tensor:
        out: torch.Tensor = norm(x)
        if lacks is not None and norm.running_mean is not None:
            norm.running_mean.data.add_(lacks.data, alpha=0.1 if norm.momentum is None else norm.momentum)
        return out

    def _at_once(self, x: torch.Tensor, redirect: nn.BatchNorm2d, lacks: torch.Tensor | None) -> torch.Tensor:
        base, count = self.base, self.base.num_features
        # New tensors: what a pass in train mode writes there goes to the redirect channels, and to the base where it should.
        mean, var = (torch.cat([getattr(part, name) for part in (base, redirect)]) for name in ("running_mean", "running_var"))
        weight, bias = torch.cat([base.weight, redirect.weight]), torch.cat([base.bias, redirect.bias])
        momentum = 0.1 if redirect.momentum is None else redirect.momentum
        out = F.batch_norm(x, mean, var, weight, bias, self.training, momentum, base.eps)
        if self.training:
            if lacks is not None:
                mean.data.add_(lacks.data, alpha=momentum)
            _follow(redirect, mean[count:], var[count:])
            if self.mixed:
                _follow(base, mean[:count], var[:count])
        return out


def _follow(norm: nn.BatchNorm2d, mean: torch.Tensor, var: torch.Tensor) -> None:
    """Give ``norm`` these running statistics, where its own lie: a recorded step reads and writes them there.

    As the kernels do it, past the count of changes by which autograd would refuse the backward pass of another forward pass.
    """
    assert norm.running_mean is not None
    assert norm.running_var is not None
    norm.running_mean.data.copy_(mean)
    norm.running_var.data.copy_(var)


class RedirectLayerNorm(nn.Module):
    """Layer normalisation over the last dimension, of base and redirect channels apart: neither sees the other's moments."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.base = nn.LayerNorm(channels)
        self.redirect: nn.LayerNorm | None = None

    def widen(self, channels: int) -> None:
        self.redirect = nn.LayerNorm(channels).to(self.base.weight.device)

    def narrow(self) -> None:
        self.redirect = None

    def forward(self, x: torch.Tensor, on: bool) -> torch.Tensor:
        if not on or self.redirect is None:
            normalised: torch.Tensor = self.base(x)
            return normalised
        base = self.base.normalized_shape[0]
        return torch.cat([self.base(x[..., :base]), self.redirect(x[..., base:])], dim=-1)
