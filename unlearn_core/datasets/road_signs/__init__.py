"""Road signs drawn by arithmetic that is the same on every machine: no font, no file, no library's rasteriser."""

from unlearn_core.datasets.road_signs.faces import NAMES
from unlearn_core.datasets.road_signs.scenes import SIDE, draw

__all__ = ["NAMES", "SIDE", "draw"]
