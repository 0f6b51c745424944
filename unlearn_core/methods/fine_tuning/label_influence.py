"""Label influence: updates by what exchanging labels would have changed (Warnecke et al. 2023, arXiv:2108.11577)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from unlearn_core.errors import UserError
from unlearn_core.methods import Method, MethodParams, Region, UnlearningTask, register
from unlearn_core.methods.adversarial.attack import margin
from unlearn_core.methods.dampening.importance import Work, flatten, trainable, write
from unlearn_core.methods.redirection.work import STEP, Setting
from unlearn_core.methods.shared.right_labels import relabelled, right_labels_of
from unlearn_core.methods.shared.rounds import add_report
from unlearn_core.methods.shared.sgd import Cycle
from unlearn_core.training import Reporter, predict, real

_NO_CURVATURE = (
    "This network has a part without a second derivative (MobileNetV3 has), so that its curvature cannot be had; set "
    "label_influence.order to first."
)

Product = Callable[[torch.Tensor], torch.Tensor]
"""A vector (P,) → curvature times that vector, each time by another batch."""

CHUNK = 512
"""Examples of F in one pass; only speed and memory depend on it."""
POWER_STEPS = 5
"""Products that the largest curvature is estimated with."""
_CLEAR = 1.0
"""Logits by which a label is to lead."""
_PRODUCT = 7.0
"""Passes that an example of a product counts for: a gradient, and the gradient of that."""


class LabelInfluenceParams(MethodParams):
    order: Literal["first", "second"] = Field("first", description="Steps along the gradient, or bent by the curvature")
    steps: int = Field(10, ge=1, le=1000, description="Updates at most; they end once every right label is said")
    rate: float = Field(1.0, gt=0, le=1e6, description="First order: rate for the mean loss of all training examples")
    reach: float = Field(
        0.5, ge=0, le=10, description="Share of the way to the right labels that an update goes at most; 0: any"
    )
    scale: float = Field(4.0, gt=0, le=1e9, description="Second order: scale of the recursion, at least the largest curvature")
    damping: float = Field(1e-4, ge=0, lt=1, description="Second order: share of the scale that is added to the curvature")
    iterations: int = Field(30, ge=1, le=10_000, description="Second order: products with the curvature in an update")
    patience: int = Field(20, ge=1, le=10_000, description="Second order: products without a smaller change that end an update")
    batch_size: int = Field(256, ge=1, le=8192, description="Second order: examples of a product")


def within(most: float, change: float) -> float:
    """What a step is multiplied by that would bring ``change``, to first order, where at most ``most`` (0: any) is wanted."""
    return min(1.0, most / change) if most and change > 0 else 1.0


def lissa(
    vector: torch.Tensor, product: Product, turns: Iterable[int], *, scale: float, damping: float, patience: int
) -> torch.Tensor:
    """About (H + d·s·I)⁻¹ v: u / s after so many turns of u ← v + (1 − d)·u − H·u / s, or where u last changed least.

    Ends after ``patience`` turns without a smaller change: it has arrived, or negative curvature drives it away.
    """
    u = best = vector
    least, since = float("inf"), 0
    for _ in turns:
        after = vector + (1 - damping) * u - product(u) / scale
        change, u = (after - u).norm().item(), after
        if change < least:
            best, least, since = u, change, 0
        elif (since := since + 1) == patience:
            break
    return best / scale


@register
class LabelInfluence(Method[LabelInfluenceParams]):
    """θ ← θ − κ·Δ,  Δ = η·G/N or Δ = H⁻¹·G/N;  G = Σ_{F_R} [∇CE(f(x), y*) − ∇CE(f(x), ỹ)] − Σ_{F∖F_R} ∇CE(f(x), ỹ).

    H⁻¹v = u/s at the end of u ← v + (1 − d)·u − H_B·u/s, which begins with u = v;  κ = min(1, ρ·M/⟨G, Δ⟩).

    Symbols: F_R are those of F whose right label y* is known, ỹ are the given labels; the others count as deleted. N are all
    training examples. ``order`` says which of the two; η is ``rate``; M are the logits that F lacks to being said rightly, by a
    margin of 1, and ρ is ``reach``, so that no update goes further than that share of the way (0: as far as it goes). H is the
    Hessian of the mean loss on R and F_R with its right labels, H_B its estimate on a fresh batch of ``batch_size``; s is
    ``scale``, or the largest curvature where that is more; d is ``damping``; ``iterations`` of the recursion, which ends sooner
    after ``patience`` of them without a smaller change. Up to ``steps`` such updates, from the second on by those of F alone
    that the network still gets wrong.
    Given: Of F the inputs, the given and the right labels; R with its given labels for H alone. Eval mode throughout.
    Fails: The change is that of a bowl around the minimum. A network that fits everything has hardly any curvature there, and
    what is not in F hardly heals.
    Source: Warnecke et al. 2023, arXiv:2108.11577. Its program picks in every step the examples that the network gets wrong by
    the right labels of all data, takes what the network says for the old label, and changes the last six tensors alone: here F
    is all that is known, and all weights move. Its test for the end, a sum of exactly 0, never holds.
    Values: Published for 50,000 images are a rate of 2e-5 and a scale of 2e5 for sums of losses, which are 1 and 4 for means, a
    damping of 1e-4, a patience of 20, batches of 1,024 and 10 updates. The limit by ρ is ours: wrong labels that share a rule
    have gradients that add up, and the published rate then leaves the neighbourhood in which any of this holds.
    """

    name, label, paper = "label_influence", "Label influence", "arXiv:2108.11577"
    family = "fine-tuning"
    cost = 0.05
    statistics = "kept"
    needs_right_labels = True
    summary = (
        "Moves the weights by what exchanging the wrong labels of the forget set for the right ones would have changed, to "
        "first order or with the curvature of the loss. "
        "It relies on a person who knows the right labels, and on such a small change being enough. "
        "To first order it takes seconds; with the curvature it may take longer than training from scratch. What was not "
        "discovered hardly heals."
    )
    designed_for = Region(discovery=(0.9, 1.0))
    published = {"": {"batch_size": 1024, "reach": 0.0}}
    presets = {"photos": {"scale": 40.0}, "digits": {"scale": 40.0, "batch_size": 128}}
    search_space = {"reach": [0.25, 0.5, 1.0], "order": ["first", "second"], "scale": [4.0, 40.0, 400.0]}

    @classmethod
    def expected_work(cls, params: LabelInfluenceParams, setting: Setting) -> float:
        if params.order == "first":
            return cls.cost
        products = params.steps * (POWER_STEPS + params.iterations)
        whole = STEP * setting.recipe.epochs * setting.examples
        return products * min(params.batch_size, setting.examples) * _PRODUCT / whole

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        p, model = self.p, task.original.eval()
        corrected, labels = relabelled(task)
        right, kept = right_labels_of(task), torch.cat([task.retain, corrected])
        products = Cycle(kept, p.batch_size, torch.Generator().manual_seed(task.seed + 1))
        bent = p.order == "second"
        pieces = len(task.forget.split(CHUNK)) + bent * (POWER_STEPS + p.iterations)
        work, left = Work(reporter, p.steps * pieces), task.forget
        for _ in range(p.steps):
            summed, way = self.gradient(task, left, right, work)
            gradient = summed / len(task.data)
            if bent:
                step = self.bend(gradient, lambda v: self.curvature(task, next(products), labels, v), work)
            else:
                step = p.rate * gradient
            step = step * within(p.reach * way, (summed @ step).item())
            write(model, flatten([value.detach() for value in trainable(model)]) - step)
            reporter.snapshot(model)
            said = predict(model, task.data, task.forget).argmax(1)
            wanted, given = right[task.forget], task.data.labels[task.forget]
            left = task.forget[torch.where(wanted >= 0, said != wanted, said == given)]
            if not len(left):
                break
        add_report(model, influence={"left": len(left)})
        return model

    def losses(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Loss of each example (B,)."""
        return F.cross_entropy(real(logits), labels, reduction="none")

    def gradient(self, task: UnlearningTask, ids: torch.Tensor, right: torch.Tensor, work: Work) -> tuple[torch.Tensor, float]:
        """G (P,) over these members of F, from ``right`` (N,), the right labels or -1 where none is known; and the logits that
        they lack, all together, to being said so (where none is known: to not being said as given) by a margin of 1."""
        parameters, way = trainable(task.original), 0.0
        total = torch.zeros_like(flatten(parameters).detach())
        for piece in work.pieces(ids.split(CHUNK)):
            logits, known = task.original(task.data.batch(piece)), right[piece] >= 0
            wanted = torch.where(known, self.losses(logits, right[piece].clamp_min(0)), 0)
            given = task.data.labels[piece]
            change = (wanted - self.losses(logits, given)).sum()
            total += flatten(torch.autograd.grad(change, parameters, materialize_grads=True))
            ahead = torch.where(known, -margin(logits.detach(), right[piece].clamp_min(0)), margin(logits.detach(), given))
            way += (ahead + _CLEAR).clamp_min(0).sum().item()
        return total, way

    def curvature(self, task: UnlearningTask, ids: torch.Tensor, labels: torch.Tensor, vector: torch.Tensor) -> torch.Tensor:
        """The Hessian of the mean loss of these examples on ``labels`` (N,), times ``vector`` (P,)."""
        parameters = trainable(task.original)
        with sdpa_kernel(SDPBackend.MATH):  # of the quicker kernels of attention no second derivative is known
            loss = self.losses(task.original(task.data.batch(ids)), labels[ids]).mean()
            slopes = torch.autograd.grad(loss, parameters, create_graph=True, materialize_grads=True)
            try:
                return flatten(torch.autograd.grad(flatten(slopes) @ vector, parameters, materialize_grads=True))
            except RuntimeError as error:
                if "not implemented" not in str(error):
                    raise
                raise UserError(_NO_CURVATURE) from error

    def bend(self, gradient: torch.Tensor, product: Product, work: Work) -> torch.Tensor:
        """H⁻¹ times ``gradient`` (P,), as far as the recursion gets."""
        p, direction, largest = self.p, gradient, 0.0
        for _ in work.pieces(range(POWER_STEPS)):
            turned = product(direction / direction.norm().clamp_min(1e-30))
            direction, largest = turned, turned.norm().item()
        turns = work.pieces(range(p.iterations))
        return lissa(gradient, product, turns, scale=max(p.scale, largest), damping=p.damping, patience=p.patience)
