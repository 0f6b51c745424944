"""How looks go on from a start with nothing known: the evidence, the questions, and when discovery is to take over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unlearn_core.discovery.cards import Card
from unlearn_core.discovery.groups import Doubt, Group, suspect_groups
from unlearn_core.discovery.questions import LEAST_LOOKS, Answer, Questions
from unlearn_core.errors import UserError

ENOUGH = 8
"""So many examples called wrong are enough for discovery to take over."""
GROWN, MORE = 1.5, 8
"""Discovery looks again once so many times as many are known, or so many more."""
FEW = 8.0
"""Discovery takes over when the next look is expected to find fewer than this: half a card."""
LAST = 2.0
"""So little is expected of the next look when discovery looks again, if anything was added since it did."""
CLASSMATES = 2.0
"""With so many known of a given class, what discovery says of its like counts half; with none, nothing."""
DOUBTFUL = 0.05
"""Suspects that are less probable are not shown."""
RECALL_DOUBT = 0.15
"""What is found first is what is doubted most, so that the rest may resemble it less than discovery takes for granted: by this
share of what is known, an interval goes up further. Found on development seeds."""


@dataclass(frozen=True)
class Evidence:
    """What is known of N training examples before the first look.

    ``labels`` int64 (N,), as given; ``groups``: what :func:`find_groups` found; ``learning`` (N,): the loss that the watched
    run had on average; ``places`` float32 (N, D): where the examples lie in the original's feature space; ``variability`` (N,):
    by how much the probability of the given label changed in the watched run; ``given_up`` bool (N,): what that run learned
    early and contradicted later. None in evidence that was stored without them.
    """

    labels: np.ndarray
    doubt: Doubt
    groups: tuple[Group, ...]
    learning: np.ndarray
    places: np.ndarray
    variability: np.ndarray | None = None
    given_up: np.ndarray | None = None


@dataclass(frozen=True)
class Judged:
    """What discovery said when ``known`` were called wrong: ``probability`` (N,) of being corrupted, NaN where it says
    nothing; ``undiscovered``: how many others are, with its interval. None of both where it could not judge."""

    known: int
    probability: np.ndarray | None = None
    undiscovered: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class Rest:
    """How many corrupted examples are expected outside of what was called wrong, with an interval of 90 %."""

    expected: float
    low: float
    high: float


class Inquiry:
    """Asks, takes answers, and says when discovery should look; nothing here trains, or knows which labels are right."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.ask_anew()

    def ask_anew(self) -> None:
        """Forget all answers."""
        doubt = self.evidence.doubt
        self.questions = Questions(self.evidence.groups, doubt.watched, doubt.apart)
        self.judged: Judged | None = None
        self.told_of = np.empty(0, np.int64)
        """What discovery knew when it looked last."""

    def ask(self, count: int = 1) -> list[Card]:
        """The cards to show now, the most useful first; none where no further look is worth it."""
        return self.questions.next(count)

    def ask_like(self, example: int) -> Card:
        """A card with what lies closest to an example among those of its given label that no card has shown.

        Raises :class:`UserError` where there is nothing to show.
        """
        if not 0 <= example < len(self.evidence.labels):
            raise UserError(f"There is no example {example}.")
        labels, places = self.evidence.labels, self.evidence.places
        mates = (labels == labels[example]).nonzero()[0]
        distance = ((places[mates] - places[example]) ** 2).sum(1)
        return self.questions.ask_for(Group("like", mates[np.argsort(distance, kind="stable")], int(labels[example])))

    def answer(self, card: Card, answer: Answer, marked: Sequence[int] | None = None) -> None:
        """Take a person's answer to a card; see :meth:`Questions.answer`."""
        self.questions.answer(card, answer, marked)

    @property
    def is_due(self) -> bool:
        """Whether discovery should look, told of what is called wrong by now."""
        wrong, find, then = self.questions.wrong(), self.questions.expected_find(), len(self.told_of)
        if len(wrong) < ENOUGH or len(wrong) == then:
            return False
        # Before it is said that nothing more shows, discovery has another look, even if little was added; and where a class
        # turns out wrong that it was not told of, it knows nothing of its like.
        grown = len(wrong) >= min(GROWN * then, then + MORE)
        return (grown and find < FEW) or find < LAST or self._is_new_class(wrong)

    def _is_new_class(self, wrong: np.ndarray) -> bool:
        """Whether much is known by now in a given class of which discovery knew hardly anything."""
        size = int(self.evidence.labels.max()) + 1
        now, then = (np.bincount(self.evidence.labels[part], minlength=size) for part in (wrong, self.told_of))
        return len(self.told_of) > 0 and bool(((now >= ENOUGH) & (then < ENOUGH / 2)).any())

    def learn(self, judged: Judged) -> None:
        """Take what discovery says: its suspects become the next groups. If it could not judge, what it said before holds."""
        self.told_of = self.questions.wrong()
        if judged.probability is None:
            return
        self.judged = judged
        self.questions.drop_open()
        unseen = np.where(self.questions.seen(), np.nan, judged.probability)
        groups = suspect_groups(self.evidence.labels, self.evidence.doubt.says, unseen, DOUBTFUL)
        known = np.bincount(self.evidence.labels[self.told_of], minlength=len(self.evidence.labels))[self.evidence.labels]
        self.questions.learn(groups, judged.probability, known / (known + CLASSMATES))

    @property
    def rest(self) -> Rest:
        """What is expected outside of what was called wrong."""
        middle, low, high = self.questions.unseen()
        if self.judged is None or self.judged.undiscovered is None:
            return Rest(middle, low, high)
        # Discovery speaks of what resembles the known, the groups that are left of everything else as well.
        known = len(self.questions.wrong())
        like, least, most = (max(0.0, value - (known - self.judged.known)) for value in self.judged.undiscovered)
        return Rest(max(middle, like), min(low, least), max(high, most + RECALL_DOUBT * known))

    @property
    def sentence(self) -> str:
        """How it stands, in one or two sentences."""
        found, looks, left = len(self.questions.wrong()), self.questions.looks, self.questions.expected_find()
        if not looks:
            return "Nothing was looked at yet."
        if left >= self.questions.worth:
            more = f"About {self.rest.expected:.0f} more are expected ({self.rest.low:.0f} to {self.rest.high:.0f})."
            return f"{found} wrong after {_count(looks)}. {more} Another look would find about {left:.0f}."
        if self.questions.has_next and not found:
            more = _count(LEAST_LOOKS - looks)
            return f"Nothing wrong after {_count(looks)}. The data may be called clean after {more} more, at other classes."
        if found:
            return f"{found} wrong after {_count(looks)}. Another look would find about {left:.1f}: that is all that shows."
        return f"The data look clean: {_count(looks)} found nothing wrong, and another would find about {left:.1f}."


def _count(looks: int) -> str:
    return "1 look" if looks == 1 else f"{looks} looks"
