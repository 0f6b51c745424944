"""From views to a judgement: what is suspect, how probably, and what a threshold is expected to give."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from unlearn_core.discovery.base import ModelOutputs
from unlearn_core.discovery.evidence import set_apart
from unlearn_core.discovery.folds import out_of_fold
from unlearn_core.discovery.fusion import MIN_KNOWN, Fusion, fuse, refine
from unlearn_core.discovery.mixture import Mixture, bins_of, fit_mixture

if TYPE_CHECKING:
    import pandas as pd

CHANCE = 0.01
LEAST_AUC = 0.7
"""A ranking that finds held-out known corruption no better than this is not acted upon, however significant it is."""
LEAST_PROBABILITY = 0.8
"""What is less probably corrupted is not added, even if the average would still meet the target; found on development seeds."""
REPLICATES = 24
SHAPE_DOUBT = 0.15
"""Standard deviation of an estimated share that one known example leaves open; found on development seeds."""
_Z = 1.645  # 90 % intervals

State = Literal["ranked", "clean", "judged"]


@dataclass(frozen=True)
class Judgement:
    """What discovery says about every training example.

    ``scores``: standardised out-of-fold scores by name, each (N,). ``probability`` (N,): of being corrupted; NaN where
    nothing can be said (state "ranked": fewer than ``MIN_KNOWN`` known examples, "clean": held-out known corruption is
    not set apart from the rest). ``suspects`` (n,): indices outside the forget set, the most suspect first. ``curve``: one
    row for each number of suspects taken from the top, with threshold, expected precision and recall and their 90 %
    intervals (empty unless the state is "judged"). ``undiscovered``: expected number of corrupted examples outside the
    forget set, with its interval.
    """

    state: State
    scores: dict[str, np.ndarray]
    fusion: Fusion
    probability: np.ndarray
    suspects: np.ndarray
    curve: pd.DataFrame
    undiscovered: tuple[float, float, float]

    def accept_count(self, precision: float, most: int | None = None) -> int:
        """How many suspects to take from the top: the most whose expected precision is at least ``precision``."""
        if self.state != "judged" or self.curve.empty:
            return 0
        last = self.probability[self.suspects[: len(self.curve)]]
        good = ((self.curve["precision"].to_numpy() >= precision) & (last >= LEAST_PROBABILITY)).nonzero()[0]
        count = int(good.max()) + 1 if len(good) else 0
        return min(count, most) if most is not None else count

    @property
    def sentence(self) -> str:
        """The judgement in one plain sentence."""
        if self.state == "ranked":
            return f"Fewer than {MIN_KNOWN} known examples: suspects are ranked, but no probability can be given."
        if self.state == "clean":
            return (
                "Examples held out of the forget set look like others with the same labels: the set looks clean, "
                "or what is wrong with it cannot be seen."
            )
        middle, low, high = self.undiscovered
        if round(high) == 0:
            return "No more corrupted examples are expected: nothing else resembles the known ones."
        return f"About {middle:.0f} more corrupted examples are expected ({low:.0f} to {high:.0f})."


def judge(views: Sequence[ModelOutputs], forget: torch.Tensor) -> Judgement:
    """Judge from ``views`` of healed models, each of which had another part of what is known as its forget set.

    ``forget`` bool (N,): the corruption known for certain. The forget sets of views may also hold suspects accepted earlier;
    these are judged like any other, by the views whose forget sets lack them.
    """
    marked = forget.cpu().numpy()
    table = {name: values.numpy() for name, values in out_of_fold(views, forget).items()}
    return judge_table(table, marked, views[0].labels.cpu().numpy())


def judge_table(table: Mapping[str, np.ndarray], forget: np.ndarray, labels: np.ndarray) -> Judgement:
    """The same from out-of-fold scores (each (N,), NaN where every view knew the example), ``forget`` bool (N,) and the
    given labels (N,)."""
    fusion = fuse(table, forget)
    seen = np.isfinite(fusion.fused)
    pool, known = (~forget & seen).nonzero()[0], (forget & seen).nonzero()[0]
    suspects = pool[np.argsort(-fusion.fused[pool], kind="stable")]
    nothing = np.full(len(forget), np.nan)
    unsaid = (math.nan, math.nan, math.nan)
    if len(known) < MIN_KNOWN:
        return Judgement("ranked", dict(table), fusion, nothing, suspects, _frame({}), unsaid)
    ranked = fusion.chance <= CHANCE and fusion.held_out_auc >= LEAST_AUC
    if not (ranked and set_apart(table, fusion.fused, labels, forget)):
        return Judgement("clean", dict(table), fusion, nothing, suspects, _frame({}), unsaid)
    rankings = (fusion, refine(fusion, table, forget))
    fits = [(ranking, _fit_ranking(ranking.fused, pool, known)) for ranking in rankings]
    fusion, mixture = min(fits, key=lambda fit: _doubt(fit[1](fit[0].fused[pool])))
    suspects = pool[np.argsort(-fusion.fused[pool], kind="stable")]
    ordered, held = fusion.fused[suspects], fusion.fused[known]
    replicates = _bootstrap(ordered, held)
    probability = nothing.copy()
    probability[seen] = mixture(fusion.fused[seen])
    curve = _curve(ordered, held, probability[suspects], replicates)
    undiscovered = _undiscovered(float(probability[suspects].sum()), replicates, len(known))
    return Judgement("judged", dict(table), fusion, probability, suspects, curve, undiscovered)


def _bootstrap(ordered: np.ndarray, held: np.ndarray) -> np.ndarray:
    """Probabilities (REPLICATES, n) of the pool's scores ``ordered`` (n,) by mixtures fitted to resampled data."""
    edges, counts = bins_of(ordered, held)
    rng = np.random.default_rng(0)
    return np.stack(
        [
            fit_mixture(edges, rng.poisson(counts), held, rng.dirichlet(np.ones(len(held))) * len(held))(ordered)
            for _ in range(REPLICATES)
        ]
    )


def _undiscovered(expected: float, replicates: np.ndarray, known: int) -> tuple[float, float, float]:
    """The expected number of corrupted examples outside the forget set with its 90 % interval."""
    totals = np.quantile(replicates.sum(1), (0.05, 0.95))
    half = _Z * expected * SHAPE_DOUBT / (known + 1) ** 0.5
    return expected, max(0.0, min(expected - half, float(totals[0]))), max(expected + half, float(totals[1]))


def _fit_ranking(fused: np.ndarray, pool: np.ndarray, known: np.ndarray) -> Mixture:
    return fit_mixture(*bins_of(fused[pool], fused[known]), fused[known])


def _doubt(probability: np.ndarray) -> float:
    """Expected number of examples on the wrong side if each is put on the likelier one: the less, the better the ranking."""
    return float(np.minimum(probability, 1 - probability).sum())


def _frame(columns: dict[str, np.ndarray]) -> pd.DataFrame:
    import pandas as pd  # half a second, which listing the methods does not wait for

    return pd.DataFrame(columns)


def _curve(ordered: np.ndarray, held: np.ndarray, probability: np.ndarray, replicates: np.ndarray) -> pd.DataFrame:
    taken = np.arange(1, len(ordered) + 1)
    precision = probability.cumsum() / taken
    spread = (replicates.cumsum(1) / taken).std(0)
    # The number of mistakes among those taken is itself drawn, and few known examples leave the mixture's shape open.
    doubt = np.sqrt(spread**2 + precision * (1 - precision) / taken + (SHAPE_DOUBT**2 / (len(held) + 1)))
    found = np.searchsorted(np.sort(-held), -ordered, side="right")
    recall, low, high = _wilson(found, len(held))
    return _frame(
        {
            "taken": taken,
            "threshold": ordered,
            "precision": precision,
            "precision_low": np.clip(precision - _Z * doubt, 0, 1),
            "precision_high": np.clip(precision + _Z * doubt, 0, 1),
            "recall": recall,
            "recall_low": low,
            "recall_high": high,
        }
    )


def _wilson(found: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Share of held-out known corruption above the threshold, with its 90 % Wilson interval (Wilson 1927)."""
    share = found / count
    middle = (share + _Z**2 / (2 * count)) / (1 + _Z**2 / count)
    half = _Z / (1 + _Z**2 / count) * np.sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2))
    return share, np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)
