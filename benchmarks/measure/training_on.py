"""What training a healed model further does to it, on digits at regularity 1 with 30 % of the corruption known.

    python -m benchmarks run training_on [--seeds 0 1 2]

REM heals the original. Then the model is trained for three more epochs with the recipe that trained the original: on
everything as given but the known ones, whose labels are corrected (what a careful user would do), and on the same without
the corruption that is not known. Takes half a minute on one core. Writes ``benchmarks/results/training_on.json``;
``python -m benchmarks report models`` puts the table into docs/models.md.
"""

from __future__ import annotations

import argparse
import copy
import json
import tempfile
from dataclasses import replace

import torch

from benchmarks.paths import RESULTS
from benchmarks.report.models import SHOWN, Row, table
from unlearn_core.evaluation import Evidence, load_scenario_data, measure, observe
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results.reader import model_of
from unlearn_core.stages.execution import environment, run_stage
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.training import SilentReporter, Trainer, deterministic, seeded

TARGET = RESULTS / "training_on.json"
EPOCHS, REGULARITY, DISCOVERY = 3, 1.0, 0.3
MODELS = ("original", "healed", "trained_on", "trained_clean")


def measured(seed: int, store: Store) -> dict[str, Row]:
    """The four rows for one seed."""
    scenario = make_scenario("digits", regularity=REGULARITY, discovery=DISCOVERY, seed=seed)
    spec = make_method("rem", scenario)
    for stage in plan_runs(scenario, [spec]):
        run_stage(stage, store, "cpu", SilentReporter())
    arena = load_scenario_data(scenario, torch.device("cpu"))
    truth = arena.corrupted.truth
    forget = truth.forget_of(scenario)
    labels = arena.train.labels.clone()
    labels[forget] = truth.clean_labels[forget]
    data, recipe = replace(arena.train, labels=labels), scenario.training.model_copy(update={"epochs": EPOCHS})
    hidden = torch.ones(len(labels), dtype=torch.bool)
    hidden[truth.corrupted] = False
    hidden[forget] = True
    original, healed = model_of(store, scenario), model_of(store, scenario, spec)
    healed.narrow()
    models = {"original": original, "healed": healed}
    for name, ids in (("trained_on", torch.arange(len(labels))), ("trained_clean", hidden.nonzero()[:, 0])):
        with deterministic(threads=1), seeded(seed):
            trainer = Trainer(copy.deepcopy(healed), data, recipe, seed, SilentReporter(), snapshots=False)
            trainer.fit(ids)
        models[name] = trainer.model  # type: ignore[assignment]
    found = {}
    for name, model in models.items():
        values = measure(Evidence(scenario, arena.corrupted, forget, observe(model, arena)), list(SHOWN))
        found[name] = {metric: round(float(values[metric] or 0), 4) for metric in SHOWN}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    seeds = parser.parse_args().seeds
    with tempfile.TemporaryDirectory() as place:
        store = Store.open(place)
        per_seed = [measured(seed, store) for seed in seeds]
    rows = {name: [one[name] for one in per_seed] for name in MODELS}
    about = {"seeds": seeds, "epochs": EPOCHS, "environment": environment(torch.device("cpu"))}
    TARGET.write_text(json.dumps({"provenance": about, "rows": rows}, indent=1) + "\n")
    print("\n".join(table(rows, EPOCHS)))
