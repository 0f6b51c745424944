"""Named components (datasets, models, methods, metrics) that register themselves, so that one new file adds one."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
import threading
from collections.abc import Iterator
from typing import Generic, TypeVar

from unlearn_core.errors import UserError

T = TypeVar("T")


class Registry(Generic[T]):
    """A name → component table filled by importing every module of one package.

    Modules are imported on the first look-up; components come in the alphabetical order of their files. ``families``: those in
    the package's folders as well. A module that cannot be imported costs the table no other: it is in :attr:`disabled`.
    """

    def __init__(self, noun: str, package: str, families: bool = False) -> None:
        self.noun = noun
        self._families = families
        self._package = package
        self._parts: dict[str, T] = {}
        self._disabled: dict[str, str] = {}
        self._loaded = self._loading = False
        self._lock = threading.RLock()

    def add(self, name: str, part: T) -> None:
        """Add ``part``; a name can be taken only once (by another definition: reloads are fine)."""
        existing = self._parts.get(name)
        if existing is not None and getattr(existing, "__qualname__", "") != getattr(part, "__qualname__", ""):
            raise ValueError(f"the {self.noun} name {name!r} is taken by {existing!r}")
        self._parts[name] = part
        self._disabled.pop(name, None)

    def remove(self, name: str) -> None:
        """Forget one component (tests add and remove dummies)."""
        self._parts.pop(name, None)
        self._disabled.pop(name, None)

    def disable(self, name: str, reason: str) -> None:
        """List a component, or a file, that cannot be used, with the reason."""
        self._disabled[name] = reason

    @property
    def disabled(self) -> dict[str, str]:
        """Name → reason for every component that did not pass and every module that could not be imported."""
        self._load()
        return dict(self._disabled)

    def get(self, name: str) -> T:
        """The component called ``name``; ``UserError`` with the reason where it is disabled, else with the nearest names."""
        self._load()
        try:
            return self._parts[name]
        except (KeyError, TypeError):
            if reason := self._disabled.get(str(name)):
                raise UserError(f"The {self.noun} {str(name)!r} is disabled: {reason}") from None
            near = difflib.get_close_matches(str(name), self._parts, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            known = ", ".join(sorted(self._parts))
            raise UserError(f"There is no {self.noun} called {str(name)!r}.{hint} Known: {known}.") from None

    def names(self) -> list[str]:
        self._load()
        return list(self._parts)

    def __iter__(self) -> Iterator[T]:
        self._load()
        return iter(self._parts.values())

    def __contains__(self, name: object) -> bool:
        self._load()
        return name in self._parts

    def __len__(self) -> int:
        self._load()
        return len(self._parts)

    def _load(self) -> None:
        if self._loaded:
            return
        # Other threads wait in the meantime: half a list of methods would be taken for the whole one.
        with self._lock:
            if self._loaded or self._loading:  # a component that looks others up while it is imported sees those before it
                return
            self._loading = True
            self._disabled = {}
            try:
                self._import_all(self._package)
                # A module that was imported before must not come first for that, nor does its folder decide.
                self._parts = dict(sorted(self._parts.items(), key=lambda part: _module_of(part[1]).rpartition(".")[2]))
                self._loaded = True
            finally:
                self._loading = False

    def _import_all(self, name: str) -> None:
        package = importlib.import_module(name)
        for module in pkgutil.iter_modules(package.__path__):
            if module.ispkg and not self._families:
                continue
            path = f"{name}.{module.name}"
            try:
                self._import_all(path) if module.ispkg else importlib.import_module(path)
            except Exception as error:  # noqa: BLE001 - foreign code: whatever one file raises, the others are there
                self._parts = {name: part for name, part in self._parts.items() if _module_of(part) != path}
                why = " ".join(f"{type(error).__name__}: {error}".split())
                self.disable(module.name, f"{file_of(path)} could not be imported ({why})")


def file_of(module: str) -> str:
    """Where a module lies in the project, such as ``unlearn_core/methods/ascent/npo.py``."""
    return module.replace(".", "/") + ".py"


def _module_of(part: object) -> str:
    """The dotted name of the module that defines ``part``."""
    return str(getattr(part, "__module__", ""))
