"""``discover``: who else is probably corrupted, ranked, with what a threshold is expected to give."""

from __future__ import annotations

import io
import json as json_module
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unlearn_core.cli.checkpoint_fit import say_fit
from unlearn_core.cli.engine_options import EngineOptions
from unlearn_core.cli.follow import failure, follow
from unlearn_core.cli.option_groups import After, expand_groups
from unlearn_core.cli.options import FAILED, JsonOption, fail, finite, say, say_stopped
from unlearn_core.cli.scenario_options import ScenarioOptions
from unlearn_core.errors import UserError
from unlearn_core.support.typed_paths import typed_path, typed_target

if TYPE_CHECKING:
    import pandas as pd

    from unlearn_core.engine import Engine, JobView
    from unlearn_core.specs import MethodSpec, Scenario
    from unlearn_core.store import Store
    from unlearn_core.views.suspects.data import Suspects

METHOD = "rem_discover"
SHOWN = ("index", "given_label", "score", "probability", "says", "accepted")


class Format(StrEnum):
    table = "table"
    csv = "csv"
    json = "json"


@dataclass(frozen=True, kw_only=True)
class DiscoverOptions(ScenarioOptions):
    """The same options, with an example of its own for ``--set``."""

    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override, such as rem_discover.rounds=1 or trigger.size=3."),
        After("recipe"),
    ] = None


@expand_groups()
def discover(
    *,
    options: DiscoverOptions,
    precision: Annotated[float, typer.Option(help="Accept as many suspects as keep this expected precision, 0 to 1.")] = 0.9,
    top: Annotated[int | None, typer.Option(help="How many suspects to list; without it those accepted, at least 20.")] = None,
    format: Annotated[Format, typer.Option(help="How to write the list.")] = Format.table,
    out: Annotated[Path | None, typer.Option(help="Write the list to this file instead of the screen.")] = None,
    accept: Annotated[
        Path | None, typer.Option(help="Write the forget list with the accepted suspects added to this CSV file, for --forget.")
    ] = None,
    questions: Annotated[
        int | None,
        typer.Option(
            "--questions",
            help="Nothing is known yet: write so many cards to look at, and a CSV file for the answers, into the folder --out.",
        ),
    ] = None,
    answers: Annotated[
        Path | None, typer.Option("--answers", help="Take back the CSV file with the answers to the cards of --questions.")
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report",
            help="With --answers: heal with what was called wrong, and write one HTML file for a colleague: groups, looks, "
            "before and after, the list.",
        ),
    ] = None,
    compute: EngineOptions,
    json: JsonOption = False,
) -> int:
    """Rank the examples that are probably corrupted too, from the few that are known to be."""
    options.parse()
    if questions is not None or answers is not None:
        from unlearn_core.cli.questions import Asked, ask

        return ask(options, compute, Asked(questions, out, answers, accept, report), json)
    if report is not None:
        raise UserError("--report is about answers to cards, so it needs --answers; `run --report` compares methods.")
    _check(precision, top, out, accept)
    try:
        with compute.open() as (store, machine):
            scenario, spec, view = _search(options, store, machine)
    except KeyboardInterrupt:
        return say_stopped()
    if why := failure(view):
        return fail(why, FAILED)
    from unlearn_core.views.suspects.data import SHOWN as SCREENFUL
    from unlearn_core.views.suspects.data import open_suspects

    suspects = open_suspects(store, scenario, spec)
    accepted = suspects.accept_count(precision)
    rows = _rows(suspects, accepted, top or max(SCREENFUL, accepted), _paths(scenario))
    _write(_text(Format.json if json else format, suspects, rows, scenario, precision, accepted), out)
    say(suspects.sentence)
    say(_accepted(suspects, precision, accepted))
    if accept is not None:
        _write(_longer(suspects, accepted, scenario), accept)
        say(f"The forget list with {len(suspects.forget)} known and {accepted} accepted examples is in {str(accept)!r}.")
    return 0


def _check(precision: float, top: int | None, out: Path | None, accept: Path | None) -> None:
    if not 0 < precision <= 1:
        raise UserError(f"--precision must be above 0 and at most 1 (got {precision:g}).")
    if top is not None and top < 1:
        raise UserError(f"--top must be at least 1 (got {top}).")
    for option, path in (("--out", out), ("--accept", accept)):
        if path is not None:
            typed_target(path, option)


def _search(options: ScenarioOptions, store: Store, machine: Engine) -> tuple[Scenario, MethodSpec, JobView]:
    from unlearn_core.cli.run import check_counts, say_data
    from unlearn_core.presets import make_method, method_overrides
    from unlearn_core.stages.unlearn import plan_runs

    scenario = options.to_scenario(store, [METHOD])
    check_counts(scenario)
    say_data(scenario)
    say_fit(machine, store, scenario)
    spec = make_method(METHOD, scenario, method_overrides(options.parse().overrides, METHOD))
    return scenario, spec, follow(machine, machine.submit(plan_runs(scenario, [spec]), "discover"), details=True)


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
