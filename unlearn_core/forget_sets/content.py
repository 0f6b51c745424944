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
    """What is said about an image that is no training example here: whether it is ``held`` to be corrupted, or rejected, and
    its right label and note ("" without one)."""

    held: bool = True
    label: str = ""
    note: str = ""


@dataclass(frozen=True)
class ForgetSet:
    """``indices``: training examples held to be corrupted, ascending. ``rejected``: suspects that the user looked at and
    found clean, ascending; never in ``indices``. ``labels`` and ``notes``: what the user wrote about examples of the set: the
    right label by name, and a remark. ``outside``: the same about images that are no training examples here, by path: those
    that the seed holds out or a limit leaves out, test images, and files that are gone. They are kept, so that the set means
    the same files under every seed.
    """

    indices: tuple[int, ...] = ()
    rejected: tuple[int, ...] = ()
    labels: Mapping[int, str] = field(default_factory=dict)
    notes: Mapping[int, str] = field(default_factory=dict)
    outside: Mapping[str, Outside] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.indices) + sum(one.held for one in self.outside.values())

    def adding(self, indices: Iterable[int]) -> Self:
        """With these examples too; rejected ones among them are no longer rejected."""
        new = {int(k) for k in indices}
        return replace(self, indices=_ascending({*self.indices} | new), rejected=_ascending({*self.rejected} - new))

    def removing(self, indices: Iterable[int]) -> Self:
        """Without these examples, and without what was written about them."""
        gone = {int(k) for k in indices}
        return replace(
            self,
            indices=_ascending({*self.indices} - gone),
            labels={k: text for k, text in self.labels.items() if k not in gone},
            notes={k: text for k, text in self.notes.items() if k not in gone},
        )

    def rejecting(self, indices: Iterable[int]) -> Self:
        """Without these examples, which count as looked at and clean from now on."""
        gone = {int(k) for k in indices}
        return replace(self.removing(gone), rejected=_ascending({*self.rejected} | gone))

    def plain(self) -> dict[str, Any]:
        """As JSON data, for data that do not come from files: there everything is inside."""
        return {
            "indices": list(self.indices),
            "rejected": list(self.rejected),
            "labels": {str(k): text for k, text in sorted(self.labels.items())},
            "notes": {str(k): text for k, text in sorted(self.notes.items())},
        }

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> Self:
        """From :meth:`plain`."""
        labels, notes = ({int(k): str(text) for k, text in data[name].items()} for name in ("labels", "notes"))
        return cls(tuple(data["indices"]), tuple(data["rejected"]), labels, notes)

    def by_path(self, names: Sequence[str]) -> dict[str, Any]:
        """As JSON data that means the same files under every seed; ``names``: the path of every training example."""
        labels = {names[k]: text for k, text in self.labels.items()}
        notes = {names[k]: text for k, text in self.notes.items()}
        labels |= {path: one.label for path, one in self.outside.items() if one.label}
        notes |= {path: one.note for path, one in self.outside.items() if one.note}
        sides = {True: [names[k] for k in self.indices], False: [names[k] for k in self.rejected]}
        for path, one in self.outside.items():
            sides[one.held].append(path)
        return {"by": "path", "held": sorted(sides[True]), "rejected": sorted(sides[False]), "labels": labels, "notes": notes}

    @classmethod
    def from_paths(cls, data: Mapping[str, Any], places: Mapping[str, int]) -> Self:
        """From :meth:`by_path`; ``places``: training index by path (NFC), of the training examples alone."""
        inside: dict[bool, list[int]] = {True: [], False: []}
        outside: dict[str, Outside] = {}
        labels, notes = dict[int, str](), dict[int, str]()
        for name, held in (("held", True), ("rejected", False)):
            for path in data[name]:
                label, note = data["labels"].get(path, ""), data["notes"].get(path, "")
                index = places.get(compose(path))
                if index is None:
                    outside[path] = Outside(held, label, note)
                    continue
                inside[held].append(index)
                if label:
                    labels[index] = label
                if note:
                    notes[index] = note
        return cls(_ascending(inside[True]), _ascending(inside[False]), labels, notes, outside)


def _ascending(indices: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(indices))


def renumbered(content: ForgetSet, renumber: Callable[[int], int | None] | None) -> ForgetSet:
    """A set that was kept by number, in the numbers of a training part that other images have joined."""
    if renumber is None:
        return content
    number = {k: renumber(k) for k in (*content.indices, *content.rejected)}
    place = {k: new for k, new in number.items() if new is not None}
    return ForgetSet(
        tuple(sorted(place[k] for k in content.indices if k in place)),
        tuple(sorted(place[k] for k in content.rejected if k in place)),
        {place[k]: text for k, text in content.labels.items() if k in place},
        {place[k]: text for k, text in content.notes.items() if k in place},
    )
