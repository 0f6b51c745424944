"""Whose stage is computed next where strangers share the workers: round robin over those who wait. The time is an argument."""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from unlearn_core.engine.jobs import Task
from unlearn_core.support.limits import Limits


@dataclass
class Charge:
    """What was handed out under one token: for whom, whether it is short work, and since when it is computed."""

    owner: str
    short: bool
    started: float | None = None


@dataclass(frozen=True)
class Ready:
    """A stage that could start, everybody who wants it, and whether a worker for short work takes it."""

    task: Task
    owners: Collection[str]
    short: bool


@dataclass(frozen=True)
class Room:
    """How many stages the workers take at a time: ``long`` ones that take any, ``spare`` ones for short work alone."""

    long: int
    spare: int = 0


@dataclass(frozen=True)
class Account:
    """What an owner used of the seconds within the window, what is left, and in how many seconds more of them are free."""

    used: float
    left: float
    more_in: float


class Turns:
    """Book-keeping under the caller's lock. An owner is whoever a job belongs to; "" is one like any other.

    The owner who waited longest since the last turn is next, one who never had one first. So a session that asks for fifty
    stages delays one that asks for a single stage by no more than what is being computed.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._count = itertools.count()
        self._served: dict[str, int] = {}
        self._charges: dict[str, Charge] = {}
        self._spent: deque[tuple[float, str, float]] = deque()  # (end, owner, seconds)

    # -- what is handed out ---------------------------------------------------------------------------------------

    def pick(self, ready: Iterable[Ready], room: Room, now: float) -> tuple[Ready, str] | None:
        """The next stage and the owner who pays for it; None while nothing may start.

        ``ready``: what could start, in the order in which an owner's own stages go.
        """
        waiting: dict[str, list[Ready]] = {}
        for one in ready:
            for owner in one.owners:
                waiting.setdefault(owner, []).append(one)
        for owner in sorted(waiting, key=lambda name: self._served.get(name, -1)):  # stable: of two new ones the first
            if self._running(owner) >= self.limits.running or self.left(owner, now) <= 0:
                continue
            for one in waiting[owner]:
                if self._fits(one.short, room):
                    return one, owner
        return None

    def begin(self, token: str, owner: str, short: bool) -> None:
        """Handed out: the owner's next turn comes after the others'."""
        self._charges[token] = Charge(owner, short)
        self._served[owner] = next(self._count)

    def start(self, token: str, now: float) -> float:
        """A worker has begun with it; returns the seconds it may take."""
        charge = self._charges.get(token)
        if charge is None:
            return math.inf
        charge.started = now
        return self._share(charge.owner, now)

    def end(self, token: str, now: float) -> None:
        """It ended, or was withdrawn: its seconds count."""
        charge = self._charges.pop(token, None)
        if charge is not None and charge.started is not None:
            self._spent.append((now, charge.owner, max(0.0, now - charge.started)))

    def pass_on(self, token: str, owners: Iterable[str], now: float) -> float:
        """Who pays has no seconds left: another one who wants it pays from now on. Returns the seconds that it may still take,
        0 where nobody has any."""
        charge = self._charges.get(token)
        if charge is None:
            return 0.0
        heirs = [owner for owner in owners if self.left(owner, now) > 0]
        self.end(token, now)
        if not heirs:
            return 0.0
        self._charges[token] = Charge(heirs[0], charge.short, now)
        return self._share(heirs[0], now)

    def clear(self) -> None:
        """The workers are gone, with everything that was handed out."""
        self._charges.clear()

    # -- what it cost ---------------------------------------------------------------------------------------------

    def spent(self, owner: str, now: float) -> float:
        """Seconds of computing of this owner within the window, what runs now included."""
        self._forget(now)
        past = sum(seconds for _, whose, seconds in self._spent if whose == owner)
        return past + sum(now - one.started for one in self._charges.values() if one.owner == owner and one.started is not None)

    def left(self, owner: str, now: float) -> float:
        """Seconds that this owner may still use."""
        return self.limits.seconds - self.spent(owner, now)

    def account(self, owner: str, now: float) -> Account:
        """The three numbers together."""
        used = self.spent(owner, now)
        return Account(used, max(0.0, self.limits.seconds - used), self.frees_in(owner, now))

    def frees_in(self, owner: str, now: float) -> float:
        """Seconds until some of what this owner used is no longer counted; infinity where nothing is."""
        self._forget(now)
        ends = [end for end, whose, _ in self._spent if whose == owner]
        return max(0.0, min(ends) + self.limits.window - now) if ends else math.inf

    def _forget(self, now: float) -> None:
        while self._spent and self._spent[0][0] + self.limits.window <= now:
            self._spent.popleft()
        if len(self._served) > 10_000:  # sessions come and go
            self._served = dict(sorted(self._served.items(), key=lambda one: one[1])[-1000:])

    def _running(self, owner: str) -> int:
        return sum(charge.owner == owner for charge in self._charges.values())

    def _share(self, owner: str, now: float) -> float:
        """What is left, for each of those that this owner has computed side by side."""
        return max(0.0, self.left(owner, now)) / max(1, self._running(owner))

    def _fits(self, short: bool, room: Room) -> bool:
        """Short work that has no spare worker takes one of the others."""
        shorts = sum(charge.short for charge in self._charges.values())
        if self.limits.running_all and len(self._charges) >= self.limits.running_all:
            return False
        long = len(self._charges) - shorts + max(0, shorts - room.spare)
        return (short and shorts < room.spare) or long < room.long
