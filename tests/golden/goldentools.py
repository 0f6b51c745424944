"""What the golden data and their tests share: places, images made on the spot, commands asked for JSON, and comparing."""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import shutil
import struct
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import typer

from unlearn_core.cli import app, main
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.store import Store

HERE = Path(__file__).parent
STORE = HERE / "store.zip"
CLASSES = ("cat", "dog", "owl")
LATE = ("measures", "measured")
LINE = 160
PROSE = ("summary", "description", "title")
"""Fields of a component that hold words about it: that they are there is kept, how they read may be improved."""
DIFFERS = ("expected_seconds",)
"""Fields that depend on the machine."""
PLACEHOLDER, NO_STORE = "{folder}", "no-store"


def read_golden(name: str) -> Any:
    """One of the committed JSON files."""
    return json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))


def write_golden(name: str, content: Any) -> None:
    """Write one of the committed JSON files so that a diff is readable: what is short stays in one line."""
    (HERE / f"{name}.json").write_text(_in_lines(content) + "\n", encoding="utf-8")


def _in_lines(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    if len(text) <= LINE or not isinstance(value, dict | list):
        return text
    if isinstance(value, dict):
        return "{\n" + ",\n".join(f"{json.dumps(key)}: {_in_lines(item)}" for key, item in value.items()) + "\n}"
    return "[\n" + ",\n".join(_in_lines(item) for item in value) + "\n]"


def copy_store(target: Path) -> Path:
    """The golden store unpacked, for this user alone as a store is."""
    with zipfile.ZipFile(STORE) as archive:
        archive.extractall(target)
    for path in (target, *target.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
    return target


def write_images(folder: Path) -> Path:
    """A folder of small pictures in three classes, the same to the byte everywhere, with a list of wrong ones."""
    for half, count in (("train", 30), ("test", 6)):
        for k, name in enumerate(CLASSES):
            (folder / half / name).mkdir(parents=True)
            for n in range(count):
                (folder / half / name / f"{n:02d}.bmp").write_bytes(_bitmap(k, n + (half == "test") * 100))
    rows = [f"train/{CLASSES[n % 3]}/{n:02d}.bmp,{CLASSES[(n + 1) % 3]},seen by eye" for n in range(9)]
    (folder / "wrong.csv").write_text("path,clean_label,note\n" + "\n".join(rows) + "\n")
    return folder


def _bitmap(kind: int, number: int, side: int = 24) -> bytes:
    """A square in 24 bits; written by hand because an encoder's bytes, and so the content keys, differ by its version."""
    pixels = bytes((kind * 80 + (number + 3) * (place % 71) + place // 72) % 256 for place in range(side * side * 3))
    about = (b"BM", 54 + len(pixels), 0, 0, 54, 40, side, side, 1, 24, 0, len(pixels), 2835, 2835, 0, 0)
    return struct.pack("<2sIHHIIiiHHIIiiII", *about) + pixels


@contextlib.contextmanager
def within(folder: Path, store: Path | None) -> Iterator[None]:
    """The environment in which golden data are made and read: nothing of this machine's cache, data or results is seen.

    ``store`` None: there is none, whatever a command before this one may have made there.
    """
    shutil.rmtree(folder / NO_STORE, ignore_errors=True)
    wanted = {
        "UNLEARN_STORE": str(store or folder / NO_STORE),
        "UNLEARN_CACHE": str(folder / "cache"),
        "UNLEARN_DATA_ROOTS": str(folder),
    }
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})


def ask(arguments: Sequence[str], folder: Path) -> dict[str, Any]:
    """Run one command: its exit code with its JSON, or with what it says on stderr where it refuses."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([word.replace(PLACEHOLDER, str(folder)) for word in arguments])
    text = without_place(out.getvalue(), folder)
    if code:
        return {"code": code, "out": text, "err": without_place(err.getvalue(), folder)}
    answer = without_prose(json.loads(text))
    if arguments[0] == "sweep":  # everywhere else these are seconds that the store holds
        answer["seconds"] = "…"
    return {"code": code, "out": answer}


def option_names() -> dict[str, list[str]]:
    """Every command with the names that its help lists: arguments as they are, options with their dashes."""
    root: Any = typer.main.get_command(app)
    return {
        name: sorted(word for option in command.params for word in (*option.opts, *option.secondary_opts))
        for name, command in sorted(root.commands.items())
    }


def without_place(text: str, folder: Path) -> str:
    """``text`` without the place at which it was made, as a path and as a part of a link."""
    return text.replace(str(folder), PLACEHOLDER).replace(quote(str(folder), safe=",.:"), PLACEHOLDER)


def without_prose(value: Any) -> Any:
    """``value`` without what may be worded better tomorrow, or differs between machines."""
    if isinstance(value, dict):
        return {
            key: "…" if key in DIFFERS or (key in PROSE and isinstance(item, str) and item) else without_prose(item)
            for key, item in value.items()
        }
    return [without_prose(item) for item in value] if isinstance(value, list) else value


def differences(golden: Any, now: Any, at: str = "") -> list[str]:
    """Where two JSON values differ, as sentences. The last bits of a sum may depend on the
    processor."""
    if isinstance(golden, dict) and isinstance(now, dict):
        keys = list(dict.fromkeys([*golden, *now]))
        return [line for key in keys for line in differences(golden.get(key, _NONE), now.get(key, _NONE), f"{at}.{key}")]
    if isinstance(golden, list) and isinstance(now, list) and len(golden) == len(now):
        pairs = enumerate(zip(golden, now, strict=True))
        return [line for k, (one, other) in pairs for line in differences(one, other, f"{at}[{k}]")]
    same = golden == now and isinstance(golden, bool) == isinstance(now, bool)
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (golden, now))
    return (
        []
        if same or (numbers and math.isclose(golden, now, rel_tol=1e-6))
        else [f"{at.removeprefix('.') or 'it'}: was {golden!r}, is {now!r}"]
    )


class _Missing:
    def __repr__(self) -> str:
        return "missing"


_NONE = _Missing()


def revision_today(method: str) -> int:
    """The revision of a method's code as it is now."""
    return make_method(method, make_scenario("digits")).revision


def outdated(methods: Iterable[str], stored: dict[str, int]) -> list[str]:
    """Those of ``methods`` whose code has another revision than the golden store (``stored``) was written with."""
    return [name for name in methods if revision_today(name) != stored[name]]


def computed(store: Store) -> set[str]:
    """The keys of all that had to be computed; a value that is measured of a stored model on the way does not count."""
    return {record.key for record in store.find() if record.kind not in LATE}
