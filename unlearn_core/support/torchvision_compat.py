"""The one place that imports torchvision, which a CPU-only torch refuses unless two operators are declared first."""

from __future__ import annotations

import functools
import importlib
from types import ModuleType

import torch

# The default torchvision wheel is built against CUDA; beside a CPU-only torch its C++ library does not load, and its Python
# half then fails while describing these operators' shapes. Declaring their schemas is enough for datasets, transforms, models.
_MISSING = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
_libraries: list[torch.library.Library] = []  # kept alive: a collected Library withdraws its operators


@functools.cache
def torchvision() -> ModuleType:
    """Import and return ``torchvision``, declaring the operators that its wheel lacks beside a CPU-only torch."""
    try:
        return importlib.import_module("torchvision")
    except (RuntimeError, AttributeError, ImportError) as error:
        if "nms" not in str(error) and "torchvision" not in str(error):
            raise
    _forget_half_imported()
    for name, schema in _MISSING.items():
        if not hasattr(torch.ops.torchvision, name):
            library = torch.library.Library("torchvision", "FRAGMENT")
            library.define(schema)
            _libraries.append(library)
    return importlib.import_module("torchvision")


def _forget_half_imported() -> None:
    import sys

    for name in [n for n in sys.modules if n == "torchvision" or n.startswith("torchvision.")]:
        del sys.modules[name]
