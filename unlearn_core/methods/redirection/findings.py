"""The outcome of a search for undiscovered corruption, as plain data and as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from unlearn_core.discovery import Judgement
from unlearn_core.methods.base import UnlearningTask
from unlearn_core.training import predict

Report = dict[str, Any]
"""What a method says of its own making, as plain data that is stored with the run."""


@dataclass
class Findings:
    """The outcome of the rounds: ``added`` (n,) sorted indices outside F, ``excluded`` (m,) indices of suspects that were not
    added, the last judgement, one entry a round, and what was ``watched`` (``early_learning.watch_learning``)."""

    added: torch.Tensor
    excluded: torch.Tensor
    judgement: Judgement
    rounds: list[Report] = field(default_factory=list)
    stopped: str = ""
    watched: Mapping[str, torch.Tensor] = field(default_factory=dict)

    def report(self) -> Report:
        """What was added and why, as plain data."""
        j, ids = self.judgement, self.added.tolist()
        strongest = sorted(j.fusion.weights, key=lambda name: -j.fusion.weights[name])[:3]
        return {
            "state": j.state,
            "sentence": j.sentence,
            "stopped": self.stopped,
            "rounds": self.rounds,
            "weights": j.fusion.weights,
            "left_out": self.excluded.sort().values.tolist(),
            "added": [
                {
                    "index": k,
                    "probability": float(j.probability[k]),
                    "evidence": {name: float(j.scores[name][k]) for name in strongest},
                }
                for k in ids
            ],
        }

    def arrays(self, model: nn.Module, task: UnlearningTask) -> dict[str, npt.NDArray[Any]]:
        """What the judgement says of every training example, (N,) each, NaN where unknown: ``probability``, ``fused`` and
        ``score:NAME``; ``watched:confidence`` and ``watched:variability``, from 0 to 1, and ``watched:given_up``, bool, where a
        run was watched for this; what ``model`` says of it now, ``says``; then ``suspects`` (n,), the most suspect first, and
        the columns of the expected precision and recall, ``curve:COLUMN`` (one entry for each number of suspects taken).
        """
        j = self.judgement
        given = {"probability": j.probability, "fused": j.fusion.fused, "suspects": j.suspects.astype(np.int64)}
        says = {"says": predict(model, task.data).argmax(1).cpu().numpy()}
        scores = {f"score:{name}": values for name, values in j.scores.items()}
        scores |= {f"watched:{name}": values.cpu().numpy() for name, values in self.watched.items() if name != "loss"}
        curve = {f"curve:{column}": j.curve[column].to_numpy() for column in j.curve.columns}
        return given | says | scores | curve


def describe_round(judgement: Judgement, added: torch.Tensor, before: torch.Tensor) -> Report:
    """A round in numbers: what its judgement says, and what became of the suspects that were added ``before``."""
    entry: Report = {
        "state": judgement.state,
        "known_auc": judgement.fusion.auc,
        "held_out_auc": judgement.fusion.held_out_auc if judgement.fusion.auc else None,
        "taken": len(added),
        "new": int((~torch.isin(added, before)).sum()),
        "withdrawn": int((~torch.isin(before, added)).sum()),
    }
    if len(added):
        row = judgement.curve.iloc[len(added) - 1]
        entry |= {name: float(row[name]) for name in judgement.curve.columns if name != "taken"}
        entry["undiscovered"] = list(judgement.undiscovered)
    return entry
