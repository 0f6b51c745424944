"""``sweep``: every combination of a plan, without what the store already has."""

from __future__ import annotations

import functools
import itertools
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unlearn_core.cli.checkpoint_fit import fit_of
from unlearn_core.cli.engine_options import EngineOptions
from unlearn_core.cli.follow import follow
from unlearn_core.cli.option_groups import expand_groups
from unlearn_core.cli.options import (
    FAILED,
    INTERRUPTED,
    DataOption,
    JsonOption,
    RecipeOption,
    ValuesOption,
    check_names,
    print_json,
    say,
    say_stopped,
    start_early,
    with_data,
)
from unlearn_core.engine import Engine, JobView
from unlearn_core.errors import UserError
from unlearn_core.front_door.watching import clock
from unlearn_core.specs import Scenario, SweepSpec
from unlearn_core.support.typed_paths import typed_path

if TYPE_CHECKING:
    from unlearn_core.stages.stage import Stage
    from unlearn_core.store import Store


MAX_BYTES = 2**20
MAX_RUNS = 100_000


@expand_groups()
def sweep(
    plan: Annotated[
        Path,
        typer.Argument(help="A YAML file: dataset, regularity, discovery, methods, values, seeds, amount, model, recipe, set."),
    ],
    data: DataOption = None,
    values: ValuesOption = None,
    recipe: RecipeOption = None,
    *,
    compute: EngineOptions,
    detach: Annotated[bool, typer.Option("--detach", help="Go on without this terminal; --attach looks in on it.")] = False,
    attach: Annotated[bool, typer.Option("--attach", help="Watch what another command computes of the plan.")] = False,
    json: JsonOption = False,
) -> int:
    """Compute every combination in a plan that is not stored yet. It can be stopped at any moment and run again."""
    if detach and attach:
        raise UserError("Give --detach to start a sweep, or --attach to look in on one.")
    spec = with_files(read_plan(plan), data)
    options = {"values": values and [values.value], "recipe": recipe and recipe.value}
    spec = spec.model_copy(update={field: value for field, value in options.items() if value is not None})
    # The store is opened, and made, once the plan turns out to be one that can run.
    from unlearn_core.store import Store

    place = functools.cache(lambda: Store.open(compute.store))
    if detach or attach:
        return _elsewhere(plan, plan_stages(spec), place() if attach else None, json)
    machine = compute.make_engine(place)
    try:
        start_early(machine)
        stages = plan_stages(spec)
        _say_fits(machine, place(), spec)
        job = machine.submit(stages, plan.name)
        try:
            view = follow(machine, job, details=False)
        except KeyboardInterrupt:
            say_stopped()
            view = machine.wait(job, 0)
    finally:
        machine.close()
    answer = _summary(view)
    if json:
        print_json(answer)
    else:
        counts = f"{answer['computed']} computed, {answer['cached']} already stored, {len(answer['failed'])} failed"
        print(f"{answer['runs']} runs: {counts} in {clock(view.elapsed)}. `results` shows the table.")
    if view.state == "cancelled":
        return INTERRUPTED
    return FAILED if answer["failed"] else 0


def _elsewhere(plan: Path, stages: list[Stage], store: Store | None, json: bool) -> int:
    """Start the sweep in a process of its own, or with a ``store`` watch it there."""
    from unlearn_core.cli.detached import start_detached, watch

    if store is None:
        answer = start_detached(sys.argv[1:], plan)
        words = f"Process {answer['process']} goes on without this terminal and writes to {answer['log']}."
        words += " The same command with --attach in place of --detach looks in on it; whatever ends it, it can be given again."
    else:
        answer = watch(store, stages, plan.name)
        words = (
            f"{answer['runs']} runs: {answer['stored']} stored, {len(answer['failed'])} failed, {answer['missing']} missing."
        )
        words += (
            "" if not answer["missing"] or answer["failed"] else " Nobody computes this plan now: give it without --attach."
        )
    print_json(answer) if json else print(words)
    return FAILED if answer.get("missing") else 0


def read_plan(path: Path) -> SweepSpec:
    """A plan from a YAML file; raises ``UserError`` with one sentence for everything that can be wrong with it."""
    import yaml

    try:
        with typed_path(path, "the plan", kept=False).open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UserError(f"The plan {str(path)!r} cannot be read: {error.strerror or error}.") from None
    if len(raw) > MAX_BYTES:
        raise UserError(f"The plan {str(path)!r} is larger than 1 MB; that is no plan.")
    try:
        data = yaml.safe_load(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise UserError(f"The plan {str(path)!r} is not UTF-8 text.") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark is not None else ""
        raise UserError(
            f"The plan {str(path)!r} is not valid YAML{where}: {getattr(error, 'problem', None) or error}."
        ) from None
    if not isinstance(data, dict):
        raise UserError(f"The plan {str(path)!r} must be a mapping such as “methods: [rem, retrain]”.")
    odd = next((key for key in data if not isinstance(key, str)), None)
    if odd is not None:
        raise UserError(f"The plan {str(path)!r} has a key that is not text ({odd!r}).")
    return SweepSpec.parse(data)


def with_files(spec: SweepSpec, data: str | None) -> SweepSpec:
    """The plan with its images taken from ``data``, where that is given: a plan need not name a place on one machine."""
    if data is None:
        return spec
    overrides = dict(spec.set)
    with_data(spec.dataset, data, overrides)
    return spec.model_copy(update={"set": overrides})


def plan_stages(spec: SweepSpec) -> list[Stage]:
    """Every stage of every combination, in an order that finishes one seed of everything first."""
    from unlearn_core.cli.run import check_counts
    from unlearn_core.presets import check_overrides, make_method, method_overrides
    from unlearn_core.stages.unlearn import plan_runs, share_models

    names = check_names(spec.methods)
    check_overrides(spec.set, names)
    count = len(names) * len(spec.values) * math.prod(len(values) for values in _lists(spec))
    if count > MAX_RUNS:
        raise UserError(f"The plan asks for {count:,} runs; at most {MAX_RUNS:,} go into one plan.")
    stages: dict[str, Stage] = {}
    for scenario in _tasks(spec):
        check_counts(scenario)
        specs = [
            make_method(name, scenario, method_overrides(spec.set, name), values) for values in spec.values for name in names
        ]
        stages |= {stage.key: stage for stage in plan_runs(scenario, specs)}
    return share_models(list(stages.values()))


def _lists(spec: SweepSpec) -> tuple[Sequence[int], Sequence[int | float | None], Sequence[float], Sequence[float]]:
    """What is combined: seeds, amounts, regularities, discovery rates."""
    return spec.seeds, spec.amount or [None], spec.regularity, spec.discovery


def _tasks(spec: SweepSpec) -> Iterator[Scenario]:
    """Every task of a plan, one seed after the other."""
    from unlearn_core.presets import make_scenario

    for seed, amount, regularity, discovery in itertools.product(*_lists(spec)):
        yield make_scenario(
            spec.dataset,
            regularity=regularity,
            amount=amount,
            discovery=discovery,
            model=spec.model,
            seed=seed,
            overrides=spec.set,
            recipe=spec.recipe,
        )


def _say_fits(machine: Engine, store: Store, spec: SweepSpec) -> None:
    """What a checkpoint is worth on the labels of every task, each sentence once; :class:`UserError` where it does not fit."""
    said: set[str] = set()
    for scenario in {task.original_key: task for task in _tasks(spec)}.values():
        found = fit_of(machine, store, scenario)
        if found is None:
            return
        for sentence in [*found["words"], *found["sentences"]]:
            if sentence not in said:
                say(sentence)
            said.add(sentence)


def _summary(view: JobView) -> dict[str, Any]:
    runs = [stage for stage in view.stages if stage.kind == "run"]
    states = [stage.state for stage in runs]
    return {
        "runs": len(runs),
        "computed": states.count("done"),
        "cached": states.count("cached"),
        "cancelled": states.count("cancelled"),
        "failed": [{"key": s.key, "method": s.title, "cause": s.message} for s in view.stages if s.state == "failed"],
        "seconds": view.elapsed,
    }
