"""``results``: the method × task table with mean ± standard error."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

import typer

from unlearn_core.cli.options import Device, DeviceOption, JsonOption, StoreOption, print_json, say
from unlearn_core.cli.wide_table import lines
from unlearn_core.results.table_export import SETTING, csv_text, latex, wide


class Format(StrEnum):
    table = "table"
    csv = "csv"
    json = "json"
    latex = "latex"
    html = "html"


def results(
    metric: Annotated[str, typer.Option(help="Which metric.")] = "healed_x_utility",
    format: Annotated[Format, typer.Option(help="How to write it.")] = Format.table,
    dataset: Annotated[str | None, typer.Option(help="Only this dataset.")] = None,
    store: StoreOption = None,
    device: DeviceOption = Device.auto,
    json: JsonOption = False,
) -> int:
    """Show stored results: one row per method and setting, one column per regularity and discovery rate, mean ± standard error
    (number of seeds). Runs are pooled only where they differ in nothing but the seed."""
    with _nothing_collected():
        _show(metric, Format.json if json else format, dataset, store)
    return 0


@contextlib.contextmanager
def _nothing_collected() -> Iterator[None]:
    """One table is made, and the process ends: looking for cycles among all rows and modules gives nothing back."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def _show(metric: str, format: Format, dataset: str | None, store: str | None) -> None:
    from unlearn_core.datasets import registry as datasets
    from unlearn_core.evaluation import registry as metrics
    from unlearn_core.results import memorised, tables

    chosen = metrics.get(metric)
    if dataset is not None:
        datasets.get(dataset)
    from unlearn_core.store import Store

    place = Store.open(store, create=False, sweep=False)  # looking at every file takes longer than all the rest
    place.runs.compare()
    runs = tables.results(place, chosen.name, dataset)
    long = tables.summary(runs, chosen.name)
    runs = runs.assign(memorised=memorised.of_runs(place, runs))
    full = memorised.above(long, runs)
    if format is Format.json:
        print_json(memorised.beside(long, runs).assign(metric=chosen.name).to_dict("records"))
    elif format is Format.csv:
        print(csv_text(memorised.beside(long, runs).assign(metric=chosen.name)), end="")
    elif runs.empty:
        say("There are no results yet: `run` or `sweep` make some.")
    elif long.empty:
        say(f"None of the {len(runs):,} stored runs has a value of {chosen.name}; --metric takes another one.")
    elif format is Format.table:
        table = wide(full, "±")
        title = f"{chosen.label}: mean ± standard error (number of seeds)"
        print(*lines(table, title, [SETTING] if SETTING in table else []), sep="\n")
        if note := memorised.note(list(memorised.summarised(runs)["mean"])):
            print(note)
    elif format is Format.latex:
        print(latex(wide(full, "$\\pm$")))
    else:
        print(wide(full, "±").to_html())
