"""How well the undiscovered corruption is ranked: discovery beside cleanlab, on the same models and data.

    pip install -r requirements-bench.txt
    python -m benchmarks run discovery_ranking [--seeds 0 1 2] [--workers 2] [--parts FOLDER]

Digits, the default amount of 6 %, discovery 0.1, seeds 0, 1, 2. Every ranking is of the examples outside the forget set, by
one number; an example counts as found if it is corrupted. Area under the ROC curve, average precision, and precision among the
first |C \\ F|.

- ``discovery``: what ``rem_discover`` ranks by at its end; ``discovery, one round``: after its first round.
- ``cleanlab, cross-validated``: ``cleanlab.rank.get_label_quality_scores`` (self-confidence and normalised margin, the better
  one is shown for each regularity) of probabilities predicted out of sample, in five folds, by networks of the original's kind
  trained by its recipe on the data as given. This is how cleanlab is meant to be used; it knows no forget set.
- ``cleanlab, healed``: the same scores of the mean probabilities of the models of discovery's last round: the same models.
- ``cleanlab, original``: the same scores of the original's own probabilities, in sample.

Writes ``benchmarks/results/discovery_ranking.json``; ``python -m benchmarks report discovery`` puts the table into
``docs/discovery.md``.
"""

from __future__ import annotations

import argparse
import json
import statistics
from concurrent.futures import ProcessPoolExecutor
from importlib import metadata
from pathlib import Path

import numpy as np
import torch

from benchmarks.measure.discovery_digits import REGULARITY, SEEDS, Work, prepare
from benchmarks.paths import RESULTS
from benchmarks.report.discovery import MEASURES, ranking_table
from benchmarks.report.rows import Row
from unlearn_core.corruption import discovered_count
from unlearn_core.discovery import ModelOutputs, fold_of, judge, ranking_quality
from unlearn_core.methods import UnlearningTask
from unlearn_core.methods import registry as methods
from unlearn_core.methods.redirection.search import Discovery
from unlearn_core.presets import preset_params
from unlearn_core.stages.execution import environment
from unlearn_core.training import SilentReporter, Trainer, predict
from unlearn_core.training.progress import ProgressBudget
from unlearn_core.tuning.held_out import with_forget_set

DISCOVERY, FOLDS = 0.1, 5


def cross_validated(task: UnlearningTask) -> np.ndarray:
    """Probabilities (N, classes) of every example from networks that were trained on the other folds."""
    fold = fold_of(len(task.data), FOLDS, task.seed)
    outputs = torch.zeros(len(task.data), task.data.classes)
    for k in range(FOLDS):
        mine = (fold == k).nonzero()[:, 0]
        trainer = Trainer(task.fresh_model(k), task.data, task.recipe, k, SilentReporter(), snapshots=False)
        outputs[mine] = predict(trainer.fit((fold != k).nonzero()[:, 0]), task.data, mine).softmax(1)
    return outputs.numpy()


class Watched(Discovery):
    """Discovery that keeps the views of every round."""

    def views(self, added: torch.Tensor, number: int) -> list[ModelOutputs]:
        found: list[ModelOutputs] = super().views(added, number)
        self.seen = [*getattr(self, "seen", []), found]
        return found


def rankings(task: UnlearningTask) -> dict[str, np.ndarray]:
    """Suspicion (N,) of every example, the higher the more suspect, by name of the way."""
    from cleanlab.rank import get_label_quality_scores

    method = methods.get("rem_discover")
    discovery = Watched(method.params(preset_params("rem_discover", "digits")), task, ProgressBudget(SilentReporter(), 10**6))
    found = discovery.run()
    first = judge(discovery.seen[0], task.is_forget())
    ways = {"discovery": found.judgement.fusion.fused, "discovery, one round": first.fusion.fused}
    probabilities = {
        "cleanlab, cross-validated": cross_validated(task),
        "cleanlab, healed": torch.stack([view.logits.softmax(1) for view in discovery.seen[-1]]).mean(0).numpy(),
        "cleanlab, original": predict(task.frozen_original(), task.data).softmax(1).numpy(),
    }
    for name, values in probabilities.items():
        for kind in ("self_confidence", "normalized_margin"):
            ways[f"{name} | {kind}"] = -get_label_quality_scores(task.data.labels.numpy(), values, method=kind)
    return ways


def run(regularity: float, seed: int) -> list[Row]:
    """One row for each way of ranking."""
    torch.set_num_threads(1)
    task, _, order, _ = prepare(Work("plane", "", seed, (("regularity", regularity),), ()))
    task = with_forget_set(task, order[: discovered_count(len(order), DISCOVERY)])
    outside = ~task.is_forget().numpy()
    corrupted = np.isin(np.arange(len(task.data)), order.numpy())
    return [
        {"regularity": regularity, "seed": seed, "way": way} | ranking_quality(values[outside], corrupted[outside])
        for way, values in rankings(task).items()
    ]


def measured(regularity: float, seed: int, parts: Path | None) -> list[Row]:
    """:func:`run`, or what an earlier run left in ``parts``."""
    path = parts / f"ranking-{regularity:g}-{seed}.json" if parts else None
    if path is not None and path.exists():
        return list(json.loads(path.read_text()))
    rows = run(regularity, seed)
    if path is not None:
        path.write_text(json.dumps(rows))
    return rows


def summary(rows: list[Row]) -> list[Row]:
    """Mean and standard error over seeds by way and regularity; of cleanlab's two scores, the better by average precision."""
    groups: dict[tuple[str, float, str], list[Row]] = {}
    for row in rows:
        way, _, kind = row["way"].partition(" | ")
        groups.setdefault((way, row["regularity"], kind), []).append(row)
    best: dict[tuple[str, float], Row] = {}
    for (way, regularity, kind), here in groups.items():
        entry: Row = {"way": way, "regularity": regularity, "score": kind}
        for name in MEASURES:
            values = [row[name] for row in here]
            entry[name] = statistics.mean(values)
            entry[f"{name}_error"] = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else None
        old = best.get((way, regularity))
        if old is None or entry["average_precision"] > old["average_precision"]:
            best[way, regularity] = entry
    return list(best.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--parts", type=Path, default=None)
    options = parser.parse_args()
    if options.parts:
        options.parts.mkdir(parents=True, exist_ok=True)
    cells = [(r, seed) for seed in options.seeds for r in REGULARITY]
    with ProcessPoolExecutor(options.workers) as pool:
        pieces = list(pool.map(measured, *zip(*cells, strict=True), [options.parts] * len(cells)))
    rows = [row for piece in pieces for row in piece]
    entries = summary(rows)
    print("\n".join(ranking_table(entries)))
    about = environment(torch.device("cpu")) | {"cleanlab": metadata.version("cleanlab")}
    content = {"discovery": DISCOVERY, "seeds": options.seeds, "summary": entries, "rows": rows, "environment": about}
    (RESULTS / "discovery_ranking.json").write_text(json.dumps(content, indent=1) + "\n")
