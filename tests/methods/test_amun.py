"""AMUN's attack: what it finds is wrong, within its radius, and out of reach at every smaller radius of the grid."""

from __future__ import annotations

import pytest
import torch
from trained import Trained

from unlearn_core.errors import UserError
from unlearn_core.methods import registry
from unlearn_core.methods.adversarial.amun import Amun
from unlearn_core.methods.adversarial.attack import Attacked, Space, attack_at, margin, nearest_adversarial, radii
from unlearn_core.training import SilentReporter, Trainer

STEPS = 10


def idle() -> None: ...


def attacked(trained: Trained, count: int = 16) -> tuple[Space, Attacked, torch.Tensor, torch.Tensor, list[float]]:
    task = trained.task(discovery=1.0)
    space, ids = Space(task.data), torch.cat([task.forget[: count // 2], task.retain[: count // 2]])
    grid = radii(0.04, space.largest_radius)
    clean, given = space.values(ids), task.data.labels[ids]
    found = nearest_adversarial(space.classifier(task.original), clean, given, grid, STEPS, space.bounded, idle)
    return space, found, clean, given, grid


@pytest.mark.parametrize("kind", ["digits", "points"])
def test_an_example_is_misclassified_within_its_radius_and_no_smaller_one_works(
    kind: str, request: pytest.FixtureRequest
) -> None:
    trained: Trained = request.getfixturevalue(kind)
    space, found, clean, given, grid = attacked(trained)
    classify = space.classifier(trained.task().original)
    assert found.success[: len(clean) // 2].all()  # all of F; a clean point may have no boundary in its direction
    works = found.success
    found = Attacked(found.values[works], found.labels[works], found.radius[works], found.success[works])
    clean, given = clean[works], given[works]
    logits = classify(found.values)
    assert (margin(logits, given) < 0).all()
    assert torch.equal(logits.argmax(1), found.labels)
    assert (found.labels != given).all()
    distance = (found.values - clean).flatten(1).norm(dim=1)
    assert (distance <= found.radius * (1 + 1e-5)).all()
    assert (found.radius > 0).any()
    if kind == "digits":
        assert found.values.min() >= 0
        assert found.values.max() <= 1
    for radius in grid:
        smaller = found.radius > radius * (1 + 1e-6)
        if smaller.any():
            again = attack_at(classify, clean[smaller], given[smaller], radius, STEPS, space.bounded, idle)[2]
            assert not again.any()


def test_points_are_not_clipped_to_a_range_of_pixels(points: Trained) -> None:
    space, found, clean, _, _ = attacked(points, 64)
    assert not space.bounded
    assert space.largest_radius > 2
    assert torch.equal(space.normalise(clean), clean)
    assert found.values.min() < 0
    torch.testing.assert_close(clean[0], points.arena.train.batch(points.task(discovery=1.0).forget[:1])[0])


def test_pixels_and_the_network_s_inputs_are_the_same_thing(digits: Trained) -> None:
    task = digits.task()
    space = Space(task.data)
    torch.testing.assert_close(space.normalise(space.values(task.forget)), task.data.batch(task.forget))


def test_a_saturated_network_does_not_stop_the_attack_and_a_constant_one_ends_it(digits: Trained) -> None:
    task = digits.task()
    space, ids = Space(task.data), task.forget[:4]
    clean, given = space.values(ids), task.data.labels[ids]
    classify = space.classifier(task.original)
    grid = radii(0.04, space.largest_radius)
    # Logits a thousand times as large: float32 cross entropy would have no gradient at all.
    saturated = nearest_adversarial(lambda x: 1000 * classify(x), clean, given, grid, STEPS, True, idle)
    assert saturated.success.all()
    constant = torch.nn.functional.one_hot(given, 10).float()
    passes = []
    deaf = nearest_adversarial(
        lambda x: constant[: len(x)] + 0 * x.sum((1, 2, 3))[:, None], clean, given, grid, 3, True, lambda: passes.append(1)
    )
    assert not deaf.success.any()
    assert torch.equal(deaf.values, clean)
    assert len(passes) == len(grid) * 4


def test_the_grid_doubles_and_ends_at_the_largest_radius() -> None:
    assert radii(0.5, 4.5) == [0.5, 1.0, 2.0, 4.0, 4.5]
    assert radii(0.5, 2.0) == [0.5, 1.0, 2.0]
    assert radii(1.0, 0.5) == [1.0]


Fits = list[tuple[Trainer, torch.Tensor]]


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> Fits:
    """What is trained on in place of a training: the trainer and the indices."""
    seen: Fits = []

    def look(self: Trainer, ids: torch.Tensor) -> torch.nn.Module:
        seen.append((self, ids))
        return self.model

    monkeypatch.setattr(Trainer, "fit", look)
    return seen


def test_added_examples_come_plain_behind_the_training_set(digits: Trained, fits: Fits) -> None:
    task = digits.task()
    Amun(Amun.params({"attack_steps": STEPS})).unlearn(task, SilentReporter())
    [(trainer, _)] = fits
    n, space = len(task.data), Space(task.data)
    classify = space.classifier(task.original)
    x = trainer.data.batch(torch.tensor([n + 1, 5, n]))
    assert torch.equal(x[1], task.data.batch(torch.tensor([5]))[0])
    clean, given = space.values(task.forget), task.data.labels[task.forget]
    found = nearest_adversarial(classify, clean, given, radii(0.04, space.largest_radius), STEPS, space.bounded, idle)
    assert found.success.all()
    torch.testing.assert_close(x[[2, 0]], space.normalise(found.values[:2]))


@pytest.mark.parametrize("retain", [True, False])
@pytest.mark.parametrize("only", [True, False])
def test_what_it_trains_on(retain: bool, only: bool, digits: Trained, fits: Fits) -> None:
    task = digits.task()
    params = {"use_retain": retain, "adversarial_only": only, "attack_steps": STEPS}
    Amun(Amun.params(params)).unlearn(task, SilentReporter())
    [(trainer, ids)] = fits
    n, forget = len(task.data), len(task.forget)
    assert (ids >= n).sum() == forget
    assert torch.isin(task.retain, ids).all() == retain
    assert torch.isin(task.forget, ids).all() == (not only)
    assert len(ids) == forget + retain * len(task.retain) + (not only) * forget
    assert (trainer.data.labels[n:] != task.data.labels[task.forget]).all()


def test_nothing_found_and_nothing_else_to_train_on_is_one_clear_sentence(digits: Trained) -> None:
    method = registry.get("amun")
    params = {"use_retain": False, "adversarial_only": True, "largest_radius": 1e-4, "first_radius": 1e-4, "attack_steps": 1}
    with pytest.raises(UserError, match="no adversarial example"):
        method(method.params(params)).unlearn(digits.task(), SilentReporter())
