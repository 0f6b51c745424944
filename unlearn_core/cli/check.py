"""``check``: what your own files hold, and what is wrong with them, before anything runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unlearn_core.cli.checkpoint_fit import with_sentences
from unlearn_core.cli.forget_option import read_file
from unlearn_core.cli.health import check_folder, look, print_health, write_groups
from unlearn_core.cli.option_groups import After, expand_groups
from unlearn_core.cli.options import JsonOption, print_json
from unlearn_core.cli.scenario_options import ScenarioOptions
from unlearn_core.errors import UserError
from unlearn_core.support.typed_paths import typed_path

if TYPE_CHECKING:
    from unlearn_core.forget_sets.in_use import InUse
    from unlearn_core.specs import Scenario
    from unlearn_core.views.own_data.data import Cost, Reading


@dataclass(frozen=True, kw_only=True)
class CheckOptions(ScenarioOptions):
    """The same options, with words of its own for those that mean less where nothing is trained."""

    seed: Annotated[
        int, typer.Option(help="Seed of the split, where the files have none, and of subsamples."), After("normalise")
    ] = 0
    set_: Annotated[list[str] | None, typer.Option("--set", help="Override, such as dataset.limit=1000."), After("seed")] = None


@expand_groups(without=("regularity", "discovery", "forget", "found", "amount", "recipe"))
def check(
    *,
    options: CheckOptions,
    forget: Annotated[
        Path | None,
        typer.Option(help="A forget list as CSV: a column path or index, and perhaps clean_label and note."),
        After("data"),
    ] = None,
    health: Annotated[
        bool,
        typer.Option(
            "--health/--no-health",
            help="Look for copies, blurry, dark and odd images, and for attributes that tell the class.",
        ),
    ] = True,
    groups: Annotated[
        Path | None, typer.Option(help="Write what data health found into this folder, every group as a forget list.")
    ] = None,
    json: JsonOption = False,
) -> int:
    """Read your own images, forget list and checkpoint, and say what they hold and what is wrong. Nothing is trained."""
    from unlearn_core.views.own_data import data as own

    if groups is not None and not health:
        raise UserError("--groups are those of data health, so --no-health has no meaning beside it.")
    check_folder(groups)
    scenario = replace(options, found=True).make()
    found = own.read(scenario.dataset.name, scenario.dataset.params, scenario.seed)
    listed: InUse | None = None
    judged: list[str] = []
    if forget is not None:
        listed = read_file(scenario, typed_path(forget, "the forget list", kept=False), str(forget))
        judged = [*listed.said, *own.judged_list(listed.split, listed.content)]
        # The list may take images into the training part: what is said of the data is said of those it will be used with.
        scenario = scenario.model_copy(update={"dataset": listed.scenario.dataset})
        found = own.read(scenario.dataset.name, scenario.dataset.params, scenario.seed, anew=False)
    problems = [*found.problems, *judged]
    fit = _fit(scenario)
    if fit is not None and fit["state"] != "fine":
        problems += fit["sentences"][1:]
    cost = own.cost(scenario)
    answer = _answer(found, listed, problems, cost, scenario.model.name) | {"checkpoint": fit}
    if health:
        answer["health"] = _health(scenario, groups)
    if json:
        print_json(answer)
    else:
        _print(answer)
    return 0


def _fit(scenario: Scenario) -> dict[str, Any] | None:
    """What the checkpoint is worth on the labels as they come, if there is one; :class:`UserError` where it does not fit."""
    from unlearn_core.evaluation import load_scenario_data, measure_fit
    from unlearn_core.stages.checkpoint_fit import plan_fit
    from unlearn_core.stages.execution import resolve_device
    from unlearn_core.training import SilentReporter

    if not plan_fit(scenario):
        return None
    return with_sentences(measure_fit(scenario, load_scenario_data(scenario, resolve_device("cpu")), SilentReporter()))


def _health(scenario: Scenario, groups: Path | None) -> dict[str, Any]:
    """What data health says of the data that would be trained on; its groups are written where that is asked for."""
    from unlearn_core.datasets import load_dataset
    from unlearn_core.views.health.data import as_json

    found, names = look(scenario), load_dataset(scenario.dataset, scenario.seed).names
    if groups is not None:
        write_groups(found, names, groups)
    return as_json(found, names)


def _answer(found: Reading, listed: InUse | None, problems: list[str], cost: Cost, model: str) -> dict[str, Any]:
    return {
        "dataset": found.dataset.model_dump(mode="json"),
        "note": found.note,
        "preprocessing": dict(found.preprocessing),
        "train": found.train,
        "test": found.test,
        "classes": found.classes.to_dict("records"),
        "clean_labels": found.clean_known,
        "wrong_labels": found.clean_differs,
        "right_labels": found.right_labels,
        "forget": None if listed is None else _listed(listed),
        "problems": problems,
        "model": model,
        "parameters": cost.parameters,
        "epochs": cost.epochs,
        "expected_seconds": round(cost.seconds, 1),
        "image_bytes": cost.nbytes,
    }


def _listed(found: InUse) -> dict[str, Any]:
    """What the list names: in training images, with the first and the last file in its order."""
    content = found.content
    about: dict[str, Any] = {"size": len(content.indices), "clean_labels": len(content.labels)}
    if found.ends is not None:
        about |= {"first": found.ends[0], "last": found.ends[1]}
    return about


def _print(answer: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    from unlearn_core.results.preprocessing import how_read
    from unlearn_core.views.text.sentences import megabytes

    print(answer["note"] or f"{answer['train']:,} training and {answer['test']:,} test examples.")
    if answer["preprocessing"]:
        print(how_read(answer["preprocessing"]))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("Class", "Training", "Test"):
        table.add_column(name, justify="left" if name == "Class" else "right")
    for row in answer["classes"]:
        table.add_row(row["class"], f"{row['train']:,}", f"{row['test']:,}")
    Console().print(table, markup=False)
    if answer["right_labels"]:
        print(answer["right_labels"])
    if answer["forget"] is not None:
        listed = answer["forget"]
        print(f"The forget list names {listed['size']:,} training images, {listed['clean_labels']:,} with their right label.")
        if "first" in listed:
            print(f"The first file it names is {listed['first']!r}, the last {listed['last']!r}.")
    print(
        f"Training {answer['model']} ({answer['parameters']:,} parameters) for {answer['epochs']} epochs takes about "
        f"{answer['expected_seconds']:,.0f} s on one core; the images take {megabytes(answer['image_bytes'])}."
    )
    fit = answer["checkpoint"] or {}
    for sentence in [*fit.get("words", ()), *fit.get("sentences", ())[:1]]:  # the others are among the problems
        print(sentence)
    print("No problems found." if not answer["problems"] else "Problems:")
    for problem in answer["problems"]:
        print(f"- {problem}")
    if "health" in answer:
        print_health(answer["health"])
