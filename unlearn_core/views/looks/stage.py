"""The stages of looks: what the first cards go by, and discovery that is told what was called wrong."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from unlearn_core.canonical import content_key
from unlearn_core.evaluation import load_scenario_data
from unlearn_core.methods import registry as methods
from unlearn_core.methods.redirection.asking import gather_outputs, judge_known, weigh_evidence
from unlearn_core.methods.redirection.search import DiscoverParams
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.stages.execution import environment, scenario_stage
from unlearn_core.stages.inputs import make_task, shared_spec
from unlearn_core.stages.original import TRAINING_WEIGHT, plan_original
from unlearn_core.stages.recorder import Recorder
from unlearn_core.stages.stage import Stage
from unlearn_core.stages.validate import check_task
from unlearn_core.store import Store
from unlearn_core.views.looks.data import evidence_key, read_learning, to_arrays, to_payload


def plan_looks(scenario: Scenario) -> list[Stage]:
    """The stages of the first card; of what is corrupted nothing is known. Raises :class:`UserError` for what cannot be."""
    scenario = scenario.at_rate(0.0)
    check_task(scenario)
    original = plan_original(scenario)
    payload = {"scenario": scenario.model_dump(mode="json")}
    key = evidence_key(scenario)
    gathering = Stage("looks", key, "What belongs together", payload, (original.key,), TRAINING_WEIGHT, original.lane)
    return [original, gathering]


def plan_judging(scenario: Scenario, search: MethodSpec, known: tuple[int, ...]) -> Stage:
    """Discovery that is told of these examples, ascending, which were called wrong; ``search``: with which values, of which
    one round is made."""
    told = scenario.knowing(known)
    spec = search.model_copy(update={"params": dict(search.params) | {"rounds": 1}})
    key = content_key("looks_judging", evidence_key(scenario), spec, list(known))
    payload = {"scenario": told.model_dump(mode="json"), "method": spec.model_dump(mode="json")}
    needs = (scenario.original_key, evidence_key(scenario))
    return Stage("looks_judging", key, "Discovery looks at the rest", payload, needs, 3 * TRAINING_WEIGHT, "look")


@scenario_stage("looks")
def gather(stage: Stage, scenario: Scenario, store: Store, device: torch.device, reporter: Recorder) -> None:
    """Train the two networks that the first cards go by, and store what they say."""
    task = make_task(store, scenario, load_scenario_data(scenario, device))
    evidence = weigh_evidence(*gather_outputs(task, reporter))
    arrays = {"evidence": to_arrays(evidence)}
    store.put(stage.key, "looks", shared_spec(scenario), to_payload(evidence), environment(device), arrays)


@scenario_stage("looks_judging")
def judge(stage: Stage, scenario: Scenario, store: Store, device: torch.device, reporter: Recorder) -> None:
    """One round of discovery, and what it says of every example."""
    task = make_task(store, scenario, load_scenario_data(scenario, device))
    spec = MethodSpec.parse(stage.payload["method"])
    params = methods.get(spec.name).params(dict(spec.params))
    assert isinstance(params, DiscoverParams)
    learning = torch.from_numpy(read_learning(store, scenario)).to(device)
    judged = judge_known(task, params, task.forget, learning, reporter)
    arrays = {} if judged.probability is None else {"judged": {"probability": judged.probability}}
    payload = {"known": judged.known, "undiscovered": _listed(judged.undiscovered)}
    store.put(stage.key, "looks_judging", dict(stage.payload), payload, environment(device), arrays)


def _listed(numbers: Sequence[float] | None) -> list[float] | None:
    return None if numbers is None else [float(number) for number in numbers]
