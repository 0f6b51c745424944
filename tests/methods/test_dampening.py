"""Dampening against hand-computed importances and edits, and Potion's search against its definition."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
from tiny import random_task, tiny_data, tiny_task
from torch import nn
from trained import Trained

from unlearn_core.methods import UnlearningTask, accuracy_on, registry
from unlearn_core.methods.dampening.dampening import dampen, ordered_ratios, percentiles, selection_percentile
from unlearn_core.methods.dampening.importance import SCORES, Work, example_gradients, flatten, importance, matched_pieces
from unlearn_core.methods.dampening.potion import LOOK, Potion, search_shares
from unlearn_core.methods.shared.rounds import sample
from unlearn_core.methods.shared.sgd import measure_statistics
from unlearn_core.training import SilentReporter


def measured(
    task: UnlearningTask, pieces: list[torch.Tensor], score: str, squared: bool, per_sample: bool = False
) -> torch.Tensor:
    work = Work(SilentReporter(), len(pieces))
    return importance(task.original, task.data, pieces, SCORES[score], squared=squared, per_sample=per_sample, work=work)


def hand_gradients(task: UnlearningTask, score: str) -> torch.Tensor:
    """Each example's gradient (N, P) for logits z = Wx + b: ∂/∂W = d xᵀ and ∂/∂b = d, with d = ∂score/∂z by hand."""
    z, x = task.original(task.data.inputs).detach(), task.data.inputs
    d = {
        "loss": torch.softmax(z, 1) - torch.eye(task.data.classes, dtype=z.dtype)[task.data.labels],
        "squared_norm": 2 * z,
        "norm": z / z.square().sum(1, keepdim=True).sqrt(),
    }[score]
    return torch.cat([(d[:, :, None] * x[:, None, :]).flatten(1), d], dim=1)


@pytest.mark.parametrize(("score", "squared"), [("loss", True), ("squared_norm", False), ("norm", False)])
def test_importances_by_hand(score: str, squared: bool) -> None:
    task = random_task()
    rows = hand_gradients(task, score)
    power = (lambda g: g.square()) if squared else (lambda g: g.abs())
    one = torch.arange(0, 5)
    two = torch.arange(5, 10)
    batch = (power(rows[one].mean(0)) + power(rows[two].mean(0))) / 2
    torch.testing.assert_close(measured(task, [one, two], score, squared), batch)
    torch.testing.assert_close(measured(task, [one, two], score, squared, per_sample=True), power(rows[:10]).mean(0))


@pytest.mark.parametrize("name", ["ssd", "lfssd", "assd", "potion"])
def test_which_importance_each_method_uses(name: str) -> None:
    expected = {"ssd": ("loss", True), "lfssd": ("squared_norm", False), "assd": ("loss", True), "potion": ("norm", False)}
    method = registry.get(name)
    assert (method.score, method.squared) == expected[name]
    task = random_task()
    _, ratio, _ = method(method.params({"batch_size": 4})).ratios(task, SilentReporter(), extra=0)
    rows = hand_gradients(task, method.score)
    power = (lambda g: g.square()) if method.squared else (lambda g: g.abs())
    reference = task.everything if name in ("ssd", "lfssd") else task.retain
    _, pieces = matched_pieces(task.forget, reference, 4, torch.Generator().manual_seed(1))
    theirs = torch.stack([power(rows[ids].mean(0)) for ids in pieces]).mean(0)
    torch.testing.assert_close(ratio, power(rows[task.forget].mean(0)) / theirs)


def test_per_sample_importance_does_not_depend_on_the_split(digits: Trained) -> None:
    task = digits.task()
    ids = task.everything[:40]
    whole = measured(task, [ids], "loss", True, per_sample=True)
    torch.testing.assert_close(measured(task, list(ids.split(7)), "loss", True, per_sample=True), whole)
    torch.testing.assert_close(measured(task, list(ids.split(1)), "loss", True), whole)


def test_matched_batches_give_a_set_and_its_copies_the_same_importance(digits: Trained) -> None:
    task = digits.task()
    ids = task.everything[:24]
    pieces, more = matched_pieces(ids, ids.repeat(5), 16, torch.Generator().manual_seed(0))
    assert [len(p) for p in pieces] == [12, 12]
    assert {len(p) for p in more} == {12}
    # The same pieces again and again: importance is a mean over pieces, not a sum.
    one, many = measured(task, pieces, "loss", True), measured(task, pieces * 5, "loss", True)
    torch.testing.assert_close(one, many)
    # Unmatched, one batch of everything looks less important than its halves (rule 0.2.3 of the reference notes).
    assert measured(task, [ids], "loss", True).sum() < one.sum()


@pytest.mark.parametrize(("small", "large", "size"), [(43, 1437, 64), (100, 1437, 64), (1, 20, 64), (65, 130, 64)])
def test_matched_pieces_cover_everything_once_and_have_one_size(small: int, large: int, size: int) -> None:
    ours, theirs = matched_pieces(torch.arange(small), torch.arange(large), size, torch.Generator().manual_seed(0))
    assert torch.equal(torch.cat(ours).sort().values, torch.arange(small))
    assert torch.equal(torch.cat(theirs).sort().values, torch.arange(large))
    sizes = [len(piece) for piece in (*ours, *theirs)]
    assert max(sizes) <= size
    assert max(sizes) - min(sizes) <= 1 + max(sizes) * max(sizes) // large


def test_an_example_s_gradient_is_that_of_a_batch_of_one(digits: Trained) -> None:
    task = digits.task()
    rows = example_gradients(task.original, task.data, task.everything[:3], SCORES["loss"])
    loss = nn.functional.cross_entropy(task.original(task.data.batch(task.everything[2:3])), task.data.labels[2:3])
    torch.testing.assert_close(rows[2], flatten(torch.autograd.grad(loss, list(task.original.parameters()))))


def test_a_parameter_that_is_a_single_number_counts_as_one() -> None:
    """A transformer's temperature has no dimension."""

    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.tensor(2.0))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.scale * x

    inputs = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    rows = example_gradients(Scaled(), tiny_data(inputs, torch.tensor([0, 1]), 2), torch.arange(2), SCORES["squared_norm"])
    assert rows.tolist() == [[2 * 2 * 5.0], [2 * 2 * 25.0]]


def test_importances_leave_batch_norm_statistics_alone(digits: Trained) -> None:
    task = digits.task()
    before = copy.deepcopy(dict(task.original.named_buffers()))
    for per_sample in (False, True):
        measured(task, [task.forget], "loss", True, per_sample)
    assert before
    assert all(torch.equal(before[name], value) for name, value in task.original.named_buffers())


def test_dampening_by_hand() -> None:
    values = torch.tensor([2.0, 2.0, 2.0, -2.0, 2.0, 2.0, 2.0])
    ours = torch.tensor([1.0, 10.0, 40.0, 40.0, 3.0, 0.0, 5.0])
    theirs = torch.tensor([1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 10.0])
    edited = dampen(values, ours / theirs, 10.0, 1.0)
    # At the threshold: kept. Above: times 1/40. No importance elsewhere: 0. 0/0: kept.
    torch.testing.assert_close(edited, torch.tensor([2.0, 2.0, 0.05, -0.05, 0.0, 2.0, 2.0]))
    # λ above the ratio never strengthens a weight.
    torch.testing.assert_close(dampen(values, ours / theirs, 10.0, 100.0)[2:4], values[2:4])


def test_ssd_on_a_linear_model_by_hand() -> None:
    # One feature each: the forget example only excites the second, so that its column is its own.
    inputs = torch.tensor([[0.0, 2.0], [1.0, 0.0], [1.0, 0.1]], dtype=torch.float64)
    model = nn.Linear(2, 2, bias=False, dtype=torch.float64)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[1.0, -1.0], [-1.0, 1.0]]))
    task = tiny_task(model, tiny_data(inputs, torch.tensor([0, 0, 0]), 2), [0])

    def column_gradients(x: tuple[float, float]) -> list[float]:
        # p(class 1) = σ(2·(x₂ − x₁)); the gradient of CE on label 0 is ∓p·x in rows 0 and 1.
        p = 1 / (1 + math.exp(-2 * (x[1] - x[0])))
        return [p * x[0], p * x[1]]

    rows = [column_gradients(x) for x in ((0.0, 2.0), (1.0, 0.0), (1.0, 0.1))]
    ours = [g**2 for g in rows[0]]
    theirs = [sum(row[k] ** 2 for row in rows) / 3 for k in (0, 1)]
    assert ours[1] / theirs[1] > 2 > ours[0] / theirs[0]
    method = registry.get("ssd")
    edited = method(method.params({"threshold": 2.0, "strength": 0.5})).unlearn(task, SilentReporter())
    factor = 0.5 * theirs[1] / ours[1]
    torch.testing.assert_close(edited.weight.detach(), torch.tensor([[1.0, -factor], [-1.0, factor]], dtype=torch.float64))


def test_percentiles_are_those_of_numpy() -> None:
    ratio = torch.rand(1001, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 9
    ratio[3], ratio[5] = float("inf"), float("nan")
    q = torch.tensor([0.0, 12.34, 50.0, 97.5, 99.99, 100.0])
    expected = np.percentile(ratio[ratio.isfinite()].numpy(), q.double().numpy())
    torch.testing.assert_close(percentiles(ordered_ratios(ratio), q), torch.from_numpy(expected))
    assert percentiles(torch.empty(0), q).eq(0).all()


def test_assd_s_threshold_is_the_percentile_of_the_forget_share() -> None:
    task, copied = random_task(), random_task()
    method = registry.get("assd")
    unlearner = method(method.params({"batch_size": 4}))
    values, ratio, _ = unlearner.ratios(task, SilentReporter(), extra=0)
    q = 100 - math.log(1 + 100 * 4 / 12)
    alpha = np.percentile(ratio.numpy(), q)
    expected = [v / r if r > max(alpha, 1) else v for v, r in zip(values.tolist(), ratio.tolist(), strict=True)]
    edited = unlearner.unlearn(copied, SilentReporter())
    torch.testing.assert_close(flatten(list(edited.parameters())).detach(), torch.tensor(expected, dtype=torch.float64))


def test_potion_s_percentile_schedule() -> None:
    # The notes' example: 500 of 50,000.
    q = selection_percentile(search_shares(500, 50_000, 25.0, 1.1, 101)).tolist()
    for trial, expected in {0: 99.961, 20: 99.762, 40: 98.97, 60: 97.42, 80: 95.58, 100: 93.69}.items():
        assert q[trial] == pytest.approx(expected, abs=0.006)


def by_definition(task: UnlearningTask, params: dict[str, object]) -> tuple[torch.Tensor, float]:
    """Potion's search as the paper words it: a percentile and an edit for every budget, the first that is good enough."""
    unlearner = Potion(Potion.params(params))
    p = unlearner.p
    values, ratio, _ = unlearner.ratios(task, SilentReporter(), extra=0)
    finite, goal = ratio[ratio.isfinite()].numpy(), p.stop_share * accuracy_on(task.original, task, task.forget)
    share, edits = len(task.forget) / len(task.data) / p.start_divisor, []
    for _ in range(p.trials):
        alpha = float(np.percentile(finite, 100 - math.log(1 + 100 * share)))
        edit = torch.where(ratio > alpha, values * (p.strength / ratio).clamp(max=1), values)
        nn.utils.vector_to_parameters(edit, task.original.parameters())
        measure_statistics(task.original, task.data, SilentReporter(), sample(task.retain, task.seed, LOOK))
        reached = accuracy_on(task.original, task, task.forget)
        edits.append((reached, edit))
        if reached <= goal:
            return edit, reached
        share *= p.growth
    return min(edits, key=lambda pair: pair[0])[1], min(reached for reached, _ in edits)


@pytest.mark.parametrize("params", [{"stop_share": 0.9}, {"stop_share": 0.7, "growth": 1.3}, {"trials": 40}])
def test_potion_stops_where_the_definition_does(digits: Trained, params: dict[str, object]) -> None:
    params = {"batch_size": 64, "trials": 150, "stop_share": 0.0} | params
    expected, reached = by_definition(digits.task(), params)
    task = digits.task()
    goal = Potion.params(params).stop_share * accuracy_on(task.original, task, task.forget)
    edited = Potion(Potion.params(params)).unlearn(task, SilentReporter())
    torch.testing.assert_close(flatten(list(edited.parameters())).detach(), expected)
    assert accuracy_on(edited, task, task.forget) == pytest.approx(reached)
    assert (reached <= goal) == (params["trials"] == 150)
