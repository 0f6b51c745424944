"""What the documents say of a GPU: "not measured" without results, and the numbers and verdicts of made-up ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.report.gpu import GRID, SOURCE, grid_hours, section

ROOT = Path(__file__).parents[2]


def epoch(seconds: float, step: float) -> dict[str, Any]:
    return {"epoch_seconds": seconds, "step_seconds": step, "step_flops": 0.9e12}


def row(
    method: str, regularity: float, discovery: float | None, healed: float, seconds: float = 10.0, seed: int = 0
) -> dict[str, Any]:
    score = {"healed": healed, "utility": 0.9, "healed_x_utility": 0.9 * healed}
    return {
        "method": method,
        "values": "paper",
        "regularity": regularity,
        "discovery": discovery,
        "seed": seed,
        "seconds": seconds,
        "memorised": 0.99,
        "recipe": {"learning_rate": 0.025, "final": 0.2, "augment": True, "crop": 0},
    } | score


def write(path: Path, healed: float = 0.9, epoch_seconds: float = 0.4, graphs_agree: bool = True, scale: float = 1.0) -> Path:
    agreement = {
        "difference": {"pass": 1e-6, "rem": 0.5}, "tolerance": {"pass": 1e-4, "rem": 1e-1},
        "within": {"pass": True, "rem": False}, "agrees": True, "graphs_agree": graphs_agree,
    }  # fmt: skip
    stacks = [{"networks": count, "steps_per_second": rate} for count, rate in ((64, 1e4), (256, 5e4))]
    original = {"memorised": 0.99, "utility": 0.89, "training_seconds": 9.0}
    results = {
        "agree": agreement,
        "speed/peak": {"flops": 800e12, "bytes_per_second": 4e12},
        "speed/epoch/eager": epoch(0.6, 0.004),
        "speed/epoch/graph": epoch(epoch_seconds, 0.002),
        "speed/epoch/compiled": {"plain": epoch(0.45, 0.003)},
        "speed/rem": {"rounds": 10, "steps": 980, "seconds": 7.5},
        "speed/small/stacked": {"stacks": stacks, "times_plain": 120.0, "times_graph": 9.0},
        "seed 0/regularity 0/original": original,
    }  # fmt: skip
    rows = [row("rem", r, d, healed) for r in (0.0, 0.5, 1.0) for d in (0.1, 0.5, 1.0)]
    rows += [row("rem", 0.0, 0.3, 0.0), row("oracle_retrain", 0.0, None, 0.95)]
    items: list[dict[str, Any]] = [{"key": key, "status": "done", "result": value} for key, value in results.items()]
    items.append({"key": "seed 0/x", "status": "failed", "error": "RuntimeError: out of memory"})
    about = {"device": "NVIDIA H200", "torch": "2.11.0+cu130", "python": "3.12.3"}
    settings = {"scale": scale, "device": "cuda"}
    path.write_text(
        json.dumps({"about": about, "settings": settings, "items": items, "rows": rows, "left": ["a", "b"], "calls": []})
    )
    return path


def line(lines: list[str], start: str) -> str:
    return next(text for text in lines if text.startswith(start))


def test_without_results_nothing_is_claimed(tmp_path: Path) -> None:
    lines = section(tmp_path / "none.json")
    assert lines[0] == "## On a GPU"
    assert any(text.startswith("Not measured") for text in lines)


def test_the_documents_claim_what_there_is() -> None:
    """docs/performance.md says what the results say, and "not measured" as long as there are none."""
    document = (ROOT / "docs" / "performance.md").read_text()
    assert "\n".join(section()) in document
    assert SOURCE.exists() or "Not measured" in document.partition("## On a GPU")[2]


def test_numbers_stand_beside_what_was_asked(tmp_path: Path) -> None:
    lines = section(write(tmp_path / "gpu.json"))
    assert "NVIDIA H200, torch 2.11.0+cu130, Python 3.12.3." in lines
    assert line(lines, "| product of bf16").startswith(
        "| product of bf16 matrices (the peak) | 800 TFLOP/s; a copy moves 4.00 TB/s"
    )
    assert line(lines, "| epoch of ResNet-9, eager").endswith(
        "| 0.600 s, step 4.00 ms, 28% of the peak | ≤ 0.5 s, ≥ 50% | **missed** |"
    )
    assert line(lines, "| epoch of ResNet-9, graph").endswith(
        "| 0.400 s, step 2.00 ms, 56% of the peak | ≤ 0.5 s, ≥ 50% | reached |"
    )
    assert "0.450 s" in line(lines, "| epoch of ResNet-9, compiled, plain")
    assert line(lines, "| REM, 10 rounds, 980 steps").endswith("| 7.5 s | ≤ 8 s | reached |")
    stacked = line(lines, "| 256 digits CNNs stacked")
    assert "50,000 steps a second; 120.0 times plain ones and 9.0 times recorded ones" in stacked
    assert stacked.endswith("**missed** |")
    assert "recorded training steps agree with plain ones" in line(lines, "Processor and GPU agree")
    assert line(lines, "| rem | 5.0e-01").endswith("**beyond** |")
    assert "RuntimeError: out of memory" in line(lines, "Failed or cut off")
    assert "2 items" in line(lines, "Not reached")


@pytest.mark.parametrize(("healed", "said"), [(0.9, "reached"), (0.8, "**missed**")])
def test_rem_is_judged_by_its_nine_cells(tmp_path: Path, healed: float, said: str) -> None:
    lines = section(write(tmp_path / "gpu.json", healed))
    mean = line(lines, "`rem` with the paper's values")
    assert f"{0.9 * healed:.3f} over 9 of 9 cells (asked ≥ 0.734: {said})" in mean
    assert line(lines, "| `rem` | paper").startswith(f"| `rem` | paper | 9 | 1 | 0.990 ± 0.000 | {healed:.3f} ± 0.000")
    assert "| 0.734 | 10.0 |" in line(lines, "| `rem` | paper")
    assert "memorised share 0.990 (asked ≥ 0.97: reached), utility 0.890 (asked ≥ 0.9: **missed**)" in line(lines, "Originals")


def test_a_trial_is_no_measurement(tmp_path: Path) -> None:
    assert "**A trial of the command" in "\n".join(section(write(tmp_path / "gpu.json", scale=0.01)))
    assert "**A trial" not in "\n".join(section(write(tmp_path / "gpu.json")))


def test_graphs_that_do_not_agree_are_said(tmp_path: Path) -> None:
    assert "**do not agree** with plain ones and were not used" in "\n".join(
        section(write(tmp_path / "g.json", graphs_agree=False))
    )


def test_the_grid_is_ninety_cells_of_each_method_and_nine_originals() -> None:
    rows = [row("rem", 0.0, 0.1, 0.9, 10.0), row("rem", 0.0, 0.5, 0.9, 20.0), row("npo", 0.0, 0.1, 0.9, 2.0)]
    results = {"seed 0/regularity 0/original": {"training_seconds": 8.0}}
    assert grid_hours(results, rows) == pytest.approx((90 * (15.0 + 2.0) + 9 * 8.0) / 3600)
    assert grid_hours({}, rows) is None


def test_a_grid_of_which_a_part_was_measured_is_not_judged(tmp_path: Path) -> None:
    told = line(section(write(tmp_path / "gpu.json")), "| the paper's grid")
    assert "without rem_no_redirect, retrain, npo, scrub, potion, bad_teacher" in told
    assert told.endswith("not whole |")
    found = json.loads((tmp_path / "gpu.json").read_text())
    found["rows"] += [row(name, 0.0, 0.1, 0.5) for name in GRID[1:]]
    (tmp_path / "gpu.json").write_text(json.dumps(found))
    assert line(section(tmp_path / "gpu.json"), "| the paper's grid").endswith("| ≤ 2 h | reached |")


def test_what_the_channels_are_worth_is_paired_by_cell(tmp_path: Path) -> None:
    found = json.loads(write(tmp_path / "gpu.json", 0.8).read_text())
    found["rows"] += [
        row("rem_no_redirect", 0.0, 0.1, 0.7),
        row("rem_no_redirect", 1.0, 0.5, 0.6),
        row("rem_no_redirect", 0.5, 0.7, 0),
    ]
    (tmp_path / "gpu.json").write_text(json.dumps(found))
    lines = section(tmp_path / "gpu.json")
    told = line(lines, "`rem` less `rem_no_redirect`, the paper's values")
    assert "+0.135, 95 % interval -0.437 to +0.707 over 2 pairs" in told  # .09 and .18: half is 12.706 · .0636 / √2
    assert "| 1 |  | 0.180 |  |" in lines
