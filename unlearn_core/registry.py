"""Named components (datasets, models, methods, metrics) that register themselves, so that one new file adds one."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Generic, TypeVar

from unlearn_core import plugins
from unlearn_core.errors import UserError

T = TypeVar("T")


class Registry(Generic[T]):
    """A name → component table filled by importing every module of one package.

    Modules are imported on the first look-up; components come in the alphabetical order of their files. ``families``: those in
    the package's folders as well. A module that cannot be imported costs the table no other: it is in :attr:`disabled`.
    Components of plug-ins come behind ours (:mod:`unlearn_core.plugins`).
    """

    def __init__(self, noun: str, package: str, families: bool = False) -> None:
        self.noun = noun
        self._families = families
        self._package = package
        self._parts: dict[str, T] = {}
        self._disabled: dict[str, str] = {}
        self._loaded = self._loading = False
        self._plugins: dict[str, plugins.Plugin] = {}

    def add(self, name: str, part: T) -> None:
        """Add ``part``; a name can be taken only once (by another definition: reloads are fine)."""
        plugin = plugins.owner(_module_of(part))
        if plugin is not None:
            self._load_own()
        existing = self._parts.get(name)
        if existing is not None and (plugin is not None or _qualified(existing) != _qualified(part)):
            raise UserError(f"the {self.noun} name {name!r} is taken by {existing!r}")
        self._parts[name] = part
        self._disabled.pop(name, None)
        if plugin is not None:
            self._plugins[name] = plugin
            plugin.components.append((self.noun, name))
            plugin.undo.append(lambda: self.remove(name))

    def remove(self, name: str) -> None:
        """Forget one component (tests add and remove dummies)."""
        self._parts.pop(name, None)
        self._plugins.pop(name, None)
        self._disabled.pop(name, None)

    def disable(self, name: str, reason: str) -> None:
        """List a component, or a file, that cannot be used, with the reason."""
        self._disabled[name] = reason
        if (plugin := plugins.current()) is not None:
            plugin.incomplete[name] = reason
            plugin.undo.append(lambda: self.remove(name))

    def plugin_of(self, name: str) -> plugins.Plugin | None:
        """The plug-in that a component comes from; None for the product's own."""
        self._load()
        return self._plugins.get(name)

    @property
    def disabled(self) -> dict[str, str]:
        """Name → reason for every component that did not pass, every module and every plug-in that could not be imported."""
        self._load()
        return self._disabled | plugins.failed()

    def get(self, name: str) -> T:
        """The component called ``name``; ``UserError`` with the reason where it is disabled, else with the nearest names."""
        self._load()
        if isinstance(name, str) and name not in self._parts:
            plugins.refresh()  # one may have been added since: the app and its workers are different processes
        try:
            return self._parts[name]
        except (KeyError, TypeError):
            if reason := self.disabled.get(str(name)):
                raise UserError(f"The {self.noun} {str(name)!r} is disabled: {reason}") from None
            near = difflib.get_close_matches(str(name), self._parts, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            known = ", ".join(sorted(self._parts)) or f"none; a plug-in can add a {self.noun}"
            broken = "".join(f" The plug-in {name} is disabled: {why}." for name, why in plugins.failed().items())
            raise UserError(f"There is no {self.noun} called {str(name)!r}.{hint} Known: {known}.{broken}") from None

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
        self._load_own()
        plugins.load()

    def _load_own(self) -> None:
        if self._loaded:
            return
        # Other threads wait in the meantime: half a list of methods would be taken for the whole one.
        with plugins.importing_ours():
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
    """Where a module lies in the project, such as ``unlearn_core/methods/ascent/npo.py``; of a plug-in the name of its file."""
    plugin = plugins.current()
    if plugin is not None:
        return Path(getattr(sys.modules.get(module), "__file__", None) or plugin.path).name
    return module.replace(".", "/") + ".py"


def _qualified(part: object) -> tuple[str, str]:
    return _module_of(part), str(getattr(part, "__qualname__", ""))


def _module_of(part: object) -> str:
    """The dotted name of the module that defines ``part``."""
    return str(getattr(part, "__module__", ""))
