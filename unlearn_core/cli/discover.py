"""``discover``: who else is probably corrupted, ranked, with what a threshold is expected to give."""

from __future__ import annotations

import io
import json as json_module
import math
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
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
    WorkersOption,
    chosen_recipe,
    fail,
    finite,
    parse_overrides,
    say,
    stopped,
    with_data,
    with_network,
)
from unlearn_core.engine import Engine
from unlearn_core.errors import UserError
from unlearn_core.store import Store
from unlearn_core.support.typed_paths import typed_path, typed_target

if TYPE_CHECKING:
    import pandas as pd

    from unlearn_core.specs import Scenario
    from unlearn_core.views.suspects.data import Suspects

METHOD = "rem_discover"
SHOWN = ("index", "given_label", "score", "probability", "says", "accepted")


class Format(StrEnum):
    table = "table"
    csv = "csv"
    json = "json"


def discover(
    dataset: DatasetOption = None,
    data: DataOption = None,
    regularity: Annotated[float, typer.Option(help="0 random labels, 0.5 class confusion, 1 trigger.")] = 1.0,
    discovery: Annotated[float, typer.Option(help="Share of the corruption that is known, 0 to 1.")] = 0.3,
    forget: ForgetOption = None,
    found: FoundOption = False,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    amount: Annotated[str | None, typer.Option(help="Corrupted examples: a count or a fraction up to 0.5.")] = None,
    model: Annotated[str | None, typer.Option(help="Network; `models` lists them.")] = None,
    checkpoint: CheckpointOption = None,
    architecture: ArchitectureOption = None,
    input_size: InputSizeOption = None,
    normalise: NormaliseOption = None,
    recipe: RecipeOption = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Override, such as rem_discover.rounds=1 or trigger.size=3.")
    ] = None,
    precision: Annotated[float, typer.Option(help="Accept as many suspects as keep this expected precision, 0 to 1.")] = 0.9,
    top: Annotated[int | None, typer.Option(help="How many suspects to list; without it those accepted, at least 20.")] = None,
    format: Annotated[Format, typer.Option(help="How to write the list.")] = Format.table,
    out: Annotated[Path | None, typer.Option(help="Write the list to this file instead of the screen.")] = None,
    accept: Annotated[
        Path | None, typer.Option(help="Write the forget list with the accepted suspects added to this CSV file, for --forget.")
    ] = None,
    engine: EngineOption = "local",
    workers: WorkersOption = None,
    store: StoreOption = None,
    device: DeviceOption = Device.auto,
    json: JsonOption = False,
) -> int:
    """Rank the examples that are probably corrupted too, from the few that are known to be."""
    from unlearn_core.stages.unlearn import plan_runs

    overrides = parse_overrides(set_ or [])
    with_found(overrides, found, amount)
    chosen = with_data(dataset, data, overrides)
    model = with_network(model, overrides, checkpoint, architecture, input_size, normalise)
    if not 0 < precision <= 1:
        raise UserError(f"--precision must be above 0 and at most 1 (got {precision:g}).")
    if top is not None and top < 1:
        raise UserError(f"--top must be at least 1 (got {top}).")
    for option, path in (("--out", out), ("--accept", accept)):
        if path is not None:
            typed_target(path, option)
    place = Store.open(store)
    machine = Engine(place, address=engine, workers=workers, device=device.value)
    try:
        from unlearn_core.cli.run import check_counts, say_data
        from unlearn_core.presets import check_overrides, make_method, make_scenario, method_overrides

        check_overrides(overrides, [METHOD])
        scenario = make_scenario(
            chosen, regularity=regularity, amount=amount, discovery=discovery, model=model, seed=seed, overrides=overrides,
            recipe=chosen_recipe(recipe),
        )  # fmt: skip
        scenario = with_forget(place, scenario, forget)
        check_counts(scenario)
        say_data(scenario)
        say_fit(machine, place, scenario)
        spec = make_method(METHOD, scenario, method_overrides(overrides, METHOD))
        view = follow(machine, machine.submit(plan_runs(scenario, [spec]), "discover"), details=True)
    except KeyboardInterrupt:
        return stopped()
    finally:
        machine.close()
    broken = next((stage for stage in view.stages if stage.state == "failed"), None)
    if view.state != "done":
        return fail(broken.message if broken else "The run was cancelled.", FAILED)
    from unlearn_core.views.suspects.data import SHOWN as SCREENFUL
    from unlearn_core.views.suspects.data import open_suspects

    suspects = open_suspects(place, scenario, spec)
    accepted = suspects.accept_count(precision)
    rows = _rows(suspects, accepted, top or max(SCREENFUL, accepted), _paths(scenario))
    _write(_text(Format.json if json else format, suspects, rows, scenario, precision, accepted), out)
    say(suspects.sentence)
    say(_accepted(suspects, precision, accepted))
    if accept is not None:
        _write(_longer(suspects, accepted, scenario), accept)
        say(f"The forget list with {len(suspects.forget)} known and {accepted} accepted examples is in {str(accept)!r}.")
    return 0


def _rows(found: Suspects, accepted: int, count: int, paths: Sequence[str]) -> pd.DataFrame:
    head = found.table.head(count)
    named = head.rename(columns={"given": "given_label"}).assign(accepted=head["rank"] <= accepted)
    if not paths:
        return named[list(SHOWN)]
    return named.assign(path=[paths[index] for index in head["index"]])[[*SHOWN, "path"]]


def _paths(scenario: Scenario) -> tuple[str, ...]:
    """The names of the training examples, where they come from files."""
    from unlearn_core.datasets import load_dataset

    return load_dataset(scenario.dataset, scenario.seed).names


def _longer(found: Suspects, accepted: int, scenario: Scenario) -> str:
    """The forget list in use with the accepted suspects, as CSV."""
    from unlearn_core.forget_sets import ForgetSet, write_csv
    from unlearn_core.forget_sets.in_use import kept_outside

    head = found.table.head(accepted)
    notes = {int(row["index"]): f"suspect, probability {row['probability']:.2f}" for row in head.to_dict("records")}
    indices = tuple(sorted({*found.forget, *notes}))
    content = ForgetSet(indices, (), dict(scenario.relabelled), notes, kept_outside(scenario))
    return write_csv(content, _paths(scenario))


def _accepted(found: Suspects, precision: float, accepted: int) -> str:
    if found.state != "judged":
        return "No threshold can be set: the list is a ranking to look through from the top."
    if not accepted:
        return f"Nothing passes an expected precision of {precision:g}."
    row = found.at(accepted)
    return (
        f"The first {accepted} pass an expected precision of {precision:g} ({row['precision_low']:.2f} to "
        f"{row['precision_high']:.2f}), and should be {row['recall']:.0%} of what is still unknown "
        f"({row['recall_low']:.0%} to {row['recall_high']:.0%})."
    )


def _text(format: Format, found: Suspects, rows: pd.DataFrame, scenario: Scenario, precision: float, accepted: int) -> str:
    if format is Format.csv:
        from unlearn_core.results.table_export import csv_text

        return csv_text(rows.drop(columns="accepted"), lineterminator="\n")
    if format is Format.json:
        expected = {name: value for name, value in found.at(accepted).items() if not name.startswith("true_")}
        answer: dict[str, Any] = {
            "scenario": scenario.model_dump(mode="json") | {"key": scenario.key},
            "state": found.state,
            "sentence": found.sentence,
            "precision": precision,
            "accepted": accepted,
            "expected": expected,
            "weights": found.weights,
            "suspects": rows.to_dict("records"),
        }
        return json_module.dumps(finite(answer), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return _table(rows)


def _table(rows: pd.DataFrame) -> str:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    paths = "path" in rows
    for name in ("Index", "Given label", "Score", "Probability", "Says", "", *(["File"] if paths else [])):
        table.add_column(name, justify="left" if name in ("Given label", "Says", "", "File") else "right")
    for row in rows.to_dict("records"):
        probability = "–" if math.isnan(row["probability"]) else f"{row['probability']:.3f}"
        marked, files = "accepted" if row["accepted"] else "", [row["path"]] if paths else []
        table.add_row(str(row["index"]), row["given_label"], f"{row['score']:.3f}", probability, row["says"], marked, *files)
    text = io.StringIO()
    Console(file=text, width=max(60, Console().width)).print(table, markup=False)
    return text.getvalue()


def _write(text: str, out: Path | None) -> None:
    if out is None:
        sys.stdout.write(text)
        return
    try:
        typed_path(out, "--out", kept=False).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"The file {str(out)!r} cannot be written: {error.strerror or error}.") from None
