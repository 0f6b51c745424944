"""A metric: a number that explains itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal

import torch

from unlearn_core.corruption import Corrupted
from unlearn_core.evaluation.scenario_data import Logits
from unlearn_core.plugins import owner
from unlearn_core.registry import Registry, file_of
from unlearn_core.specs import Scenario


@dataclass(frozen=True, eq=False)
class OutsideView:
    """Probability of the label by models that were not trained on the example: of the given label for training examples
    ``train`` (N,), of the true one for test examples ``test`` (M,), float32 on the CPU.

    ``seen``, ``unseen``: float32 (N,), mean log-odds of the given label by models that were trained on the example, and by
    those that were not; ``inside``: float32 (N,), mean probability of the given label by models that were trained on the
    example. None where they were trained before these were measured.
    """

    train: torch.Tensor
    test: torch.Tensor
    seen: torch.Tensor | None = None
    unseen: torch.Tensor | None = None
    inside: torch.Tensor | None = None


@dataclass(frozen=True, eq=False)
class Evidence:
    """Everything a metric may be computed from. ``forget``: int64, the discovered training indices.

    ``references``: outputs of other models on the same scenario by name: "original", "retrain", "oracle_retrain";
    ``outside``: what reference models say, where some were trained (:mod:`unlearn_core.evaluation.rmia`). ``canaries``: traces
    of noise canaries, where C are some (:mod:`unlearn_core.evaluation.canaries`).
    """

    scenario: Scenario
    corrupted: Corrupted
    forget: torch.Tensor
    logits: Logits
    seconds: float | None = None
    parameters_changed: float | None = None
    weight_distance: float | None = None
    relearn_steps: int | None = None
    references: Mapping[str, Logits] = field(default_factory=dict)
    outside: OutsideView | None = None
    canaries: torch.Tensor | None = None

    def correct_on(self, indices: torch.Tensor) -> torch.Tensor:
        """bool: which of these training examples are predicted as their clean label (triggers left on).

        Raises ValueError where one of them has no known clean label: that is neither right nor wrong.
        """
        if (self.corrupted.truth.clean_labels[indices] < 0).any():
            raise ValueError("the clean label of these examples is not known")
        return self.logits.train[indices].argmax(1) == self.corrupted.truth.clean_labels[indices]

    def healed_on(self, indices: torch.Tensor) -> float | None:
        """Share of these corrupted examples that are predicted as their clean label, triggers left on; where their given labels
        are right, so that nothing of that would be healed, of their versions before corruption. None without such versions, and
        without examples."""
        corrupted = self.corrupted
        if not corrupted.labels_right:
            return share(self.correct_on(indices))
        if corrupted.unchanged is None:
            return None
        before = self.logits.triggered[corrupted.unchanged].argmax(1)
        right = before == corrupted.truth.clean_labels[corrupted.truth.corrupted]
        return share(right[torch.isin(corrupted.truth.corrupted, indices)])

    def marked(self, k: int) -> torch.Tensor:
        """Predicted classes of the test examples with mark ``k`` on, int64 (M,)."""
        return self.logits.triggered[self.corrupted.marked(k)].argmax(1)

    def fits_on(self, indices: torch.Tensor) -> torch.Tensor:
        """bool: which of these training examples are predicted as their given label."""
        return self.logits.train[indices].argmax(1) == self.corrupted.train.labels[indices]

    def of(self, reference: str) -> Evidence | None:
        """The same evidence for a reference model, where its outputs are known."""
        logits = self.references.get(reference)
        return None if logits is None else replace(self, logits=logits, references={})

    @property
    def relabelled(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Training indices of which the user said that the given label is wrong and which one is right, and those labels;
        both int64 (n,), and empty where the truth is known anyway."""
        truth, train = self.corrupted.truth, self.corrupted.train
        if truth.known:
            return truth.corrupted[:0], truth.clean_labels[:0]
        right = truth.right_labels(self.scenario, train.class_names)
        indices = ((right >= 0) & (right != train.labels)).nonzero()[:, 0]
        return indices, right[indices]

    @property
    def labels_right(self) -> bool:
        """Whether the corrupted examples have right labels: what compares given with right labels then has no meaning."""
        return self.corrupted.labels_right

    @property
    def undiscovered(self) -> torch.Tensor:
        """Training indices of C outside F."""
        everyone = self.corrupted.truth.corrupted
        return everyone[~torch.isin(everyone, self.forget)]


class Metric:
    """One number with its name, formula, direction, split and unit; ``compute`` returns None where it has no meaning."""

    name: ClassVar[str]
    label: ClassVar[str]
    formula: ClassVar[str]
    direction: ClassVar[Literal["higher", "lower", "none"]]
    split: ClassVar[str]
    unit: ClassVar[str] = "share"
    each_round: ClassVar[bool] = False
    """Whether trajectories show it: cheap, and with a meaning while the model is still changing."""
    as_found: ClassVar[bool] = False
    """Whether it is only measured where the corruption is as found: it stands in for what is unknown there. It may
    depend on right labels that the scenario holds and its key does not, so it is measured when asked for."""
    off_dial: ClassVar[bool] = False
    """Whether it is only measured where another corruption has taken the dial's place: the dial makes nothing of the kind."""
    revision: ClassVar[int] = 1
    """Raised when the number's definition changes: values that were stored under another one are not shown any more."""
    compares_with: ClassVar[tuple[str, ...]] = ()
    """What it needs on the same scenario besides the run: outputs of methods by name, or "reference_models"."""

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        raise NotImplementedError

    @classmethod
    def describe(cls) -> dict[str, Any]:
        return {field: getattr(cls, field) for field in (*MUST_SAY, "unit")}


ONLY_WRONG = "; no value where the labels of C are right"
"""What the formula of a metric says that compares given with right labels."""
MUST_SAY = ("name", "label", "formula", "direction", "split")
"""What every metric says of itself."""


class MetricRegistry(Registry[type[Metric]]):
    def register(self, metric: type[Metric]) -> type[Metric]:
        plugin = owner(metric.__module__)
        if missing := [name for name in MUST_SAY if not getattr(metric, name, "")]:
            reason = f"{file_of(metric.__module__)}, class {metric.__qualname__}: it has no {', no '.join(missing)}"
            if plugin is None:
                raise ValueError(reason)
            self.disable(getattr(metric, "name", "") or metric.__qualname__, reason)
            return metric
        if plugin is not None:
            metric.revision = plugin.revision(metric.revision)
        self.add(metric.name, metric)
        return metric


registry = MetricRegistry("metric", "unlearn_core.evaluation")


def measure(evidence: Evidence, names: Sequence[str] | None = None) -> dict[str, float | None]:
    """Every registered metric (or those named) of one model, but for those that are measured when asked for."""
    usual = [m for m in registry if not m.as_found and (evidence.scenario.corruption.kind or not m.off_dial)]
    chosen = usual if names is None else [registry.get(name) for name in names]
    return {metric.name: metric.compute(evidence) for metric in chosen}


def revisions() -> dict[str, int]:
    """The revision of every metric that is not in its first: what is stored beside values, so that they can be told apart."""
    return {metric.name: metric.revision for metric in registry if metric.revision != 1}


def of_today(values: Mapping[str, float | None], measured_under: Mapping[str, int]) -> dict[str, float | None]:
    """Those of the stored ``values`` that still mean what their metric means; ``measured_under``: :func:`revisions` of then."""
    today = revisions()
    return {name: value for name, value in values.items() if measured_under.get(name, 1) == today.get(name, 1)}


def measured_for(scenario: Scenario) -> list[str]:
    """The names of the metrics that are measured on such a scenario."""
    spec = scenario.corruption
    return [m.name for m in registry if (spec.found or not m.as_found) and (spec.kind or not m.off_dial)]


def share(flags: torch.Tensor) -> float | None:
    """Mean of a bool tensor as a Python float; None where it is empty."""
    return int(flags.sum()) / len(flags) if len(flags) else None
