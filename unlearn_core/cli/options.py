"""What every command shares: options, output, the words for bad input."""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import re
import sys
import threading
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unlearn_core.errors import UserError
from unlearn_core.specs import Scalar

if TYPE_CHECKING:
    from unlearn_core.datasets import Recipe
    from unlearn_core.engine import Engine
    from unlearn_core.presets import Values

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130


class Device(StrEnum):
    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


class ValueSet(StrEnum):
    """The sets of values that a method has."""

    tuned = "tuned"
    paper = "paper"
    rem = "rem"


class RecipeName(StrEnum):
    """The recipes of a dataset's preset."""

    memorising = "memorising"
    accurate = "accurate"
    quick = "quick"


StoreOption = Annotated[
    str | None, typer.Option("--store", help="Folder or database address of the results. [default: $UNLEARN_STORE]")
]
DeviceOption = Annotated[Device, typer.Option("--device", help="Where to compute.")]
ValuesOption = Annotated[
    ValueSet | None,
    typer.Option(
        "--values",
        help="A method's values: tuned (found on given labels alone), its paper's, or of REM's ablations those found for REM. "
        "[default: tuned]",
    ),
]
RecipeOption = Annotated[
    RecipeName | None,
    typer.Option(
        "--recipe",
        help="How photographs are trained on: memorising, which learns wrong labels by heart, accurate, or quick, which is "
        "nearly as accurate for up to 5,000 images in half of the time. [default: memorising, with --found accurate]",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Pure JSON on stdout; progress goes to stderr.")]
WorkersOption = Annotated[
    int | None, typer.Option("--workers", help="Worker processes of the local engine. [default: cores, at most 8]")
]
DatasetOption = Annotated[
    str | None, typer.Option(help="Dataset; `datasets` lists them. [default: digits, or images where --data is given]")
]
DataOption = Annotated[
    str | None, typer.Option("--data", help="Your own images: a folder with train/<class>/… and test/<class>/…, or <class>/….")
]
PluginOption = Annotated[
    list[str] | None,
    typer.Option("--plugin", help="A Python file that adds components, before or after the command; more than one is fine."),
]
OWN = "images"
"""The dataset that ``--data`` alone means."""


def with_data(dataset: str | None, data: str | None, overrides: dict[str, Scalar], default: str = "digits") -> str:
    """Which dataset is meant; a path given with ``--data`` joins the overrides."""
    if data is None:
        return dataset or default
    if not data.strip():
        raise UserError("--data needs a path, such as --data photos/.")
    if "dataset.data" in overrides:
        raise UserError("Give the data once: with --data or with --set dataset.data.")
    overrides["dataset.data"] = data
    return dataset or OWN


def with_plugins_first(arguments: Sequence[str]) -> list[str]:
    """The same arguments with every ``--plugin FILE`` before the command: it concerns them all."""
    first: list[str] = []
    rest: list[str] = []
    waiting = iter(arguments)
    for one in waiting:
        if one == "--plugin":
            first += [one, *itertools.islice(waiting, 1)]
        else:
            (first if one.startswith("--plugin=") else rest).append(one)
    return [*first, *rest]


def fail(message: str, code: int) -> int:
    """Write one line to stderr; returns the exit code."""
    text = " ".join(message.split())
    print(f"Error: {text}" if re.search(r"[.!?]$", text) else f"Error: {text}.", file=sys.stderr)
    return code


def chosen_values(option: ValueSet | None) -> Values:
    """The set of values that ``--values`` names; tuned where it is left out."""
    return "tuned" if option is None else option.value


def chosen_recipe(option: RecipeName | None) -> Recipe | None:
    """The recipe that ``--recipe`` names, if any."""
    return None if option is None else option.value


def start_early(machine: Engine) -> None:
    """Let workers start while this process imports torch and plans; a mistake found there only costs stopping them."""

    def start() -> None:
        with contextlib.suppress(UserError):  # the job that is submitted next says what is wrong
            machine.start()

    threading.Thread(target=start, name="eunoe-early", daemon=True).start()


def say_stopped() -> int:
    """Say what Ctrl-C leaves; returns the exit code."""
    say("Stopped. What is finished is stored; run the same command again to go on.")
    return INTERRUPTED


def say(message: str) -> None:
    """A line for people, on stderr."""
    print(message, file=sys.stderr, flush=True)


def print_json(value: object) -> None:
    """Strict JSON on stdout: what is undefined is null."""
    print(json.dumps(finite(value), indent=2, ensure_ascii=False, allow_nan=False))


def finite(value: Any) -> Any:
    """``value`` with NaN and infinity as None and tuples as lists."""
    if isinstance(value, dict):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def parse_names(text: str, noun: str = "method") -> list[str]:
    """ "rem, retrain" as a list; raises ``UserError`` when it is empty or names something twice."""
    return check_names([name.strip() for name in text.split(",") if name.strip()], noun)


def check_names(names: Sequence[str], noun: str = "method") -> list[str]:
    """The same names, if there is at least one and none twice."""
    if not names:
        raise UserError(f"Name at least one {noun}; `{noun}s` lists them.")
    twice = sorted({name for name in names if list(names).count(name) > 1})
    if twice:
        raise UserError(f"The {noun} {twice[0]!r} is named twice.")
    return list(names)


def parse_overrides(items: Iterable[str]) -> dict[str, Scalar]:
    """["rem.epochs=5"] as {"rem.epochs": 5}; raises ``UserError`` for anything of another form."""
    overrides: dict[str, Scalar] = {}
    for item in items:
        key, equals, value = item.partition("=")
        key = key.strip()
        if not equals or not re.fullmatch(r"\w+\.\w+", key):
            raise UserError(f"--set needs a section, a field and a value, such as rem.epochs=5 (got {item!r}).")
        if key in overrides:
            raise UserError(f"--set {key} is given twice.")
        overrides[key] = parse_scalar(value.strip())
    return overrides


def parse_scalar(text: str) -> Scalar:
    """A number, true/false, none, or the text itself."""
    words: dict[str, Scalar] = {"true": True, "false": False, "none": None, "null": None}
    if text.lower() in words:
        return words[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
