"""Planes and decision maps as the store keeps them: computed by a worker where that takes longer than a page should wait."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pandas as pd

from unlearn_core.canonical import content_key
from unlearn_core.results.reader import Results
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.views.boundary.anchors import Anchor, Asked
from unlearn_core.views.boundary.data import RESOLUTION, REVISION, DecisionMap, slow
from unlearn_core.views.boundary.plane import InputPlane
from unlearn_core.views.embedding.data import is_small


def computed_elsewhere(scenario: Scenario) -> bool:
    """Whether planes of these data are a worker's business: photographs are, points and digits take a page some 50 ms."""
    return slow(scenario) or not is_small(scenario)


def plane_key(scenario: Scenario, asked: Asked) -> str:
    """Key of the stored plane with the examples on it: which of them are discovered is part of that."""
    return content_key("plane", REVISION, scenario.key, list(asked))


def decision_map_key(scenario: Scenario, spec: MethodSpec | None, plane: InputPlane, resolution: int = RESOLUTION) -> str:
    """Key of what a stored model (``spec`` None: the original) says all over a plane."""
    anchors = [(anchor.index, anchor.version) for anchor in plane.anchors]
    model = scenario.original_key if spec is None else scenario.run_key(spec)
    return content_key("field", REVISION, model, scenario.corruption_key, anchors, resolution)


def pack_plane(plane: InputPlane, points: pd.DataFrame) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """A plane as a payload and arrays; :func:`stored_plane` makes it whole again."""
    anchors = [{name: value for name, value in asdict(anchor).items() if name != "inputs"} for anchor in plane.anchors]
    shown = {"columns": list(points.columns), "data": points.to_numpy().tolist()}
    payload: dict[str, object] = {"x": plane.x, "y": plane.y, "shape": plane.shape, "anchors": anchors, "points": shown}
    arrays = {"origin": plane.origin, "axes": plane.axes}
    return payload, arrays | {f"inputs{k}": np.asarray(anchor.inputs) for k, anchor in enumerate(plane.anchors)}


def stored_plane(store: Results, scenario: Scenario, asked: Asked) -> tuple[InputPlane, pd.DataFrame] | None:
    """The plane and the examples on it as stored, or None."""
    record = store.get(plane_key(scenario, asked))
    if record is None:
        return None
    try:
        arrays = store.arrays(record.key, "plane")
    except LookupError:
        return None
    told = record.payload
    anchors = tuple(
        Anchor(**about | {"inputs": arrays[f"inputs{k}"], "place": tuple(about["place"])})
        for k, about in enumerate(told["anchors"])
    )
    (x0, x1), (y0, y1) = told["x"], told["y"]
    plane = InputPlane(arrays["origin"], arrays["axes"], (x0, x1), (y0, y1), tuple(told["shape"]), anchors)
    return plane, pd.DataFrame(told["points"]["data"], columns=told["points"]["columns"])


def stored_decision_map(
    store: Results, scenario: Scenario, spec: MethodSpec | None, plane: InputPlane, resolution: int = RESOLUTION
) -> tuple[DecisionMap, float | None] | None:
    """What a model says over the plane, and its share healed, as stored; or None."""
    record = store.get(decision_map_key(scenario, spec, plane, resolution))
    if record is None:
        return None
    try:
        arrays = store.arrays(record.key, "field")
    except LookupError:
        return None
    return DecisionMap(arrays["winners"], arrays["confidence"]), record.payload["healed"]
