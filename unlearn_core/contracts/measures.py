"""What every metric and every score must do."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

import torch

from unlearn_core.contracts.contract import Checks, require
from unlearn_core.contracts.trained import Trained
from unlearn_core.discovery import ModelOutputs, Score
from unlearn_core.evaluation import Evidence, Metric, observe

DIRECTIONS = ("higher", "lower", "none")


@dataclass
class MetricCase:
    """A metric with a scenario whose original it is computed on."""

    metric: type[Metric]
    trained: Trained

    def evidence(self) -> Evidence:
        trained = self.trained
        forget = trained.arena.corrupted.truth.forget_indices(0.5)
        logits = observe(trained.original, trained.arena)
        references = dict.fromkeys(("original", "retrain", "oracle_retrain"), logits)
        return Evidence(trained.scenario, trained.arena.corrupted, forget, logits, 1.0, 0.5, 0.5, 3, references)


def explain_itself(case: MetricCase) -> None:
    """Name, label, formula, split, unit and direction."""
    metric = case.metric
    for name in ("name", "label", "formula", "direction", "split", "unit"):
        require(bool(getattr(metric, name, "")), f"it has no {name}")
    require(metric.direction in DIRECTIONS, f"its direction {metric.direction!r} is none of {', '.join(DIRECTIONS)}")


def give_a_number(case: MetricCase) -> None:
    """A finite float, or None where it has no meaning."""
    value = case.metric.compute(case.evidence())
    require(value is None or isinstance(value, float), f"it gives {type(value).__name__}, not a float or None")
    require(value is None or math.isfinite(value), f"it gives {value}; where it has no meaning it should give None")


def give_the_same_number(case: MetricCase) -> None:
    """The same evidence gives the same number, and is left as it was."""
    evidence = case.evidence()
    labels, logits = evidence.corrupted.train.labels.clone(), evidence.logits.train.clone()
    one = case.metric.compute(evidence)
    torch.rand(5)
    require(one == case.metric.compute(evidence), "the same evidence gives different numbers")
    same = torch.equal(labels, evidence.corrupted.train.labels) and torch.equal(logits, evidence.logits.train)
    require(same, "it changes the evidence that it is computed from")


METRIC_CHECKS: Checks[MetricCase] = {
    "explains itself": explain_itself,
    "gives a finite number or None": give_a_number,
    "gives the same number for the same evidence": give_the_same_number,
}


def make_view(count: int = 60, classes: int = 4, width: int = 8, seed: int = 5) -> ModelOutputs:
    """Made-up outputs of two models on ``count`` examples of which four are known."""
    generator = torch.Generator().manual_seed(seed)
    first, second = (torch.randn(count, classes, generator=generator) for _ in range(2))
    features = torch.randn(count, width, generator=generator)
    labels = torch.randint(classes, (count,), generator=generator)
    known = torch.arange(count) < 4
    learning = torch.rand(count, generator=generator)
    history = torch.randn(3, count, classes, generator=generator)
    held_out, apart = first.softmax(1), second.softmax(1)
    inputs = torch.randint(0, 256, (count, 1, 8, 8), generator=generator, dtype=torch.uint8)
    gradients = torch.rand(count, generator=generator)
    return ModelOutputs(
        labels, known, first, features.flip(0), second, features, first.flip(0), learning, history, held_out, apart, inputs,
        gradients,
    )  # fmt: skip


@dataclass
class ScoreCase:
    """A score with the outputs that it is computed on."""

    score: type[Score]
    view: ModelOutputs


def describe_score(case: ScoreCase) -> None:
    """A name, a label and a summary of whole sentences."""
    require(not case.score.faults(), "; ".join(case.score.faults()))
    require(case.score.summary.endswith("."), "its summary is no sentence")


def rank_every_example(case: ScoreCase) -> None:
    """Finite numbers (N,), or None where the view lacks what it needs."""
    values = case.score.compute(case.view)
    if values is None:
        return
    count = len(case.view.labels)
    require(tuple(values.shape) == (count,), f"it gives numbers of shape {tuple(values.shape)}, not {(count,)}")
    require(bool(torch.isfinite(values).all()), "it gives numbers that are not finite")


def rank_the_same_again(case: ScoreCase) -> None:
    """The same outputs give the same numbers, and are left as they were."""
    kept = copy.deepcopy(vars(case.view))
    one = case.score.compute(case.view)
    torch.rand(5)
    other = case.score.compute(case.view)
    same = one is None if other is None else one is not None and torch.equal(one, other)
    require(same, "the same outputs give different numbers")
    left = all(value is None or torch.equal(value, kept[name]) for name, value in vars(case.view).items())
    require(left, "it changes the outputs that it is given")


SCORE_CHECKS: Checks[ScoreCase] = {
    "describes itself": describe_score,
    "ranks every example with a finite number": rank_every_example,
    "gives the same numbers for the same outputs": rank_the_same_again,
}
