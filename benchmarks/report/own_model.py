"""The section of docs/results.md that comes from ``benchmarks/results/own_model.json``: a network from outside."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

from benchmarks.paths import RESULTS

SOURCE = RESULTS / "own_model.json"
ALLOWED, CLEARLY = 0.05, 0.1
NETWORKS = {
    "side channels": "ResNet-18 from outside, side channels",
    "native redirect channels": "the same, native redirect channels",
    "vit": "vision transformer, these photographs",
    "vit, digits": "vision transformer, digits",
}
Row = dict[str, Any]
METHODS = {
    "original": "before unlearning",
    "finetune": "`finetune`",
    "retrain": "`retrain`",
    "rem": "`rem`",
    "oracle_retrain": "oracle: `oracle_retrain`",
}
TASKS = {"confusion": "confusion (r 0.5)", "trigger": "trigger (r 1)"}
SHOWN = ("healed", "utility", "healed_x_utility")


def section(path: Path = SOURCE) -> list[str]:
    """Lines of Markdown; none where nothing has been measured."""
    if not path.exists():
        return []
    content = json.loads(path.read_text())
    said, all_rows = content["provenance"], [row for row in content["rows"] if row["method"] != "training"]
    vit = said["vit"]
    lines = [
        "## A network from outside",
        "",
        f"torchvision's ResNet-18, trained by `tests/train_torchvision.py` with nothing of this project, on {said['images']}, "
        f"{said['amount']} of {said['of']:,} corrupted, half of these known, {said['epochs']} epochs, nothing augmented, seeds "
        f"{', '.join(map(str, said['seeds']))}. The checkpoint is healed with side channels attached from outside, and, for "
        "comparison, with its weights put into the native network of the same architecture, widened by redirect channels. REM "
        f"has its preset for photographs. The transformer is trained here with Adam for {vit['training.epochs']} epochs, and "
        "REM then uses Adam too, as in the paper, at a hundredth of its preset's rate. So few photographs teach a transformer "
        "little (see the oracle's rows), so the same network is shown on the digits too: 1,437 images of 8×8, 86 corrupted, "
        "half of these known, every preset as it is. Fine-tuning's rate was found on networks that SGD trained; on one of "
        "Adam's it is nearly training anew, which heals confusions of this size and triggers less. "
        f"torchvision {said['torchvision']}, torch {said['environment']['torch']}, "
        "one thread (`python -m benchmarks run own_model`).",
        "",
        "| task | network | method | healed | utility | healed × utility | CPU seconds |",
        "|---" * 7 + "|",
    ]
    for task, network, name in ((t, n, m) for t in TASKS for n in NETWORKS for m in METHODS):
        if rows := pick(all_rows, task, network, name):
            cells = [TASKS[task], NETWORKS[network], METHODS[name]]
            cells += [both([row[metric] for row in rows]) for metric in SHOWN]
            spent = [row["seconds"] for row in rows if row["seconds"] is not None]
            lines.append("| " + " | ".join([*cells, f"{median(spent):.0f}" if spent else "–"]) + " |")
    return [*lines, "", *verdicts(all_rows), ""]


def pick(rows: Sequence[Row], task: str, network: str, name: str) -> list[Row]:
    """The rows of one task, network and method, one for each seed."""
    return [row for row in rows if (row["task"], row["network"], row["method"]) == (task, network, name)]


def error(values: Sequence[float]) -> float:
    """The standard error of the mean; 0 for a single value, of which nothing is known."""
    return stdev(values) / len(values) ** 0.5 if len(values) > 1 else 0.0


def both(values: Sequence[float], form: str = ".2f") -> str:
    """Mean ± standard error, the latter where there are several seeds."""
    return f"{mean(values):{form}}" + (f" ± {error(values):.2f}" if len(values) > 1 else "")


def verdicts(rows: Sequence[Row]) -> list[str]:
    """What was asked for, each with the numbers that decide it."""
    lines = []

    def verdict(held: bool, claim: str, gaps: dict[str, list[float]]) -> None:
        numbers = ", ".join(f"{TASKS[task]} {both(gap, '+.2f')}" for task, gap in gaps.items())
        lines.append(f"- **{'Comes out' if held else 'Does not come out'}**: {claim} (Difference: {numbers}.)")

    if beside := differences(rows, ("side channels", "rem"), ("native redirect channels", "rem")):
        held = all(abs(mean(gap)) <= ALLOWED for gap in beside.values())
        verdict(held, f"Side channels and the native network differ by at most {ALLOWED:g} in healed × utility.", beside)
        held = all(mean(gap) >= -ALLOWED for gap in beside.values())
        verdict(held, f"Side channels are at most {ALLOWED:g} below the native network.", beside)
    for network in ("vit", "vit, digits"):
        if above := differences(rows, (network, "rem"), (network, "original")):
            held = all(mean(gap) > max(CLEARLY, 2 * error(gap)) for gap in above.values())
            verdict(held, f"REM heals by more than {CLEARLY:g} and two standard errors: {NETWORKS[network]}.", above)
    for network in ("side channels", "vit", "vit, digits"):
        if above := differences(rows, (network, "rem"), (network, "finetune")):
            held = all(mean(gap) > max(CLEARLY, 2 * error(gap)) for gap in above.values())
            verdict(
                held, f"REM is above fine-tuning by more than {CLEARLY:g} and two standard errors: {NETWORKS[network]}.", above
            )
    return lines


def differences(rows: Sequence[Row], one: tuple[str, str], two: tuple[str, str]) -> dict[str, list[float]]:
    """Healed × utility of one network and method minus another's, by task, over the seeds that both have."""
    found = {}
    for task in TASKS:
        here, there = ({row["seed"]: row["healed_x_utility"] for row in pick(rows, task, *which)} for which in (one, two))
        if both_have := here.keys() & there.keys():
            found[task] = [here[seed] - there[seed] for seed in sorted(both_have)]
    return found
