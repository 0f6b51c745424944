"""The stage that finds, for every training example, what is most like it."""

from __future__ import annotations

import functools

import numpy as np
import torch
import torch.nn.functional as F

from unlearn_core.discovery.likeness import most_alike
from unlearn_core.evaluation import load_scenario_data
from unlearn_core.results.reader import model_of
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.stages.execution import environment, report_step, scenario_stage
from unlearn_core.stages.recorder import Recorder
from unlearn_core.stages.stage import Stage
from unlearn_core.store import Store
from unlearn_core.views.likeness.data import KEPT, likeness_key


def plan_likeness(scenario: Scenario, way: str, spec: MethodSpec | None) -> Stage:
    """Likeness by the stored original (``spec`` None) or by the stored model after a run; ``way``: one of ``WAYS``."""
    payload = {"scenario": scenario.model_dump(mode="json"), "way": way}
    payload |= {} if spec is None else {"method": spec.model_dump(mode="json")}
    need = scenario.original_key if spec is None else scenario.run_key(spec)
    return Stage("likeness", likeness_key(scenario, way, spec), "What is most alike", payload, (need,), 0.3, "look")


@scenario_stage("likeness")
def find_alike(stage: Stage, scenario: Scenario, store: Store, device: torch.device, reporter: Recorder) -> None:
    """Features of all training examples by one network, and the nearest of each."""
    step = functools.partial(report_step, reporter)
    spec = MethodSpec.parse(stage.payload["method"]) if "method" in stage.payload else None
    model = model_of(store, scenario, spec).to(device)
    data = load_scenario_data(scenario, device).train
    pieces, said = [], []
    with torch.no_grad():
        for ids in data.eval_batches(torch.arange(len(data), device=device)):
            step(0, len(data))
            inputs = data.batch(ids)
            pieces.append(model.features(inputs).float().flatten(1))
            if stage.payload["way"] == "gradient":
                said.append(model(inputs).float())
    pull = torch.cat(said).softmax(1) - F.one_hot(data.labels, data.classes) if said else None
    nearest, values = most_alike(torch.cat(pieces), pull, KEPT, step)
    arrays = {"nearest": nearest.int().cpu().numpy(), "values": values.cpu().numpy().astype(np.float32)}
    store.put(stage.key, "likeness", dict(stage.payload), {"count": len(data)}, environment(device), {"likeness": arrays})
