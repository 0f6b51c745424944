"""What is computed for a result, in stages that are shared by key: original model → run. No scheduler in here."""

from __future__ import annotations

import functools
import platform
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from typing import Any, Literal

import numpy as np
import torch

from unlearn_core.corruption import (
    NOTHING_WRONG,
    UNKNOWN_TRUTH,
    check_forget,
    corrupt,
    corrupted_count,
    discovered_count,
)
from unlearn_core.datasets import load_dataset
from unlearn_core.datasets import registry as datasets
from unlearn_core.engine import attacking, boundary, checking, embedding, looking, measuring, reading, running
from unlearn_core.engine._backend import Stage as Stage
from unlearn_core.engine.recorder import Progress, Recorder, now
from unlearn_core.errors import UserError
from unlearn_core.evaluation import Arena, build_arena, measured_regularity, observe
from unlearn_core.methods import OracleTask, UnlearningTask
from unlearn_core.methods import registry as methods
from unlearn_core.models import RedirectNet, build_model
from unlearn_core.models import registry as models
from unlearn_core.specs import MethodSpec, Scenario, content_key
from unlearn_core.store import Store
from unlearn_core.training import Trainer, deterministic, seeded

_TOY_VISITS = 150_000
"""Points and digits are trained on in seconds with up to so many visits to an example (training examples × epochs)."""
_TOY_COST = 2.0
"""In trainings from scratch: what costs more is long on a toy as well."""
_TRAINING = 3.0
"""Weight of training a model from scratch among the stages."""


def plan_runs(scenario: Scenario, specs: Sequence[MethodSpec]) -> list[Stage]:
    """The stages of these methods on this scenario, dependencies first; raises :class:`UserError` for what cannot run."""
    check_task(scenario)
    data = scenario.model_dump(mode="json")
    title = f"Original model ({scenario.dataset.name}, seed {scenario.seed})"
    toy = _is_toy(scenario)
    original = Stage(
        "original", scenario.original_key, title, {"scenario": data}, weight=_TRAINING, lane="quick" if toy else "long"
    )
    stages = {original.key: original}
    for spec in specs:
        method = methods.get(spec.name)
        if method.needs_forget and scenario.nothing_known:
            raise UserError(f"{method.label} needs a forget set, and at a discovery rate of 0 nothing is discovered.")
        if method.oracle and not truth_known(scenario):
            raise UserError(f"{method.label} needs to know every wrong label, and here nobody does: leave it out.")
        payload = {"scenario": data, "method": spec.model_dump(mode="json")}
        key = scenario.run_key(spec)
        weight = _TRAINING * method.cost
        lane: Literal["quick", "long"] = "quick" if toy and method.cost <= _TOY_COST else "long"
        stages[key] = Stage("run", key, method.label, payload, (original.key,), weight, lane)
    return list(stages.values())


def _is_toy(scenario: Scenario) -> bool:
    """Whether the original is trained in seconds, which a person waits for."""
    if datasets.get(scenario.dataset.name).family == "photos":
        return False
    return len(load_dataset(scenario.dataset, scenario.seed).train) * scenario.training.epochs <= _TOY_VISITS


def check_task(scenario: Scenario) -> None:
    """Raise :class:`UserError` for a corruption, trigger, discovery, forget set or checkpoint that does not suit this data."""
    size, corrupted, known = _check_task(scenario.at_rate(1.0).model_dump_json())
    train, _ = datasets.get(scenario.dataset.name).sizes or (0, 0)
    if scenario.forget is not None:
        check_forget(scenario.forget, size)
    elif scenario.corruption.found and scenario.discovery:
        if not corrupted:
            raise UserError(NOTHING_WRONG if known else UNKNOWN_TRUTH)
        discovered_count(corrupted, scenario.discovery)
    elif train and not scenario.corruption.found:
        discovered_count(corrupted_count(scenario.corruption.amount, train), scenario.discovery)


def truth_known(scenario: Scenario) -> bool:
    """Whether it is known which training examples are corrupted: always, but for data as found without clean labels."""
    return not scenario.corruption.found or _check_task(scenario.at_rate(1.0).model_dump_json())[2]


@functools.lru_cache(maxsize=256)
def _check_task(scenario_json: str) -> tuple[int, int, bool]:
    """The size of the training set, if this can be its corruption, how many are corrupted, and whether that is known."""
    scenario = Scenario.model_validate_json(scenario_json)
    split = load_dataset(scenario.dataset, scenario.seed)
    truth = corrupt(split, scenario.dataset, scenario.corruption, scenario.seed).truth
    network = models.get(scenario.model.name)
    network.check(network.params(scenario.model.params), split.train.shape, split.train.class_names)
    return len(split.train), len(truth.corrupted), truth.known


def plan_regularity(scenario: Scenario) -> list[Stage]:
    """The stage that measures how much the corrupted examples share; its key doesn't depend on the discovery rate."""
    return [
        Stage(
            "regularity",
            regularity_key(scenario),
            "Measured regularity",
            {"scenario": scenario.model_dump(mode="json")},
            weight=8.0,
        )
    ]


def regularity_key(scenario: Scenario) -> str:
    """Key of the measured regularity of a scenario's corruption."""
    return content_key("regularity", scenario.original_key)


def run_stage(stage: Stage, store: Store, device: str, reporter: Progress) -> None:
    """Compute one stage and put its record into the store. Errors and :class:`Cancelled` go to the caller."""
    if stage.kind == "reading":
        reading.reading(stage, store, reporter)
        return
    try:
        compute = _STAGES[stage.kind]
    except KeyError:
        raise UserError(f"There is no stage called {stage.kind!r}.") from None
    scenario = Scenario.parse(stage.payload["scenario"])
    place = resolve_device(device)
    with deterministic(threads=1 if place.type == "cpu" else None), seeded(scenario.seed):
        compute(stage, scenario, store, place, Recorder(reporter))


def resolve_device(name: str) -> torch.device:
    """ "auto", "cpu" or "cuda" as a device; raises :class:`UserError` where there is no such device."""
    if name not in ("auto", "cpu", "cuda"):
        raise UserError(f"The device must be auto, cpu or cuda (got {name!r}).")
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise UserError("This machine has no usable CUDA device; choose --device cpu or auto.")
    return torch.device("cuda" if available and name != "cpu" else "cpu")


def environment(device: torch.device) -> dict[str, Any]:
    """What a result depends on besides its spec: device, versions, threads."""
    packages = {name: metadata.version(name) for name in ("torch", "numpy", "scikit-learn")}
    name = torch.cuda.get_device_name() if device.type == "cuda" else platform.processor() or platform.machine()
    return {
        "device": device.type,
        "device_name": name,
        "python": platform.python_version(),
        "threads": torch.get_num_threads(),
    } | packages


@functools.lru_cache(maxsize=4)
def _arena(data_key: str, scenario_json: str, device: str) -> Arena:
    return build_arena(Scenario.model_validate_json(scenario_json), torch.device(device))


def arena_of(scenario: Scenario, device: torch.device) -> Arena:
    """The scenario's data on this device; the last few are kept."""
    # Discovery and model don't change the data: normalise them away so that all methods share one arena.
    return _arena(scenario.corruption_key, scenario.at_rate(1.0).model_dump_json(), device.type)


def _original(stage: Stage, scenario: Scenario, store: Store, device: torch.device, reporter: Recorder) -> None:
    arena = arena_of(scenario, device)
    model = fresh_model(scenario, arena)(scenario.seed)
    start = now(device)
    source = models.get(scenario.model.name)
    if source.give_weights(source.params(scenario.model.params), model):
        model.eval()
    else:
        Trainer(model, arena.train, scenario.training, scenario.seed, reporter, snapshots=False).fit(
            torch.arange(len(arena.train), device=device)
        )
    seconds = now(device) - start
    logits = observe(model, arena)
    store.put(
        stage.key,
        "original",
        _shared_spec(scenario),
        {"seconds": seconds, "device": device.type},
        environment(device),
        {"weights": as_arrays(model.state_dict()), "logits": as_arrays(vars(logits))},
    )


def _regularity(stage: Stage, scenario: Scenario, store: Store, device: torch.device, reporter: Recorder) -> None:
    result = measured_regularity(scenario, arena_of(scenario, device), reporter)
    store.put(stage.key, "regularity", _shared_spec(scenario), result, environment(device), {})


_STAGES: dict[str, Callable[[Stage, Scenario, Store, torch.device, Recorder], None]] = {}


def fresh_model(scenario: Scenario, arena: Arena) -> Callable[[int], RedirectNet]:
    """A factory of newly initialised networks on the arena's device. It holds the spec and the shape, no data."""
    spec, shape, classes, device = scenario.model, arena.corrupted.train.shape, arena.train.classes, arena.train.device
    moments = arena.train.moments
    return lambda seed: build_model(spec, shape, classes, seed, moments).to(device)


def make_task(store: Store, scenario: Scenario, arena: Arena, oracle: bool = False) -> UnlearningTask:
    """What a method receives: the stored original, the data as given, F and the rest — ground truth only for oracles."""
    truth = arena.corrupted.truth
    forget = truth.forget_of(scenario).to(arena.train.device)
    keep = torch.ones(len(arena.train), dtype=torch.bool, device=arena.train.device)
    keep[forget] = False
    factory = fresh_model(scenario, arena)
    common: dict[str, Any] = {
        "original": load_original(store, scenario, arena),
        "data": arena.train,
        "forget": forget,
        "retain": keep.nonzero()[:, 0],
        "fresh_model": factory,
        "recipe": scenario.training,
        "seed": scenario.seed,
    }
    return OracleTask(**common, truth=truth) if oracle else UnlearningTask(**common)


def load_original(store: Store, scenario: Scenario, arena: Arena) -> RedirectNet:
    """The stored original model of ``scenario``, in eval mode."""
    model = fresh_model(scenario, arena)(scenario.seed)
    arrays = store.arrays(scenario.original_key, "weights")
    model.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in arrays.items()})
    return model.eval()


def _shared_spec(scenario: Scenario) -> dict[str, Any]:
    """A scenario without its forget set, which neither the original nor the measured regularity depends on."""
    return {"scenario": scenario.model_dump(mode="json", exclude={"discovery", "forget", "relabelled"})}


def as_arrays(tensors: Mapping[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """Tensors as the store takes them."""
    return {name: value.detach().cpu().contiguous().numpy() for name, value in tensors.items()}


_STAGES.update(original=_original, run=running.run, regularity=_regularity)
_STAGES.update(measures=measuring.measures, embedding=embedding.embedding, boundary=boundary.boundary)
_STAGES.update(reference_models=attacking.reference_models, fit=checking.fit)
_STAGES.update(plane=looking.plane, field=looking.field, cost=looking.cost)
_STAGES.update(channels=looking.channels, strengths=looking.strengths)
