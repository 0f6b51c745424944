"""The command line as a person runs it: opened again from the store, and with one or two workers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import torch

from unlearn_core.bench.measure import Measurement, summarise
from unlearn_core.errors import UserError
from unlearn_core.support.scratch import scratch_folder

RUN = "run --dataset digits --regularity 1.0 --discovery 0.3 --methods finetune,npo,retrain,oracle_retrain,rem --seed 0 --json"
PLAN = """
dataset: digits
regularity: [0.0, 1.0]
discovery: [0.3, 1.0]
methods: [finetune, scrub, retrain, rem]
seeds: [0, 1]
"""
SWEEP_TARGET = 1.7


def reopen(repeats: int, _: torch.device) -> list[Measurement]:
    """``run`` with five methods from an empty store over the same again, in processes of their own."""
    ratios, note = [], ""
    for _number in range(repeats):
        with scratch_folder() as store:
            first, again = (_command([*RUN.split(), "--store", store]) for _ in range(2))
        ratios.append(first / again)
        note = f"{first:.1f} s, then {again:.1f} s"
    return [summarise("reopen", "five methods", ratios, "times faster from the store", note=note)]


def sweep(repeats: int, _: torch.device) -> list[Measurement]:
    """A sweep of 36 stages with one worker over the same with two, each from an empty store, one after the other."""
    ratios, note = [], ""
    with scratch_folder() as folder:
        plan = Path(folder) / "plan.yaml"
        plan.write_text(PLAN)
        for number in range(repeats):
            spent = {}
            for workers in (1, 2) if number % 2 == 0 else (2, 1):
                with scratch_folder() as store:
                    spent[workers] = _command(["sweep", str(plan), "--workers", str(workers), "--store", store])
            ratios.append(spent[1] / spent[2])
            note = f"{spent[1]:.0f} s and {spent[2]:.0f} s; the workers' start counts"
    return [summarise("sweep", "two workers", ratios, "times faster than one", target=SWEEP_TARGET, note=note)]


def _command(arguments: list[str]) -> float:
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "unlearn_core", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        env=os.environ, check=False,
    )  # fmt: skip
    if done.returncode:
        raise UserError(
            f"`{arguments[0]}` failed while it was measured: {(done.stderr.strip().splitlines() or ['no words'])[-1]}"
        )
    return time.perf_counter() - start
