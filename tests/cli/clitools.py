"""What the tests of the command line share."""

from __future__ import annotations

import json
from typing import Any

import pytest

from unlearn_core.cli import main

QUICK = ["--dataset", "blobs", "--engine", "inline", "--set", "training.epochs=2", "--amount", "60"]
PLAN = """
dataset: blobs
regularity: [0, 1.0]
discovery: [0.5, 1.0]
methods: [retrain, finetune]
seeds: [0, 1]
amount: [60]
set: {training.epochs: 1, finetune.epochs: 1}
"""


def ask(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    """Run a command with --json; its parsed answer."""
    assert main([*arguments, "--json"]) == code, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)
