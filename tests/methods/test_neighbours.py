"""Agreement of neighbours: by hand, what it rises and falls with, the search on a grid, and CUTS by it."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from trained import Trained

from unlearn_core.errors import Cancelled
from unlearn_core.methods import registry
from unlearn_core.methods.redirection.work import Setting
from unlearn_core.methods.shared.directions import MOST, best_strength, difference, walk, weights_of
from unlearn_core.methods.shared.neighbours import beyond_chance, missing_classes, share_alike
from unlearn_core.training import SilentReporter, predict


def test_agreement_beyond_chance_by_hand() -> None:
    """SA of 1, 0.75 and 0.5 where two classes are equally likely, P = 0.5: 1, 0.5 and 0."""
    assert [beyond_chance(share, 0.5) for share in (1.0, 0.75, 0.5)] == [1.0, 0.5, 0.0]
    assert beyond_chance(1.0, 1.0) == 0.0  # one class for all is no agreement


def test_the_closest_are_counted_by_their_angle_without_the_example_itself() -> None:
    # Two bundles of directions, of lengths that say nothing.
    features = torch.tensor([[1.0, 0.0], [9.0, 0.1], [2.0, 0.3], [0.0, 1.0], [0.1, 7.0], [0.3, 2.0]])
    assert share_alike(features, torch.tensor([0, 0, 0, 1, 1, 1]), 2) == 1.0
    # The third is given the other label: it has no like neighbour, and the two beside it have one of two.
    assert share_alike(features, torch.tensor([0, 0, 1, 1, 1, 1]), 2) == pytest.approx((0.5 + 0.5 + 0 + 3) / 6)


def test_classes_that_are_missing_cost_their_share() -> None:
    even = torch.eye(4).repeat(2, 1)
    assert missing_classes(even) == pytest.approx(0.0)
    assert missing_classes(torch.eye(4)[[0, 0, 1, 1]]) == pytest.approx(0.5 + 0.5)
    unsure = torch.full((4, 4), 0.2) + 0.2 * torch.eye(4)[[0, 0, 1, 1]]
    assert missing_classes(unsure) == pytest.approx(1 - 1 / (4 * (2 * 0.3**2 + 2 * 0.2**2)) + 0.5)


def test_the_best_of_a_grid_that_ends_after_ten_below_it() -> None:
    tried: list[float] = []

    def peaked(strength: float) -> float:
        tried.append(strength)
        return -abs(strength - 1.0)

    assert best_strength(peaked) == pytest.approx(1.0)
    assert max(tried) == pytest.approx(1.5)
    assert best_strength(lambda strength: 0.0) == 0.0  # of equals the smallest
    assert best_strength(lambda strength: strength) == pytest.approx(MOST)


def test_more_neighbours_agree_after_and_labels_of_the_rest_are_not_read(digits: Trained) -> None:
    method = registry.get("cuts_neighbours")

    def run(labels: torch.Tensor) -> nn.Module:
        task = digits.task()
        given = task.data.labels.clone()
        task.data.labels[task.retain] = labels[task.retain]
        try:
            return method(method.params({"looked_at": 200, "epochs": 10})).unlearn(task, SilentReporter())
        finally:
            task.data.labels.copy_(given)

    labels = digits.arena.train.labels
    one, other = run(labels.clone()), run((labels + 1) % 10)
    said = one.report["strength"]  # type: ignore[index]
    assert said["reached"]
    assert said["alpha"] > 0
    assert said["agreement"]["after"] > said["agreement"]["before"]
    assert all(torch.equal(value, other.state_dict()[key]) for key, value in one.state_dict().items())


def test_it_stops_when_told_and_says_what_its_looks_cost(digits: Trained) -> None:
    class Impatient(SilentReporter):
        looks = 0

        def step(self, done: int, total: int, **scalars: float | torch.Tensor) -> None:
            self.looks += done >= total - 150

        def cancelled(self) -> bool:
            return self.looks > 0

    method = registry.get("cuts_neighbours")
    reporter = Impatient()
    with pytest.raises(Cancelled):
        method(method.params({"epochs": 1, "runs": 1})).unlearn(digits.task(), reporter)
    assert reporter.looks == 1
    few, many = (
        method.expected_work(method.params({"looked_at": count}), Setting(digits.scenario.training, 1000, 1.0))
        for count in (100, 1000)
    )
    assert many - few == pytest.approx(161 * 0.9 / (3 * digits.scenario.training.epochs))


@pytest.mark.parametrize("name", ["cuts", "cuts_neighbours"])
def test_a_random_direction_of_the_same_length_in_every_layer_heals_less(name: str, digits: Trained) -> None:
    task, method = digits.task(1.0), registry.get(name)
    start, truth = weights_of(task.original), digits.arena.corrupted.truth
    model = method(method.params({"fit": 0.1} if name == "cuts" else {})).unlearn(task, SilentReporter())
    moved = difference(weights_of(model), start)
    generator = torch.Generator().manual_seed(1)
    drawn = {key: torch.randn(value.shape, generator=generator) for key, value in moved.items()}
    random = {key: value * moved[key].norm() / value.norm() for key, value in drawn.items()}

    def healed() -> float:
        said = predict(model, task.data, truth.corrupted).argmax(1)
        return (said == truth.clean_labels[truth.corrupted]).float().mean().item()

    reached = healed()
    walk(model, start, random, 1.0)
    assert reached > healed() + 0.1
