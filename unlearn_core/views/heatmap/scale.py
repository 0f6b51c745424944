"""How a metric's values are coloured and written: the scale is the same whenever the metric is the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from unlearn_core.evaluation import Metric

_BOUNDS: Final = {"steps": (0.0, 100.0), "s": (0.1, 100.0)}


@dataclass(frozen=True)
class MetricScale:
    """How a metric's values are coloured and written. ``log``: colours by the logarithm (seconds differ by factors)."""

    label: str
    low: float
    high: float
    higher: bool
    percent: bool = False
    log: bool = False
    digits: int = 2
    unit: str = ""
    title: str = ""

    def shade(self, value: float) -> float:
        """Position on the scale, 0 (worst) to 1 (best); what lies beyond its ends has the colour of the end."""
        low, high = self.low, self.high
        if self.log:
            low, high, value = np.log10(low), np.log10(high), np.log10(max(value, 1e-9))
        place = min(1.0, max(0.0, (value - low) / (high - low)))
        return float(place if self.higher else 1 - place)

    def text(self, value: float, digits: int | None = None) -> str:
        """A value as it is written, without its unit."""
        shown = 100 * value if self.percent else value
        places = (0 if self.percent else self.digits) if digits is None else digits
        return f"{round(shown, places) + 0.0:.{places}f}".replace("-", "−")  # adding zero: there is no minus zero


def scale_of(metric: type[Metric], normalised: bool = False) -> MetricScale:
    """The scale of a registered metric; ``normalised``: as a share of the way from the original to the oracle."""
    if normalised:
        return MetricScale(f"{metric.label}, original = 0 and oracle = 1", 0.0, 1.0, True, title="0 original, 1 oracle")
    low, high = _BOUNDS.get(metric.unit, (0.0, 1.0))
    share, seconds = metric.unit == "share", metric.unit == "s"
    unit = "%" if share else "" if metric.unit in ("score", "ratio") else metric.unit
    title = f"{metric.label} ({unit})" if unit else metric.label
    digits = 0 if metric.unit == "steps" else 1 if seconds else 2
    return MetricScale(metric.label, low, high, metric.direction != "lower", share, seconds, digits, unit, title)
