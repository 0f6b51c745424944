"""How much one stage asks for, before it starts: epochs × training examples × width of the network."""

from __future__ import annotations

from typing import Any, Final

from unlearn_core.datasets import load_dataset
from unlearn_core.errors import UserError
from unlearn_core.specs import Scenario
from unlearn_core.stages.stage import Stage

WIDE: Final = 64
"""Channels of a network that says no width, or gives it relative to the published one."""


def size_of(stage: Stage) -> int:
    """The product, 0 for a stage that is about no scenario.

    Epochs are those of training, or of the method where it has more. Raises :class:`UserError` for a scenario that cannot be.
    """
    told = stage.payload.get("scenario")
    if not isinstance(told, dict):
        return 0
    scenario = Scenario.parse(told)
    epochs = max([scenario.training.epochs, *_epochs((stage.payload.get("method") or {}).get("params") or {})])
    return round(epochs * len(load_dataset(scenario.dataset, scenario.seed).train) * _width(scenario))


def _epochs(params: dict[str, Any]) -> list[int]:
    return [int(value) for name, value in params.items() if name.endswith("epochs") and isinstance(value, int | float)]


def _width(scenario: Scenario) -> float:
    """Channels of the first layer; what is 4 or less is relative to the published network."""
    given = scenario.model.params.get("width")
    if not isinstance(given, int | float) or isinstance(given, bool):
        return WIDE
    return float(given) if given >= 4 else WIDE * float(given)


def check_size(stage: Stage, most: int) -> None:
    """Raise :class:`UserError` where a stage asks for more than ``most``."""
    if (size := size_of(stage)) > most:
        raise UserError(
            f"“{stage.title}” asks for {size:,} (epochs × training examples × width), and one stage may ask for {most:,} on "
            "this server. Take fewer epochs, fewer images or a narrower network."
        )
