"""The file of results: written anew, whole, after every item, and read again by a later call that goes on with it."""

from __future__ import annotations

import json
import math
import os
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.measure.gpu.plan import Item
from benchmarks.measure.gpu.sizes import Settings

SCHEMA = 1
NAME = "gpu.json"
DONE = ("done", "skipped")


class Unusable(Exception):
    """Results that cannot be gone on with, in one sentence."""


class Ledger:
    """What there is: one entry for each item (status "done", "skipped", "failed" or "out of time"), and a row for each run."""

    def __init__(self, path: Path, settings: Settings, about: dict[str, Any], have: Path | None = None) -> None:
        self.path, self.about = path, about
        self.settings = settings.plain()
        self.items: list[dict[str, Any]] = []
        self.rows: list[dict[str, Any]] = []
        self.calls: list[dict[str, Any]] = []
        self.left: list[str] = []
        self.running: str | None = None
        if have is not None:
            self._take(have)

    def _take(self, have: Path) -> None:
        try:
            found = json.loads(have.read_text())
            its = found["settings"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Unusable(f"{str(have)!r} is no file of results of this command ({error}).") from None
        if found.get("schema") != SCHEMA or its != self.settings:
            raise Unusable(f"{str(have)!r} was measured with {its}, and this call with {self.settings}: they don't mix.")
        self.items, self.rows, self.calls = found["items"], found["rows"], found["calls"]
        if found.get("running"):
            entry = {"key": found["running"], "status": "failed", "error": "the process ended in it", "died": True}
            self.items = [e for e in self.items if e["key"] != entry["key"]]
            self.items.append(entry | {"seconds": 0.0, "like": "", "kind": "", "identity": ""})

    @property
    def died(self) -> set[str]:
        """Items that took their process down, which are not tried again."""
        return {e["key"] for e in self.items if e.get("died")}

    def is_done(self, item: Item) -> bool:
        """Whether this very computation is there; one that failed, or ran out of time, is not."""
        return any(e["key"] == item.key and e["identity"] == item.identity and e["status"] in DONE for e in self.items)

    def result(self, key: str) -> dict[str, Any] | None:
        """What an item that was done found."""
        entry = next((e for e in self.items if e["key"] == key and e["status"] == "done"), None)
        return None if entry is None else entry.get("result")

    def starts(self, item: Item) -> None:
        """Note in the file what is being computed: where the process dies, the next one knows in what."""
        self.running = item.key
        self.write()

    def ends(self, item: Item, status: str, seconds: float, **found: Any) -> None:
        """Put an item's outcome in place of what there was of it, and write."""
        found = finite(found)
        row = found.pop("row", None)
        self.items = [e for e in self.items if e["key"] != item.key]
        entry = {"key": item.key, "kind": item.kind, "like": item.like, "identity": item.identity, "status": status}
        self.items.append(entry | {"seconds": round(seconds, 3)} | found)
        if row is not None:
            self.rows = [r for r in self.rows if r["key"] != item.key]
            self.rows.append({"key": item.key} | row)
        self.running = None
        self.write()

    def costs(self) -> dict[str, float]:
        """Seconds of the slowest item of each sort so far."""
        found: dict[str, float] = {}
        for entry in self.items:
            if entry["status"] == "done":
                found[entry["like"]] = max(found.get(entry["like"], 0.0), entry["seconds"])
        return found

    def write(self) -> None:
        """The whole file, under a temporary name first: whenever the process ends, a whole file is there."""
        plain = {
            "schema": SCHEMA,
            "settings": self.settings,
            "about": self.about,
            "calls": self.calls,
            "running": self.running,
            "items": self.items,
            "rows": self.rows,
            "left": self.left,
        }
        write_whole(self.path, (json.dumps(plain, indent=1, allow_nan=False) + "\n").encode())


def finite(value: Any) -> Any:
    """The same with None for numbers that are none: JSON has no word for them."""
    if isinstance(value, dict):
        return {key: finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that readers find the old one or the new one, never a part."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
