"""Stored models, their rounds, and the data they were trained on, for the pictures that look inside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from unlearn_core.corruption import UNKNOWN
from unlearn_core.specs import MethodSpec, Scenario

if TYPE_CHECKING:
    from unlearn_core.evaluation import ScenarioData
    from unlearn_core.models import RedirectNet
    from unlearn_core.store import Record
    from unlearn_core.store.records import Json
    from unlearn_core.store.runs import Changes, Latest

GROUPS = ("clean", "discovered", "undiscovered", "unknown")
"""The last is of examples outside the forget set where it is unknown which are corrupted; the forget set then counts as
discovered, because its list says that it is wrong."""
CORRUPTED = (GROUPS.index("discovered"), GROUPS.index("undiscovered"))


class Runs(Protocol):
    """What readers need of the store's table of runs (:class:`~unlearn_core.store.runs.RunTable`)."""

    def changes(self, mark: tuple[int, ...], known: Iterable[str], dataset: str | None) -> Changes:
        """What is new (on ``dataset``) since ``mark``; ``known``: the keys that the reader has."""

    def latest(self, count: int) -> list[Latest]:
        """The last runs that were stored, the newest first."""

    def specs(self, keys: Iterable[str]) -> dict[str, Json]:
        """Key → the whole spec of these records, as it was stored."""

    def payloads(self, keys: Iterable[str]) -> dict[str, Json]:
        """Key → the payload of those of these records that are there."""


class Results(Protocol):
    """What readers need of the store (:class:`~unlearn_core.store.Store`)."""

    @property
    def runs(self) -> Runs: ...

    def get(self, key: str) -> Record | None:
        """The record of ``key``, or None."""

    def has(self, keys: Sequence[str]) -> set[str]:
        """Those of ``keys`` that have a record."""

    def find(self, kind: str | None = None) -> Sequence[Record]:
        """All records (of one kind), oldest first."""

    def arrays(self, key: str, name: str) -> dict[str, np.ndarray]:
        """One array group of a record; raises LookupError where it is not there."""

    def put(
        self, key: str, kind: str, spec: Mapping[str, object], payload: Mapping[str, object], environment: Mapping[str, object]
    ) -> Record:
        """Store a result without arrays; a key that is already there is kept."""


def scenario_data(scenario: Scenario) -> ScenarioData:
    """The corrupted data of ``scenario`` on the CPU, where pictures are computed."""
    from unlearn_core.evaluation import load_scenario_data  # imports torch, which a page's first lines do not wait for

    return load_scenario_data(scenario)


def groups_of(scenario: Scenario) -> np.ndarray:
    """The group of every training example, indices into :data:`GROUPS`, int8 (N,).

    A clean example in an edited forget set stays clean: the groups tell the truth.
    """
    truth = scenario_data(scenario).corrupted.truth
    groups = np.zeros(len(truth.clean_labels), dtype=np.int8)
    corrupted, forget = truth.corrupted.numpy(), truth.forget_of(scenario).numpy()
    if not truth.known:
        groups[:] = GROUPS.index("unknown")
        groups[forget] = GROUPS.index("discovered")
        return groups
    groups[corrupted] = GROUPS.index("undiscovered")
    groups[np.intersect1d(corrupted, forget)] = GROUPS.index("discovered")
    return groups


def clean_of(scenario: Scenario) -> np.ndarray:
    """The right label of every training example, int64 (N,); -1 where it is unknown."""
    corrupted = scenario_data(scenario).corrupted
    return corrupted.truth.right_labels(scenario, corrupted.train.class_names).numpy()


def label_words(names: Sequence[str]) -> np.ndarray:
    """Class names to be indexed by labels: -1, an unknown label, reads as "not known"."""
    return np.array([*names, UNKNOWN], dtype=object)


def rounds_of(store: Results, scenario: Scenario, spec: MethodSpec) -> list[int]:
    """The rounds of a run whose weights are stored, in order; empty where none are (or the run is not there)."""
    try:
        return sorted({int(name.partition("/")[0]) for name in store.arrays(scenario.run_key(spec), "snapshots")})
    except LookupError:
        return []


def model_of(store: Results, scenario: Scenario, spec: MethodSpec | None = None, round: int | None = None) -> RedirectNet:
    """The stored original of ``scenario`` (``spec`` None) or the model after a run, in eval mode on the CPU.

    ``round``: as it was after that round (0: the original, from which most methods start). Redirect channels are there
    where the run left some; they act only where a mask is given. Raises LookupError for what is not stored.
    """
    import torch

    from unlearn_core.models import build_model

    layers: Sequence[int] = ()
    if spec is None or round == 0:
        weights = store.arrays(scenario.original_key, "weights")
    else:
        key = scenario.run_key(spec)
        record = store.get(key)
        if record is None:
            raise LookupError(f"no run {key} is stored")
        layers = record.payload.get("redirect_layers") or ()
        weights = store.arrays(key, "weights") if round is None else _round(store.arrays(key, "snapshots"), round)
    data = scenario_data(scenario)
    train = data.train
    model = build_model(scenario.model, data.corrupted.train.shape, train.classes, scenario.seed, train.mean_std)
    if layers:
        model.widen_to(tuple(int(n) for n in layers), scenario.seed)
    model.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in weights.items()})
    return model.eval()


def _round(snapshots: dict[str, np.ndarray], round: int) -> dict[str, np.ndarray]:
    found = {name.partition("/")[2]: value for name, value in snapshots.items() if name.startswith(f"{round}/")}
    if not found:
        raise LookupError(f"no weights of round {round} are stored")
    return found
