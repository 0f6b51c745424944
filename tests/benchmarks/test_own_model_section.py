"""The section of the results on a network from outside: what comes out is said by the numbers, missing rows are left out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.report.own_model import section


def write(path: Path, beside: float, seeds: int = 2) -> Path:
    """Rows of the task "trigger": fine-tuning 0.1, side channels 0.5, native redirect channels ``beside``."""
    scores = {("side channels", "finetune"): 0.1, ("side channels", "rem"): 0.5, ("native redirect channels", "rem"): beside}
    rows = [
        {"task": "trigger", "seed": seed, "network": network, "method": method, "seconds": 7.0}
        | dict.fromkeys(("healed", "utility", "healed_x_utility"), score + seed / 100)
        for seed in range(seeds)
        for (network, method), score in scores.items()
    ]
    training = dict.fromkeys(("healed", "utility", "healed_x_utility"))
    rows.append({"task": "trigger", "seed": 0, "network": "side channels", "method": "training", "seconds": 9.0} | training)
    said: dict[str, object] = {
        "images": "some images",
        "amount": 5,
        "of": 100,
        "epochs": 3,
        "seeds": list(range(seeds)),
        "torchvision": "1",
    }
    said |= {"vit": {"training.epochs": 9}}
    path.write_text(json.dumps({"provenance": said | {"environment": {"torch": "2"}}, "rows": rows}))
    return path


@pytest.mark.parametrize(("beside", "held"), [(0.46, "**Comes out**"), (0.4, "**Does not come out**")])
def test_the_verdict_is_the_mean_difference(beside: float, held: str, tmp_path: Path) -> None:
    lines = section(write(tmp_path / "a.json", beside))
    table = [line for line in lines if line.startswith("| trigger")]
    assert len(table) == 3
    assert table[2].endswith(f"| {beside + 0.005:.2f} ± 0.01 | 7 |")
    verdict = next(line for line in lines if "differ by at most" in line)
    assert verdict.startswith(f"- {held}")
    assert f"{0.5 - beside:+.2f} ± 0.00" in verdict
    assert any(line.startswith("- **Comes out**: Side channels are at most") for line in lines)
    assert any("above fine-tuning" in line and "Comes out" in line for line in lines)
    assert not any("vision transformer" in line for line in lines)


def test_one_seed_has_no_standard_error_and_nothing_measured_no_section(tmp_path: Path) -> None:
    assert not any("±" in line for line in section(write(tmp_path / "a.json", 0.5, seeds=1)))
    assert section(tmp_path / "none.json") == []
