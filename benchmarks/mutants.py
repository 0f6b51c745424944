"""Does a test notice when a sign flips, a reference is dropped, a safeguard is gone? Each mutant must be killed.

    python -m benchmarks.mutants [--only NAME ...] [--workers 2]

A mutant is one small change of the code. The tree is copied, the change is made in the copy, and the tests that should notice
are run there: it is killed if one of them fails, and survives if all pass. Writes ``benchmarks/mutants.json`` and ends with an
error where one survives. ``tests/benchmarks/test_mutants.py`` checks that every change still fits the code.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FAILED = 1
"""Pytest's exit code where tests ran and one of them failed; with any other the mutant was not judged."""


@dataclass(frozen=True)
class Mutant:
    """``old`` stands once in ``file`` (below ``unlearn_core``) and becomes ``new``; ``tests`` are what should notice."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


SIGNS = ("tests/methods/test_signs_and_scores.py",)
REM = ("tests/methods/test_rem.py", *SIGNS)
EFFECTS = "tests/methods/test_effects.py"
DISTILLING = ("tests/methods/test_distillation.py",)
DAMPENING = ("tests/methods/test_dampening.py",)
JUDGEMENT = ("tests/discovery/test_judgement.py",)
MEASURES = ("tests/evaluation",)


def effect(name: str) -> tuple[str, ...]:
    """The test of one method's effect."""
    return (f"{EFFECTS}::test_a_method_does_what_it_is_for[{name}-digits]",)


MUTANTS = (
    Mutant("NPO lowers the loss", "methods/ascent/npo.py", "-bounded_loss(", "bounded_loss(", SIGNS),
    Mutant(
        "NPO without reference losses",
        "methods/ascent/npo.py",
        "before[ids], self.p.beta",
        "0 * before[ids], self.p.beta",
        SIGNS,
    ),
    Mutant("ascent descends", "methods/ascent/ascent.py", "-ce.mean()", "ce.mean()", effect("ascent")),
    Mutant("the proxy has no floor", "methods/shared/rounds.py", "(1 - max(0.2, forget))", "(1 - forget)", SIGNS),
    Mutant("the proxy ignores forgetting", "methods/shared/rounds.py", "retain * (1 - max(0.2, forget))", "retain", SIGNS),
    Mutant(
        "a flush shares redirection's optimiser",
        "methods/redirection/loop.py",
        "optimizer = self._optimizer([p for _, p in self.model.base_parameters()], self.p.flush_rate)",
        "optimizer = self.optimizer",
        SIGNS,
    ),
    Mutant(
        "REM's removal lowers the loss", "methods/redirection/loop.py", "return -bounded_loss(ce", "return bounded_loss(ce", REM
    ),
    Mutant(
        "REM's repair raises the loss",
        "methods/redirection/loop.py",
        "return bounded_loss(ce, before, beta)",
        "return -bounded_loss(ce, before, beta)",
        REM,
    ),
    Mutant(
        "REM removes everything",
        "methods/redirection/loop.py",
        "removed = torch.where(member, removal, 0)",
        "removed = removal",
        REM,
    ),
    Mutant(
        "REM's removal starts from the masked loss",
        "methods/redirection/loop.py",
        'self.p.removal_reference == "masked" else',
        'self.p.removal_reference == "dropped" else',
        REM,
    ),
    Mutant(
        "statistics are not measured after a round",
        "methods/shared/rounds.py",
        "seen = measure_statistics(model, self.task.data, self.reporter, self.looked_at)",
        "seen = None\n        model.eval()",
        ("tests/methods/test_rounds.py",),
    ),
    Mutant(
        "no round ever falls",
        "methods/shared/rounds.py",
        "if kept >= best - max(FALL",
        "if kept >= -max(FALL",
        ("tests/methods/test_rounds.py",),
    ),
    Mutant(
        "a network in ruins that rises a little was given back",
        "methods/shared/rounds.py",
        "if not since or kept < best / 2:",
        "if not since:",
        ("tests/methods/test_rounds.py",),
    ),
    Mutant(
        "a class that was lost is pushed on",
        "methods/redirection/loop.py",
        "run.sparing = class_collapsed(model, run.reference, task)",
        "run.sparing = False",
        ("tests/methods/test_safeguards.py",),
    ),
    Mutant(
        "a configuration that loses a class is tuned for",
        "tuning/held_out.py",
        "return products if products.isfinite().all() and not self.lost else",
        "return products if products.isfinite().all() else",
        ("tests/tuning/test_tuning.py",),
    ),
    Mutant(
        "DEL without its reset",
        "methods/localised/del_.py",
        "reset(model, task.fresh_model(task.seed + 1), masks)",
        "task.fresh_model(task.seed + 1)",
        SIGNS,
    ),
    Mutant(
        "DEL goes back to where the original began",
        "methods/localised/del_.py",
        "task.fresh_model(task.seed + 1)",
        "task.fresh_model(task.seed)",
        SIGNS,
    ),
    Mutant(
        "one order of channels for all layers",
        "models/redirect/layers.py",
        "seed * 1_000_003 + layer",
        "seed * 1_000_003",
        SIGNS,
    ),
    Mutant(
        "NegGrad+ lowers both losses",
        "methods/ascent/neggrad_plus.py",
        "- p.forget_weight * raised",
        "+ p.forget_weight * raised",
        effect("neggrad_plus"),
    ),
    Mutant("SCRUB's ascent descends", "methods/distillation/scrub.py", "return -kl if", "return kl if", DISTILLING),
    Mutant(
        "a divergence without its temperature",
        "methods/distillation/teachers.py",
        "return temperature**2 * F.kl_div",
        "return F.kl_div",
        DISTILLING,
    ),
    Mutant("dampening amplifies", "methods/dampening/dampening.py", ".clamp(max=1)", ".clamp(min=1)", DAMPENING),
    Mutant(
        "what matters least is dampened", "methods/dampening/dampening.py", "ratio > threshold", "ratio < threshold", DAMPENING
    ),
    Mutant(
        "random labels for the retain set",
        "methods/shared/relabelling.py",
        "torch.where(is_forget[ids], drawn, y)",
        "torch.where(is_forget[ids], y, drawn)",
        effect("random_label"),
    ),
    Mutant(
        "retraining learns the forget set",
        "methods/retraining/retrain.py",
        ".fit(task.retain)",
        ".fit(task.everything)",
        effect("retrain"),
    ),
    Mutant(
        "expected precision of one example more",
        "discovery/judgement.py",
        "probability.cumsum() / taken",
        "probability.cumsum() / (taken + 1)",
        JUDGEMENT,
    ),
    Mutant(
        "the interval's lower end at a tenth of a sigma",
        "discovery/judgement.py",
        "precision - _Z * doubt",
        "precision - 0.1 * doubt",
        JUDGEMENT,
    ),
    Mutant(
        "the least probable is taken", "discovery/judgement.py", "LEAST_PROBABILITY = 0.8", "LEAST_PROBABILITY = 0.0", JUDGEMENT
    ),
    Mutant(
        "prediction in train mode",
        "training/__init__.py",
        "    model.eval()\n    with torch.no_grad(), autocast",
        "    with torch.no_grad(), autocast",
        ("tests/training/test_training.py",),
    ),
    Mutant("membership upside down", "evaluation/membership.py", "return (own - others)", "return (others - own)", MEASURES),
    Mutant(
        "healed is what was given",
        "evaluation/base.py",
        ".argmax(1) == self.corrupted.truth.clean_labels[indices]",
        ".argmax(1) == self.corrupted.train.labels[indices]",
        MEASURES,
    ),
    Mutant(
        "the dial turned round",
        "corruption/dial.py",
        "return max(0.0, 1 - 2 * regularity),",
        "return max(0.0, 2 * regularity - 1),",
        ("tests/corruption/test_corruption.py",),
    ),
    Mutant(
        "forget sets are not nested",
        "corruption/truth.py",
        "return self.corrupted[: discovered_count(",
        "return self.corrupted[-discovered_count(",
        ("tests/corruption/test_corruption.py",),
    ),
    Mutant(
        "nothing is ever too little memorised",
        "results/memorised.py",
        "share[1] < TAKEN_UP",
        "share[1] < 0",
        ("tests/results/test_memorised.py",),
    ),
    Mutant(
        "a costly run competes",
        "results/harm.py",
        "now < KEPT * before",
        "now < 0 * before",
        ("tests/views/test_choices.py",),
    ),
    Mutant(
        "formulas leave in a CSV",
        "support/escaping.py",
        'return f"\'{value}" if formula else value',
        "return value",
        ("tests/support/test_escaping.py",),
    ),
)


def check_fits(mutant: Mutant) -> None:
    """Raise ValueError unless the text to change stands exactly once in its file, and the tests are there."""
    text = (ROOT / "unlearn_core" / mutant.file).read_text()
    if (count := text.count(mutant.old)) != 1:
        raise ValueError(f"{mutant.name}: {mutant.old!r} stands {count} times in {mutant.file}")
    for test in mutant.tests:
        if not (ROOT / test.partition("::")[0]).exists():
            raise ValueError(f"{mutant.name}: there is no {test}")


def judge(mutant: Mutant) -> dict[str, object]:
    """Make the change in a copy of the tree, run the tests there, and say what came of it."""
    check_fits(mutant)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        copy = Path(folder)
        for file in tracked():
            (copy / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / file, copy / file)
        place = copy / "unlearn_core" / mutant.file
        place.write_text(place.read_text().replace(mutant.old, mutant.new))
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-x",
            "-q",
            "-n",
            "0",
            "-p",
            "no:cacheprovider",
            "--durations=0",
            *mutant.tests,
        ]
        ended = subprocess.run(command, cwd=copy, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True)
    state = {0: "survived", FAILED: "killed"}.get(ended.returncode, f"not judged (pytest ended with {ended.returncode})")
    first = next((line for line in ended.stdout.splitlines() if line.startswith("FAILED")), "")
    by = first.removeprefix("FAILED ").partition(" - ")[0]
    return {"mutant": mutant.name, "state": state, "by": by, "seconds": round(time.perf_counter() - start, 1)}


def tracked() -> Iterator[Path]:
    """Every file of the working tree that git tracks or would track."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split("\0")
    return (Path(name) for name in names if name and (ROOT / name).is_file())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=None, help="mutants whose names hold one of these words")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    chosen = [m for m in MUTANTS if options.only is None or any(word in m.name for word in options.only)]
    rows = []
    with ThreadPoolExecutor(options.workers) as pool:
        for row in pool.map(judge, chosen):
            rows.append(row)
            print(f"{row['state']:10} {row['mutant']} ({row['seconds']} s) {row['by']}", flush=True)
    killed = sum(row["state"] == "killed" for row in rows)
    print(f"{killed} of {len(rows)} killed")
    if options.only is None:
        (ROOT / "benchmarks" / "mutants.json").write_text(json.dumps({"killed": killed, "mutants": rows}, indent=1) + "\n")
    if killed < len(rows):
        raise SystemExit("Some mutants survive.")


if __name__ == "__main__":
    main()
