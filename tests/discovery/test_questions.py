"""What asking promises: the corrupt group comes first, slips are asked again, clean data come to an end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from unlearn_core.contracts.measures import make_view
from unlearn_core.discovery.activation import split_classes
from unlearn_core.discovery.cards import cut_line
from unlearn_core.discovery.groups import Doubt, Group, find_groups, left_out_parts, suspect_groups
from unlearn_core.discovery.inquiry import Evidence, Inquiry, Judged
from unlearn_core.discovery.questions import LEAST_LOOKS, Answer, Questions
from unlearn_core.errors import UserError

COUNT = 400


def made_up(wrong: int = 40) -> tuple[Questions, np.ndarray]:
    """A corrupt group of which every member is suspect, a natural one of which some are, and a line of hard examples."""
    truth = np.zeros(COUNT, bool)
    truth[:wrong] = True
    suspicion = np.full(COUNT, 0.05)
    suspicion[:wrong], suspicion[100:120], suspicion[200:260] = 0.95, 0.8, np.linspace(0.6, 0.1, 60)
    groups = [Group("together", np.arange(100, 120), 1, trust=0.4), Group("doubted", np.arange(200, 260))]
    if wrong:
        groups.append(Group("together", np.arange(wrong), 0, trust=0.9))
    return Questions(groups, suspicion), truth


def say(truth: np.ndarray, shown: np.ndarray) -> Answer:
    share = truth[shown].mean()
    return "wrong" if share > 0.9 else "right" if share < 0.1 else "mixed"


def test_the_corrupt_group_is_asked_first_and_becomes_the_forget_set() -> None:
    questions, truth = made_up()
    (card,) = questions.next()
    assert len(card) == 16
    assert truth[card.shown].all()
    questions.answer(card, "wrong")
    assert questions.wrong().tolist() == card.shown.tolist()
    for _ in range(8):
        for asked in questions.next():
            questions.answer(asked, say(truth, asked.shown))
    assert questions.wrong().tolist() == list(range(40))
    assert questions.looks <= 7


def test_an_answer_against_the_evidence_is_asked_again_before_anything_follows() -> None:
    questions, _ = made_up(0)
    (card,) = [card for card in questions.next(3) if card.group.trust == 0.4]
    questions.answer(card, "wrong")  # a slip
    assert not len(questions.wrong())
    assert card.number in [again.number for again in questions.next(3)]
    questions.answer(card, "right")
    questions.answer(card, "right")
    assert not len(questions.wrong())
    assert set(card.shown) <= set(questions.right())


def test_what_a_person_denies_is_not_called_wrong_however_sure_the_evidence_is() -> None:
    questions = Questions([Group("together", np.arange(4), 0)], np.full(8, 0.999))
    (card,) = questions.next()
    questions.answer(card, "right")
    assert not len(questions.wrong())
    assert questions.next() == [card]
    questions.answer(card, "right")
    assert questions.right().tolist() == [0, 1, 2, 3]


def test_a_slip_on_the_corrupt_group_does_not_lose_it() -> None:
    questions, truth = made_up()
    (card,) = questions.next()
    questions.answer(card, "right")
    for _ in range(8):
        for asked in questions.next():
            questions.answer(asked, say(truth, asked.shown))
    assert truth[questions.wrong()].all()
    assert len(questions.wrong()) >= 30


def test_clean_data_come_to_an_end_within_ten_looks() -> None:
    questions, _ = made_up(0)
    while cards := questions.next():
        questions.answer(cards[0], "right")
    assert 2 <= questions.looks <= 10
    assert questions.expected_find() < 1
    assert not len(questions.wrong())


def test_a_mixed_card_is_asked_in_halves_until_the_wrong_ones_are_apart() -> None:
    questions, truth = Questions([Group("doubted", np.arange(8))], np.full(8, 0.5), worth=0.0), np.arange(8) == 5
    for _ in range(12):
        for card in questions.next():
            questions.answer(card, say(truth, card.shown))
    assert questions.wrong().tolist() == [5]
    assert len(questions.right()) == 7


def test_marking_the_wrong_ones_of_a_mixed_card_settles_it() -> None:
    questions, _ = made_up()
    (card,) = questions.next()
    questions.answer(card, "mixed", marked=[int(card.shown[0])])
    assert questions.wrong().tolist() == [int(card.shown[0])]
    assert len(questions.right()) == 15
    with pytest.raises(UserError, match="is not on card"):
        questions.answer(questions.next()[0], "mixed", marked=[399])


def test_many_cards_at_once_show_nothing_twice() -> None:
    questions, _ = made_up()
    cards = questions.next(5)
    shown = np.concatenate([card.shown for card in cards])
    assert len(cards) == 5
    assert len({card.number for card in cards}) == 5
    assert len(np.unique(shown)) == len(shown)


def test_expectations_fall_as_answers_come_in() -> None:
    questions, truth = made_up()
    middle, low, high = questions.unseen()
    assert low <= middle <= high
    while cards := questions.next():
        questions.answer(cards[0], say(truth, cards[0].shown))
    assert questions.unseen()[0] < middle / 2


def test_a_group_that_a_network_without_it_contradicts_is_told_from_a_natural_one() -> None:
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(120) % 2
    features = torch.randn(120, 4, generator=generator) * 0.5
    corrupt, natural = (labels == 0).nonzero()[:15, 0], (labels == 1).nonzero()[:15, 0]
    features[corrupt, 0] += 8.0
    features[natural, 1] += 8.0
    view = replace(make_view(120, 2), labels=labels, original_features=features)
    splits = split_classes(view, features)
    parts = left_out_parts(splits, None, labels)
    assert set(parts.ge(0).nonzero()[:, 0].tolist()) == {*corrupt.tolist(), *natural.tolist()}
    apart = np.full(120, 0.05)
    apart[corrupt], apart[natural[:6]] = 0.97, 0.9
    says = labels.numpy().copy()
    says[corrupt], says[natural[:6]] = 1, 0
    groups = find_groups(view, splits, None, Doubt(apart, np.full(120, 0.1), says, says))
    best = max(groups, key=lambda group: group.trust * len(group) if group.kind not in ("doubted", "sample") else 0)
    assert (best.kind, best.given, best.says) == ("pair", 0, 1)
    assert set(best.members.tolist()) == set(corrupt.tolist())


def test_suspects_are_grouped_by_what_is_said_of_them() -> None:
    labels, says = np.zeros(30, int), np.zeros(30, int)
    says[:10], says[10:13] = 2, 1
    probability = np.where(np.arange(30) < 13, 0.9, np.nan)
    groups = suspect_groups(labels, says, probability, 0.05)
    assert [(len(group), group.says) for group in groups] == [(10, 2), (3, None)]


def test_suspects_whose_label_is_predicted_stand_in_a_line_of_their_own() -> None:
    labels, probability = np.zeros(30, int), np.where(np.arange(30) < 9, 0.9, np.nan)
    says = np.where(np.arange(30) < 5, 1, 0)
    contradicted, agreed = suspect_groups(labels, says, probability, 0.05)
    assert (contradicted.members.tolist(), agreed.members.tolist()) == ([0, 1, 2, 3, 4], [5, 6, 7, 8])
    assert agreed.trust < contradicted.trust


def test_what_was_called_wrong_stays_so_when_discovery_thinks_anew() -> None:
    questions, _ = made_up()
    probability = np.where(np.arange(COUNT) >= COUNT - 16, 0.99, np.nan)
    questions.learn(suspect_groups(np.zeros(COUNT, int), np.ones(COUNT, int), probability, 0.05), probability)
    (card,) = [card for card in questions.next(2) if card.group.kind == "suspects"]
    questions.answer(card, "wrong")
    questions.learn([], np.full(COUNT, np.nan))
    assert questions.wrong().tolist() == card.shown.tolist()


def test_what_stands_on_a_card_without_an_answer_can_stand_on_a_better_one() -> None:
    questions, _ = made_up()
    (card,) = questions.next()
    questions.answer(card, "mixed")  # now its halves are asked
    probability = np.full(COUNT, np.nan)
    probability[card.shown] = 0.99
    questions.drop_open()
    assert not questions.seen()[card.shown].any()
    questions.learn(suspect_groups(np.zeros(COUNT, int), np.ones(COUNT, int), probability, 0.05), probability)
    again = questions.next(2)
    (best,) = [one for one in again if one.group.kind == "suspects"]
    assert set(best.shown) == set(card.shown)
    questions.answer(best, "wrong")
    assert questions.wrong().tolist() == sorted(card.shown.tolist())
    with pytest.raises(UserError, match="not any more"):
        questions.answer(replace(card, number=2), "wrong")


def inquiry(wrong: int = 40) -> Inquiry:
    """Four classes of a hundred on a line each, with a line of doubts and a sample of every class; the first are wrong."""
    labels = np.arange(COUNT) // 100
    places = np.stack([labels, np.arange(COUNT) % 100 / 100], 1).astype(np.float32)
    watched = np.full(COUNT, 0.02)
    watched[:wrong] = 0.9
    groups = [Group("sample", np.arange(50) + 100 * given, given, trust=0.1) for given in range(4)]
    groups.append(Group("doubted", np.argsort(-watched, kind="stable")[:60]))
    says = np.where(np.arange(COUNT) < wrong, 1, labels)
    doubt = Doubt(watched, watched, says, says)
    return Inquiry(Evidence(labels, doubt, tuple(groups), watched, places))


def test_data_are_called_clean_after_looks_at_every_class_and_not_before() -> None:
    clean, seen = inquiry(0), set[int]()
    while cards := clean.ask():
        assert "clean after" in clean.sentence or not seen
        clean.answer(cards[0], "right")
        seen |= {int(label) for label in clean.evidence.labels[cards[0].shown]}
    assert clean.questions.looks == LEAST_LOOKS
    assert seen == {0, 1, 2, 3}
    assert clean.sentence.startswith("The data look clean: 8 looks")


def test_where_something_was_wrong_no_looks_are_spent_on_samples() -> None:
    found = inquiry()
    while cards := found.ask():
        assert cards[0].group.kind != "sample"
        found.answer(cards[0], "wrong" if cards[0].shown[0] < 40 else "right")
    assert found.questions.wrong().tolist() == list(range(40))


def test_a_line_is_cut_where_the_suspicion_falls_off() -> None:
    assert cut_line(np.array([0.98] * 10 + [0.3] * 6)) == 10
    assert cut_line(np.full(16, 0.97)) == 16
    assert cut_line(np.full(16, 0.02)) == 16
    assert cut_line(np.array([0.5])) == 1


def test_more_like_an_example_comes_next_and_shows_its_nearest_of_the_same_label() -> None:
    asked = inquiry()
    card = asked.ask_like(250)
    assert asked.ask() == [card]
    assert set(range(243, 258)) <= set(card.shown)
    assert card.shown[0] == 250
    asked.answer(card, "right")
    assert not set(asked.ask_like(250).shown) & set(card.shown)
    with pytest.raises(UserError, match="no example 400"):
        asked.ask_like(COUNT)


def test_discovery_s_word_lowers_what_the_line_is_expected_to_hold_and_the_interval_stays_wide() -> None:
    heard = inquiry()
    for _ in range(2):
        heard.answer(heard.ask()[0], "wrong")
    probability = np.zeros(COUNT)
    probability[:40] = 0.99
    before = heard.questions.suspicion[40:].sum()
    heard.learn(Judged(32, probability, (8.0, 8.0, 8.0)))
    assert heard.questions.suspicion[40:].sum() < before
    assert heard.ask()[0].shown.tolist() == list(range(32, 40))
    # What is found first is what is doubted most: how much is like it is not known to the example.
    assert heard.rest.low <= 8 < heard.rest.high - 3
