"""Adversarial examples inside an L2 ball: the nearest of any other class (AMUN, arXiv:2503.00917), and those of a wanted class
(L2UL, arXiv:2301.11578)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from unlearn_core.training import DeviceData

Classify = Callable[[torch.Tensor], torch.Tensor]

STEP_SHARE = 0.1
"""Length of an attack step, as a share of the radius."""
REACH = 2.5
"""Radii that the steps of a targeted attack reach together."""
CLEAR_MARGIN = 1e-3
"""Logits by which another class must lead: less could turn round with the rounding of another batch."""


@dataclass(frozen=True)
class Space:
    """Where the attack measures distance: images as pixels / 255 in the unit cube, points in standard deviations."""

    data: DeviceData

    @property
    def bounded(self) -> bool:
        """Whether values end at 0 and 1 (pixels do, coordinates don't)."""
        return self.data.inputs.dim() == 4

    @property
    def largest_radius(self) -> float:
        """The diagonal of the unit cube; for points, from any of them past any other."""
        if self.bounded:
            return math.sqrt(self.data.inputs[0].numel())
        everything = self.data.batch(torch.arange(len(self.data), device=self.data.device))
        return float(2 * everything.norm(dim=1).max())

    def values(self, ids: torch.Tensor) -> torch.Tensor:
        """The plain examples in this space, float32."""
        return self.data.inputs[ids].float() / 255 if self.bounded else self.data.batch(ids)

    def normalise(self, values: torch.Tensor) -> torch.Tensor:
        """From this space to what a network takes."""
        if not self.bounded:
            return values
        return (values * 255 - self.data.mean[:, None, None]) / self.data.std[:, None, None]

    def classifier(self, model: nn.Module) -> Classify:
        """Logits of values in this space; eval mode and float32 throughout."""
        model.eval()
        return lambda values: model(self.normalise(values)).float()


@dataclass(frozen=True)
class Attacked:
    """What was found for n examples. ``values`` (n, …) in attack space; ``labels`` (n,) the class the network gives them;
    ``radius`` (n,) of the grid within which it was found, 0 where the network was wrong from the start; ``success`` (n,):
    False where even the largest radius was too small, and the other entries mean nothing.
    """

    values: torch.Tensor
    labels: torch.Tensor
    radius: torch.Tensor
    success: torch.Tensor


def margin(logits: torch.Tensor, given: torch.Tensor) -> torch.Tensor:
    """Logit of the given class minus the largest other one (B,): negative where another class wins."""
    own = logits.gather(1, given[:, None])[:, 0]
    return own - logits.scatter(1, given[:, None], -torch.inf).amax(1)


def attack_at(
    classify: Classify,
    clean: torch.Tensor,
    given: torch.Tensor,
    radius: float,
    steps: int,
    bounded: bool,
    tick: Callable[[], None],
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Projected descent on the margin from ``clean``, inside one L2 ball; stops for an example once another class leads.

    The margin replaces the paper's cross entropy, whose float32 gradient vanishes on a saturated network. ``tick`` is
    called before every pass. Returns the values (n, …), the predicted classes (n,) and whether it succeeded (n,).
    """
    found, labels = clean.clone(), given.clone()
    success = torch.zeros(len(clean), dtype=torch.bool, device=clean.device)
    active = torch.arange(len(clean), device=clean.device)
    for step in range(steps + 1):
        tick()
        values = found[active].requires_grad_(True)
        logits = classify(values)
        margins = margin(logits, given[active])
        hit = margins.detach() < -CLEAR_MARGIN
        success[active[hit]] = True
        labels[active[hit]] = logits.detach()[hit].argmax(1)
        if step == steps or bool(hit.all()):
            break
        slope = torch.autograd.grad(margins.sum(), values)[0]
        active, start, slope = active[~hit], clean[active[~hit]], slope[~hit]
        moved = values.detach()[~hit] - STEP_SHARE * radius * unit(slope)
        found[active] = into_ball(moved, start, radius, bounded)
    return found, labels, success


def targeted(
    classify: Classify,
    clean: torch.Tensor,
    target: torch.Tensor,
    radius: float,
    steps: int,
    bounded: bool,
    generator: torch.Generator,
    tick: Callable[[], None],
) -> torch.Tensor:
    """``clean`` (n, …), moved towards the class ``target`` (n,) inside one L2 ball: all ``steps`` of projected descent on the
    cross entropy from a random start, without a look at whether it succeeded.

    A step is 2.5 radii over the number of steps long, so that the other side of the ball can be reached.
    """
    drawn = torch.randn(clean.shape, generator=generator), torch.rand(len(clean), generator=generator)
    direction, length = (part.to(clean.device, clean.dtype) for part in drawn)
    found = into_ball(clean + radius * _by_example(length, clean) * unit(direction), clean, radius, bounded)
    for _ in range(steps):
        tick()
        values = found.requires_grad_(True)
        slope = torch.autograd.grad(F.cross_entropy(classify(values), target, reduction="sum"), values)[0]
        found = into_ball(values.detach() - REACH * radius / steps * unit(slope), clean, radius, bounded)
    return found


def unit(x: torch.Tensor) -> torch.Tensor:
    """Each example of ``x`` (n, …) with length 1; 0 stays 0."""
    return F.normalize(x.flatten(1), dim=1, eps=1e-10).reshape(x.shape)


def into_ball(values: torch.Tensor, centre: torch.Tensor, radius: float, bounded: bool) -> torch.Tensor:
    """The nearest of ``values`` (n, …) within ``radius`` of ``centre``, and where ``bounded`` in the unit cube too."""
    away = values - centre
    away = away * _by_example((radius / away.flatten(1).norm(dim=1).clamp_min(1e-12)).clamp_max(1), away)
    # Clipping to the box after projecting stays inside the ball, for the centre is in the box.
    return (centre + away).clamp(0, 1) if bounded else centre + away


def _by_example(numbers: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """``numbers`` (n,), one for each example of ``x`` (n, …)."""
    return numbers.reshape(-1, *[1] * (x.dim() - 1))


def radii(first: float, largest: float) -> list[float]:
    """The grid: ``first``, doubled until the next would exceed ``largest``, and ``largest`` itself at the end."""
    count = max(0, math.ceil(math.log2(largest / first))) if largest > first else 0
    return [first * 2**k for k in range(count)] + [largest if largest > first else first]


def nearest_adversarial(
    classify: Classify,
    clean: torch.Tensor,
    given: torch.Tensor,
    grid: list[float],
    steps: int,
    bounded: bool,
    tick: Callable[[], None],
) -> Attacked:
    """The attack at each radius of ``grid`` in turn, every time from the clean example, until it succeeds.

    Starting anew (the paper goes on from where the smaller radius ended) makes the radius the smallest of the grid at which
    this very attack works.
    """
    values, labels = clean.clone(), given.clone()
    found = torch.zeros(len(clean), device=clean.device)
    success = torch.zeros(len(clean), dtype=torch.bool, device=clean.device)
    for radius in grid:
        left = (~success).nonzero()[:, 0]
        if len(left) == 0:
            break
        attacked, classes, hit = attack_at(classify, clean[left], given[left], radius, steps, bounded, tick)
        done = left[hit]
        values[done], labels[done], success[done] = attacked[hit], classes[hit], True
        found[done] = torch.where((attacked[hit] == clean[done]).flatten(1).all(1), 0.0, radius)
    return Attacked(values, labels, found, success)
