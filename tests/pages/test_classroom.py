"""The class in memory: who leads, what others follow, one answer a session."""

from __future__ import annotations

import threading

import pytest

from pages.session.classroom import GONE_SECONDS, Classroom, Poll
from unlearn_core import view_state as vs
from unlearn_core.errors import UserError


class Clock:
    """Seconds that move when a test says so."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def asked(room: Classroom) -> Poll:
    poll = room.poll()
    assert poll is not None
    return poll


def test_followers_get_what_the_leading_session_shows_and_nothing_of_others() -> None:
    room = Classroom()
    room.publish("a", "craft", "seed=1", vs.default_state())
    assert room.lead() is None, "this session does not lead"
    room.lead_by("a")
    room.publish("a", "craft", "seed=1", vs.default_state())
    first = room.lead()
    assert first is not None
    assert (first.page, first.query) == ("craft", "seed=1")
    room.publish("a", "craft", "seed=1", vs.default_state())
    assert room.lead() == first, "nothing moved"
    room.lead_by("b")
    room.publish("a", "compare", "", vs.default_state())
    assert room.lead() == first, "another lecturer leads now"
    room.publish("b", "compare", "", None)
    second = room.lead()
    assert second is not None
    assert second.number > first.number
    room.stop_leading()
    assert (room.leader(), room.lead()) == ("", None)


def test_students_are_counted_while_their_pages_show_up() -> None:
    clock = Clock()
    room = Classroom(clock)
    for number in range(50):
        room.show_up(f"s{number}", following=number < 30)
    assert room.present() == (50, 30)
    room.show_up("s0", following=False)
    assert room.present() == (50, 29)
    clock.now += GONE_SECONDS + 1
    room.show_up("s1", following=True)
    assert room.present() == (1, 1)


def test_what_the_engine_did_is_counted_once_for_many() -> None:
    clock, counted = Clock(), []
    room = Classroom(clock)

    def count() -> int:
        counted.append(clock.now)
        return len(counted)

    assert {room.work(count) for _ in range(50)} == {1}
    clock.now += 1
    assert room.work(count) == 2


def test_a_session_has_one_answer_which_it_may_change_until_the_question_is_closed() -> None:
    room = Classroom()
    room.ask("  What\nwill happen? ", ["They heal", "", "They stay wrong", "They heal"])
    poll = asked(room)
    assert (poll.question, poll.answers) == ("What will happen?", ("They heal", "They stay wrong"))
    threads = [threading.Thread(target=room.answer, args=(f"s{k}", poll.number, k % 2)) for k in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asked(room).counts() == [25, 25]
    room.answer("s0", poll.number, 1)
    room.answer("s0", poll.number, 7)
    room.answer("s0", poll.number - 1, 0)
    assert asked(room).counts() == [24, 26]
    assert not asked(room).revealed
    room.reveal()
    room.answer("s1", poll.number, 0)
    assert (asked(room).revealed, asked(room).counts()) == (True, [24, 26])
    room.end()
    assert room.poll() is None


@pytest.mark.parametrize(("question", "answers"), [("", "ab"), ("Why?", "a"), ("Why?", "aaa"), ("Why?", "abcde")])
def test_what_is_no_question_is_refused(question: str, answers: str) -> None:
    room = Classroom()
    with pytest.raises(UserError):
        room.ask(question, list(answers))
    assert room.poll() is None
