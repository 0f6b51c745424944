"""Which stage goes to which worker next: long work in the lanes for it, short work wherever there is room, two kept for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from unlearn_core.engine.backends.protocol import Request

LONG, SHORT = "LONG", "SHORT"
"""The resources that the embedded cluster's workers are started with; the second is of those kept for short work."""


@dataclass
class Lanes:
    """Book-keeping for ``long`` workers that take anything and ``spare`` ones for what a person waits for at the screen.

    Of the spare workers one is always left to quick stages: a look into a large folder may take a minute. Every method is
    called under the caller's lock.
    """

    long: int
    spare: int = 0
    waiting: dict[str, Request] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)
    """Token → resource of what was handed out."""
    looks: set[str] = field(default_factory=set)

    def add(self, request: Request) -> None:
        self.waiting[request.token] = request

    def release(self, tokens: Iterable[str]) -> None:
        """These have ended, or are not wanted any more."""
        for token in tokens:
            self.waiting.pop(token, None)
            self.taken.pop(token, None)
            self.looks.discard(token)

    def ready(self) -> list[tuple[Request, str]]:
        """What can start now with the resource it takes, by priority and then by arrival; it counts as handed out."""
        found = []
        for request in sorted(self.waiting.values(), key=lambda request: -request.priority):
            if (resource := self._room(request)) is not None:
                del self.waiting[request.token]
                self.taken[request.token] = resource
                if resource == SHORT and request.stage.lane == "look":
                    self.looks.add(request.token)
                found.append((request, resource))
        return found

    def _room(self, request: Request) -> str | None:
        held = list(self.taken.values())
        short = request.stage.lane != "long" and held.count(SHORT) < self.spare
        if short and (request.stage.lane == "quick" or len(self.looks) < max(1, self.spare - 1)):
            return SHORT
        return LONG if held.count(LONG) < self.long else None
