"""Pictures: data in, a :class:`Picture` out (figure, caption, alternative text, data). The only package that imports plotly."""

from unlearn_core.figures._base import Picture
from unlearn_core.figures.classes import classes
from unlearn_core.figures.compare import cost, difference, healed_utility, ordered, trajectories
from unlearn_core.figures.plane import MethodRegion, mixture, plane, position_name
from unlearn_core.figures.points import points, with_positions_before, with_total

__all__ = [
    "MethodRegion",
    "Picture",
    "classes",
    "cost",
    "difference",
    "healed_utility",
    "mixture",
    "ordered",
    "plane",
    "points",
    "position_name",
    "trajectories",
    "with_positions_before",
    "with_total",
]
