"""``tune``: choose methods' hyperparameters by the held-out-F rule, with provenance."""

from __future__ import annotations

import json as jsonlib
import math
import os
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from pathlib import Path
from typing import Annotated, Any

import typer

from unlearn_core.cli.options import (
    DataOption,
    DatasetOption,
    JsonOption,
    RecipeOption,
    WorkersOption,
    chosen_recipe,
    parse_names,
    parse_overrides,
    print_json,
    say,
    with_data,
)
from unlearn_core.cli.run import say_data
from unlearn_core.errors import UserError
from unlearn_core.support.typed_paths import typed_target

FIRST_SEED = 100
"""Tuning uses seeds from here on; reported numbers use 0, 1, 2."""


def tune(
    dataset: DatasetOption = None,
    data: DataOption = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Override, such as dataset.limit=2000.")] = None,
    recipe: RecipeOption = None,
    methods: Annotated[str, typer.Option(help="Methods, separated by commas, or all.")] = "all",
    tries: Annotated[int, typer.Option(min=1, max=10_000, help="Configurations tried for each method.")] = 11,
    finalists: Annotated[int, typer.Option(min=1, max=100, help="How many go on to more seeds, beside the preset.")] = 3,
    discovery: Annotated[str, typer.Option(help="Discovery rates of the plane, separated by commas.")] = "0.1,0.5",
    seeds: Annotated[int, typer.Option(min=1, max=50, help="Seeds of the first round; finalists get twice as many more.")] = 1,
    out: Annotated[Path | None, typer.Option(help="File to merge the result into. [default: the committed one]")] = None,
    workers: WorkersOption = None,
    json: JsonOption = False,
) -> int:
    """Search hyperparameters without ground truth or test data: heal a held-out part of F, keep the rest accurate."""
    import torch

    from unlearn_core.presets import TUNED, check_overrides, values_file
    from unlearn_core.stages.execution import environment
    from unlearn_core.tuning.search import Setting, write_tuned
    from unlearn_core.tuning.search import tune as search

    overrides = parse_overrides(set_ or [])
    chosen = with_data(dataset, data, overrides)
    check_overrides(overrides, [])
    target = typed_target(out, "--out") if out else TUNED / f"{values_file(chosen)}.json"
    setting = Setting(chosen, tuple(overrides.items()), chosen_recipe(recipe))
    say_data(setting.scenario())  # what cannot be is said before workers start
    names = _searchable(methods)
    rates = [_rate(text) for text in discovery.split(",")]
    first, more = range(FIRST_SEED, FIRST_SEED + seeds), range(FIRST_SEED + seeds, FIRST_SEED + 3 * seeds)
    results: dict[str, Any] = {}
    with ProcessPoolExecutor(workers or 2, mp_context=get_context("spawn"), initializer=end_with_parent) as pool:
        for name in names:
            result = search(
                setting,
                name,
                pool,
                tries=tries,
                finalists=finalists,
                discovery=rates,
                first_seeds=first,
                more_seeds=more,
                progress=_Progress(name),
            )
            results[name] = result
            write_tuned(target, chosen, {name: result}, environment(torch.device("cpu")))
            say(f"{name}: {result['preset_score']:.3f} → {result['score']:.3f} with {jsonlib.dumps(result['params'])}")
    if json:
        print_json(results)
    return 0


def _searchable(methods: str) -> list[str]:
    """The methods that are named, or all that declare something to search; oracles only where they are named."""
    from unlearn_core.methods import registry

    if methods == "all":
        return [method.name for method in registry if method.search_space and not method.oracle]
    names = parse_names(methods)
    for name in names:
        if not registry.get(name).search_space:
            raise UserError(f"{name} declares nothing to search (its search_space is empty).")
    return names


def end_with_parent() -> None:
    """Let this worker process end when the one that started it is gone: a pool's workers otherwise wait for ever."""
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=lambda: (wait([parent.sentinel]), os._exit(1)), daemon=True).start()


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not 0 < rate <= 1:
        raise UserError(f"--discovery takes rates above 0 and at most 1, such as 0.1,0.5 (got {text!r}).")
    return rate


class _Progress:
    def __init__(self, name: str) -> None:
        self.name, self.said = name, 0

    def __call__(self, done: int, total: int) -> None:
        if done * 10 // total > self.said:
            self.said = done * 10 // total
            say(f"{self.name}: {done} of {total} cells")
