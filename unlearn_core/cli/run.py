"""``run``: one scenario, some methods, a table."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unlearn_core.cli.checkpoint_fit import say_fit
from unlearn_core.cli.engine_options import EngineOptions
from unlearn_core.cli.follow import follow
from unlearn_core.cli.option_groups import After, expand_groups
from unlearn_core.cli.options import (
    FAILED,
    JsonOption,
    ValuesOption,
    chosen_values,
    parse_names,
    print_json,
    say,
    say_stopped,
    start_early,
)
from unlearn_core.cli.scenario_options import ScenarioOptions
from unlearn_core.front_door.answer import OF_KINDS, SHOWN, SHOWN_UNKNOWN, number, title_of
from unlearn_core.front_door.answer import answer as answer_of
from unlearn_core.results.table_export import marked
from unlearn_core.support.typed_paths import typed_target

if TYPE_CHECKING:
    from rich.table import Table

    from unlearn_core.specs import MethodSpec, Scenario
    from unlearn_core.store import Store

DEFAULT_METHODS = "finetune,npo,retrain,oracle_retrain,rem"
RMIA = ("rmia_auc", "rmia_tpr_at_1_fpr")
WIDE = 110
"""Characters in a line from which on the table says more."""
SHOWN_WIDE = ("healed", "healed_discovered", "healed_undiscovered", *SHOWN[1:])


@expand_groups()
def run(
    *,
    options: ScenarioOptions,
    methods: Annotated[
        str | None,
        typer.Option(help=f"Methods, separated by commas; `methods` lists them. [default: {DEFAULT_METHODS}]"),
        After("found"),
    ] = None,
    values: ValuesOption = None,
    rmia: Annotated[bool, typer.Option("--rmia", help="Train four reference models for the membership attack RMIA.")] = False,
    report: Annotated[
        Path | None, typer.Option(help="Also write one HTML file for others: pictures, numbers, settings, the command.")
    ] = None,
    compute: EngineOptions,
    json: JsonOption = False,
) -> int:
    """Corrupt a dataset, train on it, unlearn with some methods, and compare what healed."""
    from unlearn_core.stages.unlearn import plan_runs

    names = parse_names(DEFAULT_METHODS if methods is None else methods)
    options.parse()
    target = typed_target(report, "--report") if report is not None else None
    try:
        with compute.open() as (store, machine):
            if _surely_new(store, options, names):
                start_early(machine)
            from unlearn_core.presets import make_method, method_overrides
            from unlearn_core.stages.reference_models import plan_reference_models

            scenario, overrides = options.to_scenario(store, names), options.parse().overrides
            if methods is None:
                names = runnable_methods(scenario, names)
            specs = [make_method(name, scenario, method_overrides(overrides, name), chosen_values(values)) for name in names]
            check_counts(scenario)
            say_data(scenario)
            _say_cost(scenario, specs)
            fit = say_fit(machine, store, scenario)
            stages = [*plan_runs(scenario, specs), *(plan_reference_models(scenario) if rmia else ())]
            view = follow(machine, machine.submit(stages, "run"), details=True)
            if target is not None:
                _write_report(target, store, scenario, specs)
    except KeyboardInterrupt:
        return say_stopped()
    answer = answer_of(store, scenario, specs, view) | {"checkpoint": fit}
    if json:
        print_json(answer)
    else:
        _print(answer, RMIA if rmia else ())
    return FAILED if answer["failed"] else 0


def _write_report(target: Path, store: Store, scenario: Scenario, specs: Sequence[MethodSpec]) -> None:
    from unlearn_core.front_door.report import comparison_report, write_report
    from unlearn_core.results.tables import comparison

    command = f"python -m unlearn_core {shlex.join(sys.argv[1:])}"
    text = comparison_report(store, scenario, specs, comparison(store, scenario, specs), {"Terminal": command})
    write_report(target, text)
    say(f"The report is in {target}.")


def runnable_methods(scenario: Scenario, names: list[str]) -> list[str]:
    """The default methods without those that need a truth which is unknown here."""
    from unlearn_core.corruption import truth_known
    from unlearn_core.methods import registry
    from unlearn_core.stages.validate import check_task

    check_task(scenario)
    if truth_known(scenario):
        return names
    say("Nobody knows here which labels are wrong, so healed is unknown and no oracle can run.")
    return [name for name in names if not registry.get(name).oracle]


def check_counts(scenario: Scenario) -> None:
    """Refuse amounts and discovery rates that cannot be, where the dataset's size is known without loading it."""
    from unlearn_core import corruption
    from unlearn_core.datasets import registry

    sizes = registry.get(scenario.dataset.name).sizes
    if sizes is not None:
        corruption.check_counts(scenario, sizes[0])


def say_data(scenario: Scenario) -> None:
    """What was taken from files, and what in them cannot be used, on stderr."""
    from unlearn_core.datasets import load_dataset, registry

    source = registry.get(scenario.dataset.name)
    split = load_dataset(scenario.dataset, scenario.seed)
    for line in (split.note, *source.problems(source.params(scenario.dataset.params)), *split.problems):
        if line:
            say(line)


def _say_cost(scenario: Scenario, specs: Sequence[MethodSpec]) -> None:
    from unlearn_core.views.text.expected_cost import dear_sentences, expected_work

    for sentence in dear_sentences(expected_work(scenario, specs)):
        say(sentence)


def _surely_new(store: Store, options: ScenarioOptions, names: Sequence[str]) -> bool:
    """Whether no stored run can be the answer for one of the methods (its exact key is not known yet)."""
    regularity, discovery, seed = options.regularity, options.discovery, options.seed
    plain = options.forget is None and not options.found
    if not (plain and 0 <= regularity <= 1 and 0 <= discovery <= 1 and 0 <= seed < 2**31):
        return False
    there = store.runs.find(dataset=options.parse().dataset, seed=seed, regularity=regularity, discovery=discovery)
    found = {row.method for row in there}
    return not set(names) <= found


def _print(answer: dict[str, Any], extra: Sequence[str] = ()) -> None:
    from rich.console import Console

    console = Console()
    shown: tuple[str, ...] = SHOWN_WIDE if console.width >= WIDE else SHOWN
    if answer["scenario"]["corruption"].get("kind"):
        told = {name for result in answer["results"] for name, value in result["metrics"].items() if value is not None}
        shown = tuple(name for name in (*shown[:-1], *OF_KINDS, shown[-1]) if name in told)
    elif all(result["metrics"].get("healed") is None for result in answer["results"]):
        shown = SHOWN_UNKNOWN
    console.print(_table(answer, (*shown, *extra), console.width >= WIDE), markup=False)
    cached = sum(result["cached"] for result in answer["results"])
    for sentence in (answer["checkpoint"] or {}).get("sentences", ()):
        print(sentence)
    for sentence in answer["choices"]:
        print(sentence.replace("`", ""))
    if answer["memorised"]:
        print(answer["memorised"])
    if not answer["nothing_to_heal"]:
        print("★ best of the methods; oracles know the ground truth and do not compete.")
    if cached:
        print(f"{cached} of {len(answer['results'])} results were already stored (cached).")
    for failure in answer["failed"]:
        say(f"Failed: {failure['method']}: {failure['cause']}")


def _table(answer: dict[str, Any], shown: Sequence[str], wide: bool) -> Table:
    """One row per result; a star marks the best of those that compete. ``wide``: also what each method is told."""
    from rich.table import Table

    from unlearn_core.evaluation import registry
    from unlearn_core.results.harm import costly

    metrics = [registry.get(name) for name in shown if name in registry]
    table = Table(box=None, pad_edge=False, header_style="bold", title=title_of(answer["scenario"]), title_justify="left")
    table.add_column("Method", max_width=44)
    if wide:
        table.add_column("Knows")
    for metric in metrics:
        table.add_column(metric.label, justify="right")
    rivals = [result for result in answer["results"] if not (result["oracle"] or costly(result["metrics"], answer["original"]))]
    rivals = [] if answer["nothing_to_heal"] else rivals
    best = {metric.name: _best(rivals, metric.name, metric.direction) for metric in metrics}
    if answer["original"] is not None:
        table.add_row("Original", *(["–"] if wide else []), *(number(answer["original"].get(m.name), m.unit) for m in metrics))
    for result in answer["results"]:
        cells = []
        for metric in metrics:
            value = result["metrics"].get(metric.name)
            winner = result in rivals and value is not None and value == best[metric.name]
            cells.append(("★ " if winner else "") + number(value, metric.unit))
        variant = f" [{result['variant']}]" if result["variant"].startswith("paper") else ""
        knows = [" · ".join(result["knows"]) or "nothing"] if wide else []
        table.add_row(marked(result["label"], result["oracle"]) + variant, *knows, *cells)
    return table


def _best(results: Sequence[dict[str, Any]], metric: str, direction: str) -> float | None:
    values = (result["metrics"].get(metric) for result in results)
    known: list[float] = [value for value in values if value is not None]
    if not known or len(known) < 2 or direction not in ("higher", "lower"):
        return None
    if len(known) > 1 and min(known) == max(known):  # a tie of all is no method's merit
        return None
    return max(known) if direction == "higher" else min(known)
