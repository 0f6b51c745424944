"""A pickle's instructions read as data: tensors are described by them, and nothing that they name is looked up or run.

The machine below knows the instructions of pickle protocols 0 to 5 and builds lists, dictionaries, numbers and text itself.
Whatever a pickle names (a class, a function) stays its name. What torch.save writes for a tensor becomes :class:`Lazy`;
harmless names (:func:`is_harmless`) become :class:`Other`, which says only what it was; any other name is kept in
:attr:`Reader.unknown`, for the sentence with which the file is refused.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Any

import torch

from unlearn_core.models.checkpoints.pickle_names import BYTES, DTYPES, MAPPINGS, STORAGES, is_harmless

MAX_STEPS = 2**22
"""Instructions of one pickle: many times those of any network with its optimiser."""


class Damaged(ValueError):
    """No pickle that can be read to its end."""


@dataclass(frozen=True)
class Name:
    """What a pickle calls by name: "module function"."""

    text: str


@dataclass(frozen=True, eq=False)
class Other:
    """Something that is no weight and is not needed; ``name`` is its class."""

    name: str


@dataclass(frozen=True)
class Storage:
    """Where a tensor's numbers lie in the file: ``key`` names the block, ``start`` is the first element, ``dtype`` None counts
    bytes."""

    key: str
    dtype: torch.dtype | None
    numel: int
    start: int = 0


@dataclass(frozen=True)
class Lazy:
    """A tensor that was described and not read yet: ``shape`` and ``stride`` in elements from ``offset``."""

    storage: Storage
    dtype: torch.dtype
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


_VALUES = (
    "INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE "
    "SHORT_BINUNICODE BINUNICODE8 BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8"
)
_PUSHED = frozenset(_VALUES.split())
_CONSTANTS: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY: dict[str, Callable[[], Any]] = {
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "EMPTY_DICT": dict,
    "EMPTY_SET": lambda: Other("set"),
}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_IGNORED = ("PROTO", "FRAME")


@dataclass
class Reader:
    """One pickle's machine: ``read`` gives what it describes. Names that are not harmless collect in ``unknown``, the
    bytes of one element of each block in ``sizes``."""

    unknown: list[str] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)
    _stack: list[Any] = field(default_factory=list)
    _marks: list[list[Any]] = field(default_factory=list)
    _memo: dict[int, Any] = field(default_factory=dict)

    def read(self, file: IO[bytes]) -> Any:
        """The value that the pickle at the file's position describes; the position is then behind it.

        Raises :class:`Damaged` for anything that is no whole pickle.
        """
        try:
            for steps, (opcode, argument, _) in enumerate(pickletools.genops(file)):
                if steps > MAX_STEPS:
                    raise Damaged("too many instructions")
                if opcode.name == "STOP":
                    return self._stack.pop()
                self._step(opcode.name, argument)
        except (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError, EOFError) as error:
            raise Damaged(str(error)) from None
        raise Damaged("no end")

    def _step(self, name: str, argument: Any) -> None:
        stack = self._stack
        if name in _PUSHED:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _EMPTY:
            stack.append(_EMPTY[name]())
        elif name in _TUPLES:
            count = _TUPLES[name]
            if len(stack) < count:
                raise Damaged("a tuple of nothing")
            stack[-count:] = [tuple(stack[-count:])]
        elif name == "MARK":
            self._marks.append(stack)
            self._stack = []
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self._memo[int(argument)] = stack[-1]
        elif name == "MEMOIZE":
            self._memo[len(self._memo)] = stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(self._memo[int(argument)])
        elif name not in _IGNORED:
            _STEPS[name](self, argument)  # KeyError: an instruction that no checkpoint has

    def _since_mark(self) -> list[Any]:
        items, self._stack = self._stack, self._marks.pop()
        return items

    def _gather(self, made: Callable[[list[Any]], Any]) -> None:
        items = self._since_mark()
        self._stack.append(made(items))

    def _note_name(self, text: str) -> Name:
        if not is_harmless(text) and text not in self.unknown:
            self.unknown.append(text)
        return Name(text)

    def _global(self, argument: Any) -> None:
        self._stack.append(self._note_name(str(argument)))

    def _stack_global(self, _: Any) -> None:
        function, module = self._stack.pop(), self._stack.pop()
        self._stack.append(self._note_name(f"{module} {function}"))

    def _reduce(self, _: Any) -> None:
        arguments, called = self._stack.pop(), self._stack.pop()
        self._stack.append(_made(called, arguments))

    def _newobj_ex(self, _: Any) -> None:
        _, arguments, called = self._stack.pop(), self._stack.pop(), self._stack.pop()
        self._stack.append(_made(called, arguments))

    def _instance(self, argument: Any) -> None:
        items = self._since_mark()
        named = self._note_name(str(argument)) if argument else items.pop(0)
        self._stack.append(_made(named, tuple(items)))

    def _append(self, _: Any) -> None:
        item = self._stack.pop()
        _extend(self._stack[-1], [item])

    def _appends(self, _: Any) -> None:
        items = self._since_mark()
        _extend(self._stack[-1], items)

    def _setitem(self, _: Any) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        _update(self._stack[-1], [key, value])

    def _setitems(self, _: Any) -> None:
        items = self._since_mark()
        _update(self._stack[-1], items)

    def _dict(self, _: Any) -> None:
        items, made = self._since_mark(), dict[Any, Any]()
        _update(made, items)
        self._stack.append(made)

    def _persistent(self, argument: Any) -> None:
        given = self._stack.pop() if argument is None else argument
        if not isinstance(given, tuple) or len(given) < 5 or _text(given[0]) != "storage":
            # The other kind that old files have is ("module", class, source): a network that was pickled whole.
            named = given[1] if isinstance(given, tuple) and len(given) > 1 else None
            self._stack.append(named if isinstance(named, Name) else Other("module"))
            return
        kind, key, numel, view = given[1], _text(given[2]), int(given[4]), given[5] if len(given) > 5 else None
        dtype = None if not isinstance(kind, Name) or kind.text in BYTES else STORAGES[kind.text.partition(" ")[2]]
        start, numel = (int(view[1]), int(view[2])) if view else (0, numel)
        self.sizes[key] = 1 if dtype is None else dtype.itemsize
        self._stack.append(Storage(key, dtype, numel, start))


_STEPS: dict[str, Callable[[Reader, Any], object]] = {
    "GLOBAL": Reader._global,
    "STACK_GLOBAL": Reader._stack_global,
    "REDUCE": Reader._reduce,
    "NEWOBJ": Reader._reduce,
    "NEWOBJ_EX": Reader._newobj_ex,
    "INST": Reader._instance,
    "OBJ": Reader._instance,
    "APPEND": Reader._append,
    "APPENDS": Reader._appends,
    "ADDITEMS": Reader._appends,
    "SETITEM": Reader._setitem,
    "SETITEMS": Reader._setitems,
    "DICT": Reader._dict,
    "BINPERSID": Reader._persistent,
    "PERSID": Reader._persistent,
    "BUILD": lambda reader, _: reader._stack.pop(),  # an object's own state, which nothing here needs
    "POP": lambda reader, _: reader._stack.pop(),
    "POP_MARK": lambda reader, _: reader._since_mark(),
    "DUP": lambda reader, _: reader._stack.append(reader._stack[-1]),
    "TUPLE": lambda reader, _: reader._gather(tuple),
    "LIST": lambda reader, _: reader._gather(list),
    "FROZENSET": lambda reader, _: reader._gather(lambda _: Other("frozenset")),
}


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _extend(target: Any, items: list[Any]) -> None:
    if isinstance(target, list):
        target.extend(items)


def _update(target: Any, items: list[Any]) -> None:
    """Pairs into a dictionary. Keys are text and numbers alone: hashing anything else would run through what it holds."""
    if isinstance(target, dict):
        for key, value in zip(items[::2], items[1::2], strict=True):
            named = _text(key) if isinstance(key, bytes) else key
            target[named if isinstance(named, str | int | float | None) else Other("key")] = value


def _made(called: Any, arguments: Any) -> Any:
    """What a call stands for: a tensor's description, a dictionary, a size, or just its name."""
    name = called.text if isinstance(called, Name) else ""
    short = name.rpartition(" ")[2]
    if name.startswith("torch._utils _rebuild_tensor"):
        return _lazy(arguments, arguments[6] if short == "_rebuild_tensor_v3" else None)
    if name.startswith("torch._utils _rebuild_parameter"):
        return arguments[0]
    if short == "_rebuild_from_type_v2":
        return _made(arguments[0], arguments[2])
    if name in MAPPINGS:
        made = dict[Any, Any]()
        pairs = arguments[0] if arguments else None
        if isinstance(pairs, dict):
            made.update(pairs)
        elif isinstance(pairs, list):  # as Python 2 wrote an OrderedDict
            _update(made, [part for pair in pairs for part in pair])
        return made
    if name == "torch Size":
        return tuple(arguments[0])
    return Other(name.replace(" ", "."))


def _lazy(arguments: Any, named: Any) -> Lazy:
    storage, offset, shape, stride = arguments[:4]
    if not isinstance(storage, Storage):
        raise Damaged("a tensor without numbers")
    dtype = DTYPES[named.text.partition(" ")[2]] if isinstance(named, Name) else storage.dtype
    if dtype is None:
        raise Damaged("a tensor without a type")
    return Lazy(storage, dtype, int(offset), tuple(map(int, shape)), tuple(map(int, stride)))
