"""What every method is for, seen from outside: with all corruption known it forgets wrong labels, heals and keeps its use.

Bounds lie well on the safe side of what the presets reach over three seeds, and far from what a method does whose sign is
flipped, whose reference is dropped or whose reset is left out.
"""

from __future__ import annotations

import copy
import functools
from dataclasses import dataclass
from typing import Any, Literal

import pytest
import torch
from trained import Trained

from unlearn_core.corruption import check_examples
from unlearn_core.evaluation import build_scenario_data
from unlearn_core.methods import OracleTask, UnlearningTask, registry
from unlearn_core.models import build_model
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.training import SilentReporter, Trainer, predict, seeded

Kind = Literal["digits", "triggered digits", "points"]
OVERRIDES: dict[str, dict[str, Any]] = {
    # Points in the plane are only learnt by heart by a larger network that trains longer.
    "points": {"model.width": 128, "training.epochs": 300},
}


@dataclass(frozen=True)
class Effect:
    """Where it shows, and what there has to be: at most so much of F predicted as given, at least so much of F healed, at least
    so much utility. ``epochs``: of training from scratch, where that is what the method does; without wrong labels to be learnt
    by heart far fewer than the original's are enough."""

    on: Kind
    forget: float
    healed: float
    utility: float
    epochs: int = 0


DIGITS = {
    "amun": Effect("digits", 0.15, 0.75, 0.85),
    "ascent": Effect("triggered digits", 0.25, 0.75, 0.85),
    "assd": Effect("triggered digits", 0.15, 0.65, 0.8),
    "bad_teacher": Effect("digits", 0.3, 0.35, 0.7),
    "cf_k": Effect("digits", 0.75, 0.25, 0.95),
    "cuts": Effect("triggered digits", 0.15, 0.75, 0.88),
    "cuts_neighbours": Effect("digits", 0.45, 0.55, 0.96),
    "del": Effect("digits", 0.05, 0.9, 0.95),
    "duck": Effect("digits", 0.15, 0.8, 0.95),
    "eu_k": Effect("digits", 0.05, 0.93, 0.96),
    "ft_sam": Effect("digits", 0.1, 0.88, 0.95),
    "jit": Effect("triggered digits", 0.6, 0.45, 0.85),
    "l2ul": Effect("triggered digits", 0.05, 0.7, 0.78),
    "label_influence": Effect("digits", 0.1, 0.88, 0.93),
    "lfssd": Effect("triggered digits", 0.15, 0.5, 0.55),
    "neggrad_plus": Effect("digits", 0.45, 0.5, 0.85),
    "negmerge": Effect("triggered digits", 0.4, 0.6, 0.94),
    "npo": Effect("triggered digits", 0.25, 0.75, 0.93),
    "pgu": Effect("triggered digits", 0.25, 0.7, 0.93),
    "potion": Effect("triggered digits", 0.6, 0.45, 0.95),
    "random_label": Effect("digits", 0.1, 0.7, 0.9),
    "relabel_only": Effect("digits", 0.05, 0.95, 0.7),
    "rem": Effect("digits", 0.05, 0.9, 0.95),
    "rem_no_redirect": Effect("digits", 0.05, 0.9, 0.95),
    "retrain": Effect("digits", 0.03, 0.95, 0.96, 12),
    "salun": Effect("digits", 0.05, 0.88, 0.95),
    "scrub": Effect("digits", 0.05, 0.7, 0.75),
    "fine_pruning": Effect("triggered digits", 0.85, 0.2, 0.95),
    "i_bau": Effect("triggered digits", 0.9, 0.15, 0.9),
    "sap": Effect("triggered digits", 0.3, 0.65, 0.9),
    "ssd": Effect("triggered digits", 0.2, 0.8, 0.8),
    "task_vector": Effect("triggered digits", 0.1, 0.9, 0.92),
    "weight_distance": Effect("digits", 0.2, 0.8, 0.95),
    "wfisher": Effect("triggered digits", 0.6, 0.42, 0.95),
}
POINTS = {
    "amun": Effect("points", 0.1, 0.85, 0.95),
    "ascent": Effect("points", 0.2, 0.75, 0.93),
    "assd": Effect("points", 0.75, 0.25, 0.85),
    "bad_teacher": Effect("points", 0.35, 0.55, 0.8),
    "cf_k": Effect("points", 0.15, 0.85, 0.95),
    "cuts": Effect("points", 0.15, 0.8, 0.93),
    "cuts_neighbours": Effect("points", 0.15, 0.85, 0.93),
    "data_model_matching": Effect("points", 0.1, 0.88, 0.93, 75),
    "del": Effect("points", 0.15, 0.85, 0.92),
    "duck": Effect("points", 0.3, 0.7, 0.93),
    "early_cut_retrain": Effect("points", 0.15, 0.85, 0.86, 75),
    "etd": Effect("points", 0.2, 0.8, 0.88),
    "eu_k": Effect("points", 0.15, 0.85, 0.93),
    "fine_pruning": Effect("points", 0.3, 0.7, 0.94),
    "i_bau": Effect("points", 0.25, 0.7, 0.92),
    "ft_sam": Effect("points", 0.25, 0.7, 0.9),
    "jit": Effect("points", 0.6, 0.4, 0.8),
    "label_influence": Effect("points", 0.05, 0.93, 0.93),
    "l1_sparse": Effect("points", 0.3, 0.7, 0.93),
    "neggrad_plus": Effect("points", 0.45, 0.55, 0.93),
    "negmerge": Effect("points", 0.15, 0.8, 0.93),
    "npo": Effect("points", 0.25, 0.75, 0.93),
    "oracle_matching": Effect("points", 0.1, 0.88, 0.93, 75),
    "oracle_retrain": Effect("points", 0.15, 0.85, 0.95, 75),
    "pgu": Effect("points", 0.3, 0.65, 0.93),
    "potion": Effect("points", 0.4, 0.5, 0.75),
    "random_label": Effect("points", 0.1, 0.85, 0.93),
    "relabel_finetune": Effect("points", 0.05, 0.95, 0.93),
    "relabel_only": Effect("points", 0.05, 0.95, 0.93),
    "relabel_retrain": Effect("points", 0.05, 0.95, 0.93, 75),
    "rem": Effect("points", 0.2, 0.75, 0.8),
    "rem_no_redirect": Effect("points", 0.2, 0.75, 0.8),
    "rem_no_removal": Effect("points", 0.2, 0.8, 0.9),
    "rem_ideal": Effect("points", 0.2, 0.75, 0.8),
    "rem_discover": Effect("points", 0.15, 0.85, 0.9),
    "rem_relabel": Effect("points", 0.1, 0.9, 0.9),
    "rem_relabel_discover": Effect("points", 0.1, 0.9, 0.9),
    "rem_tuned": Effect("points", 0.2, 0.8, 0.85),
    "retrain": Effect("points", 0.15, 0.85, 0.95, 75),
    "retrain_discover": Effect("points", 0.15, 0.85, 0.95, 75),
    "robust_retrain": Effect("points", 0.2, 0.8, 0.95),
    "salun": Effect("points", 0.2, 0.75, 0.93),
    "sap": Effect("points", 0.25, 0.75, 0.94),
    "scrub": Effect("points", 0.6, 0.4, 0.9),
    "tarf": Effect("points", 0.05, 0.93, 0.95),
    "task_vector": Effect("points", 0.05, 0.93, 0.95),
    "wfisher": Effect("points", 0.25, 0.75, 0.9),
}
CONTROLS = {"finetune", "rem_ascent", "anp", "clp"}
"""Not meant to work: going on as before, REM with a loss that has no bound, and pruning the channels of a backdoor in networks
so small that it has none of its own; all have a test of their own."""
CHECKED = 300
"""Checked examples of methods that work on such."""
ON_DIGITS_ONLY = {"lfssd", "ssd", "l2ul", "weight_distance"}
"""On points with random labels the first two find nothing that F holds and the rest does not, adversarial examples contradict
their neighbours, and fine-tuning heals as much without a term for the distance."""
ON_POINTS_ONLY = {
    "rem_tuned", "rem_discover", "retrain_discover", "etd", "l1_sparse", "oracle_retrain", "rem_no_removal", "rem_ideal",
    "rem_relabel", "rem_relabel_discover", "relabel_finetune", "relabel_retrain", "tarf", "oracle_matching", "robust_retrain",
    "early_cut_retrain", "data_model_matching",
}  # fmt: skip
"""They take long on digits: those that search run REM or retraining tens of times, the others show no more there."""


@functools.cache
def original(kind: Kind) -> Trained:
    """The scenario and its original, trained once."""
    dataset, regularity = ("waves", 0.0) if kind == "points" else ("digits", 1.0 if "triggered" in kind else 0.0)
    scenario = make_scenario(dataset, regularity=regularity, discovery=1.0, overrides=OVERRIDES.get(kind, {}))
    arena = build_scenario_data(scenario, torch.device("cpu"))
    with seeded(scenario.seed):
        model = build_model(
            scenario.model, arena.corrupted.train.shape, arena.train.classes, scenario.seed, arena.train.mean_std
        )
        trainer = Trainer(model, arena.train, scenario.training, scenario.seed, SilentReporter(), snapshots=False)
        trainer.fit(torch.arange(len(arena.train)))
    return Trained(scenario, arena, model)


def measured(trained: Trained, model: torch.nn.Module) -> tuple[float, float, float]:
    """Forget accuracy, healed of F and utility."""
    truth, data, test = trained.arena.corrupted.truth, trained.arena.train, trained.arena.test
    said = predict(model, data, truth.corrupted).argmax(1)
    shares = (
        said == data.labels[truth.corrupted],
        said == truth.clean_labels[truth.corrupted],
        predict(model, test).argmax(1) == test.labels,
    )
    forget, healed, utility = (share.float().mean().item() for share in shares)
    return forget, healed, utility


@functools.cache
def unlearned(name: str, kind: Kind, epochs: int = 0, discovery: float = 1.0, **params: float) -> tuple[float, float, float]:
    """What a method's preset, with ``params`` changed, makes of the original that is told of so much of the corruption."""
    trained = original(kind)
    method, scenario, truth, data = registry.get(name), trained.scenario, trained.arena.corrupted.truth, trained.arena.train
    forget = truth.forget_indices(discovery)
    retain = torch.ones(len(data), dtype=torch.bool).index_fill(0, forget, False).nonzero()[:, 0]
    shape, moments = trained.arena.corrupted.train.shape, data.mean_std
    common = {
        "original": copy.deepcopy(trained.original),
        "data": data,
        "forget": forget,
        "retain": retain,
        "fresh_model": lambda seed: build_model(scenario.model, shape, data.classes, seed, moments),
        "recipe": scenario.training.model_copy(update={"epochs": epochs}) if epochs else scenario.training,
        "seed": scenario.seed,
    }
    right = truth.clean_labels[forget] if method.needs_right_labels else None
    count = min(CHECKED, len(data) // 4)
    trusted = check_examples(truth, data.labels, forget, count, scenario.seed) if method.needs_trusted else None
    plain = UnlearningTask(**common, right=right, trusted=trusted)
    task = OracleTask(**common, truth=truth) if method.oracle else plain
    with seeded(scenario.seed):
        model = method(method.params(make_method(name, scenario, params).params)).unlearn(task, SilentReporter())
    return measured(trained, model)


def test_every_method_has_an_effect_to_show() -> None:
    assert set(DIGITS) | ON_POINTS_ONLY | CONTROLS == set(registry.names())
    assert set(POINTS) | ON_DIGITS_ONLY | CONTROLS == set(registry.names())


@pytest.mark.parametrize("kind", ["digits", "triggered digits", "points"])
def test_there_is_something_to_heal(kind: Kind) -> None:
    forget, healed, utility = measured(original(kind), original(kind).original)
    assert forget >= (0.6 if kind == "points" else 0.99)
    assert healed <= (0.4 if kind == "points" else 0.15)
    assert utility >= 0.93


@pytest.mark.parametrize(
    ("name", "effect"),
    [pytest.param(name, effect, id=f"{name}-{where}") for where, table in (("digits", DIGITS), ("points", POINTS))
     for name, effect in table.items()],
)  # fmt: skip
def test_a_method_does_what_it_is_for(name: str, effect: Effect) -> None:
    forget, healed, utility = unlearned(name, effect.on, effect.epochs)
    assert forget <= effect.forget
    assert healed >= effect.healed
    assert utility >= effect.utility


def test_going_on_as_before_does_not_heal() -> None:
    """The negative control: fine-tuning on the rest leaves a trigger as it was."""
    forget, healed, utility = unlearned("finetune", "triggered digits")
    assert forget >= 0.95
    assert healed <= 0.2
    assert utility >= 0.96


def test_a_loss_without_a_bound_costs_what_rem_keeps() -> None:
    """REM's steps without the bound heal less, though their values are tuned for themselves."""
    _, healed, utility = unlearned("rem_ascent", "digits")
    _, bounded, kept = unlearned("rem", "digits", DIGITS["rem"].epochs)
    assert healed * utility <= bounded * kept - 0.08


def test_projection_protects_the_undiscovered_part_of_a_trigger() -> None:
    """PGU at its published ratio: the retain set shows the trigger too, so that not even what is known is unlearned."""
    forget, healed, _ = unlearned("pgu", "triggered digits", discovery=0.3, ratio=0.95, learning_rate=0.05)
    assert forget == 1.0
    assert healed <= 0.1
    assert unlearned("pgu", "triggered digits", discovery=0.3)[1] >= 0.5
