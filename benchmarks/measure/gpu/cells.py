"""The paper's cells: originals, and one method after the other on each of them, with the core's own code throughout."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from benchmarks.measure.gpu.bench import Bench, device_name, forget_memory, peak_memory, seconds
from benchmarks.measure.gpu.plan import CHOOSE, CHOSEN, Item
from unlearn_core.evaluation import Evidence, ScenarioData, measure, observe
from unlearn_core.methods import OracleTask, UnlearningTask
from unlearn_core.methods import registry as methods
from unlearn_core.models import RedirectNet, build_model
from unlearn_core.specs import Scenario
from unlearn_core.training import Trainer, predict, seeded

METRICS = ("healed", "utility", "healed_x_utility", "healed_undiscovered", "forget_accuracy", "attack_success")


def train_original(bench: Bench, item: Item) -> dict[str, Any]:
    """Train the original of a cell, once in a call, keep its weights, and say what it memorised."""
    scenario = scenario_of(item)
    if scenario.original_key in bench.trained:
        return bench.trained[scenario.original_key]
    arena = bench.arena(scenario)
    forget_memory(bench.device)
    with bench.fast(), seeded(scenario.seed):
        model = fresh(scenario, arena, scenario.seed)
        trainer = Trainer(model, arena.train, scenario.training, scenario.seed, bench.reporter, snapshots=False)
        everyone = torch.arange(len(arena.train), device=bench.device)
        spent = seconds(lambda: trainer.fit(everyone), bench.device)
    state = {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}
    found = look(model, arena, scenario)
    bench.weights[scenario.original_key] = state
    steps = scenario.training.epochs * -(-len(everyone) // scenario.training.batch_size)
    bench.trained[scenario.original_key] = {
        "training_seconds": spent,
        "steps": steps,
        "memorised": memorised(bench, scenario),
        **found,
        **card(bench.device),
    }
    return bench.trained[scenario.original_key]


def run_method(bench: Bench, item: Item) -> dict[str, Any]:
    """One method on one cell, as a row."""
    scenario, spec = scenario_of(item), item.method
    assert spec is not None
    if item.values == "tuned" and spec.name in CHOSEN and (chosen := bench.result(CHOOSE)) is not None:
        spec = spec.model_copy(update={"params": spec.params | chosen["params"]})
    arena = bench.arena(scenario)
    method = methods.get(spec.name)
    task = make_task(bench, scenario, arena, method.oracle)
    learned = memorised(bench, scenario)
    ready = method(method.params(spec.params))
    forget_memory(bench.device)
    done: list[nn.Module] = []
    with bench.fast(), seeded(scenario.seed):
        spent = seconds(lambda: done.append(ready.unlearn(task, bench.reporter)), bench.device)
    peak = peak_memory(bench.device)
    return {
        "method": spec.name,
        "values": item.values,
        "regularity": scenario.corruption.regularity,
        "discovery": None if method.oracle else scenario.discovery,
        "seed": scenario.seed,
        **look(done[0], arena, scenario),
        "memorised": learned,
        "seconds": spent,
        "peak_memory": peak,
        "graphs": bench.graphs,
        "recipe": scenario.training.model_dump(),
        "revision": spec.revision,
        "params": spec.params,
        **card(bench.device),
    }


def card(device: torch.device) -> dict[str, Any]:
    """What a number depends on besides its spec."""
    return {"device": device_name(device), "torch": torch.__version__}


def scenario_of(item: Item) -> Scenario:
    """The scenario of an item that has one."""
    assert item.scenario is not None
    return item.scenario


def fresh(scenario: Scenario, arena: ScenarioData, seed: int) -> RedirectNet:
    """A newly initialised network of the scenario on the arena's device."""
    train = arena.train
    return build_model(scenario.model, arena.corrupted.train.shape, train.classes, seed, train.mean_std).to(train.device)


def original_of(bench: Bench, scenario: Scenario, arena: ScenarioData) -> RedirectNet:
    """The trained original, in eval mode."""
    model = fresh(scenario, arena, scenario.seed)
    model.load_state_dict(bench.weights[scenario.original_key])
    return model.eval()


def memorised(bench: Bench, scenario: Scenario) -> float:
    """Share of the corrupted examples whose given label the original predicts."""
    arena = bench.arena(scenario)
    ids = arena.corrupted.truth.corrupted.to(bench.device)
    says = predict(original_of(bench, scenario, arena), arena.train, ids).argmax(1)
    return float((says == arena.train.labels[ids]).float().mean())


def make_task(bench: Bench, scenario: Scenario, arena: ScenarioData, oracle: bool) -> UnlearningTask:
    """What a method receives: the original, the data as given, F and the rest; ground truth only for oracles."""
    truth = arena.corrupted.truth
    forget = truth.forget_of(scenario).to(bench.device)
    keep = torch.ones(len(arena.train), dtype=torch.bool, device=bench.device)
    keep[forget] = False
    common: dict[str, Any] = {
        "original": original_of(bench, scenario, arena),
        "data": arena.train,
        "forget": forget,
        "retain": keep.nonzero()[:, 0],
        "fresh_model": lambda seed: fresh(scenario, arena, seed),
        "recipe": scenario.training,
        "seed": scenario.seed,
    }
    return OracleTask(**common, truth=truth) if oracle else UnlearningTask(**common)


def look(model: nn.Module, arena: ScenarioData, scenario: Scenario) -> dict[str, float | None]:
    """The core's own metrics of a model."""
    evidence = Evidence(scenario, arena.corrupted, arena.corrupted.truth.forget_of(scenario), observe(model, arena))
    return measure(evidence, METRICS)
