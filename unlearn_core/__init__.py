"""Eunoe: corrupt data in a controlled way, unlearn it, measure what healed. Knows nothing of the app.

    >>> import unlearn_core as eunoe
    >>> scenario = eunoe.Scenario.make("blobs", overrides={"training.epochs": 10})
    >>> results = eunoe.run(scenario, ["finetune", "rem"])
    >>> [row["method"] for row in results.rows]
    ['finetune', 'rem']

``run`` compares methods on a scenario, ``discover`` looks for what else is wrong, ``unlearn`` works on any network and tensors;
``Assistant`` finds what is wrong where nothing is known;
``load_images`` makes a scenario of files; ``methods()``, ``datasets()`` and ``metrics()`` list what there is. Each name is
imported when it is first used: ``import unlearn_core`` alone imports neither torch nor pandas.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unlearn_core.errors import UserError
    from unlearn_core.front_door.assistant import Assistant
    from unlearn_core.front_door.found import Found
    from unlearn_core.front_door.listings import datasets, methods, metrics
    from unlearn_core.front_door.results import Results
    from unlearn_core.front_door.running import discover, run
    from unlearn_core.front_door.scenario import Scenario, load_images
    from unlearn_core.front_door.unlearning import unlearn
    from unlearn_core.store import Store

__version__ = "0.2.0"

__all__ = [
    "Assistant",
    "Found",
    "Results",
    "Scenario",
    "Store",
    "UserError",
    "datasets",
    "discover",
    "load_images",
    "methods",
    "metrics",
    "run",
    "unlearn",
]

_PLACES = {
    "Assistant": "front_door.assistant",
    "Found": "front_door.found",
    "Results": "front_door.results",
    "Scenario": "front_door.scenario",
    "Store": "store",
    "UserError": "errors",
    "datasets": "front_door.listings",
    "discover": "front_door.running",
    "load_images": "front_door.scenario",
    "methods": "front_door.listings",
    "metrics": "front_door.listings",
    "run": "front_door.running",
    "unlearn": "front_door.unlearning",
}
"""Name → the module that has it."""
_ROOMS = ("datasets", "methods")
"""Names that are packages as well, and mean these: a call lists what is in them."""


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in _ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Room(ModuleType):
    """A package that is also a name of the Python door: ``unlearn_core.methods`` holds the methods, ``unlearn_core.methods()``
    lists them."""

    def __call__(self) -> Any:
        name = self.__name__.rpartition(".")[2]
        return getattr(importlib.import_module(f"{__package__}.{_PLACES[name]}"), name)()


class _Door(ModuleType):
    """This package. The import of a part puts it here under its name, in front of what :func:`__getattr__` would give."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _PLACES and type(value) is ModuleType:
            value.__class__ = _Room
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Door
