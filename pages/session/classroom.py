"""The class of this server: who leads, what the others follow, and the question that is asked. In memory alone."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from unlearn_core import view_state as vs
from unlearn_core.errors import UserError

GONE_SECONDS = 6.0
"""A page that has not shown itself for so long was closed."""
LEAST_ANSWERS, MOST_ANSWERS = 2, 4
MAX_QUESTION, MAX_ANSWER = 200, 80
_WORK_SECONDS = 0.5


@dataclass(frozen=True)
class Lead:
    """What the lecturer looks at. ``state``: None where it names files of the lecturer's, which are not shown to others;
    ``at``: since when, by the clock of the class."""

    number: int
    page: str
    query: str
    state: vs.State | None
    at: float = 0.0


@dataclass(frozen=True)
class Poll:
    """A question to the class. ``votes``: of every session that answered, which of the ``answers``."""

    number: int
    question: str
    answers: tuple[str, ...]
    open: bool = True
    revealed: bool = False
    votes: dict[str, int] = field(default_factory=dict)

    def counts(self) -> list[int]:
        """How many chose each answer."""
        found = Counter(self.votes.values())
        return [found[k] for k in range(len(self.answers))]


class Classroom:
    """Shared by all sessions of a server; any thread may call it.

    ``clock``: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock, self._clock = threading.Lock(), clock
        self._leader, self._number = "", 0
        self._lead: Lead | None = None
        self._poll: Poll | None = None
        self._seen: dict[str, tuple[float, bool]] = {}
        self._work: tuple[float, int] = (float("-inf"), 0)

    # -- leading and following ------------------------------------------------------------------------------------

    def leader(self) -> str:
        """The session that leads; "" where there is none."""
        return self._leader

    def lead_by(self, session: str) -> None:
        """This session leads from now on, in place of another one if there was."""
        with self._lock:
            self._leader = session

    def stop_leading(self) -> None:
        """Followers stay where they are."""
        with self._lock:
            self._leader, self._lead = "", None

    def publish(self, session: str, page: str, query: str, state: vs.State | None) -> bool:
        """What the leading session looks at now; of any other session it is not taken. Returns whether it is new."""
        with self._lock:
            last = self._lead
            if session != self._leader or not session or (last is not None and (last.page, last.query) == (page, query)):
                return False
            self._number += 1
            self._lead = Lead(self._number, page, query, state, self._clock())
            return True

    def lead(self) -> Lead | None:
        """What there is to follow."""
        return self._lead

    def age(self, lead: Lead) -> float:
        """Seconds since the lecturer looks at this."""
        return self._clock() - lead.at

    def show_up(self, session: str, following: bool) -> None:
        """A student's page is open."""
        with self._lock:
            self._seen[session] = (self._clock(), following)

    def followers(self) -> list[str]:
        """The sessions that follow, for whom a run is cheap: their page is drawn once for all (:mod:`pages.session.replay`)."""
        with self._lock:
            return [session for session, (_, following) in self._seen.items() if following]

    def present(self) -> tuple[int, int]:
        """How many students' pages are open, and how many of them follow."""
        with self._lock:
            since = self._clock() - GONE_SECONDS
            self._seen = {session: seen for session, seen in self._seen.items() if seen[0] >= since}
            return len(self._seen), sum(following for _, following in self._seen.values())

    def work(self, count: Callable[[], int]) -> int:
        """What ``count`` gives, asked for at most twice a second however many ask."""
        with self._lock:
            now = self._clock()
            if now - self._work[0] >= _WORK_SECONDS:
                self._work = (now, count())
            return self._work[1]

    # -- questions ------------------------------------------------------------------------------------------------

    def poll(self) -> Poll | None:
        """The question of the moment."""
        return self._poll

    def ask(self, question: str, answers: Sequence[str]) -> None:
        """Ask the class, in place of the last question. Raises :class:`UserError` for one that cannot be asked."""
        words = " ".join(question.split())[:MAX_QUESTION]
        given = tuple(dict.fromkeys(" ".join(answer.split())[:MAX_ANSWER] for answer in answers if answer.strip()))
        if not words:
            raise UserError("Write the question first.")
        if not LEAST_ANSWERS <= len(given) <= MOST_ANSWERS:
            raise UserError(
                f"A question has {LEAST_ANSWERS} to {MOST_ANSWERS} different answers, one a line (got {len(given)})."
            )
        with self._lock:
            self._number += 1
            self._poll = Poll(self._number, words, given)

    def answer(self, session: str, number: int, choice: int) -> None:
        """One answer a session, which may change it until the question is closed."""
        with self._lock:
            poll = self._poll
            if poll is not None and poll.number == number and poll.open and 0 <= choice < len(poll.answers):
                self._poll = replace(poll, votes=poll.votes | {session: choice})

    def close(self) -> None:
        """Take no more answers."""
        self._change(revealed=False)

    def reveal(self) -> None:
        """Take no more answers, and show the counts to all."""
        self._change(revealed=True)

    def end(self) -> None:
        """Put the question away, with its answers."""
        with self._lock:
            self._poll = None

    def _change(self, revealed: bool) -> None:
        with self._lock:
            if self._poll is not None:
                self._poll = replace(self._poll, open=False, revealed=revealed)


_classroom = Classroom()


def classroom() -> Classroom:
    """The class of this server. Not a cached resource of Streamlit's: any browser can ask for those to be cleared."""
    return _classroom
