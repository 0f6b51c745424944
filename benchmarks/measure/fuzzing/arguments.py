"""Argument vectors: commands, options and values put together at random, each given to the command line in this process."""

from __future__ import annotations

import contextlib
import io
import os
import random
import resource
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.measure.fuzzing.queries import Outcome
from benchmarks.measure.fuzzing.values import value
from benchmarks.measure.fuzzing.watch import Watch

SECONDS = 120
QUICK = ("--dataset", "blobs", "--engine", "inline", "--set", "training.epochs=1", "--amount", "40")
LONG = ("bench", "tune")
"""Commands that work for minutes where their arguments are fine: here these never are."""


class Hung(BaseException):
    """A command that did not end in time."""


def make_vector(rng: random.Random, files: list[str]) -> list[str]:
    """One command line. Computations are kept short; what is wrong with it is not."""
    from typer.main import get_command

    from unlearn_core.cli import app

    commands: dict[str, Any] = get_command(app).commands  # type: ignore[attr-defined]
    name = rng.choice([*commands, "run", "check", "results"]) if rng.random() < 0.97 else value(rng, ())
    if name in LONG:
        return [name, rng.choice(("--no-such-option", "--seeds", "--method", "x y", "--json=1")), value(rng, ())]
    vector = [name]
    options = list(commands[name].params) if name in commands else []
    if name in ("run", "discover", "export", "sweep"):
        known = {flag for option in options for flag in option.opts}
        vector += [part for k in range(0, len(QUICK), 2) if QUICK[k] in known for part in QUICK[k : k + 2]]
    for option in rng.sample(options, min(len(options), rng.choice((0, 1, 1, 2, 3, 5)))):
        flag = option.opts[0]
        if flag in ("--engine", "--workers", "--detach", "--attach", "--help"):
            continue  # worker processes would not be watched
        if not flag.startswith("-"):
            vector.append(value(rng, [*files, "x.yaml"]))
        elif getattr(option, "is_flag", False):
            vector.append(flag)
        else:
            plausible = [*files, "digits", "blobs", "finetune", "0", "1", "rem.epochs=1", "training.epochs=2", "healed", "mlp"]
            vector += [flag, value(rng, plausible)]
    if rng.random() < 0.1:
        vector.insert(rng.randint(0, len(vector)), value(rng, ()))
    return vector


@contextlib.contextmanager
def limited(seconds: int) -> Iterator[None]:
    """Raise :class:`Hung` in here after so many seconds."""

    def ring(*_: object) -> None:
        raise Hung

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def become(*_: object) -> None:
    """Stands for what ``app`` becomes, Streamlit: this process goes on, with the next vector."""
    raise SystemExit(0)


def attempt(vector: list[str]) -> str:
    """Give ``vector`` to the command line; what went wrong, or ""."""
    from unlearn_core.cli import main

    out, err = io.StringIO(), io.StringIO()
    try:
        with (
            contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), limited(SECONDS),
            mock.patch("os.execv", become), mock.patch.dict(os.environ),
        ):  # fmt: skip
            code = main(vector)
    except Hung:
        return f"did not end in {SECONDS} s"
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    except Exception as error:  # noqa: BLE001 - whatever comes out here would have been a traceback
        return f"{type(error).__name__}: {error}"
    text = err.getvalue()
    if "Traceback" in text or "Something went wrong inside" in text:
        return text.strip()[-500:]
    if code not in (0, 1, 2, 130):
        return f"exit code {code}"
    if code == 2 and not text.strip():
        return "refused without a word"
    return ""


def run(count: int, seed: int, watch: Watch, files: list[Path]) -> Outcome:
    """``count`` argument vectors, one after the other."""
    rng, outcome = random.Random(seed), Outcome(tried=count)
    before = len(watch.escapes)
    for _ in range(count):
        vector = make_vector(rng, [str(file) for file in files])
        if wrong := attempt(vector):
            outcome.wrong.append(f"{vector}: {wrong}")
    outcome.escapes = sorted(set(watch.escapes[before:]))
    outcome.memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return outcome
