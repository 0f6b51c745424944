"""Components from outside: modules of installed packages and single files, each imported once, behind the product's own."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import os
import sys
import threading
import traceback
import types
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from importlib import metadata, util
from pathlib import Path
from typing import Final

from unlearn_core.errors import UserError
from unlearn_core.support.public_mode import is_public
from unlearn_core.support.typed_paths import typed_path
from unlearn_core.support.working_title import WORKING_TITLE

GROUP: Final = "eunoe.components"
"""The entry-point group: each entry names a module that registers components when it is imported."""
VARIABLE: Final = "UNLEARN_PLUGINS"
"""Names plug-in files, separated as in ``PATH``. Processes that are started from here inherit it."""
LOCK: Final = threading.RLock()
"""Held while components are imported, ours and others': a plug-in may register in several registries."""
_MODULE = "eunoe_plugin_"
_DIGITS = 7
"""Hexadecimal digits of a digest that become a revision: it then fits every database's whole numbers."""


@dataclass(eq=False)
class Plugin:
    """A file, or the module of an installed package. ``digest``: of its source, a package's with all of its modules.

    ``folder``: of a package. ``components``: what it registered, as (noun, name). ``incomplete``: name → what a component
    lacks that is not listed for that. ``reason``: why the whole cannot be used, "" where it can.
    """

    name: str
    path: str
    module: str
    folder: str = ""
    digest: str = ""
    components: list[tuple[str, str]] = field(default_factory=list)
    incomplete: dict[str, str] = field(default_factory=dict)
    reason: str = ""
    undo: list[Callable[[], None]] = field(default_factory=list)

    def revision(self, declared: int = 1) -> int:
        """What tells this version of the plug-in's code from every other, and from the product's own small revisions."""
        text = f"{declared} {self.digest}"
        return (1 << 28) + int(hashlib.sha256(text.encode()).hexdigest()[:_DIGITS], 16)

    def withdraw(self) -> None:
        """Take back whatever it registered."""
        for step in reversed(self.undo):
            step()
        self.undo.clear()
        self.components.clear()
        self.incomplete.clear()
        sys.modules.pop(self.module, None)


_known: dict[str, Plugin] = {}
"""By file, or by the entry point's module."""
_state = threading.local()
_scanned = False


def current() -> Plugin | None:
    """The plug-in that this thread is importing."""
    found: Plugin | None = getattr(_state, "plugin", None)
    return found


def owner(module: str) -> Plugin | None:
    """The plug-in that a component defined in this module belongs to: the one that is being imported, or an installed package
    that was imported by hand before."""
    if module.startswith("unlearn_core."):
        return None
    if (plugin := current()) is not None or module.startswith(_MODULE):
        return plugin
    top = module.partition(".")[0]
    same = [one for one in _packages() if one.folder and one.module.partition(".")[0] == top]
    return next((one for one in same if one.module == module), same[0] if same else None)


@contextlib.contextmanager
def importing_ours() -> Iterator[None]:
    """Within this the product's own components are imported: plug-ins come behind them."""
    depth, plugin = getattr(_state, "depth", 0), current()
    _state.depth, _state.plugin = depth + 1, None  # a plug-in may be what asks for them, and they are not its own
    try:
        with LOCK:
            yield
    finally:
        _state.depth, _state.plugin = depth, plugin


def known() -> list[Plugin]:
    """Every plug-in that was found, those that cannot be used too."""
    load()
    return list(_known.values())


def version() -> str:
    """Changes whenever a plug-in comes, goes or changes."""
    return " ".join(plugin.digest for plugin in known())


def failed() -> dict[str, str]:
    """Name → reason of every plug-in that cannot be used."""
    return {plugin.name: plugin.reason for plugin in list(_known.values()) if plugin.reason}


def user_folder() -> Path:
    """Where the app keeps the files that its user added; they are loaded wherever this user computes."""
    try:
        import platformdirs
    except ImportError:  # a bare compute machine, where no app keeps any
        return Path.home() / ".local" / "share" / WORKING_TITLE / "plugins"
    return Path(platformdirs.user_data_dir(WORKING_TITLE, appauthor=False)) / "plugins"


def name_files(files: Iterable[str]) -> None:
    """Have these files loaded, here and in every process that is started from here. Raises :class:`UserError` for what is no
    Python file."""
    named = [str(check_file(text)) for text in files]
    before = [one for one in os.environ.get(VARIABLE, "").split(os.pathsep) if one]
    if named:
        os.environ[VARIABLE] = os.pathsep.join(dict.fromkeys([*before, *named]))


def check_file(text: str | Path) -> Path:
    """The absolute path of a plug-in file; raises :class:`UserError` where there is no such Python file."""
    path = typed_path(text, "the plug-in")
    if not path.is_file():
        raise UserError(f"There is no plug-in file {str(text)!r}.")
    if path.suffix != ".py":
        raise UserError(f"A plug-in is a Python file, whose name ends in .py (got {path.name!r}).")
    return path


def digest_of(path: Path) -> str:
    """The digest of a single file."""
    return _digest([path.read_bytes()])


def load() -> None:
    """Import every plug-in that there is, once. A registry calls it when its own components are there."""
    if not _scanned:
        with LOCK:
            if not _scanned:
                refresh()


def refresh() -> bool:
    """Look again: import what is new, import anew what changed, withdraw what is gone. Whether there was any of that."""
    global _scanned
    if current() is not None or bool(getattr(_state, "depth", 0)):
        return False
    with LOCK:  # other threads wait: half a list would be taken for the whole one
        found = {plugin.path or plugin.module: plugin for plugin in _find()}
        changed = False
        for key, plugin in list(_known.items()):
            if key not in found or found[key].digest != plugin.digest:
                plugin.withdraw()
                del _known[key]
                changed = True
        for key, plugin in found.items():
            if key not in _known and not _is_copy(plugin):
                _known[key] = plugin
                _import(plugin)
                changed = True
        _scanned = True
        return changed


def place_of(error: BaseException) -> str:
    """File and line of a plug-in's code that an error came through, the innermost, as "mine.py, line 12"; "" for none."""
    found = list(_known.values())
    files, folders = {plugin.path for plugin in found}, tuple(plugin.folder for plugin in found if plugin.folder)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename in files or frame.filename.startswith(folders):
            return f"{Path(frame.filename).name}, line {frame.lineno}"
    return ""


def explain(error: BaseException) -> str:
    """An error of a plug-in's code in one line, with the file and line that it came from."""
    if isinstance(error, SyntaxError):
        return f"SyntaxError: {error.msg} ({Path(error.filename or '').name}, line {error.lineno})"
    told = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
    text, place = " ".join(told.split()), place_of(error)
    return f"{text} ({place})" if place else text


def _is_copy(plugin: Plugin) -> bool:
    """Whether another file with the very same text is here already. Modules of one package share their digest."""
    return any(one.digest == plugin.digest for one in _known.values() if plugin.module.startswith(_MODULE))


def _find() -> Iterator[Plugin]:
    yield from _packages()
    named = [one for one in os.environ.get(VARIABLE, "").split(os.pathsep) if one]
    # A file that is named takes the place of a kept one of the same name: a newer version can be tried beside it.
    names = {Path(one).name for one in named}
    # Where strangers use the app only what its command line names runs.
    kept = [] if is_public() else sorted(str(path) for path in user_folder().glob("*.py") if path.name not in names)
    for path in dict.fromkeys(os.path.realpath(os.path.expanduser(one)) for one in [*named, *kept]):
        yield _of_file(path)


@functools.cache
def _packages() -> tuple[Plugin, ...]:
    """What installed packages name. A package that changes is seen by the next process, as with every import."""
    entries = sorted(metadata.entry_points(group=GROUP), key=lambda one: one.name)
    return tuple(_of_package(entry.value.partition(":")[0]) for entry in entries)


def _of_package(module: str) -> Plugin:
    plugin = Plugin(module, "", module)
    try:
        top, found = util.find_spec(module.partition(".")[0]), util.find_spec(module)
    except Exception as error:  # noqa: BLE001 - looking for a module imports the packages above it
        plugin.digest = plugin.reason = f"the module {module} cannot be found ({explain(error)})"
        return plugin
    if top is None or top.origin is None or found is None or found.origin is None:
        plugin.digest = plugin.reason = f"the installed package names the module {module}, which is not there"
        return plugin
    plugin.path = found.origin
    plugin.folder = str(Path(top.origin).parent) + os.sep if top.submodule_search_locations else ""
    files = sorted(Path(plugin.folder).rglob("*.py")) if plugin.folder else [Path(top.origin)]
    plugin.digest = _digest(path.read_bytes() for path in files)
    return plugin


def _of_file(path: str) -> Plugin:
    place = hashlib.sha256(path.encode("utf-8", "replace")).hexdigest()[:8]
    plugin = Plugin(Path(path).name, path, f"{_MODULE}{Path(path).stem}_{place}")
    try:
        plugin.digest = _digest([Path(path).read_bytes()])
    except OSError as error:
        plugin.reason = f"{path} cannot be read ({error.strerror or error})"
        plugin.digest = plugin.reason
    return plugin


def _digest(parts: Iterable[bytes]) -> str:
    return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def _import(plugin: Plugin) -> None:
    """Import one plug-in; what it raises, or a name that is taken, disables the whole of it and nothing else."""
    if plugin.reason:
        return
    _state.plugin = plugin
    try:
        if plugin.module.startswith(_MODULE):
            _run(plugin)
        else:
            importlib.import_module(plugin.module)
    except Exception as error:  # noqa: BLE001 - foreign code: whatever it raises, everything else is there
        plugin.withdraw()
        plugin.reason = f"{plugin.path} could not be imported ({explain(error)})"
    finally:
        _state.plugin = None


def _run(plugin: Plugin) -> None:
    """Run a file as a module of its own. Never from cached byte code: what runs is what the digest was taken of."""
    source = Path(plugin.path).read_bytes()
    plugin.digest = _digest([source])
    module = types.ModuleType(plugin.module)
    module.__file__ = plugin.path
    sys.modules[plugin.module] = module
    exec(compile(source, plugin.path, "exec"), module.__dict__)
