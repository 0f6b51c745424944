"""Scores that need no known error: hand examples, and what each of them finds where it was planted."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from pocket import Pocket

from unlearn_core.contracts.measures import make_view
from unlearn_core.discovery import ModelOutputs, out_of_fold, registry
from unlearn_core.discovery.early_cutting import given_up, is_cut, learned_first
from unlearn_core.discovery.gradients import memorisation
from unlearn_core.discovery.patches import find_shared_patches
from unlearn_core.discovery.watched import count_right
from unlearn_core.discovery.watching import watch_training
from unlearn_core.training import SilentReporter


def scored(name: str, view: ModelOutputs) -> torch.Tensor:
    values = registry.get(name).compute(view)
    assert values is not None
    return values


def watched(logits: list[list[list[float]]], labels: list[int]) -> ModelOutputs:
    history = torch.tensor(logits)
    return replace(make_view(len(labels), history.shape[2]), labels=torch.tensor(labels), history=history)


def with_features(features: torch.Tensor, labels: torch.Tensor) -> ModelOutputs:
    return replace(make_view(len(labels)), labels=labels, original_features=features)


def test_the_area_under_the_margin_is_the_mean_of_the_margins() -> None:
    # Margins of the first example: −1, 0, 4; of the second, a memorised wrong label: −3, −2, 2.
    view = watched([[[0, 1], [0, 3]], [[1, 1], [0, 2]], [[4, 0], [2, 0]]], [0, 0])
    assert scored("area_under_margin", view).tolist() == [-1.0, 1.0]


def test_learning_time_and_forgetting_count_epochs() -> None:
    right, wrong = [1.0, 0.0], [0.0, 1.0]
    sequences = [[0, 1, 0, 1, 1, 1], [1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1]]
    view = watched([[right if s[t] else wrong for s in sequences] for t in range(6)], [0, 0, 0, 0])
    assert scored("learning_time", view).tolist() == [4, 1, 7, 7]
    assert scored("forgetting", view).tolist() == [1, 0, 6, 0]


def test_low_confidence_is_one_minus_the_height_of_the_data_map() -> None:
    probabilities = torch.tensor([0.2, 0.4, 0.9])
    history = torch.stack([probabilities.log(), (1 - probabilities).log()], dim=1)[:, None]
    assert scored(
        "low_confidence", replace(make_view(1, 2), labels=torch.tensor([0]), history=history)
    ).item() == pytest.approx(-0.5)


def test_the_spectral_signature_centres_before_it_projects() -> None:
    points = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [2.0, 0.1], [-2.0, -0.1], [0.0, 3.0]])
    found = scored("spectral_signature", with_features(points, torch.zeros(5, dtype=torch.long))).sqrt()
    assert found.tolist() == pytest.approx([0.906, 1.074, 1.911, 2.078, 0.335], abs=1e-3)


def test_spectre_finds_what_the_plain_signature_overlooks() -> None:
    generator = torch.Generator().manual_seed(0)
    points = torch.randn(400, 6, generator=generator) * torch.tensor([10.0, 5, 1, 1, 0.3, 0.3])
    points[:8, 4] += 4.0  # a few, along a direction in which the others hardly vary
    view = with_features(points, torch.zeros(400, dtype=torch.long))
    first = {name: set(scored(name, view).argsort(descending=True)[:8].tolist()) for name in ("spectral_signature", "spectre")}
    assert len(first["spectre"] & set(range(8))) >= 7
    assert not first["spectral_signature"] & set(range(8))


def test_activation_clustering_ranks_the_smaller_group_of_a_class_first() -> None:
    generator = torch.Generator().manual_seed(0)
    points, labels = torch.randn(120, 4, generator=generator), torch.arange(120) % 2
    moved = (labels == 0).nonzero()[:12, 0]
    points[moved, 0] += 12.0
    assert set(scored("activation_clustering", with_features(points, labels)).argsort(descending=True)[:12].tolist()) == set(
        moved.tolist()
    )


def test_a_patch_that_part_of_a_class_shares_is_found_and_placed() -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (90, 1, 8, 8), generator=generator, dtype=torch.uint8)
    images[:, :, :, 7] = 0  # what everybody shares says nothing
    labels = torch.arange(90) % 3
    marked = (labels == 1).nonzero()[:9, 0]
    images[marked, :, 2:4, 3:5] = 255
    found = find_shared_patches(images, labels)
    assert set(found.evidence.nonzero()[:, 0].tolist()) == set(marked.tolist())
    assert found.place[marked].tolist() == [[2, 3, 2]] * 9


def test_a_twin_with_another_label_comes_first() -> None:
    view = make_view()
    inputs = torch.randn(60, 5, generator=torch.Generator().manual_seed(0))
    one, other = 7, int((view.labels != view.labels[7]).nonzero()[0])
    inputs[other] = inputs[one]
    values = scored("near_duplicates", replace(view, inputs=inputs))
    assert set(values.argsort(descending=True)[:2].tolist()) == {one, other}
    assert values[one] == 1.0


def test_confident_learning_puts_what_it_counts_as_wrong_first() -> None:
    # Class 1 is predicted hesitantly throughout: 0.45 for it is much, 0.5 for class 0 little.
    probabilities = torch.tensor([[0.9, 0.1], [0.8, 0.2], [0.5, 0.5], [0.55, 0.45], [0.6, 0.4]])
    view = replace(make_view(5, 2), labels=torch.tensor([0, 0, 0, 1, 1]), held_out=probabilities)
    assert scored("confident_learning", view).argsort(descending=True).tolist() == [2, 4, 3, 1, 0]


def test_doubt_without_the_group_is_what_the_other_network_prefers() -> None:
    apart = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]])
    view = replace(make_view(2, 3), labels=torch.tensor([1, 1]), apart=apart)
    assert scored("group_doubt", view).tolist() == pytest.approx([0.5, -0.7])


def test_what_ranks_without_known_errors_is_not_weighed_by_discovery() -> None:
    view = make_view()
    weighed = {score.name for score in registry if score.weighed}
    assert set(out_of_fold([view], view.known)) == weighed
    assert "area_under_margin" in registry
    assert "area_under_margin" not in weighed


def test_a_data_map_has_a_height_a_breadth_and_a_corner() -> None:
    """Probabilities of three epochs: (0.2, 0.4, 0.9) has mean 0.5 and deviation 0.294, and of two classes it is right in one of
    the three; what is never believed comes first."""
    chances = torch.tensor([[0.2, 0.4, 0.9], [0.1, 0.1, 0.1], [0.05, 0.5, 0.9], [0.9, 0.95, 0.95]])
    history = torch.stack([chances.log(), (1 - chances).log()], dim=2).permute(1, 0, 2)
    view = replace(make_view(4, 2), labels=torch.zeros(4, dtype=torch.long), history=history)
    spread = scored("variability", view)
    assert spread[0].item() == pytest.approx(0.294, abs=5e-4)
    assert spread.argmax().item() == 2
    assert spread[1].item() == pytest.approx(0.0, abs=1e-6)
    assert scored("low_correctness", view).tolist()[:2] == pytest.approx([-1 / 3, 0.0])
    hard = scored("hard_to_learn", view)
    assert hard[0].item() == pytest.approx(-((0.5**2 + 0.294**2) ** 0.5), abs=5e-4)
    assert hard.argmax().item() == 1
    assert hard.argmin().item() == 3
    assert not registry.get("variability").weighed
    assert not registry.get("hard_to_learn").weighed
    assert not registry.get("low_correctness").weighed


def test_the_length_of_an_error_and_of_a_gradient() -> None:
    """p = (0.7, 0.2, 0.1), label 0: √0.14 = 0.374; with ‖h‖² = 3 the last layer's gradient is twice as long."""
    logits = torch.tensor([[0.7, 0.2, 0.1]]).log()
    view = replace(
        make_view(1, 3), labels=torch.tensor([0]), original_logits=logits, original_features=torch.tensor([[1.0, 1.0, 1.0]]),
        history=torch.stack([logits, logits]),
    )  # fmt: skip
    assert scored("el2n", view).tolist() == pytest.approx([0.374], abs=5e-4)
    assert scored("grand", view).tolist() == pytest.approx([0.748], abs=5e-4)


def test_influence_is_the_product_of_the_last_layers_gradients() -> None:
    """Errors (−0.5, 0.5) and (−0.2, 0.2), ⟨h, h'⟩ = 2: 0.2 · 3 = 0.6, and 0.06 with a rate of 0.1; against itself 0.08 · 5."""
    logits, features = torch.tensor([[0.5, 0.5], [0.8, 0.2]]).log(), torch.tensor([[1.0, 0.0], [2.0, 0.0]])
    view = replace(make_view(2, 2), labels=torch.tensor([0, 0]), original_logits=logits, original_features=features)
    found = scored("influence", replace(view, known=torch.tensor([False, True])))
    assert (0.1 * found[0]).item() == pytest.approx(0.06)
    assert found[1].item() == pytest.approx(0.08 * 5)
    opposed = scored("influence", replace(view, labels=torch.tensor([1, 0]), known=torch.tensor([False, True])))
    assert opposed[0].item() == pytest.approx(-0.6)
    assert registry.get("influence").compute(replace(view, known=torch.tensor([False, False]))) is None


def test_memorised_is_what_only_seeing_an_example_taught() -> None:
    """Seen 0.9 and 0.7, not seen 0.1 and 0.3: 0.6."""
    found = memorisation(torch.tensor([[0.9], [0.7]]), torch.tensor([[0.1], [0.3]]))
    assert found.tolist() == pytest.approx([0.6])
    view = replace(
        make_view(1, 2), labels=torch.tensor([1]), original_logits=torch.tensor([[0.2, 0.8]]).log(),
        held_out=torch.tensor([[0.7, 0.3]]),
    )  # fmt: skip
    assert scored("memorisation", view).tolist() == pytest.approx([0.5])
    assert registry.get("memorisation").compute(replace(view, held_out=None)) is None


def of_ten(place: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Loss, confidence and length of the input gradient of ten; the fourth has the highest loss and the second-highest
    confidence, and its gradient is the ``place``-th shortest."""
    loss, confidence, gradient = torch.arange(10.0) / 10, torch.arange(10.0) / 20, torch.arange(1.0, 11)
    loss[3], confidence[3], confidence[0] = 2.0, 0.9, 0.95
    gradient[3] = place - 0.5 if place <= 3 else place + 0.5
    return loss, confidence, gradient


def test_what_is_cut_has_a_high_loss_high_confidence_and_a_short_gradient() -> None:
    """Of ten only the one with the highest loss, among the two most confident and the two of the shortest gradient; none where
    its gradient is the third shortest."""
    assert is_cut(*of_ten(2)).nonzero()[:, 0].tolist() == [3]
    assert not is_cut(*of_ten(3)).any()


def test_what_is_cut_among_contradicted_ones_is_their_most_confident_and_shortest() -> None:
    """Shares of those of high loss alone, and nothing where the given label is predicted."""
    loss = torch.arange(100.0)
    confidence, gradient = torch.zeros(100), torch.arange(100.0)
    confidence[[5, 92, 93]] = torch.tensor([0.99, 0.9, 0.8])  # of the ten highest losses two; the sixth's loss is low
    gradient[[92, 97]] = torch.tensor([50.0, 20.0])
    other = torch.ones(100, dtype=torch.bool)
    assert is_cut(loss, confidence, gradient, other).nonzero()[:, 0].tolist() == [92]
    other[92] = False
    assert not is_cut(loss, confidence, gradient, other)[92]
    assert not is_cut(loss, confidence, gradient, torch.zeros(100, dtype=torch.bool)).any()


def test_an_example_that_is_learned_early_and_then_contradicted_comes_first() -> None:
    right, wrong = [3.0, 0.0], [0.0, 3.0]
    # Learned in three epochs: the first and the second; the second is given up at the end. The third is learned last, the
    # fourth never.
    sequences = [[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0], [0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 0, 0]]
    view = watched([[right if s[t] else wrong for s in sequences] for t in range(6)], [0, 0, 0, 0])
    right = count_right(view)
    assert right is not None
    assert learned_first(right).tolist() == [0, 1]
    assert given_up(right).tolist() == [False, True, False, False]
    found = scored("early_cutting", replace(view, gradients=torch.ones(4)))
    assert found.tolist() == [0.5, 3.0, 0.0, 0.0]
    assert registry.get("early_cutting").compute(replace(view, gradients=None)) is None
    assert registry.get("early_cutting").compute(replace(view, gradients=torch.ones(4), history=None)) is None
    assert not registry.get("early_cutting").weighed


def test_wrong_labels_that_are_believed_first_are_found_once_a_run_knows_better() -> None:
    task = Pocket()
    history, gradients = watch_training(task, SilentReporter())
    view = replace(make_view(len(task.data), 2), labels=task.data.labels, history=history, gradients=gradients)
    first = scored("early_cutting", view).argsort(descending=True)[:6]
    assert set(first.tolist()) == set(task.wrong.tolist())
    late = scored("learning_time", view)
    assert (late[task.wrong] <= late.median()).all()  # what is learned late says nothing of them
