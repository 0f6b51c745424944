"""``Assistant``: answers become the forget set, can be taken back, and what does not fit gets one sentence."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from unlearn_core import Assistant, UserError
from unlearn_core.front_door.card_sheet import write_sheet

SHAPE = (1, 8, 8)


@pytest.fixture(scope="module")
def given() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Images of two classes, one of which is called the other where it carries a white square: (images, labels, wrong)."""
    generator = torch.Generator().manual_seed(0)
    right = torch.arange(240) % 2
    images = torch.randint(0, 90, (240, *SHAPE), generator=generator, dtype=torch.uint8)
    images[right == 1, :, :4] += 120
    wrong = (right == 1) & (torch.arange(240) < 60)
    images[wrong, :, 6:, 6:] = 255
    return images, torch.where(wrong, 0, right), wrong


@pytest.fixture
def assistant(given: tuple[torch.Tensor, torch.Tensor, torch.Tensor]) -> Assistant:
    torch.manual_seed(0)
    images, labels, _ = given
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 24), nn.ReLU(), nn.Linear(24, 2))
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    for _ in range(60):
        loss = nn.functional.cross_entropy(net(images / 255.0), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    recipe = {"epochs": 16, "batch_size": 32, "learning_rate": 0.05}
    return Assistant((images, labels), net, recipe=recipe, kind="digits", progress=False)


def test_the_first_card_holds_what_shares_the_square_and_can_be_taken_back(
    assistant: Assistant, given: tuple[torch.Tensor, torch.Tensor, torch.Tensor]
) -> None:
    _, _, wrong = given
    (card,) = assistant.next()
    assert wrong[card.shown].all()
    assert "“0”" in assistant.explain(card)
    shared = assistant.shared(card)
    assert shared.mean.shape == SHAPE
    assert shared.difference[:, 6:, 6:].min() > 0.5 * shared.difference.max()
    page = write_sheet([card], 1, assistant.data, ["bird", "<cat>"], about=assistant.sentence)
    assert page.count('<img alt="example') == len(card)
    assert "bird" in page
    assert "<cat>" not in page
    assistant.answer(card, "wrong", right={int(card.shown[0]): 1})
    assert assistant.forget_set == sorted(card.shown.tolist())
    assert assistant.right_labels == {int(card.shown[0]): 1}
    rest = assistant.expected_rest
    assert rest["low"] <= rest["expected"] <= rest["high"]
    assistant.undo()
    assert (assistant.looks, assistant.forget_set, assistant.right_labels) == (0, [], {})
    with pytest.raises(UserError, match="no answer to take back"):
        assistant.undo()
    for words, options in (
        ("answered with 'mixed'", {"answer": "wrong", "wrong": [1]}),
        ("not on card", {"answer": "wrong", "right": {10**6: 1}}),
        ("go from 0 to 1", {"answer": "wrong", "right": {int(card.shown[0]): 9}}),
    ):
        with pytest.raises(UserError, match=words):
            assistant.answer(card, **options)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="1 to 1000 cards"):
        assistant.next(0)
