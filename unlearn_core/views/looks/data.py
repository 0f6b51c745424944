"""Stored evidence and answers put together: which card is to be shown, and how it stands."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from unlearn_core.canonical import content_key
from unlearn_core.discovery.cards import Card
from unlearn_core.discovery.groups import Doubt, Group
from unlearn_core.discovery.inquiry import Evidence, Inquiry, Judged
from unlearn_core.discovery.questions import Answer
from unlearn_core.errors import UserError
from unlearn_core.forget_sets import ForgetSet
from unlearn_core.results.reader import Results, scenario_data
from unlearn_core.specs import Scenario

REVISION = 1
"""Raised when the evidence changes: answers belong to the cards that were shown."""
LETTERS: Final[dict[str, Answer]] = {"w": "wrong", "r": "right", "m": "mixed"}
LIKE = "l"
"""Before the index of an example: more like it were asked for."""
_TOKEN = re.compile(rf"[{''.join(LETTERS)}]|{LIKE}\d{{1,9}}")

Judge = Callable[[tuple[int, ...]], Judged | None]
"""What discovery says when these are known; None where that is not computed yet."""


@dataclass(frozen=True)
class Standing:
    """Where looks stand after answers that are written as ``text``.

    ``card``: what to show now, None where no look is worth it or discovery is waited for; ``waiting``: what discovery has to
    be told first, None where nothing is waited for. ``shown``: the card that stood there when an answer was given, and the
    answer; ``before``: the text without the last of these; ``strange``: the text belongs to other cards.
    """

    inquiry: Inquiry
    text: str
    card: Card | None
    waiting: tuple[int, ...] | None
    before: str | None
    strange: bool = False

    def after(self, token: str) -> str:
        """The text once this is answered, or asked for: a letter of :data:`LETTERS`, or :data:`LIKE` and an index."""
        tokens, seal = split_text(self.text)
        return join_text([*tokens, token], _next_seal(seal, token, self.card))

    @property
    def found(self) -> ForgetSet:
        """What was called wrong as a forget set, and what was called right as rejected."""
        wrong, right = (tuple(int(k) for k in part()) for part in (self.inquiry.questions.wrong, self.inquiry.questions.right))
        notes = dict.fromkeys(wrong, "called wrong on a card")
        return ForgetSet(wrong, tuple(sorted({*right} - {*wrong})), {}, notes)


def evidence_key(scenario: Scenario) -> str:
    """Key of what the first cards go by; independent of what is known to be corrupted."""
    return content_key("looks", REVISION, scenario.original_key)


def to_arrays(evidence: Evidence) -> dict[str, np.ndarray]:
    """The arrays of evidence as the store takes them; the labels are those of the data."""
    members = [group.members for group in evidence.groups]
    more = {"variability": evidence.variability, "given_up": evidence.given_up}
    return {name: values for name, values in more.items() if values is not None} | {
        "apart": evidence.doubt.apart,
        "watched": evidence.doubt.watched,
        "says": evidence.doubt.says,
        "instead": evidence.doubt.instead,
        "learning": evidence.learning,
        "places": np.ascontiguousarray(evidence.places),
        "members": np.concatenate([*members, np.empty(0, np.int64)]).astype(np.int64),
        "sizes": np.array([len(one) for one in members], np.int64),
    }


def to_payload(evidence: Evidence) -> dict[str, Any]:
    """What describes the groups, as JSON."""
    groups = [
        {"kind": one.kind, "given": one.given, "says": one.says, "place": one.place, "trust": one.trust}
        for one in evidence.groups
    ]
    return {"groups": groups}


def read_evidence(store: Results, scenario: Scenario) -> Evidence:
    """What the first cards go by. Raises LookupError if it is not stored."""
    key = evidence_key(scenario)
    record = store.get(key)
    if record is None:
        raise LookupError(f"no evidence is stored under {key}")
    arrays = store.arrays(key, "evidence")
    ends = arrays["sizes"].cumsum()
    groups = tuple(
        _group(about, members)
        for about, members in zip(record.payload["groups"], np.split(arrays["members"], ends)[: len(ends)], strict=True)
    )
    doubt = Doubt(arrays["apart"], arrays["watched"], arrays["says"], arrays["instead"])
    labels = scenario_data(scenario).corrupted.train.labels.numpy()
    later = (arrays.get(name) for name in ("variability", "given_up"))
    return Evidence(labels, doubt, groups, arrays["learning"], arrays["places"], *later)


def _group(about: Mapping[str, Any], members: np.ndarray) -> Group:
    place = None if about["place"] is None else (about["place"][0], about["place"][1], about["place"][2])
    return Group(about["kind"], members, about["given"], about["says"], place, about["trust"])


def read_learning(store: Results, scenario: Scenario) -> np.ndarray:
    """The watched run's mean loss of every example (N,). Raises LookupError if it is not stored."""
    return np.array(store.arrays(evidence_key(scenario), "evidence")["learning"])


def read_judged(store: Results, key: str) -> Judged | None:
    """What discovery said, by the key of its stage; None if that is not stored."""
    record = store.get(key)
    if record is None:
        return None
    told = record.payload["undiscovered"]
    if told is None:
        return Judged(record.payload["known"])
    probability = store.arrays(key, "judged")["probability"]
    return Judged(record.payload["known"], np.array(probability), (told[0], told[1], told[2]))


def split_text(text: str) -> tuple[list[str], str]:
    """The tokens of an answers' text, and its seal, by which answers to other cards are told; no tokens of what is none."""
    body, _, seal = text.partition(".")
    tokens = _TOKEN.findall(body)
    return (tokens, seal) if "".join(tokens) == body else ([], seal)


def join_text(tokens: list[str], seal: str) -> str:
    """The other way."""
    return f"{''.join(tokens)}.{seal}" if tokens else ""


def _next_seal(seal: str, token: str, card: Card | None) -> str:
    shown = [] if card is None else card.shown.tolist()
    return hashlib.sha256(f"{seal} {token} {shown}".encode()).hexdigest()[:8]


def replay(evidence: Evidence, key: str, text: str, judge: Judge) -> Standing:
    """Where the looks stand. The same evidence, answers and judgements give the same cards.

    ``key``: of the evidence; answers to cards of other evidence are ``strange``, and so is what is no text of answers.
    """
    tokens, told = split_text(text)
    inquiry, seal, done = Inquiry(evidence), key[:8], list[str]()
    before: str | None = None
    card, waiting = _show(inquiry, judge)
    for token in tokens:
        if waiting is not None:
            return Standing(inquiry, text, None, waiting, before)
        before, was, seal = join_text(done, seal), card, _next_seal(seal, token, card)
        try:
            if token.startswith(LIKE):
                inquiry.ask_like(int(token.removeprefix(LIKE)))
            elif was is None:
                return Standing(inquiry, text, None, None, before, True)
            else:
                inquiry.answer(was, LETTERS[token])
        except UserError:
            return Standing(inquiry, text, None, None, before, True)
        done.append(token)
        card, waiting = _show(inquiry, judge)
    strange = bool(text) and (not tokens or told != seal)
    return Standing(inquiry, text if tokens else f".{seal}", card, waiting, before, strange)


def _show(inquiry: Inquiry, judge: Judge) -> tuple[Card | None, tuple[int, ...] | None]:
    """The next card, or what discovery has to be told first."""
    if inquiry.is_due:
        known = tuple(int(index) for index in inquiry.questions.wrong())
        judged = judge(known)
        if judged is None:
            return None, known
        inquiry.learn(judged)
    return next(iter(inquiry.ask(1)), None), None
