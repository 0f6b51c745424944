"""Which sections there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import torch

from unlearn_core.bench import costs, loops, whole
from unlearn_core.bench.measure import Measurement
from unlearn_core.training import deterministic

Section = Callable[[int, torch.device], list[Measurement]]
SECTIONS: Final[dict[str, Section]] = {
    "floor": loops.floor,
    "usual": loops.usual,
    "halved": loops.halved,
    "methods": costs.methods,
    "masks": costs.masks,
    "reopen": whole.reopen,
    "sweep": whole.sweep,
    "growth": costs.growth,
}


def run_sections(
    names: Sequence[str], repeats: int, device: torch.device, report: Callable[[Measurement], None]
) -> list[Measurement]:
    """Measure these sections in one thread, one after the other; ``report`` gets every line as it comes."""
    found = []
    with deterministic(threads=1):
        for name in names:
            for row in SECTIONS[name](repeats, device):
                report(row)
                found.append(row)
    return found
