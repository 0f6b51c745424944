"""What base and redirect channels do in a stored run: activations by group, effect sizes, top examples, maps of the plane.

Redirect channels are looked at with *all* of them on for every example (strength 1), base channels with all of them off,
as the model is used. In training an example saw only the channels of its own mask; test data have no mask at all, so all
on is the one setting that means the same for all of them, and with the forget share of the presets for small data (1) it is
also exactly the mask that the forget set was trained with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from unlearn_core.results.measured import recorded
from unlearn_core.results.reader import CORRUPTED, GROUPS, Results, clean_of, groups_of, label_words, model_of, scenario_data
from unlearn_core.specs import MethodSpec, Scenario

if TYPE_CHECKING:
    import torch

    from unlearn_core.evaluation import ScenarioData
    from unlearn_core.models import RedirectNet

_BATCH = 512
Step = Callable[[int, int], None]


@dataclass(frozen=True)
class Layer:
    """One hidden layer: ``base`` channels, then ``redirect``.

    ``mean``: float32 (N, base + redirect), the activation of each example, averaged over an image's positions.
    ``active``: bool of the same shape, whether it is above 0 (in an image: at more than half of the positions).
    """

    number: int
    base: int
    redirect: int
    mean: np.ndarray
    active: np.ndarray

    def name(self, channel: int) -> str:
        """ "base 3" or "redirect 0": both kinds count from 0."""
        return f"base {channel}" if channel < self.base else f"redirect {channel - self.base}"


@dataclass
class Opened:
    """A stored run with redirect channels, its data and what was measured so far. Made by :func:`open_run`, then shared:
    nothing here changes after it was computed."""

    scenario: Scenario
    model: RedirectNet
    data: ScenarioData
    groups: np.ndarray
    stored: dict[str, float | None]
    memo: dict[Any, Any] = field(default_factory=dict)

    @cached_property
    def layers(self) -> list[Layer]:
        """The hidden layers on the training data as given, first to last."""
        import torch

        return activations(self.model, self.data.train.batch(torch.arange(len(self.data.train))))

    @cached_property
    def channels(self) -> pd.DataFrame:
        """Every channel of every layer; see :func:`describe`."""
        return pd.concat([describe(layer, self.groups) for layer in self.layers], ignore_index=True)


def open_run(store: Results, scenario: Scenario, spec: MethodSpec) -> Opened:
    """The stored run of ``spec``. Raises LookupError if it is not stored or has no redirect channels."""
    model = model_of(store, scenario, spec)
    if not model.redirect_layers:
        raise LookupError(f"the run of {spec.name} has no redirect channels")
    record = store.get(scenario.run_key(spec))
    if record is None:
        raise LookupError(f"the run of {spec.name} is not stored any more")
    return Opened(scenario, model, scenario_data(scenario), groups_of(scenario), recorded(record.payload))


def activations(model: RedirectNet, x: torch.Tensor, step: Step = lambda done, total: None) -> list[Layer]:
    """Hidden layers for normalised inputs (N, …): base channels with redirect off, redirect channels with all of them on.
    ``step``: told (done, total) before every batch."""
    import torch

    from unlearn_core.training import deterministic

    ones = [torch.ones(1, channels) for channels in model.redirect_layers]
    rows: list[list[tuple[np.ndarray, np.ndarray]]] = [[] for _ in ones]
    with torch.no_grad(), deterministic():
        for number, piece in enumerate(pieces := x.split(_BATCH)):
            step(number, len(pieces))
            for k, part in enumerate(_both(model, piece, ones)):
                rows[k].append(part)
    layers = []
    for k, parts in enumerate(rows):
        mean, active = (np.concatenate(part) for part in zip(*parts, strict=True))
        layers.append(Layer(k + 1, model.hidden[k], model.redirect_layers[k], mean, active))
    return layers


def _both(model: RedirectNet, x: torch.Tensor, ones: list[torch.Tensor]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Per layer the mean over positions, and whether more than half are above 0, both (B, base + redirect)."""
    import torch

    from unlearn_core.models import seen_activations

    with seen_activations() as on:
        model.forward_features(x, ones)
    with seen_activations() as off:
        model.forward_features(x, None)
    # A layer may be masked at more than one place (inside a residual block): its output is the last.
    last = {next(k for k, one in enumerate(ones) if mask is one): place for place, (_, mask) in enumerate(on)}
    for k, base in enumerate(model.hidden):
        both = torch.cat([off[last[k]][0], on[last[k]][0][:, base:]], dim=1)
        positions = both.reshape(*both.shape[:2], -1)
        yield positions.mean(2).numpy(), ((positions > 0).float().mean(2) > 0.5).numpy()


def describe(layer: Layer, groups: np.ndarray) -> pd.DataFrame:
    """One row per channel: layer, channel, kind ("base" or "redirect"), name; ``mean_…`` and ``active_…`` (share of examples)
    for each group; ``effect``, ``effect_discovered``, ``effect_undiscovered``: :func:`rank_biserial` of all corrupted
    examples, the discovered or the undiscovered ones against the clean ones (NaN where there are none); ``d``:
    :func:`cohens_d` of all corrupted against the clean ones. Where it is unknown which examples are corrupted, it is the
    forget set against all others.
    """
    channels = range(layer.base + layer.redirect)
    columns: dict[str, Any] = {
        "layer": layer.number,
        "channel": list(channels),
        "kind": ["base" if channel < layer.base else "redirect" for channel in channels],
        "name": [layer.name(channel) for channel in channels],
    }
    for k, group in enumerate(GROUPS):
        ours = groups == k
        none = np.full(len(channels), np.nan)
        columns[f"mean_{group}"] = layer.mean[ours].mean(0) if ours.any() else none
        columns[f"active_{group}"] = layer.active[ours].mean(0) if ours.any() else none
    corrupted = np.isin(groups, CORRUPTED)
    clean = layer.mean[~corrupted]
    columns["effect"] = rank_biserial(layer.mean[corrupted], clean)
    columns["d"] = cohens_d(layer.mean[corrupted], clean)
    for group in GROUPS[1:3]:
        columns[f"effect_{group}"] = rank_biserial(layer.mean[groups == GROUPS.index(group)], clean)
    return pd.DataFrame(columns)


def rank_biserial(ours: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Rank-biserial correlation of each column: ``ours`` (n, D) against ``others`` (m, D), float64 (D,) in [-1, 1].

    P(a > b) − P(a < b) for a from ``ours`` and b from ``others``, ties count for neither: 2U/(nm) − 1 with Mann and
    Whitney's U (Cureton 1956; Kerby 2014, "The simple difference formula"). It needs no normal distribution, and activations
    after a ReLU have none. 0: nothing to tell them apart by; ±1: every one is above (below) all others. NaN for an empty set.
    """
    n, m = len(ours), len(others)
    if not n or not m:
        return np.full(ours.shape[1], np.nan)
    # pandas ranks as scipy.stats does, which would take a second and a half to load for this one function.
    ranks = pd.DataFrame(np.concatenate([ours, others])).rank().to_numpy()[:n].sum(0)
    return np.asarray(2 * (ranks - n * (n + 1) / 2) / (n * m) - 1)


def cohens_d(ours: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Difference of the means of each column in pooled standard deviations (Cohen 1988), float64 (D,); arguments as for
    :func:`rank_biserial`. 0 for a constant column, NaN with fewer than two rows in either."""
    n, m = len(ours), len(others)
    if min(n, m) < 2:
        return np.full(ours.shape[1], np.nan)
    a, b = ours.astype(float), others.astype(float)
    pooled = np.sqrt(((n - 1) * a.var(0, ddof=1) + (m - 1) * b.var(0, ddof=1)) / (n + m - 2))
    return np.asarray(np.divide(a.mean(0) - b.mean(0), pooled, out=np.zeros(len(pooled)), where=pooled > 0))


def ranked(channels: pd.DataFrame, kind: str | None = None) -> pd.DataFrame:
    """The rows of :attr:`Opened.channels` (of one kind), those that tell corrupted from clean best first: by the size
    of ``effect`` and, where many reach ±1, by that of ``d``."""
    rows = channels if kind is None else channels[channels["kind"] == kind]
    effect, d = (rows[name].abs().fillna(0).to_numpy() for name in ("effect", "d"))
    return rows.iloc[np.lexsort((-d, -effect))].reset_index(drop=True)


def values(opened: Opened, layer: int, channel: int) -> pd.DataFrame:
    """One row per training example: index, group, activation, given and clean label of one channel (layers count from 1)."""
    train = opened.data.corrupted.train
    names = label_words(train.class_names)
    return pd.DataFrame(
        {
            "index": np.arange(len(train)),
            "group": np.array(GROUPS, dtype=object)[opened.groups],
            "activation": opened.layers[layer - 1].mean[:, channel],
            "given": names[train.labels.numpy()],
            "clean": names[clean_of(opened.scenario)],
        }
    )


def top(frame: pd.DataFrame, limit: int = 12) -> pd.DataFrame:
    """The rows of :func:`values` with the highest activation, highest first; a channel that is never above 0 has none."""
    rows = frame.iloc[np.argsort(-frame["activation"].to_numpy(), kind="stable")[:limit]]
    return rows[rows["activation"] > 0].reset_index(drop=True)


def images(opened: Opened, indices: np.ndarray) -> list[np.ndarray]:
    """These training images as given, uint8 (H, W) or (H, W, 3)."""
    found = opened.data.corrupted.train.inputs.numpy()[indices]
    return [x[0] if x.shape[0] == 1 else np.moveaxis(x, 0, -1) for x in found]


@dataclass(frozen=True)
class PlaneGrid:
    """A grid over 2-D data: ``x`` and ``y`` (R,), coordinates as given; ``points`` has one row per training example."""

    x: np.ndarray
    y: np.ndarray
    points: pd.DataFrame

    def inputs(self) -> np.ndarray:
        """float32 (R·R, 2), row by row from the lowest y."""
        xs, ys = np.meshgrid(self.x, self.y)
        return np.stack([xs.ravel(), ys.ravel()], axis=1).astype(np.float32)


def plane_grid(opened: Opened, resolution: int) -> PlaneGrid:
    """The square part of the plane that holds all training points, with a margin. 2-D data only."""
    train = opened.data.corrupted.train
    inputs = train.inputs.numpy()
    low, high = inputs.min(0), inputs.max(0)
    margin = 0.06 * (high - low)
    x, y = (np.linspace(low[k] - margin[k], high[k] + margin[k], resolution) for k in range(2))
    names = label_words(train.class_names)
    points = pd.DataFrame(
        {
            "x": inputs[:, 0],
            "y": inputs[:, 1],
            "group": np.array(GROUPS, dtype=object)[opened.groups],
            "given": names[train.labels.numpy()],
            "clean": names[clean_of(opened.scenario)],
        }
    )
    return PlaneGrid(x, y, points)


def maps(opened: Opened, resolution: int = 40) -> tuple[PlaneGrid, list[np.ndarray]]:
    """What every channel does over the plane: per layer float32 (base + redirect, R, R). 2-D data only; kept once computed."""
    import torch

    key = ("maps", resolution)
    if key not in opened.memo:
        grid, data = plane_grid(opened, resolution), opened.data.train
        x = (torch.from_numpy(grid.inputs()) - data.mean) / data.std
        found = [layer.mean.T.reshape(-1, resolution, resolution) for layer in activations(opened.model, x)]
        opened.memo[key] = (grid, found)
    kept: tuple[PlaneGrid, list[np.ndarray]] = opened.memo[key]
    return kept
