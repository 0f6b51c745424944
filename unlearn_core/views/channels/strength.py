"""The redirect channels of a stored run turned up and down, and the model evaluated again at each strength.

Strength s multiplies *every* redirect channel of *every* example, training and test alike, by s. At 1 all of them are on;
at 0 they are dropped and the base alone answers: the stored model, whose numbers are reproduced to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from unlearn_core.corruption import truth_known
from unlearn_core.results.reader import CORRUPTED
from unlearn_core.views.channels.data import Opened, PlaneGrid, plane_grid

if TYPE_CHECKING:
    import torch

METRICS = ("healed", "healed_discovered", "healed_undiscovered", "utility", "forget_accuracy")
NUMBERS = (
    ("healed", "all", "healed"),
    ("healed", "discovered", "healed_discovered"),
    ("healed", "undiscovered", "healed_undiscovered"),
    ("as given", "all", "as_given"),
    ("as given", "discovered", "as_given_discovered"),
    ("as given", "undiscovered", "as_given_undiscovered"),
    ("utility", "clean", "utility"),
)
"""What is shown: its name, the group it is measured on ("clean": the test data), its name in :func:`numbers`."""

STEPS = tuple(k / 10 for k in range(10, -1, -1))
Numbers = dict[str, float | None]


def numbers(opened: Opened, strength: float) -> Numbers:
    """The run's metrics of :data:`METRICS` at this strength (0 to 1), and ``as_given``, ``as_given_discovered`` and
    ``as_given_undiscovered``: the share of C, F and C outside F that is predicted as its given label. Kept once computed.

    A share of nothing is None. At 0 they are those of the stored run.
    """
    strength = _checked(strength)
    kept: Numbers | None = opened.memo.get(strength)
    if kept is None:
        kept = opened.memo[strength] = _measured(opened, strength)
    return kept


def _measured(opened: Opened, strength: float) -> Numbers:
    import torch

    from unlearn_core.evaluation import Evidence, Logits, measure

    data, mask = opened.data, strength_mask(opened, strength)
    truth, groups = data.corrupted.truth, torch.from_numpy(opened.groups)
    everything = torch.arange(len(data.train))
    # Every number here is about C or the test data. At 0 the whole set is evaluated in the batches of the stored
    # evaluation all the same: the last bit of a convolution may depend on who else is in the batch.
    listed = torch.isin(groups, torch.tensor(CORRUPTED, dtype=groups.dtype))
    rows = everything if mask is None else listed.nonzero()[:, 0]
    train = torch.zeros(len(data.train), data.train.classes)
    train[rows] = batch_logits(opened, data.train.batch, data.train.eval_batches(rows), mask)
    test = batch_logits(opened, data.test.batch, data.test.eval_batches(torch.arange(len(data.test))), mask)
    forget = truth.forget_of(opened.scenario)
    evidence = Evidence(opened.scenario, data.corrupted, forget, Logits(train, test, test[:0]))
    given = {"": listed, "_discovered": groups == 1, "_undiscovered": groups == 2}
    shares = {f"as_given{name}": _share(evidence.fits_on(ours.nonzero()[:, 0])) for name, ours in given.items()}
    return measure(evidence, METRICS) | shares


def frame(opened: Opened, strength: float) -> pd.DataFrame:
    """One row per entry of :data:`NUMBERS`: number, group, n, value at this strength, stored (at strength 0)."""
    now, dropped = numbers(opened, strength), numbers(opened, 0)
    sizes = dict(
        zip(("clean", "discovered", "undiscovered"), np.bincount(opened.groups, minlength=4)[:3].tolist(), strict=True)
    )
    sizes |= {"all": sizes["discovered"] + sizes["undiscovered"], "clean": len(opened.data.test)}
    rows = [
        {"number": number, "group": group, "n": sizes[group], "value": now[name], "stored": dropped[name]}
        for number, group, name in NUMBERS
        if truth_known(opened.scenario) or name in ("as_given_discovered", "utility")  # the rest is unknown here
    ]
    return pd.DataFrame(rows).astype({"value": float, "stored": float})


def curve(opened: Opened, steps: Sequence[float] = STEPS) -> pd.DataFrame:
    """The same numbers over the strengths of ``steps``: columns strength and the names of :func:`numbers`."""
    return pd.DataFrame([{"strength": step, **numbers(opened, step)} for step in steps]).astype(float)


def boundary(opened: Opened, strength: float, resolution: int = 90) -> tuple[PlaneGrid, np.ndarray]:
    """Class probabilities over the plane at this strength, float32 (R, R, classes), rows from the lowest y. 2-D data only."""
    import torch

    strength, key = _checked(strength), ("plane", resolution)
    if key not in opened.memo:
        opened.memo[key] = plane_grid(opened, resolution)
    grid: PlaneGrid = opened.memo[key]
    data = opened.data.train
    points = (torch.from_numpy(grid.inputs()) - data.mean) / data.std
    logits = batch_logits(
        opened, lambda rows: points[rows], torch.arange(len(points)).split(2048), strength_mask(opened, strength)
    )
    return grid, logits.softmax(1).reshape(resolution, resolution, -1).numpy()


def _checked(strength: float) -> float:
    if not 0 <= strength <= 1:
        raise ValueError(f"a strength is between 0 and 1, not {strength}")
    return round(float(strength), 6)


def strength_mask(opened: Opened, strength: float) -> torch.Tensor | None:
    """Every redirect channel at ``strength``, float32 (1, channels); None at 0, where the base alone answers."""
    import torch

    return torch.full((1, opened.model.redirect_channels), strength) if strength else None


def batch_logits(
    opened: Opened, batch: Callable[[torch.Tensor], torch.Tensor], pieces: Sequence[torch.Tensor], mask: torch.Tensor | None
) -> torch.Tensor:
    """Logits of all pieces together (N, classes), on one core: sums depend on the number."""
    import torch

    from unlearn_core.training import deterministic

    with torch.no_grad(), deterministic():
        return torch.cat([opened.model(batch(piece), mask).float() for piece in pieces])


def _share(flags: torch.Tensor) -> float | None:
    return int(flags.sum()) / len(flags) if len(flags) else None
