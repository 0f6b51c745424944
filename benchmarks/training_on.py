"""What training a healed model further does to it, on digits at regularity 1 with 30 % of the corruption known.

    python -m benchmarks.training_on [--seeds 0 1 2]

REM heals the original. Then the model is trained for three more epochs with the recipe that trained the original: on
everything as given but the known ones, whose labels are corrected (what a careful user would do), and on the same without
the corruption that nobody has found. Takes half a minute on one core. Writes ``benchmarks/training_on.json`` and the table
in docs/models.md.
"""

from __future__ import annotations

import argparse
import copy
import json
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path

import torch

from unlearn_core.evaluation import Evidence, load_scenario_data, measure, observe
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results.reader import model_of
from unlearn_core.stages.execution import environment, run_stage
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.training import SilentReporter, Trainer, deterministic, seeded

TARGET, DOC = Path(__file__).with_suffix(".json"), Path(__file__).parents[1] / "docs" / "models.md"
START, END = "<!-- written by benchmarks.training_on -->", "<!-- end -->"
EPOCHS, REGULARITY, DISCOVERY = 3, 1.0, 0.3
SHOWN = ("healed", "utility", "healed_x_utility", "attack_success")
ROWS = {
    "original": "original",
    "healed": "after REM",
    "trained_on": f"after REM and {EPOCHS} epochs on everything, the known ones corrected",
    "trained_clean": f"after REM and {EPOCHS} epochs without the corruption that was not known",
}
Row = dict[str, float]


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


def table(rows: dict[str, list[Row]]) -> list[str]:
    """The means over seeds as Markdown."""
    lines = [
        "| digits, regularity 1, 30 % known | healed | utility | healed × utility | attack success |",
        "|---|---|---|---|---|",
    ]
    for name, words in ROWS.items():
        means = [statistics.mean(row[metric] for row in rows[name]) for metric in SHOWN]
        lines.append(f"| {words} | {' | '.join(f'{value:.3f}' for value in means)} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    seeds = parser.parse_args().seeds
    with tempfile.TemporaryDirectory() as place:
        store = Store.open(place)
        per_seed = [measured(seed, store) for seed in seeds]
    rows = {name: [one[name] for one in per_seed] for name in ROWS}
    about = {"seeds": seeds, "epochs": EPOCHS, "environment": environment(torch.device("cpu"))}
    TARGET.write_text(json.dumps({"provenance": about, "rows": rows}, indent=1) + "\n")
    lines = table(rows)
    print("\n".join(lines))
    text = DOC.read_text()
    before, rest = text.split(START)
    DOC.write_text("\n".join([before + START, "", *lines, "", END + rest.split(END, 1)[1]]))


if __name__ == "__main__":
    main()
