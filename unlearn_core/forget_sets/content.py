"""What an edited forget set holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from unlearn_core.datasets.files.names import compose

MAX_NOTE = 500
"""Most characters of a note."""


@dataclass(frozen=True)
class Outside:
    """What is said about an image that is no training example here: whether it is ``held`` to be corrupted, or else rejected
    or ``checked``, and its right label and note ("" without one)."""

    held: bool = True
    label: str = ""
    note: str = ""
    checked: bool = False


@dataclass(frozen=True)
class ForgetSet:
    """``indices``: training examples held to be corrupted, ascending. ``rejected``: suspects that the user looked at and
    found clean, ascending; never in ``indices``. ``checked``: others that were looked at so that methods may trust them: right
    ones, in neither. ``labels`` and ``notes``: what the user wrote about examples of the set: the right label by name, and a
    remark. ``outside``: the same about images that are no training examples here, by path: those that the seed holds out or a
    limit leaves out, test images, and files that are gone. They are kept, so that the set means the same files under every
    seed.
    """

    indices: tuple[int, ...] = ()
    rejected: tuple[int, ...] = ()
    labels: Mapping[int, str] = field(default_factory=dict)
    notes: Mapping[int, str] = field(default_factory=dict)
    outside: Mapping[str, Outside] = field(default_factory=dict)
    checked: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.indices) + sum(one.held for one in self.outside.values())

    @property
    def clean(self) -> tuple[int, ...]:
        """Examples that were looked at and found clean: rejected and checked ones, ascending."""
        return _ascending({*self.rejected} | {*self.checked})

    def adding(self, indices: Iterable[int]) -> Self:
        """With these examples too; those among them that were found clean no longer are."""
        new = {int(k) for k in indices}
        return replace(
            self,
            indices=_ascending({*self.indices} | new),
            rejected=_ascending({*self.rejected} - new),
            checked=_ascending({*self.checked} - new),
        )

    def removing(self, indices: Iterable[int]) -> Self:
        """Without these examples, and without what was written about them."""
        gone = {int(k) for k in indices}
        return replace(
            self,
            indices=_ascending({*self.indices} - gone),
            checked=_ascending({*self.checked} - gone),
            labels={k: text for k, text in self.labels.items() if k not in gone},
            notes={k: text for k, text in self.notes.items() if k not in gone},
        )

    def rejecting(self, indices: Iterable[int]) -> Self:
        """Without these examples, which count as looked at and clean from now on."""
        gone = {int(k) for k in indices}
        return replace(self.removing(gone), rejected=_ascending({*self.rejected} | gone))

    def checking(self, indices: Iterable[int]) -> Self:
        """Without these examples, which count as checked from now on: their labels are right, and methods may trust them."""
        gone = {int(k) for k in indices}
        rejected, checked = _ascending({*self.rejected} - gone), _ascending({*self.checked} | gone)
        return replace(self.removing(gone), rejected=rejected, checked=checked)

    def labelling(self, index: int, right: str, given: str) -> Self:
        """With the right label of this example, by name. Where it is the ``given`` one, the example is checked, and not in the
        set; else it is in the set, with that label."""
        if right == given:
            return self.checking([index])
        found = self.adding([index])
        return replace(found, labels={**found.labels, index: right})

    def plain(self) -> dict[str, Any]:
        """As JSON data, for data that do not come from files: there everything is inside."""
        return {
            "indices": list(self.indices),
            "rejected": list(self.rejected),
            "labels": {str(k): text for k, text in sorted(self.labels.items())},
            "notes": {str(k): text for k, text in sorted(self.notes.items())},
        } | ({"checked": list(self.checked)} if self.checked else {})  # where none is, as before there was such a mark

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> Self:
        """From :meth:`plain`."""
        labels, notes = ({int(k): str(text) for k, text in data[name].items()} for name in ("labels", "notes"))
        return cls(tuple(data["indices"]), tuple(data["rejected"]), labels, notes, checked=tuple(data.get("checked", ())))

    def by_path(self, names: Sequence[str]) -> dict[str, Any]:
        """As JSON data that means the same files under every seed; ``names``: the path of every training example."""
        labels = {names[k]: text for k, text in self.labels.items()}
        notes = {names[k]: text for k, text in self.notes.items()}
        labels |= {path: one.label for path, one in self.outside.items() if one.label}
        notes |= {path: one.note for path, one in self.outside.items() if one.note}
        sides = {"held": [names[k] for k in self.indices], "rejected": [names[k] for k in self.rejected]}
        sides["checked"] = [names[k] for k in self.checked]
        for path, one in self.outside.items():
            sides["held" if one.held else "checked" if one.checked else "rejected"].append(path)
        found = {name: sorted(paths) for name, paths in sides.items() if paths or name != "checked"}
        return {"by": "path"} | found | {"labels": labels, "notes": notes}

    @classmethod
    def from_paths(cls, data: Mapping[str, Any], places: Mapping[str, int]) -> Self:
        """From :meth:`by_path`; ``places``: training index by path (NFC), of the training examples alone."""
        inside: dict[str, list[int]] = {"held": [], "rejected": [], "checked": []}
        outside: dict[str, Outside] = {}
        labels, notes = dict[int, str](), dict[int, str]()
        for name, found in inside.items():
            for path in data.get(name, ()):
                label, note = data["labels"].get(path, ""), data["notes"].get(path, "")
                index = places.get(compose(path))
                if index is None:
                    outside[path] = Outside(name == "held", label, note, name == "checked")
                    continue
                found.append(index)
                if label:
                    labels[index] = label
                if note:
                    notes[index] = note
        held, rejected, checked = (_ascending(found) for found in inside.values())
        return cls(held, rejected, labels, notes, outside, checked)


def _ascending(indices: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(indices))


def renumbered(content: ForgetSet, renumber: Callable[[int], int | None] | None) -> ForgetSet:
    """A set that was kept by number, in the numbers of a training part that other images have joined."""
    if renumber is None:
        return content
    number = {k: renumber(k) for k in (*content.indices, *content.clean)}
    place = {k: new for k, new in number.items() if new is not None}
    return ForgetSet(
        tuple(sorted(place[k] for k in content.indices if k in place)),
        tuple(sorted(place[k] for k in content.rejected if k in place)),
        {place[k]: text for k, text in content.labels.items() if k in place},
        {place[k]: text for k, text in content.notes.items() if k in place},
        checked=tuple(sorted(place[k] for k in content.checked if k in place)),
    )
