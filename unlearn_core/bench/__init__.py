"""Speed as ratios against named baselines, each measured in one process run, alternating, medians of several.

A ratio survives a change of machine, and a slow moment of the machine hits both sides of it. Sections are functions that
return measurements; ``python -m unlearn_core bench`` runs them.
"""

from unlearn_core.bench.measure import Measurement, alternate, exponent
from unlearn_core.bench.sections import SECTIONS, run_sections

__all__ = ["SECTIONS", "Measurement", "alternate", "exponent", "run_sections"]
