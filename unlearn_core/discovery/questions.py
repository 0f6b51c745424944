"""Which group to show next, what its answer means, and when another look would find nothing more.

Every question is one card of one group, "wrong", "right" or "mixed". Answers may be slips of the hand, so a card has a
probability of each; an answer that contradicts the evidence is asked again before anything follows from it. Groups of a kind
that turned out right lose credit, others gain some. Nothing here sees the truth.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np

from unlearn_core.discovery.cards import SHOWN, Card, cut_line
from unlearn_core.discovery.groups import KINDS, Group, Kind
from unlearn_core.errors import UserError

Answer = Literal["wrong", "right", "mixed"]
ANSWERS: tuple[str, ...] = get_args(Answer)

SLIP = 0.05
"""How often an answer is assumed to be a slip."""
SURE = 0.9
"""Probability from which on a card counts as wrong, right or mixed."""
DOUBT = 0.1
"""Evidence counts for no more than this leaves open: what a person says twice holds against any of it."""
WORTH = 1.0
"""A look that is expected to find fewer corrupted examples than this is not asked for."""
AGAIN = 1.0
"""How much less the next card of a group is worth with each card that it has had: other groups may hide other kinds."""
LEAST_LOOKS = 8
"""So many looks are asked for at least before data are said to look clean."""
TOGETHER: tuple[Kind, ...] = ("together", "pair", "patch", "sample")
"""Kinds of groups whose members are alike, so that some tell of all; the others are lines, the most suspect first."""
_WIDTH = 1.645  # 90 % intervals


@dataclass
class _Asked:
    """A card that was shown, the answers so far, and what one by one is known of its examples."""

    card: Card
    answers: list[Answer] = field(default_factory=list)
    marked: np.ndarray | None = None
    split: bool = False
    wanted: bool = False


class Questions:
    """Cards in the order of what they are expected to find, and what the answers say.

    ``suspicion`` (N,): from 0 to 1, that a given label is wrong, for what stands in a line; ``among`` (N,): the same for what
    belongs to a group, None for the same numbers. ``worth``: a look that is expected to find fewer is not asked for. What
    discovery suspects is added by :meth:`learn`.
    """

    def __init__(
        self, groups: Sequence[Group], suspicion: np.ndarray, among: np.ndarray | None = None, worth: float = WORTH
    ) -> None:
        self.groups, self.worth = [group for group in groups if group.kind != "sample"], worth
        self.samples = [group for group in groups if group.kind == "sample"]
        self.doubted, self.suspicion = suspicion.astype(float), suspicion.astype(float)
        self.among = (suspicion if among is None else among).astype(float).copy()
        self.told = np.zeros(len(suspicion))
        self.asked: list[_Asked] = []
        self.credit: dict[Kind, list[float]] = {kind: [1.0, 1.0] for kind in KINDS}
        self.looks = self.made = 0

    # What is known

    def _of(self, group: Group) -> np.ndarray:
        """The suspicion (N,) that counts for members of this group."""
        return self.told if group.kind == "suspects" else self.among if group.kind in TOGETHER else self.suspicion

    def _expect(self, group: Group, members: np.ndarray) -> float:
        """How many of these members are wrong, as far as the evidence goes."""
        if group.kind == "like":  # a person asked for it because of what is on no record
            return len(members) / 2
        return group.trust * float(self._of(group)[members].sum())

    def shares(self, one: _Asked) -> np.ndarray:
        """Probabilities (3,) that a card that was asked is wrong, right or mixed, from the evidence and its answers."""
        # What was thought when it was asked: discovery's later doubts are of what it was not told, and no second opinion.
        mean = float(np.clip(one.card.expected / len(one.card), DOUBT, 1 - DOUBT))
        values = np.array([mean**2, (1 - mean) ** 2, 2 * mean * (1 - mean) if len(one.card) > 1 else 0.0])
        for answer in one.answers:
            says = np.full(3, SLIP / 2)
            says[ANSWERS.index(answer)] = 1 - SLIP
            values *= says
        result: np.ndarray = values / values.sum()
        return result

    def wrong(self) -> np.ndarray:
        """Training indices (n,), ascending, of what is taken to be wrong: cards that surely are, and what was marked."""
        return self._settled(0)

    def right(self) -> np.ndarray:
        """Training indices (n,), ascending, of what a person has called right."""
        return self._settled(1)

    def _settled(self, which: int) -> np.ndarray:
        parts = [np.empty(0, np.int64)]
        for one in self.asked:
            if one.marked is not None:
                parts.append(one.card.shown[one.marked if which == 0 else ~one.marked])
            elif one.answers and self.shares(one)[which] >= SURE:
                parts.append(one.card.shown)
        return np.unique(np.concatenate(parts))

    def seen(self) -> np.ndarray:
        """bool (N,): what stands on a card; of a mixed card that is asked in parts, what stands on these."""
        flags = np.zeros(len(self.suspicion), bool)
        for one in self.asked:
            if not one.split:
                flags[one.card.shown] = True
        return flags

    # What to ask

    def next(self, count: int = 1) -> list[Card]:
        """The most useful cards, at most ``count``; fewer where no other look is worth it. Each of them may be answered."""
        cards = [one.card for one in self.asked if one.wanted and not one.answers][:count]
        while len(cards) < count:
            one = self._best({card.number for card in cards})
            if one is None:
                break
            cards.append((self._ask(one, self._shown(one)) if isinstance(one, Group) else one).card)
        return cards

    @property
    def has_next(self) -> bool:
        """Whether another look is worth it, or needed before data are said to look clean."""
        return self._best(set()) is not None

    def _best(self, picked: set[int]) -> _Asked | Group | None:
        """The most useful card beside those with these numbers, or group to make one of; None where no look is worth it."""
        ranked = [entry for entry in self._ranked() if isinstance(entry[1], Group) or entry[1].card.number not in picked]
        if ranked and ranked[0][0] >= self.worth:
            return ranked[0][1]
        if len(self.wrong()) or self.looks + len(picked) >= LEAST_LOOKS:
            return None
        started = (one for _, one in ranked if isinstance(one, _Asked) and not one.answers)
        return next(started, None) or self._spread()

    def _spread(self) -> Group | None:
        """A group of a class that was shown least, or of a kind where a group is of no class; None where all was shown."""
        about = [_about(one.card.group) for one in self.asked]
        fresh = [group for group in (*self.groups, *self.samples) if len(self._fresh(group))]
        worth = {id(group): self._expect(group, self._fresh(group)[:SHOWN]) for group in fresh}
        return min(fresh, key=lambda group: (about.count(_about(group)), -worth[id(group)]), default=None)

    def _shown(self, group: Group) -> np.ndarray:
        """What the next card of a group shows. A line is cut where that settles most: where the suspicion falls off, a few
        that are alike say more than many that are mixed."""
        fresh = self._fresh(group)[:SHOWN]
        if group.kind in TOGETHER:
            return fresh
        return fresh[: cut_line(group.trust * self._of(group)[fresh])]

    def ask_for(self, group: Group) -> Card:
        """Ask about the members of a group that no card has shown, whatever is expected of it: a person wants to see them.

        Raises :class:`UserError` where there are none.
        """
        fresh = self._fresh(group)
        if not len(fresh):
            raise UserError("All examples of this kind were shown already.")
        one = self._ask(group, fresh[:SHOWN])
        one.wanted = True
        return one.card

    def expected_find(self) -> float:
        """How many corrupted examples the next look is expected to find."""
        return max((value for value, _ in self._ranked()), default=0.0)

    def _ranked(self) -> list[tuple[float, _Asked | Group]]:
        """What could be asked now, the most useful first: cards without an answer, doubtful answers, groups' next cards."""
        found: list[tuple[float, _Asked | Group]] = []
        for one in self.asked:
            if one.split or one.marked is not None:
                continue
            sure = float(self.shares(one).max())
            again = 0.0 if sure >= SURE else (1 - sure) * len(one.card)
            found.append((again if one.answers else self._credit(one.card.group.kind) * one.card.expected, one))
        for group in self.groups:
            if len(fresh := self._fresh(group)):
                found.append((self._worth(group, fresh), group))
        return sorted(found, key=lambda entry: -entry[0])

    def _ask(self, group: Group, shown: np.ndarray) -> _Asked:
        self.made += 1
        one = _Asked(Card(self.made, group, shown, self._expect(group, shown)))
        self.asked.append(one)
        return one

    def _fresh(self, group: Group) -> np.ndarray:
        rest: np.ndarray = group.members[~self.seen()[group.members]]
        return rest

    def _credit(self, kind: Kind) -> float:
        """What a kind has turned out to be worth. Half of a mixed card is wrong, so its parts need no credit."""
        hits, misses = self.credit[kind]
        return 1.0 if kind == "part" else hits / (hits + misses)

    def _worth(self, group: Group, fresh: np.ndarray) -> float:
        """Expected finds of a group's next card: among all of a group that belongs together, among the shown of a line."""
        if group.kind not in TOGETHER:
            return self._credit(group.kind) * self._expect(group, self._shown(group))
        times = sum(one.card.group is group for one in self.asked)
        return self._credit(group.kind) * self._expect(group, fresh) / (1 + AGAIN * times)

    # What an answer means

    def answer(self, card: Card, answer: Answer, marked: Sequence[int] | None = None) -> None:
        """Take a person's answer; ``marked``: the wrong ones among the shown of a mixed card, where they were told apart."""
        one = next((one for one in self.asked if one.card.number == card.number), None)
        if one is None:
            raise UserError(f"Card {card.number} is not asked, or not any more.")
        if answer not in ANSWERS:
            raise UserError(f"An answer is wrong, right or mixed (got {answer!r}).")
        self.looks += 1
        one.answers.append(answer)
        if marked is not None:
            one.marked = _mark(card, marked)
            self._teach(card, float(one.marked.mean()))
            return
        shares = self.shares(one)
        if shares.max() >= SURE or len(one.answers) > 1:
            self._teach(card, float(shares @ (1.0, 0.0, 0.5)))
        if int(shares.argmax()) == ANSWERS.index("mixed") and not one.split and len(card) > 1:
            self._split(one)

    def _teach(self, card: Card, share: float) -> None:
        """What was not shown of a group is as wrong as what was, and its kind is worth more or less."""
        group = card.group
        self.credit[group.kind][0] += share
        self.credit[group.kind][1] += 1 - share
        rest = self._fresh(group)
        if group.kind == "doubted" and group.says is not None:  # one confusion: what is doubted as much may be as wrong
            for values in (self.doubted, self.suspicion):
                alike = np.minimum(1.0, values[rest] * len(card) / max(card.expected, 0.01))
                values[rest] += alike * (share - values[rest]) / 2
        if group.kind in TOGETHER and len(rest):  # of a line what comes later is doubted less
            values = self._of(group)
            values[rest] = (share * len(card) + values[rest].mean()) / (len(card) + 1)

    def _split(self, one: _Asked) -> None:
        """Ask the two halves of a mixed card for themselves, the more and the less suspect one."""
        one.split = True
        values = self._of(one.card.group)[one.card.shown]
        order = np.argsort(-values, kind="stable")
        shown, values = one.card.shown[order], values[order]
        self.suspicion[shown] = np.clip(values - values.mean() + 0.5, 0.1, 0.9)
        group, middle = one.card.group, (len(shown) + 1) // 2
        for half in (shown[:middle], shown[middle:]):
            # What a person called mixed is trusted for what it is, whatever its group was worth.
            self._ask(Group("part", half, group.given, group.says, group.place), half)

    def learn(self, groups: Sequence[Group], suspicion: np.ndarray, trust: np.ndarray | None = None) -> None:
        """Ask about what discovery suspects as well; ``suspicion`` (N,): NaN where it says nothing; ``trust`` (N,): from 0 to
        1, how much it can know of an example, None for 1. Its earlier groups go."""
        said, self.told = ~np.isnan(suspicion), np.nan_to_num(suspicion, nan=0.0)
        # What resembles the known is discovery's to say; what is wrong in another way stands in the lines that were there.
        weight = 0.5 * (np.ones(len(said)) if trust is None else trust)[said]
        self.suspicion[said] = (1 - weight) * self.doubted[said] + weight * suspicion[said]
        self.groups = [*groups, *(group for group in self.groups if group.kind != "suspects")]

    def drop_open(self) -> None:
        """Take back cards without an answer: what stands on them may stand on better ones."""
        self.asked = [one for one in self.asked if one.answers]

    def unseen(self) -> tuple[float, float, float]:
        """How many corrupted examples are expected among what was not shown of the groups, with an interval of 90 %."""
        seen, taken = self.seen(), np.zeros(len(self.suspicion), bool)
        middle, spread = 0.0, 0.0
        for group in self.groups:
            rest = group.members[~seen[group.members] & ~taken[group.members]]
            taken[rest] = True
            hits, misses = self.credit[group.kind]
            total = self._expect(group, rest)
            share, trials = hits / (hits + misses), hits + misses
            middle += share * total
            spread += total**2 * share * (1 - share) / (trials + 1)
        half = _WIDTH * math.sqrt(spread + middle)
        return middle, max(0.0, middle - half), middle + half


def _about(group: Group) -> int | Kind:
    return group.kind if group.given is None else group.given


def _mark(card: Card, marked: Sequence[int]) -> np.ndarray:
    strange = sorted(set(marked) - set(card.shown.tolist()))
    if strange:
        raise UserError(f"Example {strange[0]} is not on card {card.number}.")
    flags: np.ndarray = np.isin(card.shown, np.asarray(marked, dtype=np.int64))
    return flags
