"""Named forget sets in the store: every change is a record of its own, so that nothing is lost and each can be undone.

Records are only ever added: contents under the key of what they hold, and for each set a numbered row of changes. Two
people who change one set at once get two changes, one after the other.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from unlearn_core.canonical import content_key
from unlearn_core.datasets.files.names import compose
from unlearn_core.errors import UserError
from unlearn_core.forget_sets.content import ForgetSet, renumbered

MAX_NAME = 60
CHANGES = 200
"""How many changes a stranger's sets may have, on average."""
_BACK, _AGAIN = "back to", "again"
_CHANGE, _CONTENT = "forget_set", "forget_content"


class Records(Protocol):
    """The part of the store that is used here."""

    def get(self, key: str) -> Any: ...
    def find(self, kind: str | None = None) -> Sequence[Any]: ...
    def put(
        self, key: str, kind: str, spec: Mapping[str, Any], payload: Mapping[str, Any], environment: Mapping[str, Any]
    ) -> Any: ...


@dataclass(frozen=True)
class Change:
    """One step in a set's history. ``content``: key of what it holds afterwards; ``before``: the number of the change that
    undoing this one leads back to (None: there is none)."""

    number: int
    name: str
    content: str
    size: int
    what: str
    before: int | None
    removed: bool = False

    @property
    def deed(self) -> str:
        """What it did, without saying that it was taken back or made again."""
        quoted = self.what.removeprefix(_BACK).removeprefix(_AGAIN).strip()
        return quoted[1:-1] if quoted != self.what else self.what


@dataclass(frozen=True)
class NamedSet:
    """A set as it is now, with its history, the oldest change first."""

    id: str
    history: tuple[Change, ...]

    @property
    def now(self) -> Change:
        return self.history[-1]

    @property
    def name(self) -> str:
        return self.now.name

    @property
    def key(self) -> str:
        """Key of the present content: what a link carries."""
        return self.now.content

    @property
    def undone(self) -> Change | None:
        """The change that was taken back last and can be made again; None where there is none or another was made since."""
        taken_back: list[Change] = []
        for previous, change in itertools.pairwise(self.history):
            if change.what.startswith(_BACK):
                taken_back.append(previous)
            elif change.what.startswith(_AGAIN) and taken_back:
                taken_back.pop()
            else:
                taken_back.clear()
        return taken_back[-1] if taken_back else None

    def __len__(self) -> int:
        return self.now.size


class NamedSets:
    """The named sets of one corrupted training set. ``of``: the scenario's ``sets_key``: in other data the same indices are
    other examples.

    ``names``: the path of every training example, for data from files. Sets are then kept by path. ``files``: names the place
    that the files lie at; sets that were made there under another seed, or before files were added or deleted, are found by
    :meth:`others`. ``renumber``: the training index for one of ``of``, for sets that were kept by number; None for the same.
    ``owner``: where strangers use one store, whose sets alone these are, at most ``most`` of them; contents are found by their
    key whoever made them, which is how a link shows them.
    """

    def __init__(
        self,
        store: Records,
        of: str,
        names: Sequence[str] = (),
        files: str = "",
        renumber: Callable[[int], int | None] | None = None,
        owner: str = "",
        most: int = 0,
    ) -> None:
        self._store, self._of, self._names, self._files, self._renumber = store, of, names, files, renumber
        self._owner, self._most = owner, most
        self._places: dict[str, int] | None = None

    def all(self, removed: bool = False) -> list[NamedSet]:
        """Every set, the oldest first; ``removed``: those that were removed instead."""
        return self._sets(lambda spec: spec["of"] == self._of, removed)

    def others(self) -> list[NamedSet]:
        """Sets of the same files under another seed, or as they were before: they mean the same paths here."""
        if not self._files:
            return []
        return self._sets(lambda spec: spec["of"] != self._of and spec.get("files") == self._files, False)

    def _sets(self, wanted: Callable[[Mapping[str, Any]], bool], removed: bool) -> list[NamedSet]:
        rows: dict[str, list[Change]] = {}
        records = self._store.find(_CHANGE)
        mine = self._mine(records)
        for record in records:
            if wanted(record.spec) and record.spec["id"] in mine:
                change = Change(record.spec["number"], **{k: v for k, v in record.payload.items() if k != "token"})
                rows.setdefault(record.spec["id"], []).append(change)
        sets = [NamedSet(id, tuple(sorted(changes, key=lambda c: c.number))) for id, changes in rows.items()]
        return [found for found in sets if found.now.removed == removed]

    def _mine(self, records: Sequence[Any]) -> set[str]:
        """The ids of the owner's sets, or of all where there is none: a set belongs to who made it."""
        return {r.spec["id"] for r in records if not self._owner or (r.spec["number"], r.spec.get("owner")) == (0, self._owner)}

    def _check_room(self, new: bool) -> None:
        """Raise :class:`UserError` where a stranger has as many sets, or as many changes of them, as there may be."""
        if not self._most:
            return
        records = self._store.find(_CHANGE)
        mine = self._mine(records)
        changes = sum(record.spec["id"] in mine for record in records)
        if (new and len(mine) >= self._most) or changes >= CHANGES * self._most:
            raise UserError(
                f"One session may keep {self._most} forget sets on this server, removed ones included, with {CHANGES} changes "
                "each; yours are used up. Take their CSV files home."
            )

    def get(self, asked: str) -> NamedSet:
        """The set with this id or name, one made for these very data first; raises :class:`UserError` where there is none."""
        sets = [*self.all(), *self.others()]
        found = next((one for one in sets if one.id == asked), None) or next((s for s in sets if s.name == asked), None)
        if found is None:
            names = ", ".join(repr(one.name) for one in sets[:8])
            raise UserError(
                f"There is no forget set called {asked[:MAX_NAME]!r} here" + (f"; known: {names}." if names else ".")
            )
        return found

    def content(self, key: str) -> ForgetSet | None:
        """What is held under this content key, or None where the store has no such content for this data."""
        record = self._store.get(key)
        if record is None or record.kind != _CONTENT:
            return None
        by_path, here = record.payload.get("by") == "path", record.spec["of"] == self._of
        if not here and not (by_path and self._files and record.spec.get("files") == self._files):
            return None
        if by_path:
            if self._places is None:
                self._places = {compose(name): k for k, name in enumerate(self._names)}
            return ForgetSet.from_paths(record.payload, self._places)
        return renumbered(ForgetSet.from_plain(record.payload), self._renumber)

    def now(self, asked: NamedSet) -> ForgetSet:
        """The present content of a set; raises :class:`UserError` where it was lost."""
        found = self.content(asked.key)
        if found is None:
            raise UserError(f"The content of the forget set {asked.name!r} is not in the store any more.")
        return found

    def keep(self, content: ForgetSet) -> str:
        """Store a content; returns its key."""
        data = content.by_path(self._names) if self._names else content.plain()
        key = content_key("forget content", self._of, data)
        self._store.put(key, _CONTENT, self._spec(), data, {})
        return key

    def create(self, name: str, content: ForgetSet, what: str = "made") -> NamedSet:
        """A new set; raises :class:`UserError` for a name that is taken or no name."""
        name = self._free(name)
        self._check_room(new=True)
        first = Change(0, name, self.keep(content), len(content), what, None)
        return self._append(uuid.uuid4().hex[:12], lambda _: first)

    def change(self, id: str, edit: Callable[[ForgetSet], ForgetSet], what: str) -> NamedSet:
        """Apply ``edit`` to the present content; nothing is written where it changes nothing."""

        def next_one(found: NamedSet | None) -> Change:
            if found is None:  # another's
                raise UserError("This forget set is not yours to change, or is gone.")
            before = self.now(found)
            after = edit(before)
            return found.now if after == before else self._step(found, what, content=self.keep(after), size=len(after))

        return self._append(id, next_one)

    def rename(self, id: str, name: str) -> NamedSet:
        """Give a set another name."""
        old = self.get(id)
        if name.strip() == old.name:
            return old
        free = self._free(name)
        return self._append(id, lambda found: self._step(found or old, f"renamed from {old.name}", name=free))

    def remove(self, id: str) -> NamedSet:
        """Take a set off the list; :meth:`undo` brings it back."""
        old = self.get(id)
        return self._append(id, lambda found: self._step(found or old, "removed", removed=True))

    def undo(self, id: str) -> NamedSet:
        """Take back the last change that was not undone yet; raises :class:`UserError` where there is none."""

        def back(found: NamedSet | None) -> Change:
            if found is None or found.now.before is None:
                raise UserError("There is nothing to undo in this forget set.")
            old = next(change for change in found.history if change.number == found.now.before)
            if old.name != found.name or found.now.removed:
                self._free(old.name)
            return replace(old, number=found.now.number + 1, what=f"{_BACK} “{old.deed}”")

        return self._append(id, back)

    def redo(self, id: str) -> NamedSet:
        """Make the change again that was taken back last; raises :class:`UserError` where there is none."""

        def again(found: NamedSet | None) -> Change:
            if found is None or (undone := found.undone) is None:
                raise UserError("There is nothing to redo in this forget set.")
            if undone.name != found.name:
                self._free(undone.name)
            return self._step(
                found, f"{_AGAIN} “{undone.deed}”", name=undone.name, content=undone.content, size=undone.size,
                removed=undone.removed,
            )  # fmt: skip

        return self._append(id, again)

    def name_of(self, key: str) -> str | None:
        """The name of the set that holds or held this content."""
        for one in [*self.all(), *self.others()]:
            if any(change.content == key for change in one.history):
                return one.name
        return None

    def free_name(self, start: str = "My set") -> str:
        """A name that no set has yet: "My set 1", "My set 2", …"""
        taken = {one.name for one in self.all()}
        return next(name for number in range(1, len(taken) + 2) if (name := f"{start} {number}") not in taken)

    def _spec(self) -> dict[str, Any]:
        return {"of": self._of} | ({"files": self._files} if self._files else {})

    def _step(self, found: NamedSet, what: str, **changed: Any) -> Change:
        return replace(found.now, number=found.now.number + 1, what=what, before=found.now.number, **changed)

    def _append(self, id: str, step: Callable[[NamedSet | None], Change]) -> NamedSet:
        """Add the change that ``step`` makes of the set as it is; again if another writer was quicker."""
        while True:
            found = next((one for one in (*self.all(), *self.all(removed=True)) if one.id == id), None)
            change = step(found)
            if found is not None and change.number == found.now.number:
                return found
            token = uuid.uuid4().hex
            payload = {name: value for name, value in vars(change).items() if name != "number"} | {"token": token}
            self._check_room(new=False)
            mine = {"owner": self._owner} if self._owner else {}
            spec = self._spec() | {"id": id, "number": change.number} | mine
            stored = self._store.put(f"{id}-{change.number}", _CHANGE, spec, payload, {})
            if stored.payload["token"] == token:
                return NamedSet(id, (*(found.history if found else ()), change))

    def _free(self, name: str) -> str:
        name = " ".join(name.split())
        if not name or len(name) > MAX_NAME or not name.isprintable():
            raise UserError(f"A forget set needs a name of at most {MAX_NAME} characters.")
        if any(one.name == name for one in self.all()):
            raise UserError(f"There is a forget set called {name!r} already.")
        return name
