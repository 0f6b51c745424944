"""What is measured of a run's redirect channels on large data, as the store keeps it: a worker measures, the page reads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unlearn_core.canonical import content_key
from unlearn_core.results.reader import Results
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.views.channels.data import Layer, Opened

REVISION = 1


def channels_key(scenario: Scenario, spec: MethodSpec) -> str:
    """Key of the stored activations of a run's hidden layers on the training data."""
    return content_key("channels", REVISION, scenario.run_key(spec))


def strengths_key(scenario: Scenario, spec: MethodSpec, strengths: Sequence[float]) -> str:
    """Key of the stored numbers of a run at these strengths; they depend on what is discovered, as the run does."""
    return content_key("strengths", REVISION, scenario.run_key(spec), [round(float(value), 6) for value in strengths])


def pack_layers(layers: Sequence[Layer]) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """Layers as a payload and arrays."""
    arrays = {f"mean{layer.number}": layer.mean for layer in layers} | {f"active{one.number}": one.active for one in layers}
    return {"layers": [[layer.number, layer.base, layer.redirect] for layer in layers]}, arrays


def fill(opened: Opened, store: Results, spec: MethodSpec, strengths: Sequence[Sequence[float]]) -> None:
    """Put what is stored into an opened run, so that nothing of it is computed here. Raises LookupError where it is not."""
    if "layers" not in vars(opened):
        key = channels_key(opened.scenario, spec)
        record = store.get(key)
        if record is None:
            raise LookupError("the channels are not stored")
        arrays = store.arrays(key, "channels")
        vars(opened)["layers"] = [
            Layer(number, base, redirect, arrays[f"mean{number}"], arrays[f"active{number}"])
            for number, base, redirect in record.payload["layers"]
        ]
    for wanted in strengths:
        if all(round(float(value), 6) in opened.memo for value in wanted):
            continue
        record = store.get(strengths_key(opened.scenario, spec, wanted))
        if record is None:
            raise LookupError("the strengths are not stored")
        opened.memo |= dict(record.payload["numbers"])
