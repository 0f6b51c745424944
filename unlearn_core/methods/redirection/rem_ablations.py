"""REM with one idea taken out, and REM with masks that take the ground truth (arXiv:2505.17730, ablations)."""

from __future__ import annotations

import torch

from unlearn_core.methods import OracleTask, Region, register
from unlearn_core.methods.redirection.params import PRESETS, SEARCH_SPACE, RemParams
from unlearn_core.methods.redirection.rem import Redirection, RedirectionMethod
from unlearn_core.models import RedirectNet
from unlearn_core.training import Reporter


class _WithoutChannels(Redirection):
    """No redirect channels: CE(m) is CE(drop)."""

    def masks(self, ids: torch.Tensor) -> torch.Tensor | None:
        return None


class _WithoutRemoval(Redirection):
    """Redirection without −ℓ(CE(drop), CE₀) on F."""

    removes = False


class _Ascent(Redirection):
    """∓CE in place of ∓ℓ(CE, CE₀)."""

    def ascend_loss(self, ce: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
        return -ce

    def descend_loss(self, ce: torch.Tensor, before: torch.Tensor, beta: float) -> torch.Tensor:
        return ce


class _Ideal(Redirection):
    """m_F for all of C, discovered or not."""

    def __init__(self, params: RemParams, task: OracleTask, model: RedirectNet, reporter: Reporter) -> None:
        self.corrupted = torch.zeros(len(task.data), dtype=torch.bool, device=task.device)
        self.corrupted[task.truth.corrupted.to(task.device)] = True
        super().__init__(params, task, model, reporter)

    def masks(self, ids: torch.Tensor) -> torch.Tensor | None:
        own = super().masks(ids)
        assert own is not None
        return torch.where(self.corrupted[ids][:, None], self.forget_mask, own)


@register
class RemNoRedirect(RedirectionMethod[RemParams]):
    """REM's loss with CE(m_F) = CE(m_i) = CE(drop): removal, redirection and repair in the base.

    Symbols: those of REM; ``redirect_ratio``, ``mask_share`` and ``forget_share`` have no part in it.
    Given: what REM is given.
    Fails: wherever undiscovered corruption has to be forgotten, unless the removal and the repair do so by themselves: nothing
    else stands between the two.
    Source: arXiv:2505.17730, ablations.
    """

    name, label, paper = "rem_no_redirect", "REM without redirect channels", "arXiv:2505.17730 (ablation)"
    summary = (
        "REM's flush, removal and repair, all in the base network. "
        "It relies on the bounded loss alone and has nowhere to put what the wrong labels need. "
        "Repair then teaches the base the undiscovered corruption again."
    )
    designed_for = Region()
    redirection = _WithoutChannels


@register
class RemNoRemoval(RedirectionMethod[RemParams]):
    """L_F(θ) = ℓ(CE(m_F), CE₀): REM without −ℓ(CE(drop), CE₀), which its flushes alone have left.

    Symbols: those of REM; ``forget_weight`` has no part in it.
    Given: what REM is given.
    Fails: where the base takes F up again between two flushes.
    Source: arXiv:2505.17730, ablations.
    """

    name, label, paper = "rem_no_removal", "REM without removal", "arXiv:2505.17730 (ablation)"
    summary = (
        "REM that flushes and repairs, but doesn't push the forget set out of the base while it redirects. "
        "It relies on the masks to keep the corruption out. "
        "What the flush removed seeps back into the base between flushes."
    )
    designed_for = Region()
    redirection = _WithoutRemoval


@register
class RemAscent(RedirectionMethod[RemParams]):
    """L_F(θ) = −CE(drop) + CE(m_F), elsewhere CE(m_i): REM with CE in place of ℓ(CE, CE₀), and so without a bound.

    Symbols: those of REM; ``beta`` and ``repair_beta`` have no part in it.
    Given: what REM is given.
    Fails: where ascent without a bound takes more out of the base than repair can give back.
    Source: arXiv:2505.17730, ablations.
    """

    name, label, paper = "rem_ascent", "REM with plain ascent", "arXiv:2505.17730 (ablation)"
    summary = (
        "REM with the cross entropy itself raised and lowered in place of the bounded loss. "
        "It relies on stopping in time. "
        "Where F is large the unbounded push damages the rest of the model. That is what it is here to show: unlike REM's, no "
        "run of it is repeated."
    )
    designed_for = Region()
    revision, has_safeguard = 3, False  # giving up what was known by heart is not a fall
    presets = PRESETS | {"digits": PRESETS["digits"] | {"repeat": True, "take_back": 0}}  # as if there were neither
    search_space = SEARCH_SPACE | {"learning_rate": [0.005, 0.01, 0.02, 0.05]}  # without a bound, a rate has to be low
    redirection = _Ascent


@register
class RemIdeal(RedirectionMethod[RemParams]):
    """REM with m_i = m_F for all of C; removal and flushes are still of F alone.

    Symbols: those of REM; ``forget_share`` is that of all of C.
    Given: what REM is given, and the ground truth: who is in C. It is an upper bound, not a method.
    Fails: where REM fails, but for masks: what it lacks to the other oracles is not for want of knowing C.
    Source: arXiv:2505.17730, which calls these masks ideal.
    """

    name, label, paper = "rem_ideal", "Oracle: REM with ideal masks", "arXiv:2505.17730 (upper bound)"
    oracle = True
    summary = (
        "REM in which every corrupted example, discovered or not, uses the forget set's redirect channels. "
        "It needs to know which examples are corrupted, which you never do in practice, and is marked as an oracle. "
        "It shows what the redirection could do with perfect masks."
    )
    designed_for = Region()
    redirection = _Ideal
