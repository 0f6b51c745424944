"""The stage that slides a grey patch over one training image and asks a stored model each time."""

from __future__ import annotations

import dataclasses

import torch

from unlearn_core.errors import UserError
from unlearn_core.evaluation import load_scenario_data
from unlearn_core.results.reader import model_of
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.stages.execution import environment, report_step, scenario_stage
from unlearn_core.stages.recorder import Recorder
from unlearn_core.stages.stage import Stage
from unlearn_core.store import Store
from unlearn_core.views.occlusion.data import occlusion_key, patches


def plan_occlusion(scenario: Scenario, spec: MethodSpec | None, index: int) -> Stage:
    """One training image's map by the stored original (``spec`` None) or by the stored model after a run."""
    payload = {"scenario": scenario.model_dump(mode="json"), "index": index}
    payload |= {} if spec is None else {"method": spec.model_dump(mode="json")}
    need = scenario.original_key if spec is None else scenario.run_key(spec)
    title = f"Occlusion map of example {index}, {'original' if spec is None else spec.name}"
    return Stage("occlusion", occlusion_key(scenario, spec, index), title, payload, (need,), 0.2, "look")


@scenario_stage("occlusion")
def occlude(stage: Stage, scenario: Scenario, store: Store, device: torch.device, reporter: Recorder) -> None:
    """The probability of the given label on the image, and with the patch at every place."""
    spec, index = MethodSpec.parse(stage.payload["method"]) if "method" in stage.payload else None, stage.payload["index"]
    model = model_of(store, scenario, spec).to(device)
    data = load_scenario_data(scenario, device).train
    if data.inputs.dim() != 4 or not 0 <= index < len(data):
        raise UserError(f"There is no training image {index} that a patch could cover.")
    rows, columns, side = patches(*data.inputs.shape[-2:])
    images = covered(data.inputs[index], [(row, column) for row in rows for column in columns], side)
    given = data.labels[index]
    seen = dataclasses.replace(data, inputs=images, labels=given.expand(len(images)))
    chances: list[float] = []
    with torch.no_grad():
        for ids in seen.eval_batches(torch.arange(len(images), device=device)):
            report_step(reporter, len(chances), len(images))
            chances += model(seen.batch(ids)).double().softmax(1)[:, given].tolist()
    base, *others = chances
    payload = {
        "base": base,
        "rows": rows.tolist(),
        "columns": columns.tolist(),
        "side": side,
        "covered": [others[k : k + len(columns)] for k in range(0, len(others), len(columns))],
    }
    store.put(stage.key, "occlusion", dict(stage.payload), payload, environment(device))


def covered(image: torch.Tensor, places: list[tuple[int, int]], side: int) -> torch.Tensor:
    """The image (C, H, W), and behind it one copy for each place (row, column) where a patch of ``side`` pixels begins, in the
    image's mean grey; uint8 (1 + places, C, H, W), laid out as training lays out images."""
    copies = image.expand(1 + len(places), *image.shape).clone()
    grey = image.double().mean().round().to(image.dtype)
    for copy, (row, column) in zip(copies[1:], places, strict=True):
        copy[:, row : row + side, column : column + side] = grey
    return copies.contiguous(memory_format=torch.channels_last)
