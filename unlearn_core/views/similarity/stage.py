"""The stage that compares the activations of the stored original and of the model after a run, layer by layer."""

from __future__ import annotations

import numpy as np
import torch

from unlearn_core.evaluation import ScenarioData, load_scenario_data
from unlearn_core.models import RedirectNet, seen_activations
from unlearn_core.results.reader import model_of
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.stages.execution import environment, report_step, scenario_stage
from unlearn_core.stages.recorder import Recorder
from unlearn_core.stages.stage import Stage
from unlearn_core.store import Store
from unlearn_core.views.similarity.data import FEWEST, MOST, linear_cka, similarity_key


def plan_similarity(scenario: Scenario, spec: MethodSpec) -> Stage:
    """The similarity of the stored original and the stored model after a run."""
    payload = {"scenario": scenario.model_dump(mode="json"), "method": spec.model_dump(mode="json")}
    needs = (scenario.original_key, scenario.run_key(spec))
    return Stage("similarity", similarity_key(scenario, spec), "Similarity of layers", payload, needs, 0.4, "look")


@scenario_stage("similarity")
def compare_layers(stage: Stage, scenario: Scenario, store: Store, device: torch.device, reporter: Recorder) -> None:
    """Linear CKA of every layer on a sample of each part of the training data, redirect channels off."""
    models = [model_of(store, scenario, spec).to(device) for spec in (None, MethodSpec.parse(stage.payload["method"]))]
    data = load_scenario_data(scenario, device)
    parts = sampled_parts(scenario, data)
    total, done, rows = sum(len(data.train.eval_batches(ids)) for ids in parts.values()), 0, []
    for part, ids in parts.items():
        seen: list[list[list[np.ndarray]]] = [[], []]
        for piece in data.train.eval_batches(ids.to(device)):
            report_step(reporter, done, total)
            inputs = data.train.batch(piece)
            for found, model in zip(seen, models, strict=True):
                found.append(pooled_outputs(model, inputs))
            done += 1
        before, after = ([np.concatenate(layer) for layer in zip(*found, strict=True)] for found in seen)
        names = layer_names(models[0], len(before))
        for name, ours, theirs in zip(names, before, after, strict=True):
            report_step(reporter, done, total)
            rows.append([name, part, len(ids), linear_cka(ours, theirs)])
    store.put(stage.key, "similarity", dict(stage.payload), {"rows": rows}, environment(device))


def pooled_outputs(model: RedirectNet, inputs: torch.Tensor) -> list[np.ndarray]:
    """What every place where redirect channels could be gives, averaged over an image's positions, and last the logits; float32
    (B, channels) each."""
    with torch.no_grad(), seen_activations() as seen:
        logits = model(inputs)
    outputs = [value.float().reshape(*value.shape[:2], -1).mean(2) for value, _ in seen]
    return [value.cpu().numpy() for value in (*outputs, logits.float())]


def layer_names(model: RedirectNet, count: int) -> list[str]:
    """Words for ``count`` outputs. A residual network has several places in one layer, which are counted by themselves."""
    word = "layer" if count - 1 == len(model.hidden) else "place"
    return [*(f"{word} {k}" for k in range(1, count)), "logits"]


def sampled_parts(scenario: Scenario, data: ScenarioData) -> dict[str, torch.Tensor]:
    """Training indices of each part, sorted: at most MOST, the same with every seed; none of a part with fewer than FEWEST."""
    truth, everything = data.corrupted.truth, torch.arange(len(data.train))
    forget = truth.forget_of(scenario)
    outside = everything[~torch.isin(everything, forget)]
    found = {"forget": forget, "retain": outside}
    if truth.known:
        found["undiscovered"] = outside[torch.isin(outside, truth.corrupted)]
    generator = torch.Generator().manual_seed(scenario.seed)
    drawn = {part: ids[torch.randperm(len(ids), generator=generator)[:MOST]].sort().values for part, ids in found.items()}
    return {part: ids for part, ids in drawn.items() if len(ids) >= FEWEST}
