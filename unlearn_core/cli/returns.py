"""``returns``: what comes back when an unlearned model is trained further, and how far it is from the original."""

from __future__ import annotations

from collections.abc import Sequence
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
)
from unlearn_core.cli.scenario_options import ScenarioOptions
from unlearn_core.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

    from unlearn_core.engine import JobView
    from unlearn_core.evaluation.returning import Course
    from unlearn_core.specs import MethodSpec, Scenario
    from unlearn_core.stages.stage import Stage
    from unlearn_core.store import Store

DEFAULT_METHODS = "rem,rem_discover,retrain,oracle_retrain"
LOOKED_AT = (0, 1, 3, 10)
"""The epochs in the table; --json has every one."""
WORDS = {"left": "what is left", "retain": "its finds left in", "clean": "no undiscovered (truth)"}


@expand_groups()
def returns(
    *,
    options: ScenarioOptions,
    methods: Annotated[
        str | None,
        typer.Option(help=f"Methods, separated by commas; `methods` lists them. [default: {DEFAULT_METHODS}]"),
        After("found"),
    ] = None,
    values: ValuesOption = None,
    epochs: Annotated[int, typer.Option(help="Epochs of further training.")] = 10,
    rate: Annotated[float, typer.Option(help="Its learning rate as a share of that of training, held constant.")] = 0.1,
    examples: Annotated[
        str | None,
        typer.Option("--examples", help="Also show so many of the forget set again, separated by commas, such as 1,5,10,50."),
    ] = None,
    barrier: Annotated[
        bool, typer.Option("--barrier", help="Also measure the loss on the straight way back to the original.")
    ] = False,
    margins: Annotated[
        int | None,
        typer.Option("--margins", help="Also compare margins with those of so many oracles, each with a seed of its own."),
    ] = None,
    compute: EngineOptions,
    json: JsonOption = False,
) -> int:
    """Train unlearned models further on what is left of the data, as their user would, and see what comes back."""
    names, counts = parse_names(DEFAULT_METHODS if methods is None else methods), parse_counts(examples)
    options.parse()
    try:
        with compute.open() as (store, machine):
            from unlearn_core.cli.run import check_counts, runnable_methods, say_data
            from unlearn_core.presets import make_method, method_overrides
            from unlearn_core.stages.margins import plan_margins
            from unlearn_core.stages.returns import plan_returns

            scenario, overrides = options.to_scenario(store, names), options.parse().overrides
            if methods is None:
                names = runnable_methods(scenario, names)
            specs = [make_method(name, scenario, method_overrides(overrides, name), chosen_values(values)) for name in names]
            check_counts(scenario)
            say_data(scenario)
            say_fit(machine, store, scenario)
            courses = asked_courses(scenario, specs, counts, epochs, rate)
            stages = plan_returns(scenario, specs, courses, barrier)
            stages += [] if margins is None else plan_margins(scenario, specs, margins)
            view = follow(machine, machine.submit(_once(stages), "returns"), details=True)
    except KeyboardInterrupt:
        return say_stopped()
    answer = _answer(store, scenario, specs, courses, barrier) | {"margins": [], "failed": _failed(view)}
    if margins is not None:
        from unlearn_core.results.margins import margin_frame

        answer["margins"] = margin_frame(store, scenario, specs, margins).to_dict("records")
    if json:
        print_json(answer)
    else:
        _print(store, scenario, specs, courses, barrier)
        _print_margins(answer["margins"])
    for failure in answer["failed"]:
        say(f"Failed: {failure['stage']}: {failure['cause']}")
    return FAILED if answer["failed"] else 0


def parse_counts(text: str | None) -> list[int]:
    """ "1,5" as numbers of examples, ascending; raises ``UserError`` for anything else."""
    words = [word.strip() for word in (text or "").split(",") if word.strip()]
    if not all(word.isdecimal() and int(word) for word in words):
        raise UserError(f"--examples takes numbers from 1 on, separated by commas, such as 1,5,10 (got {text!r}).")
    return sorted({int(word) for word in words})


def asked_courses(
    scenario: Scenario, specs: Sequence[MethodSpec], counts: Sequence[int], epochs: int, rate: float
) -> list[Course]:
    """The usual courses, and one for each number of examples of F that are shown again."""
    from dataclasses import replace

    from unlearn_core.evaluation.returning import Course
    from unlearn_core.stages.returns import usual_courses

    usual = [replace(course, epochs=epochs, rate=rate) for course in usual_courses(scenario, specs)]
    return [*usual, *(Course("left", count, epochs, rate) for count in counts)]


def _once(stages: Sequence[Stage]) -> list[Stage]:
    """The same stages, each once."""
    return list({stage.key: stage for stage in stages}.values())


def _failed(view: JobView) -> list[dict[str, str]]:
    broken = [stage for stage in view.stages if stage.state in ("failed", "cancelled")]
    return [{"stage": stage.title, "cause": stage.message or "This was cancelled."} for stage in broken]


def _answer(
    store: Store, scenario: Scenario, specs: Sequence[MethodSpec], courses: Sequence[Course], barrier: bool
) -> dict[str, Any]:
    """Scenario, every course with what was measured after each epoch, what returned, and the way back."""
    from unlearn_core.evaluation.returning import area_under, returned
    from unlearn_core.results import returns as stored

    frame, found = stored.courses(store, scenario, specs, courses), []
    about = [*stored.WHO, *stored.COURSE]
    for told, part in frame.groupby(about, sort=False):
        points = part.drop(columns=about).to_dict("records")
        fit = [] if part["fit"].isna().any() else part["fit"].tolist()
        back = {"returned": returned(fit), "area": area_under(fit)} if fit else {"returned": None, "area": None}
        found.append(dict(zip(about, told, strict=True)) | {"points": points} | back)
    ways = stored.barriers(store, scenario, specs) if barrier else None
    return {
        "scenario": scenario.model_dump(mode="json") | {"key": scenario.key},
        "courses": found,
        "after": stored.afterwards(frame).to_dict("records"),
        "barriers": [] if ways is None else [_way(part) for _, part in ways.groupby("method", sort=False)],
    }


def _way(part: pd.DataFrame) -> dict[str, Any]:
    first = part.iloc[0]
    points = part[["place", "loss", "accuracy"]].to_dict("records")
    return {"method": first["method"], "label": first["label"], "barrier": float(first["barrier"]), "points": points}


def _print(store: Store, scenario: Scenario, specs: Sequence[MethodSpec], courses: Sequence[Course], barrier: bool) -> None:
    from rich.console import Console

    from unlearn_core.front_door.answer import title_of
    from unlearn_core.results import returns as stored
    from unlearn_core.views.returns.sentences import in_words

    frame, console = stored.courses(store, scenario, specs, courses), Console()
    epochs = sorted({*(e for e in LOOKED_AT if e <= courses[0].epochs), courses[0].epochs})
    console.print(_table(frame, epochs, title_of(scenario.model_dump(mode="json"))), markup=False)
    after = stored.afterwards(frame)
    if len(after):
        print(in_words(after))
    if barrier:
        heights = stored.barriers(store, scenario, specs).drop_duplicates("method")
        told = "; ".join(f"{row['label']} {row['barrier']:.2f}" for _, row in heights.iterrows())
        print(f"Highest loss above the straight line to the original (nats): {told}.")


def _print_margins(rows: Sequence[dict[str, Any]]) -> None:
    for row in rows:
        far = f"{row['gap']:.2f} (95th percentile {row['gap_p95']:.2f})"
        print(f"{row['label'].partition(':')[0]}, {row['group']}: mean margins lie {far} from the oracles'.")


def _table(frame: pd.DataFrame, epochs: Sequence[int], title: str) -> Any:
    """One row a course: healed × utility at these epochs, and the share of F that has its given labels at both ends."""
    from rich.table import Table

    from unlearn_core.front_door.answer import number
    from unlearn_core.results.table_export import marked

    known = frame["healed_x_utility"].notna().any()
    metric, words = ("healed_x_utility", "H×U") if known else ("utility", "Utility")
    table = Table(box=None, pad_edge=False, header_style="bold", title=title, title_justify="left")
    for name in ("Method", "Trained further on"):
        table.add_column(name, max_width=44)
    for name in [f"{words} {epoch}" for epoch in epochs] + ["F given 0", f"F given {epochs[-1]}"]:
        table.add_column(name, justify="right")
    for _, part in frame.groupby(["method", "data", "shown"], sort=False):
        at, first = part.set_index("epoch"), part.iloc[0]
        cells = [number(_known(at[metric].get(epoch)), "share") for epoch in epochs]
        ends = [number(_known(at["fit"].get(epoch)), "share") for epoch in (0, epochs[-1])]
        on = WORDS[first["data"]] + (f" and {first['shown']} of F" if first["shown"] else "")
        table.add_row(marked(first["label"].partition(":")[0], first["oracle"]), on, *cells, *ends)
    return table


def _known(value: float | None) -> float | None:
    return None if value is None or value != value else float(value)
