"""The commands that wrote the golden store, and those that are asked of it: the same words must give the same answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unlearn_core.presets import make_method, make_scenario
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.stages.metrics import plan_measures
from unlearn_core.stages.reference_models import plan_reference_models
from unlearn_core.stages.regularity import plan_regularity
from unlearn_core.stages.stage import Stage
from unlearn_core.store import Store
from unlearn_core.views.boundary.plane import plane_of
from unlearn_core.views.boundary.stage import plan_decision_maps, plan_frames, plan_plane
from unlearn_core.views.channels.stage import plan_channels
from unlearn_core.views.embedding.stage import plan_embedding
from unlearn_core.views.heatmap.data import heatmap_data

INLINE = ("--engine", "inline", "--json")
SMALL = ("--amount", "60", "--set", "model.width=4", "--set", "model.depth=2", "--set", "training.epochs=4")
WAVES = ("--dataset", "waves", *INLINE, *SMALL)
BLOBS = ("--dataset", "blobs", *INLINE, *SMALL, "--regularity", "0.5", "--discovery", "0.5")
DIGITS = ("--dataset", "digits", *INLINE, "--set", "model.width=4", "--set", "training.epochs=1")
OWN = (
    *("--data", "{folder}/images", *INLINE, "--found", "--forget", "{folder}/images/wrong.csv"),
    *("--model", "cnn", "--set", "model.width=4", "--set", "training.epochs=2"),
)
SHORT = ("--set", "rem.epochs=2")
PLAN = """
dataset: waves
regularity: [0]
discovery: [0.5, 1.0]
methods: [retrain, finetune]
seeds: [0]
amount: [60]
set: {training.epochs: 2, model.width: 4, model.depth: 1, finetune.epochs: 1}
"""
SET_NAME = "By hand"


@dataclass(frozen=True)
class Command:
    """One command line. ``methods``: whose stored runs it reads."""

    name: str
    arguments: tuple[str, ...]
    methods: tuple[str, ...] = ()


def _run(name: str, base: Sequence[str], methods: str, *more: str) -> Command:
    return Command(name, ("run", *base, "--methods", methods, *more), tuple(methods.split(",")))


RUNS = (
    _run("run", WAVES, "rem,npo,retrain,ssd,oracle_retrain", *SHORT),
    _run("run paper", WAVES, "rem,npo", "--values", "paper", *SHORT),
    _run("run seed 1", WAVES, "rem,retrain,oracle_retrain", "--seed", "1", *SHORT),
    _run("run seed 2", WAVES, "retrain", "--seed", "2"),
    _run("run confusion", BLOBS, "retrain,scrub", "--set", "scrub.epochs=1"),
    _run("run rmia", BLOBS, "retrain", "--rmia"),
    _run("run digits", DIGITS, "retrain"),
    _run("run own images", OWN, "rem,retrain", "--set", "rem.epochs=1"),
)
EDITED = _run("run edited set", WAVES, "retrain,npo", "--forget", SET_NAME)
FAILS = ("--set", "training.optimizer=sgd", "--set", "training.learning_rate=10", "--set", "training.weight_decay=1")
FAILED = _run("run fails", WAVES, "retrain", *FAILS)
"""Its original diverges: the store remembers why. It is never asked again, because that would train."""
DISCOVER = Command(
    "discover",
    ("discover", *WAVES, "--set", "rem_discover.rounds=1", "--set", "rem_discover.epochs=1", "--set", "rem_discover.folds=2"),
    ("rem_discover",),
)
SWEEP = Command("sweep", ("sweep", "{folder}/plan.yaml", *INLINE), ("retrain", "finetune"))
WRITING = (*RUNS, EDITED, FAILED, DISCOVER, SWEEP)


def _results(metric: str, *more: str) -> Command:
    return Command(f"results {' '.join((metric, *more))}", ("results", "--metric", metric, *more, "--json"))


STORED = (
    *RUNS,
    EDITED,
    DISCOVER,
    SWEEP,
    *(_results(metric) for metric in ("healed_x_utility", "healed", "utility", "agreement_retrain", "rmia_auc", "seconds")),
    _results("forget_accuracy", "--dataset", "waves"),
    Command("export", ("export", "--out", "{folder}/healed.pt2", "--method", "rem", *WAVES, *SHORT), ("rem",)),
)
"""Asked of the golden store, which has everything that they need."""
COMPONENTS = (
    Command("methods", ("methods", "--json")),
    Command("datasets", ("datasets", "--json")),
    Command("models", ("models", "--json")),
)
"""Lists of what is registered, which may grow."""
_CHECK = ("check", "--data", "{folder}/images", "--json")
BARE = (
    Command("check", _CHECK),
    Command("check list", (*_CHECK, "--forget", "{folder}/images/wrong.csv", "--model", "cnn")),
    Command("check limit", (*_CHECK, "--set", "dataset.limit=45", "--seed", "3")),
    Command("check nothing", ("check", "--data", "{folder}/nothing", "--json")),
    Command("results without a store", ("results", "--json")),
    Command("tune refuses", ("tune", "--methods", "retrain", "--json")),
    Command("bench refuses", ("bench", "--sections", "weather", "--json")),
    Command("sweep without a plan", ("sweep", "{folder}/no-plan.yaml", "--json")),
    Command("discover refuses", ("discover", "--precision", "0", "--json")),
    Command("export refuses", ("export", "--out", "{folder}/healed.onnx", *WAVES)),
    Command("run refuses", ("run", "--regularity", "1.5", *INLINE)),
)
"""Asked where there is no store; ``tune`` and ``bench`` train whatever is stored, so only their refusals are kept."""


def pictured() -> tuple[Scenario, MethodSpec]:
    """The scenario and the run of the golden store that pictures were stored for."""
    small = {"model.width": 4, "model.depth": 2, "training.epochs": 4}
    scenario = make_scenario("waves", amount=60, overrides=small)
    return scenario, make_method("rem", scenario, {"epochs": 2})


def plan_pictures(store: Store, scenario: Scenario, spec: MethodSpec) -> list[Stage]:
    """A stage of every kind that a page asks for beside runs."""
    digits = make_scenario("digits", overrides={"model.width": 4, "training.epochs": 1})
    return [
        *plan_regularity(scenario),
        *plan_frames(scenario, [spec]),
        *plan_decision_maps(scenario, [None, spec], (None, None, None), plane_of(scenario), 24),
        *plan_channels(scenario, spec, [[0.0, 0.5, 1.0]]),
        *(stage for stage in plan_embedding(scenario, [spec]) if stage.payload.get("way") == "pca"),
        plan_plane(digits, (5, 17, 40)),
        *plan_reference_models(scenario.model_copy(update={"seed": 1})),
        *plan_measures(heatmap_data(store, scenario, "agreement_retrain").pending),
    ]
