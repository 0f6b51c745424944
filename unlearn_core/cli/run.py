"""``run``: one scenario, some methods, a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unlearn_core.cli.checkpoint_fit import say_fit
from unlearn_core.cli.follow import follow
from unlearn_core.cli.forget_option import ForgetOption, FoundOption, with_forget, with_found
from unlearn_core.cli.options import (
    FAILED,
    ArchitectureOption,
    CheckpointOption,
    DataOption,
    DatasetOption,
    Device,
    DeviceOption,
    EngineOption,
    InputSizeOption,
    JsonOption,
    NormaliseOption,
    RecipeOption,
    StoreOption,
    ValuesOption,
    WorkersOption,
    chosen_recipe,
    chosen_values,
    parse_names,
    parse_overrides,
    print_json,
    say,
    start_early,
    stopped,
    with_data,
    with_network,
)
from unlearn_core.engine import Engine, JobView
from unlearn_core.results.table_export import marked
from unlearn_core.store import Store

if TYPE_CHECKING:
    from unlearn_core.specs import MethodSpec, Scenario

DEFAULT_METHODS = "finetune,npo,retrain,oracle_retrain,rem"
SHOWN = ("healed", "utility", "healed_x_utility", "attack_success", "seconds")
SHOWN_UNKNOWN = ("healed_relabelled", "forget_accuracy", "retain_accuracy", "utility", "agreement_retrain", "seconds")
"""What is shown in place of healed where nobody knows what is wrong."""
RMIA = ("rmia_auc", "rmia_tpr_at_1_fpr")
SHOWN_WIDE = ("healed", "healed_discovered", "healed_undiscovered", *SHOWN[1:])


def run(
    dataset: DatasetOption = None,
    data: DataOption = None,
    regularity: Annotated[float, typer.Option(help="0 random labels, 0.5 class confusion, 1 trigger.")] = 1.0,
    discovery: Annotated[float, typer.Option(help="Share of the corruption that is known, 0 to 1.")] = 0.3,
    forget: ForgetOption = None,
    found: FoundOption = False,
    methods: Annotated[
        str | None, typer.Option(help=f"Methods, separated by commas; `methods` lists them. [default: {DEFAULT_METHODS}]")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    amount: Annotated[str | None, typer.Option(help="Corrupted examples: a count or a fraction up to 0.5.")] = None,
    model: Annotated[str | None, typer.Option(help="Network; `models` lists them.")] = None,
    checkpoint: CheckpointOption = None,
    architecture: ArchitectureOption = None,
    input_size: InputSizeOption = None,
    normalise: NormaliseOption = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Override, such as rem.epochs=5 or trigger.size=3.")] = None,
    recipe: RecipeOption = None,
    values: ValuesOption = None,
    rmia: Annotated[bool, typer.Option("--rmia", help="Train four reference models for the membership attack RMIA.")] = False,
    engine: EngineOption = "local",
    workers: WorkersOption = None,
    store: StoreOption = None,
    device: DeviceOption = Device.auto,
    json: JsonOption = False,
) -> int:
    """Corrupt a dataset, train on it, unlearn with some methods, and compare what healed."""
    from unlearn_core.stages.unlearn import plan_runs

    names, overrides = parse_names(DEFAULT_METHODS if methods is None else methods), parse_overrides(set_ or [])
    with_found(overrides, found, amount)
    chosen = with_data(dataset, data, overrides)
    model = with_network(model, overrides, checkpoint, architecture, input_size, normalise)
    place = Store.open(store)
    machine = Engine(place, address=engine, workers=workers, device=device.value)
    try:
        plain = forget is None and not found and 0 <= regularity <= 1 and 0 <= discovery <= 1 and 0 <= seed < 2**31
        if plain and _surely_new(place, chosen, regularity, discovery, seed, names):
            start_early(machine)
        from unlearn_core.presets import check_overrides, make_method, make_scenario, method_overrides
        from unlearn_core.stages.reference_models import plan_reference_models
        from unlearn_core.views.text.expected_cost import dear_sentences, expected_work

        check_overrides(overrides, names)
        scenario = make_scenario(
            chosen, regularity=regularity, amount=amount, discovery=discovery, model=model, seed=seed, overrides=overrides,
            recipe=chosen_recipe(recipe),
        )  # fmt: skip
        scenario = with_forget(place, scenario, forget)
        if methods is None:
            names = possible(scenario, names)
        specs = [make_method(name, scenario, method_overrides(overrides, name), chosen_values(values)) for name in names]
        check_counts(scenario)
        say_data(scenario)
        for sentence in dear_sentences(expected_work(scenario, specs)):
            say(sentence)
        fit = say_fit(machine, place, scenario)
        stages = [*plan_runs(scenario, specs), *(plan_reference_models(scenario) if rmia else ())]
        view = follow(machine, machine.submit(stages, "run"), details=True)
    except KeyboardInterrupt:
        return stopped()
    finally:
        machine.close()
    answer = _answer(place, scenario, specs, view) | {"checkpoint": fit}
    if json:
        print_json(answer)
    else:
        _print(answer, RMIA if rmia else ())
    return FAILED if answer["failed"] else 0


def possible(scenario: Scenario, names: list[str]) -> list[str]:
    """The default methods without those that need a truth nobody knows here."""
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


def _surely_new(store: Store, dataset: str, regularity: float, discovery: float, seed: int, names: Sequence[str]) -> bool:
    """Whether no stored run can be the answer for one of the methods (its exact key is not known yet)."""
    there = store.runs.find(dataset=dataset, seed=seed, regularity=regularity, discovery=discovery)
    found = {row.method for row in there}
    return not set(names) <= found


def _answer(store: Store, scenario: Scenario, specs: Sequence[MethodSpec], view: JobView) -> dict[str, Any]:
    from unlearn_core.methods import registry
    from unlearn_core.results import memorised, tables
    from unlearn_core.views.text.choices import choices

    stages = {stage.key: stage for stage in view.stages}
    results, failed = [], []
    for spec in specs:
        method, stage = registry.get(spec.name), stages[scenario.run_key(spec)]
        record = store.get(stage.key)
        if record is None:
            failed.append({"method": spec.name, "cause": stage.message or "This was cancelled."})
            continue
        results.append(
            {
                "method": spec.name,
                "label": method.label,
                "oracle": method.oracle,
                "params": dict(spec.params),
                "variant": tables.variant(spec, scenario),
                "metrics": tables.run_metrics(store, scenario, spec, record.payload),
                "seconds": record.payload["seconds"],
                "device": record.payload["device"],
                "cached": stage.state == "cached",
            }
        )
    original = tables.original_metrics(store, scenario) if store.get(scenario.original_key) else None
    share = memorised.share_of(original or {})
    return {
        "scenario": scenario.model_dump(mode="json") | {"key": scenario.key},
        "original": original,
        "results": results,
        "failed": failed,
        "nothing_to_heal": memorised.nothing_to_heal(share),
        "memorised": memorised.sentence(share),
        "choices": choices(store, scenario, specs),
    }


def _print(answer: dict[str, Any], extra: Sequence[str] = ()) -> None:
    from rich.console import Console
    from rich.table import Table

    from unlearn_core.evaluation import registry
    from unlearn_core.results.harm import costly

    console = Console()
    shown: tuple[str, ...] = SHOWN_WIDE if console.width >= 110 else SHOWN
    if all(result["metrics"].get("healed") is None for result in answer["results"]):
        shown = SHOWN_UNKNOWN
    metrics = [registry.get(name) for name in (*shown, *extra) if name in registry]
    table = Table(box=None, pad_edge=False, header_style="bold", title=_title(answer["scenario"]), title_justify="left")
    table.add_column("Method", max_width=44)
    for metric in metrics:
        table.add_column(metric.label, justify="right")
    rivals = [result for result in answer["results"] if not (result["oracle"] or costly(result["metrics"], answer["original"]))]
    rivals = [] if answer["nothing_to_heal"] else rivals
    best = {metric.name: _best(rivals, metric.name, metric.direction) for metric in metrics}
    if answer["original"] is not None:
        table.add_row("Original", *(_number(answer["original"].get(m.name), m.unit) for m in metrics))
    for result in answer["results"]:
        cells = []
        for metric in metrics:
            value = result["metrics"].get(metric.name)
            winner = result in rivals and value is not None and value == best[metric.name]
            cells.append(("★ " if winner else "") + _number(value, metric.unit))
        variant = f" [{result['variant']}]" if result["variant"].startswith("paper") else ""
        table.add_row(marked(result["label"], result["oracle"]) + variant, *cells)
    console.print(table, markup=False)
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


def _title(scenario: dict[str, Any]) -> str:
    corruption = scenario["corruption"]
    known = (
        f"{scenario['discovery']:.0%} discovered" if "discovery" in scenario else f"{len(scenario['forget'])} in the forget set"
    )
    if corruption.get("found"):
        dataset, model = scenario["dataset"]["name"], scenario["model"]["name"]
        return f"{dataset} · labels as found · {known} · {model} · seed {scenario['seed']}"
    return (
        f"{scenario['dataset']['name']} · regularity {corruption['regularity']:g} · amount {corruption['amount']:g} · "
        f"{known} · {scenario['model']['name']} · seed {scenario['seed']}"
    )


def _best(results: Sequence[dict[str, Any]], metric: str, direction: str) -> float | None:
    values = [r["metrics"].get(metric) for r in results]
    known = [value for value in values if value is not None]
    if not known or len(known) < 2 or direction not in ("higher", "lower"):
        return None
    if len(known) > 1 and min(known) == max(known):  # a tie of all is no method's merit
        return None
    return max(known) if direction == "higher" else min(known)


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    return f"{value:.1f} s" if unit == "s" else f"{value:.3f}"
