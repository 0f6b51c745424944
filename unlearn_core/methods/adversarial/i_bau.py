"""Implicit backdoor adversarial unlearning (Zeng et al. 2022, arXiv:2110.03735)."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from unlearn_core.errors import Cancelled
from unlearn_core.methods import MethodParams, Region, UnlearningTask, register
from unlearn_core.methods.adversarial.attack import Space
from unlearn_core.methods.redirection.work import STEP, Setting
from unlearn_core.methods.shared.fitting import FittedMethod
from unlearn_core.methods.shared.rounds import add_report
from unlearn_core.methods.shared.sgd import Cycle
from unlearn_core.methods.shared.trusted import TrustedMethod
from unlearn_core.training import Reporter
from unlearn_core.training.optimizer import Adam

_INNER_RATE = 0.1
"""Step of the map whose fixed point the perturbation is taken for."""
_PULL = 0.001
"""Weight of the squared length of the perturbation."""
_SMALL = {"rounds": 25, "steps": 5, "learning_rate": 1e-3, "patched": 0.5, "fixed_points": 0}
"""Values for small networks."""


class IBauParams(MethodParams):
    rounds: int = Field(5, ge=1, le=1000, description="Rounds of a new perturbation and of training against it")
    steps: int = Field(25, ge=1, le=10_000, description="Steps of each kind in a round")
    batch_size: int = Field(100, ge=1, le=8192, description="Checked examples in a step")
    learning_rate: float = Field(1e-4, gt=0, le=1, description="Learning rate of the network, by Adam")
    perturbation_rate: float = Field(10.0, gt=0, le=1e4, description="Learning rate of the perturbation")
    radius: float = Field(
        0.18, gt=0, le=2, description="Largest length of the perturbation, as a share of the diagonal of the cube"
    )
    patched: float = Field(
        0.01, gt=0, le=1, description="Share of a batch, at least one example, that carries the perturbation"
    )
    fixed_points: int = Field(5, ge=0, le=100, description="K: iterations of the implicit term; 0 leaves it out")


@register
class IBau(FittedMethod[IBauParams], TrustedMethod[IBauParams]):
    """min_θ CE_V(θ; a share of V carries δ*(θ)),  δ*(θ) = argmax_δ CE_V(θ; x + δ) − 0.001·‖δ‖²,  ‖δ‖ ≤ ρ.

    dL/dθ = ∂L/∂θ + (∂Φ/∂θ)ᵀ·v,  v ← (∂Φ/∂δ)ᵀ·v + ∂L/∂δ, K times from 0,  Φ(δ, θ) = δ − 0.1·∇_δ(0.001·‖δ‖² − CE_V(θ; x + δ)).

    One perturbation that is wrong for all images stands for the trigger; the network learns to disregard it.

    Symbols: V are the checked examples; each of ``rounds`` takes ``steps`` steps of δ from 0 at ``perturbation_rate``, and as
    many of θ by Adam at ``learning_rate``, in batches of ``batch_size`` of which ``patched`` carry δ with their right labels.
    ρ is ``radius`` times the diagonal of the cube of all possible images, K is ``fixed_points``. In eval mode throughout.
    Given: The original and V with its labels. F is not read.
    Fails: Where no one perturbation stands for the corruption, as with random labels, or where a natural one is stronger: on
    small images a pattern of another class. The implicit term is left out, and the report says how often, where the iteration
    does not contract (v longer than K times what it started from), so that v stands for nothing, and where a layer has no
    second derivative.
    Source: Zeng et al. 2022, arXiv:2110.03735. Its rounds are passes over V, here they have a number of steps, so that they do
    not depend on how much was checked.
    Values: 5 rounds, K, both rates and the share are the published ones; 25 steps are a pass over its 2,500 examples, and ρ is
    its 10 for images of 32×32. Small networks have other ones: of 18 that were tried on digits (seed 100, 100 checked), those
    after which a new perturbation raises the loss of V least; and K = 0. On points ρ is half: with all of it V is not kept.
    """

    name, label, paper = "i_bau", "I-BAU", "arXiv:2110.03735"
    family = "adversarial"
    cost = 0.3
    summary = (
        "Looks for one pattern that makes the network wrong on all checked examples, and trains the network against it, in "
        "turns. It relies on such a pattern being, or covering, the trigger. "
        "It needs no forget set; wrong labels that follow no pattern stay."
    )
    designed_for = Region(regularity=(0.75, 1.0))
    presets = {"digits": _SMALL, "points": _SMALL | {"radius": 0.09}}
    trial = {"rounds": 1}
    published = {"": {"rounds": 5, "steps": 25, "learning_rate": 1e-4, "patched": 0.01, "fixed_points": 5}}
    search_space = {
        "learning_rate": [1e-4, 1e-3, 3e-3],
        "rounds": [5, 20],
        "patched": [0.01, 0.1, 0.5],
        "radius": [0.09, 0.18, 0.36],
    }

    @classmethod
    def expected_work(cls, params: IBauParams, setting: Setting) -> float:
        # A step of δ, and one of θ: its own, the map with its slope kept, and each product with it, about two passes of each.
        passes = STEP + (2 * STEP + 2 * STEP * (params.fixed_points + 1) if params.fixed_points else STEP)
        examples = params.rounds * params.steps * min(params.batch_size, setting.examples)
        return passes * examples / (STEP * setting.recipe.epochs * setting.examples)

    def correct(self, task: UnlearningTask, checked: torch.Tensor, reporter: Reporter) -> nn.Module:
        p, model = self.p, task.original.eval()
        space, total, done = Space(task.data), 2 * p.rounds * p.steps, 0
        optimizer = Adam([value for value in model.parameters() if value.requires_grad], lr=p.learning_rate)
        generator = torch.Generator().manual_seed(task.seed + 1)
        pieces, without = Cycle(checked, p.batch_size, generator), 0
        for _ in range(p.rounds):
            delta = torch.zeros_like(space.values(checked[:1]))
            for step in range(2 * p.steps):
                if reporter.cancelled():
                    raise Cancelled
                ids = next(pieces)
                game = Game(model, space, ids, p.patched, generator)
                if step < p.steps:
                    delta = ascend(game, delta, p.perturbation_rate, p.radius * space.largest_radius)
                else:
                    without += not game.give_gradients(delta, p.fixed_points)
                    optimizer.step()
                done += 1
                reporter.step(done, total)
            reporter.snapshot(model)
        optimizer.zero_grad(set_to_none=True)
        if p.fixed_points:
            add_report(model, implicit={"steps": p.rounds * p.steps, "left_out": without})
        return model


class Game:
    """Both losses of one batch: the perturbation's, and the network's, of which a share of the examples carries it."""

    def __init__(self, model: nn.Module, space: Space, ids: torch.Tensor, share: float, generator: torch.Generator) -> None:
        self.model, self.classify, self.x, self.y = model, space.classifier(model), space.values(ids), space.data.labels[ids]
        carried = torch.randperm(len(ids), generator=generator)[: max(1, int(share * len(ids)))]
        self.carries = torch.zeros(len(ids), *[1] * (self.x.dim() - 1)).index_fill_(0, carried, 1).to(ids.device)

    def inner(self, delta: torch.Tensor) -> torch.Tensor:
        """What δ makes small."""
        return _PULL * delta.square().sum() - F.cross_entropy(self.classify(self.x + delta), self.y)

    def outer(self, delta: torch.Tensor) -> torch.Tensor:
        """What the network makes small."""
        return F.cross_entropy(self.classify(self.x + self.carries * delta), self.y)

    def give_gradients(self, delta: torch.Tensor, iterations: int) -> bool:
        """Write into the parameters how the network's loss falls, with what it follows from δ depending on them; returns
        whether that is in it, which it is not with 0 ``iterations`` or where :meth:`_implicit` finds none."""
        weights = [value for value in self.model.parameters() if value.requires_grad]
        delta = delta.detach().requires_grad_(True)
        *found, pull = torch.autograd.grad(self.outer(delta), [*weights, delta], materialize_grads=True)
        implicit = self._implicit(delta, weights, pull, iterations) if iterations else None
        for value, gradient, more in zip(weights, found, implicit or found, strict=True):
            value.grad = gradient if implicit is None else gradient + more
        return implicit is not None

    def _implicit(
        self, delta: torch.Tensor, weights: list[nn.Parameter], pull: torch.Tensor, iterations: int
    ) -> tuple[torch.Tensor, ...] | None:
        """(∂Φ/∂θ)ᵀ·v, or None where v does not come to rest or cannot be computed."""
        with sdpa_kernel(SDPBackend.MATH):  # other kernels of attention have no second derivative
            (slope,) = torch.autograd.grad(self.inner(delta), [delta], create_graph=True)
            moved = delta - _INNER_RATE * slope
            try:
                v = fixed_point(lambda v: torch.autograd.grad(moved, [delta], v, retain_graph=True)[0], pull, iterations)
                if not v.norm() <= iterations * pull.norm():  # of a map that contracts no product is longer than its factor
                    return None
                return torch.autograd.grad(moved, weights, v, materialize_grads=True)
            except RuntimeError as error:
                if "not implemented" not in str(error):
                    raise
                return None


def fixed_point(product: Callable[[torch.Tensor], torch.Tensor], b: torch.Tensor, iterations: int) -> torch.Tensor:
    """v after ``iterations`` of v ← A·v + b from 0; ``product``: v → A·v."""
    v = torch.zeros_like(b)
    for _ in range(iterations):
        v = product(v) + b
    return v


def ascend(game: Game, delta: torch.Tensor, rate: float, radius: float) -> torch.Tensor:
    """One step of a perturbation (1, …), shortened to ``radius`` where it is longer."""
    delta = delta.detach().requires_grad_(True)
    (slope,) = torch.autograd.grad(game.inner(delta), [delta])
    moved = (delta - rate * slope).detach()
    shortened: torch.Tensor = moved * (radius / moved.norm().clamp_min(1e-12)).clamp_max(1)
    return shortened
