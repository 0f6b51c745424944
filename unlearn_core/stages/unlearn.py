"""The stage that unlearns: one method on one scenario, its model, what it says about all data, and every metric."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from unlearn_core.canonical import content_key
from unlearn_core.discovery import registry as scores
from unlearn_core.errors import UserError
from unlearn_core.evaluation import (
    Evidence,
    Logits,
    ScenarioData,
    load_scenario_data,
    measure,
    observe,
    relearn_steps,
    revisions,
)
from unlearn_core.evaluation import registry as metrics
from unlearn_core.evaluation.canaries import as_group, canary_traces
from unlearn_core.methods import UnlearningTask
from unlearn_core.methods import registry as methods
from unlearn_core.results.reader import model_of
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.stages.components import ADDED, list_added
from unlearn_core.stages.execution import environment, scenario_stage
from unlearn_core.stages.inputs import as_arrays, make_task
from unlearn_core.stages.original import TRAINING_WEIGHT, is_toy, plan_original
from unlearn_core.stages.recorder import Recorder, Rounds, now
from unlearn_core.stages.stage import Lane, Stage
from unlearn_core.stages.validate import check_methods, check_task
from unlearn_core.store import Store

MAX_SNAPSHOT_BYTES = 32 * 2**20
"""Weights of the rounds are stored where all together take less than this."""
_TOY_COST = 2.0
"""In trainings from scratch: what costs more is long on a toy as well."""


def plan_runs(scenario: Scenario, specs: Sequence[MethodSpec]) -> list[Stage]:
    """The stages of these methods on this scenario, dependencies first; raises :class:`UserError` for what cannot run."""
    check_task(scenario)
    check_methods(scenario, specs)
    original, toy = plan_original(scenario), is_toy(scenario)
    stages = {original.key: original}
    measured, ranked = list_added(metrics, metrics.names()), list_added(scores, scores.names())
    for spec in specs:
        method = methods.get(spec.name)
        payload: dict[str, Any] = {"scenario": scenario.model_dump(mode="json"), "method": spec.model_dump(mode="json")}
        if added := measured + (ranked if method.ranks else []):
            payload[ADDED] = added
        lane: Lane = "quick" if toy and method.cost <= _TOY_COST else "long"
        key = scenario.run_key(spec)
        stages[key] = Stage("run", key, method.label, payload, (original.key,), TRAINING_WEIGHT * method.cost, lane)
    return list(stages.values())


def share_models(stages: Sequence[Stage]) -> list[Stage]:
    """The same stages, in which a method that does not look at the forget set computes its model once. One that is given
    checked examples, which lie outside of it, does look.

    Its model is the same to the bit at every discovery rate; the first of its runs computes it, the others take it from
    there and only measure. Where that one is not stored any more they compute it themselves.
    """
    first: dict[str, Stage] = {}
    shared = []
    for stage in stages:
        of = stage.payload["method"] if stage.kind == "run" else {}
        if of and not of.get("given") and not methods.get(of["name"]).needs_forget:
            scenario = Scenario.parse(stage.payload["scenario"])
            twin = first.setdefault(content_key(scenario.original_key, stage.payload["method"]), stage)
            if twin is not stage:
                same = {"same_model_as": twin.payload["scenario"]}
                stage = replace(stage, payload=stage.payload | same, needs=(*stage.needs, twin.key), weight=0.3)
        shared.append(stage)
    return shared


@scenario_stage("run")
def unlearn(stage: Stage, scenario: Scenario, store: Store, device: torch.device, reporter: Recorder) -> None:
    """Unlearn, look, measure, store."""
    data = load_scenario_data(scenario, device)
    spec = MethodSpec.parse(stage.payload["method"])
    task = make_task(store, scenario, data, methods.get(spec.name).oracle, spec)
    before = {name: value.clone() for name, value in task.original.state_dict().items()}
    model, seconds, rounds = _load_twin(stage, spec, store, device) or _unlearn(spec, task, device, reporter)
    forget = data.corrupted.truth.forget_of(scenario)
    logits = observe(model, data)
    changed, distance = weight_changes(model, before)
    steps = relearn_steps(model, data.train, task.forget, scenario.training.learning_rate / 10, scenario.seed)
    references = {"original": _load_logits(store, scenario.original_key)}
    traces = canary_traces(model, data, scenario)
    evidence = Evidence(
        scenario, data.corrupted, forget, logits, seconds, changed, distance, steps, references, canaries=traces
    )
    report = getattr(model, "report", None)
    trajectory = _trajectory(model, rounds, evidence, data)
    store.put(
        stage.key,
        "run",
        {"scenario": scenario.model_dump(mode="json"), "method": spec.model_dump(mode="json")},
        {
            "method": spec.name,
            "params": dict(spec.params),
            "metrics": measure(evidence),
            "metric_revisions": revisions(),
            "seconds": seconds,
            "device": device.type,
            "trajectory": trajectory,
            "redirect_layers": list(getattr(model, "redirect_layers", ())),
        }
        | ({"report": report} if report else {}),
        environment(device),
        _arrays_to_store(model, logits, rounds) | as_group(traces),
    )


def _unlearn(
    spec: MethodSpec, task: UnlearningTask, device: torch.device, reporter: Recorder
) -> tuple[nn.Module, float, Rounds]:
    """The method's model, the seconds it took, and the weights after its rounds."""
    method, start = methods.get(spec.name), now(device)
    model = method(method.params(spec.params)).unlearn(task, reporter)
    seconds = now(device) - start - reporter.overhead
    if not isinstance(model, nn.Module):
        raise UserError(f"{method.label} returned {type(model).__name__} instead of a model.")
    return model, seconds, reporter.rounds


def _arrays_to_store(model: nn.Module, logits: Logits, rounds: Rounds) -> dict[str, dict[str, np.ndarray]]:
    arrays = {"weights": as_arrays(model.state_dict()), "logits": as_arrays(vars(logits))}
    if tables := getattr(model, "report_arrays", None):
        arrays["report"] = {name: np.asarray(value) for name, value in tables.items()}
    if rounds and _count_bytes(rounds) <= MAX_SNAPSHOT_BYTES:
        arrays["snapshots"] = as_arrays({f"{k}/{name}": value for k, state in rounds for name, value in state.items()})
    return arrays


def _load_twin(stage: Stage, spec: MethodSpec, store: Store, device: torch.device) -> tuple[nn.Module, float, Rounds] | None:
    """The same from the stored run at another discovery rate that has the same model; None where there is none."""
    if "same_model_as" not in stage.payload:
        return None
    twin = Scenario.parse(stage.payload["same_model_as"])
    record = store.get(twin.run_key(spec))
    if record is None or record.environment.get("device") != device.type or record.payload["seconds"] is None:
        return None
    try:
        model = model_of(store, twin, spec).to(device)
        found = store.arrays(record.key, "snapshots")
    except LookupError:
        return None
    states: dict[int, dict[str, torch.Tensor]] = {}
    for place, value in found.items():
        number, _, name = place.partition("/")
        states.setdefault(int(number), {})[name] = torch.from_numpy(np.array(value))
    return model, float(record.payload["seconds"]), sorted(states.items())


def _load_logits(store: Store, key: str) -> Logits:
    arrays = store.arrays(key, "logits")
    return Logits(**{name: torch.from_numpy(np.array(arrays[name])) for name in ("train", "test", "triggered")})


def _count_bytes(rounds: Rounds) -> int:
    return sum(value.numel() * value.element_size() for _, state in rounds for value in state.values())


def _trajectory(model: nn.Module, rounds: Rounds, evidence: Evidence, data: ScenarioData) -> list[dict[str, Any]]:
    walker, points = copy.deepcopy(model), []
    names = [metric.name for metric in metrics if metric.each_round]
    final = {name: value.detach().cpu() for name, value in model.state_dict().items()}
    for number, state in rounds:
        with contextlib.suppress(UserError):  # a round may diverge and a later one recover: it is left out of the curve
            walker.load_state_dict(state)
            # The last round is nearly always the model that came out, which has been looked at.
            logits = evidence.logits if _equal_states(state, final) else observe(walker, data)
            at = Evidence(evidence.scenario, evidence.corrupted, evidence.forget, logits)
            points.append({"round": number} | {k: v for k, v in measure(at, names).items() if v is not None})
    return points


def _equal_states(one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def weight_changes(model: nn.Module, before: Mapping[str, torch.Tensor]) -> tuple[float, float]:
    """Share of the original's parameters (not its running statistics) that differ now, bit for bit, and ‖θ−θ₀‖ / ‖θ₀‖."""
    total, changed, distance, norm = 0, 0, 0.0, 0.0
    for name, value in model.named_parameters():
        if name in before and before[name].shape == value.shape:
            step = value.detach().double() - before[name].double()
            total += value.numel()
            changed += int((value.detach() != before[name]).sum())
            distance += float(step.square().sum())
            norm += float(before[name].double().square().sum())
    return (changed / total, (distance / norm) ** 0.5) if total and norm else (1.0, float("inf"))
