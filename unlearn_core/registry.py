"""Named parts (datasets, models, methods, metrics) that register themselves, so that one new file adds one."""

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
    """A name → part table filled by importing every module of one package.

    Modules are imported on the first look-up; parts come in the alphabetical order of their files. ``families``: those in
    the package's folders as well.
    """

    def __init__(self, noun: str, package: str, families: bool = False) -> None:
        self.noun = noun
        self._families = families
        self._package = package
        self._parts: dict[str, T] = {}
        self._loaded = self._loading = False
        self._lock = threading.RLock()

    def add(self, name: str, part: T) -> None:
        """Register ``part``; a name can be taken only once (by another definition: reloads are fine)."""
        existing = self._parts.get(name)
        if existing is not None and getattr(existing, "__qualname__", "") != getattr(part, "__qualname__", ""):
            raise ValueError(f"the {self.noun} name {name!r} is taken by {existing!r}")
        self._parts[name] = part

    def remove(self, name: str) -> None:
        """Forget one part (tests add and remove dummies)."""
        self._parts.pop(name, None)

    def get(self, name: str) -> T:
        """The part called ``name``; ``UserError`` with the nearest known names otherwise."""
        self._load()
        try:
            return self._parts[name]
        except (KeyError, TypeError):
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
        # Whoever else asks in the meantime waits: half a list of methods would be taken for the whole one.
        with self._lock:
            if self._loaded or self._loading:  # a part that looks others up while it is imported sees those before it
                return
            self._loading = True
            try:
                self._import_all(self._package)
                # A module that was imported before must not come first for that, nor does its folder decide.
                self._parts = dict(sorted(self._parts.items(), key=lambda part: _file_of(part[1])))
                self._loaded = True
            finally:
                self._loading = False

    def _import_all(self, name: str) -> None:
        package = importlib.import_module(name)
        for module in pkgutil.iter_modules(package.__path__):
            if not module.ispkg:
                importlib.import_module(f"{name}.{module.name}")
            elif self._families:
                self._import_all(f"{name}.{module.name}")


def _file_of(part: object) -> str:
    """The name of the file that defines ``part``, without its folder."""
    return str(getattr(part, "__module__", "")).rpartition(".")[2]
