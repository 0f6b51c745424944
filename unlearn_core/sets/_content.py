"""What an edited forget set holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

MAX_NOTE = 500
"""Most characters of a note."""


@dataclass(frozen=True)
class ForgetSet:
    """``indices``: training examples held to be corrupted, ascending. ``rejected``: suspects that somebody looked at and
    found clean, ascending; never in ``indices``. ``labels`` and ``notes``: what somebody wrote about examples of the set: the
    right label by name, and a remark.
    """

    indices: tuple[int, ...] = ()
    rejected: tuple[int, ...] = ()
    labels: Mapping[int, str] = field(default_factory=dict)
    notes: Mapping[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.indices)

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
        """As JSON data."""
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


def _ascending(indices: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(indices))
