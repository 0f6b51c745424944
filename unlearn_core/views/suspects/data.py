"""What a stored run with discovery found: ranked suspects with their evidence, what a threshold is expected to give, and,
because the corruption here is synthetic, what it would truly give. The truth is for comparison; nothing is chosen by it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from unlearn_core.results.reader import Results, scenario_data
from unlearn_core.specs import MethodSpec, Scenario

if TYPE_CHECKING:
    from unlearn_core.datasets import LabelledData

SCORE = "score:"
CURVE = (
    "taken", "threshold", "precision", "precision_low", "precision_high", "recall", "recall_low", "recall_high"
)  # fmt: skip
DEFAULT_PRECISION = 0.9
SHOWN = 20
"""How many suspects to show where no number of them is more telling."""


@dataclass(frozen=True)
class Suspects:
    """The outcome of discovery on N training examples, n of them suspects: all that are not in the forget set.

    ``state``: "judged", "ranked" (too few known examples for probabilities) or "clean"; ``sentence`` says it in words, and
    ``stopped`` why the rounds ended. ``table``: one row per suspect, the most suspect first, with columns rank (from 1),
    index, given, says (what the healed model predicts), probability (of being corrupted; NaN unless judged), score (all
    evidence fused, no unit), given_up (whether a watched run learned the given label early and contradicted it later; where the
    run kept that), added (whether the method put it into its forget set), and ``score:NAME`` (standard deviations above the
    typical example), the most trusted score first. ``weights``: score → its share of the fused score. ``curve``:
    one row for each number of suspects taken from the top, columns as in :data:`CURVE`, intervals of 90 % (empty unless
    judged). ``truth``: the same with columns taken, true_precision, true_recall, for every number of suspects (empty where
    it is unknown what is corrupted).
    ``forget``: the training indices that the method was told of. ``everyone``: columns index, given, says, probability and
    score for all N, the forget set's own examples judged by runs that were not told of them: those that are probably clean
    may be accused wrongly.
    """

    state: str
    sentence: str
    stopped: str
    table: pd.DataFrame
    weights: dict[str, float]
    curve: pd.DataFrame
    truth: pd.DataFrame
    forget: tuple[int, ...]
    target: float
    everyone: pd.DataFrame
    rounds: list[dict[str, Any]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.table)

    @property
    def suspicion(self) -> tuple[np.ndarray, str]:
        """For all N examples a number from 0 to 1, and what it means: a probability, or a rank where there is none."""
        ordered = self.everyone.sort_values("index")
        if self.state == "judged":
            return ordered["probability"].fillna(0.0).to_numpy(), "probability"
        return ordered["score"].rank(pct=True).fillna(0.0).to_numpy(), "rank"

    def accept_count(self, precision: float) -> int:
        """The most suspects, from the top, whose expected precision is at least ``precision`` and each of whom is probable
        enough by itself for discovery to add it; 0 where nothing can be expected."""
        from unlearn_core.discovery.judgement import LEAST_PROBABILITY

        if self.curve.empty:
            return 0
        last = self.table["probability"].to_numpy()[: len(self.curve)]
        good = ((self.curve["precision"].to_numpy() >= precision) & (last >= LEAST_PROBABILITY)).nonzero()[0]
        return int(good.max()) + 1 if len(good) else 0

    def start(self) -> int:
        """Where a threshold starts: what passes the run's own target; nothing where the set looks clean; a screenful where
        there is only a ranking."""
        return min(SHOWN, len(self)) if self.state == "ranked" else self.accept_count(self.target)

    def at(self, count: int) -> dict[str, float]:
        """What is expected of the first ``count`` suspects (keys of :data:`CURVE`) and what is true of them (true_precision,
        true_recall); NaN where nothing can be said."""
        row = dict.fromkeys((*CURVE, "true_precision", "true_recall"), math.nan) | {"taken": float(count)}
        if not 0 < count <= len(self):
            return row
        for frame in (self.curve, self.truth):
            if len(frame):
                row |= {str(name): float(value) for name, value in frame.iloc[count - 1].items()}
        return row

    def course(self) -> pd.DataFrame:
        """How the search went, a row for each round: columns round, found (corruption the ranking tells from the rest: area
        under the ROC curve of what it was not told of), taken, new, withdrawn."""
        rows = [
            {
                "round": number,
                "found": entry.get("held_out_auc"),
                "taken": entry.get("taken", 0),
                "new": entry.get("new", 0),
                "withdrawn": entry.get("withdrawn", 0),
            }
            for number, entry in enumerate(self.rounds, start=1)
        ]
        return pd.DataFrame(rows, columns=["round", "found", "taken", "new", "withdrawn"]).astype({"found": float})

    def evidence(self, index: int) -> pd.DataFrame:
        """Why this example is suspected, the most trusted score first: columns name, label, summary, weight, value. Raises
        LookupError for an example that is no suspect."""
        from unlearn_core.discovery import registry

        rows = self.table[self.table["index"] == index]
        if rows.empty:
            raise LookupError(f"training example {index} is no suspect")
        about = {score.name: (score.label, score.summary) for score in registry}
        entries = [
            (name, *about.get(name, (name, "")), weight, float(rows.iloc[0][SCORE + name]))
            for name, weight in self.weights.items()
        ]
        return pd.DataFrame(entries, columns=["name", "label", "summary", "weight", "value"])


def open_suspects(store: Results, scenario: Scenario, spec: MethodSpec) -> Suspects:
    """What the stored run of ``spec`` found. Raises LookupError if it is not stored or did not look for anything."""
    key = scenario.run_key(spec)
    record = store.get(key)
    found = ((record.payload.get("report") or {}) if record is not None else {}).get("discovery")
    if record is None or not found:
        raise LookupError(f"no discovery is stored under {key}")
    arrays = store.arrays(key, "report")
    corrupted = scenario_data(scenario).corrupted
    order = arrays["suspects"]
    weights = dict(sorted(found.get("weights", {}).items(), key=lambda item: -item[1]))
    weights = {name: weight for name, weight in weights.items() if SCORE + name in arrays}
    added = [int(entry["index"]) for entry in found.get("added", [])]
    everyone = _everyone(corrupted.train, arrays)
    table = everyone.iloc[order].reset_index(drop=True)
    table.insert(0, "rank", np.arange(1, len(order) + 1))
    table["added"] = np.isin(order, added)
    table = table.assign(**{SCORE + name: arrays[SCORE + name][order] for name in weights})
    curve = pd.DataFrame({name: arrays[f"curve:{name}"] for name in CURVE if f"curve:{name}" in arrays}, columns=list(CURVE))
    truth = corrupted.truth
    forget = truth.forget_of(scenario).tolist()
    return Suspects(
        found["state"],
        found["sentence"],
        found.get("stopped", ""),
        table,
        weights,
        curve,
        _truth(order, truth.corrupted.numpy() if truth.known else None, np.array(forget, dtype=np.int64)),
        tuple(forget),
        float(record.payload["params"].get("precision", DEFAULT_PRECISION)),
        everyone,
        list(found.get("rounds", [])),
    )


def _everyone(train: LabelledData, arrays: dict[str, np.ndarray]) -> pd.DataFrame:
    """What the search says of every training example."""
    names = np.array(train.class_names, dtype=object)
    told = {"given_up": arrays["watched:given_up"]} if "watched:given_up" in arrays else {}
    return pd.DataFrame(
        {
            "index": np.arange(len(train)),
            "given": names[train.labels.numpy()],
            "says": names[arrays["says"]],
            "probability": arrays["probability"],
            "score": arrays["fused"],
        }
        | told
    )


def _truth(order: np.ndarray, corrupted: np.ndarray | None, forget: np.ndarray) -> pd.DataFrame:
    """True precision and recall for every number of suspects taken from the top; recall is of the corruption outside F. No
    rows where it is unknown what is corrupted."""
    if corrupted is None:
        return pd.DataFrame({"taken": [], "true_precision": [], "true_recall": []}, dtype=float)
    right = np.isin(order, corrupted).cumsum()
    taken, left = np.arange(1, len(order) + 1), len(np.setdiff1d(corrupted, forget))
    recall = right / left if left else np.full(len(order), np.nan)
    return pd.DataFrame({"taken": taken, "true_precision": right / taken, "true_recall": recall})
