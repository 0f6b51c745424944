"""Runs one stage: its device, its seed, its determinism. No scheduler in here."""

from __future__ import annotations

import functools
import platform
from collections.abc import Callable
from importlib import metadata
from typing import Any

import torch

from unlearn_core.errors import Cancelled, UserError
from unlearn_core.specs import Scenario
from unlearn_core.stages.components import check_components
from unlearn_core.stages.recorder import Progress, Recorder
from unlearn_core.stages.stage import Compute, Stage, compute_for, register_stage
from unlearn_core.store import Store
from unlearn_core.training import computing_in, deterministic, seeded

ScenarioCompute = Callable[[Stage, Scenario, Store, torch.device, Recorder], None]


def run_stage(stage: Stage, store: Store, device: str, reporter: Progress) -> None:
    """Compute one stage and put its record into the store. Errors and :class:`Cancelled` go to the caller."""
    compute_for(stage.kind)(stage, store, device, reporter)


def scenario_stage(kind: str) -> Callable[[ScenarioCompute], ScenarioCompute]:
    """Register a stage that is about one scenario: computed with its seed, deterministically, on the device asked for."""

    def register(compute: ScenarioCompute) -> ScenarioCompute:
        @functools.wraps(compute)
        def run(stage: Stage, store: Store, device: str, reporter: Progress) -> None:
            scenario = Scenario.parse(stage.payload["scenario"])
            check_components(scenario, stage.payload)
            where = resolve_device(device)
            numbers = computing_in(scenario.training.precision)
            with numbers, deterministic(threads=1 if where.type == "cpu" else None), seeded(scenario.seed):
                compute(stage, scenario, store, where, Recorder(reporter))

        checked: Compute = run
        register_stage(kind)(checked)
        return compute

    return register


def report_step(reporter: Progress, done: int, total: int) -> None:
    """Report a step of a computation that has no reporter of its own; raises :class:`Cancelled` once the stage is cancelled."""
    if reporter.cancelled():
        raise Cancelled
    reporter.step(done, total)


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
