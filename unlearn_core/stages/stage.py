"""One unit of work, and the registry of what computes each kind. Imports nothing heavy: Dask's scheduler unpickles stages."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from unlearn_core import plugins
from unlearn_core.errors import UserError

if TYPE_CHECKING:
    from unlearn_core.stages.recorder import Progress
    from unlearn_core.store import Store

Lane = Literal["long", "quick", "look"]
"""How long a stage may take: "quick" takes seconds, "look" is what a page waits for and may take longer; neither waits behind
"long" work."""
Compute = Callable[["Stage", "Store", str, "Progress"], None]
"""Computes a stage on a device ("auto", "cpu" or "cuda") and puts its record into the store."""


@dataclass(frozen=True)
class Stage:
    """One computation: ``payload`` is plain JSON, ``needs`` are keys of stages before it, ``weight`` a rough cost."""

    kind: str
    key: str
    title: str
    payload: dict[str, Any]
    needs: tuple[str, ...] = ()
    weight: float = 1.0
    lane: Lane = "long"


_COMPUTE: dict[str, Compute] = {}


def register_stage(kind: str) -> Callable[[Compute], Compute]:
    """Decorate the function that computes stages of this ``kind``."""

    def register(compute: Compute) -> Compute:
        if (plugin := plugins.current()) is not None:
            load_stages()
            if kind in _COMPUTE:
                raise UserError(f"the stage name {kind!r} is taken by {_COMPUTE[kind]!r}")
            plugin.components.append(("stage", kind))
            plugin.undo.append(lambda: _forget(kind))
        _COMPUTE[kind] = compute
        return compute

    return register


def _forget(kind: str) -> None:
    _COMPUTE.pop(kind, None)


def compute_for(kind: str) -> Compute:
    """The function registered for ``kind``; raises :class:`UserError` where there is none."""
    load_stages()
    plugins.load()
    if kind not in _COMPUTE:
        plugins.refresh()
    try:
        return _COMPUTE[kind]
    except KeyError:
        raise UserError(f"There is no stage called {kind!r}.") from None


_WARM_UPS: list[Callable[[], None]] = []


def register_warm_up(warm_up: Callable[[], None]) -> Callable[[], None]:
    """Have an idle worker call ``warm_up`` once, so that no stage has to wait for what it compiles."""
    _WARM_UPS.append(warm_up)
    return warm_up


def warm_up_stages() -> None:
    """Call what :func:`register_warm_up` registered."""
    load_stages()
    for warm_up in _WARM_UPS:
        warm_up()


def stage_kinds() -> frozenset[str]:
    """Every kind that is registered."""
    load_stages()
    plugins.load()
    return frozenset(_COMPUTE)


@functools.cache
def load_stages() -> None:
    """Import every module that registers a stage: those of this package, and ``stage`` in the folder of each picture."""
    with plugins.importing_ours():
        _import_stages()


def _import_stages() -> None:
    here, views = (importlib.import_module(f"unlearn_core.{name}") for name in ("stages", "views"))
    names = [f"{here.__name__}.{module.name}" for module in pkgutil.iter_modules(here.__path__)]
    names += [f"{views.__name__}.{folder.name}.stage" for folder in pkgutil.iter_modules(views.__path__) if folder.ispkg]
    for name in names:
        if importlib.util.find_spec(name) is not None:
            importlib.import_module(name)
