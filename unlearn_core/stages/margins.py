"""The stages that train originals and oracles with several seeds on one scenario, and unlearn from each of these originals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from unlearn_core.corruption import truth_known
from unlearn_core.errors import UserError
from unlearn_core.evaluation import ScenarioData, load_scenario_data, observe
from unlearn_core.evaluation.membership import log_odds
from unlearn_core.methods import registry as methods
from unlearn_core.models import registry as models
from unlearn_core.results.margins import margins_key, pair_key
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.stages.components import method_payload
from unlearn_core.stages.execution import environment, scenario_stage
from unlearn_core.stages.inputs import as_arrays, fresh_model, make_task
from unlearn_core.stages.original import TRAINING_WEIGHT, plan_original
from unlearn_core.stages.recorder import Recorder
from unlearn_core.stages.stage import Stage
from unlearn_core.stages.validate import check_methods, check_task
from unlearn_core.store import Store
from unlearn_core.training import FreshTrainer, seeded
from unlearn_core.training.progress import RepeatProgress, StepProgress

MODELS, MOST = 3, 100
"""How many models stand on either side, usually and at most (the number of the paper)."""
_APART = 1000
"""What the seed of each further pair differs by: methods add small numbers to theirs."""


def plan_margins(scenario: Scenario, specs: Sequence[MethodSpec], models: int = MODELS) -> list[Stage]:
    """Pairs of an original and an oracle, and every method from each of these originals. Data and forget set stay the same.

    Raises :class:`UserError` where the oracle cannot be trained, and for a network that was trained elsewhere."""
    check_task(scenario)
    check_methods(scenario, specs)
    check_margins(scenario, models)
    plain = {"scenario": scenario.model_dump(mode="json")}
    stages = [plan_original(scenario)]
    for member in range(1, models + 1):
        pair = pair_key(scenario, member)
        title = f"Original and oracle, seed {member} of {models}"
        stages.append(Stage("margin_pair", pair, title, plain | {"member": member}, weight=2 * TRAINING_WEIGHT))
        for spec in specs:
            method, payload = methods.get(spec.name), method_payload(scenario, spec) | {"member": member}
            title, weight = f"{method.label}, seed {member} of {models}", TRAINING_WEIGHT * method.cost
            needs = (scenario.original_key, pair)
            stages.append(Stage("margins", margins_key(scenario, spec, member), title, payload, needs, weight))
    return stages


def check_margins(scenario: Scenario, count: int) -> None:
    """Raise :class:`UserError` where margins cannot be compared with those of oracles."""
    if not 1 <= count <= MOST:
        raise UserError(f"Margins can be compared with 1 to {MOST} models on either side (got {count}).")
    if not truth_known(scenario):
        raise UserError("Nobody knows here which labels are wrong, so no oracle can be trained whose margins to compare with.")
    source = models.get(scenario.model.name)
    if source.brought(source.params(scenario.model.params)):
        raise UserError("This network was trained elsewhere, and there is no second one with another seed to compare with.")


@scenario_stage("margin_pair")
def train_pair(stage: Stage, scenario: Scenario, store: Store, device: torch.device, reporter: Recorder) -> None:
    """Train an original on everything and an oracle without C, with this member's seed, and keep the original's weights."""
    data, seed = load_scenario_data(scenario, device), scenario.seed + _APART * int(stage.payload["member"])
    everything = torch.arange(len(data.train), device=device)
    clean = torch.ones(len(data.train), dtype=torch.bool, device=device)
    clean[data.corrupted.truth.corrupted.to(device)] = False
    trained = list[nn.Module]()
    with seeded(seed):
        for part, ids in enumerate((everything, everything[clean])):
            progress = RepeatProgress(reporter, part, 2)
            model = fresh_model(scenario, data)(seed + part)
            trained.append(FreshTrainer(model, data.train, scenario.training, seed + part, progress, snapshots=False).fit(ids))
    margins = {name: margins_of(model, data) for name, model in zip(("original", "oracle"), trained, strict=True)}
    arrays = {"margins": margins, "weights": as_arrays(trained[0].state_dict())}
    store.put(stage.key, "margin_pair", dict(stage.payload), {}, environment(device), arrays)


@scenario_stage("margins")
def unlearn_member(stage: Stage, scenario: Scenario, store: Store, device: torch.device, reporter: Recorder) -> None:
    """Unlearn from the original of one pair, with its seed, and keep the margins."""
    data, member = load_scenario_data(scenario, device), int(stage.payload["member"])
    spec, seed = MethodSpec.parse(stage.payload["method"]), scenario.seed + _APART * member
    method = methods.get(spec.name)
    original = fresh_model(scenario, data)(seed)
    weights = store.arrays(pair_key(scenario, member), "weights")
    original.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in weights.items()})
    task = replace(make_task(store, scenario, data, method.oracle, spec), original=original.eval(), seed=seed)
    with seeded(seed):
        model = method(method.params(spec.params)).unlearn(task, StepProgress(reporter))
    arrays = {"margins": {"unlearned": margins_of(model, data)}}
    store.put(stage.key, "margins", dict(stage.payload), {}, environment(device), arrays)


def margins_of(model: nn.Module, data: ScenarioData) -> np.ndarray:
    """Log-odds of the label of every training example as given, then of every test example: float32 (N + M,)."""
    logits, given, right = observe(model, data), data.corrupted.train.labels, data.corrupted.test.labels
    return np.concatenate([log_odds(logits.train, given), log_odds(logits.test, right)]).astype(np.float32)
