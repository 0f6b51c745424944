"""Localisation against hand-computed examples, and that what it does not select stays as it was, bit for bit."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from trained import Trained

from unlearn_core.errors import UserError
from unlearn_core.methods import UnlearningTask, registry
from unlearn_core.methods.localised import saliency as localisation
from unlearn_core.methods.localised.del_ import reset, with_head
from unlearn_core.methods.localised.saliency import Criterion, Restriction, criticality, localise, masks_for, select
from unlearn_core.specs import TrainingSpec
from unlearn_core.training import DeviceData, SilentReporter

WEIGHTS = {"a": torch.tensor([[1.0, -2.0], [3.0, 0.5]]), "b": torch.tensor([0.1, 4.0])}
GRADIENTS = {"a": torch.tensor([[2.5, 1.0], [-1.0, 1.5]]), "b": torch.tensor([10.0, 0.45])}
# |θ·G|: a = [[2.5, 2.0], [3.0, 0.75]], b = [1.0, 1.8]. Six elements; rows of two have k = 1, so rows score 2.5 and 3.0.


def test_criticality_by_hand() -> None:
    weighted = criticality(WEIGHTS, GRADIENTS, "weighted_grad")
    torch.testing.assert_close(weighted["a"], torch.tensor([[2.5, 2.0], [3.0, 0.75]]))
    torch.testing.assert_close(weighted["b"], torch.tensor([1.0, 1.8]))
    assert torch.equal(criticality(WEIGHTS, GRADIENTS, "grad")["a"], torch.tensor([[2.5, 1.0], [1.0, 1.5]]))
    assert torch.equal(criticality(WEIGHTS, GRADIENTS, "weight")["b"], torch.tensor([0.1, 4.0]))


@pytest.mark.parametrize(
    ("granularity", "share", "a", "b"),
    [
        ("channel", 0.3, [[0, 0], [1, 1]], [0, 0]),  # a budget of one element: the best row, whole
        ("channel", 0.5, [[1, 1], [1, 1]], [0, 0]),  # three: the second row passes it, and is not split
        ("channel", 0.9, [[1, 1], [1, 1]], [0, 1]),  # five
        ("channel", 1.0, [[1, 1], [1, 1]], [1, 1]),
        ("param", 0.5, [[1, 1], [1, 0]], [0, 0]),
        ("param", 0.7, [[1, 1], [1, 0]], [0, 1]),
    ],
)
def test_del_s_mask_by_hand(granularity: str, share: float, a: list[list[int]], b: list[int]) -> None:
    masks = select(criticality(WEIGHTS, GRADIENTS, "weighted_grad"), granularity, share)  # type: ignore[arg-type]
    assert masks["a"].int().tolist() == a
    assert masks["b"].int().tolist() == b


@pytest.mark.parametrize(
    ("row", "score"),
    [(list(range(21)), 19.0), ([1, 5, 2], 5.0)],  # a fan-in of 21 makes k = 3: (20 + 19 + 18) / 3; one of 3 makes k = 1
)
def test_a_channel_s_score_is_the_mean_of_the_top_tenth_of_its_fan_in(row: list[int], score: float) -> None:
    for rival, chosen in ((score - 0.01, 0), (score + 0.01, 1)):
        rows = torch.stack([torch.tensor(row).float(), torch.full((len(row),), rival)])
        assert select({"weight": rows}, "channel", 0.1)["weight"].all(1).tolist() == [chosen == 0, chosen == 1]


class Flat(nn.Module):
    """Two logits from two inputs, all weights zero: the gradient of the cross entropy is (½ − y)·x."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(2, 2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ self.weight.T


def flat_task() -> UnlearningTask:
    inputs = torch.tensor([[1.0, 2.0], [3.0, -2.0], [9.0, 9.0]])
    data = DeviceData(inputs, torch.tensor([0, 0, 1]), 2, torch.zeros(2), torch.ones(2))
    recipe = TrainingSpec(epochs=1, batch_size=2, learning_rate=0.1)
    return UnlearningTask(Flat(), data, torch.tensor([0, 1]), torch.tensor([2]), lambda seed: Flat(), recipe, 0)  # type: ignore[arg-type,return-value]


@pytest.mark.parametrize("chunk", [1, 512])
def test_gradients_are_summed_over_the_forget_set_before_the_absolute_value(
    chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(localisation, "CHUNK", chunk)
    task, seen = flat_task(), list[dict[str, torch.Tensor]]()

    def watched(weights: dict[str, torch.Tensor], gradients: dict[str, torch.Tensor], criterion: Criterion) -> object:
        seen.append(gradients)
        return criticality(weights, gradients, criterion)

    monkeypatch.setattr(localisation, "criticality", watched)
    masks = localise(task.original, task, SilentReporter(), criterion="grad", granularity="param", share=0.5)
    # −½·((1, 2) + (3, −2)) and its opposite: what the two examples disagree on cancels, in whatever batches they come.
    assert [gradients["weight"].tolist() for gradients in seen] == [[[-2.0, 0.0], [2.0, 0.0]]]
    assert masks["weight"].tolist() == [[True, False], [True, False]]


def test_all_data_may_decide_what_is_critical_too(digits: Trained) -> None:
    task = digits.task()
    wanted = {"granularity": "channel", "share": 0.3}
    own = localise(task.original, task, SilentReporter(), criterion="weighted_grad", **wanted)  # type: ignore[arg-type]
    everyone = localise(task.original, task, SilentReporter(), criterion="weighted_grad_all", **wanted)  # type: ignore[arg-type]
    assert any(not torch.equal(own[name], everyone[name]) for name in own)
    total, chosen = sum(m.numel() for m in own.values()), sum(int(m.sum()) for m in own.values())
    assert 0.3 * total - 1 <= chosen <= 0.3 * total + max(m[0].numel() for m in own.values())


def test_an_empty_forget_set_cannot_be_localised(digits: Trained) -> None:
    task = digits.task()
    task.__dict__["forget"] = task.forget[:0]
    with pytest.raises(UserError):
        masks_for(task.original, task, SilentReporter(), "del", 0.3)


def test_reset_takes_masked_parameters_from_the_fresh_network_and_the_head_may_change_as_a_whole(digits: Trained) -> None:
    task = digits.task()
    model, fresh = task.original, task.fresh_model(9)
    before = {name: p.clone() for name, p in model.named_parameters()}
    statistics = {name: b.clone() for name, b in model.named_buffers()}
    masks = localise(model, task, SilentReporter(), criterion="weighted_grad", granularity="channel", share=0.3)
    reset(model, fresh, masks)
    new = dict(fresh.named_parameters())
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter[masks[name]], new[name][masks[name]])
        assert torch.equal(parameter[~masks[name]], before[name][~masks[name]])
    assert all(torch.equal(b, statistics[name]) for name, b in model.named_buffers())
    open_head = with_head(masks)
    assert open_head["head.weight"].all()
    assert torch.equal(open_head["layers.0.weight"], masks["layers.0.weight"])


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("salun", {"weight_decay": 0.05}),
        ("del", {"weight_decay": 0.05}),
        ("random_label", {"localise": "del", "weight_decay": 0.05}),
        ("finetune", {"localise": "salun"}),
        ("finetune", {"localise": "del"}),
    ],
)
def test_unmasked_parameters_are_bit_identical_after_every_step(name: str, params: dict[str, object], digits: Trained) -> None:
    method = registry.get(name)
    chosen = method.params(method.presets["digits"] | {"epochs": 1} | params)
    task = digits.task()
    task.__dict__["recipe"] = task.recipe.model_copy(update={"weight_decay": 0.05})
    assert task.recipe.momentum > 0
    if name == "del":
        masks = with_head(masks_for(task.original, task, SilentReporter(), "del", chosen.share) or {})
    else:
        masks = masks_for(task.original, task, SilentReporter(), chosen.localise, chosen.localise_share) or {}
    before = {key: p.detach().clone() for key, p in task.original.named_parameters()}

    class Checking(SilentReporter):
        steps = 0

        def step(self, done: int, total: int, **scalars: object) -> None:
            self.steps += 1
            for key, p in task.original.named_parameters():
                assert torch.equal(p[~masks[key]], before[key][~masks[key]]), key

    reporter = Checking()
    model = method(chosen).unlearn(task, reporter)
    assert model is task.original
    assert reporter.steps > 10
    assert sum(int((~mask).sum()) for mask in masks.values()) > 0.3 * sum(mask.numel() for mask in masks.values())
    assert any((p != before[key])[masks[key]].any() for key, p in model.named_parameters())


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.Adam])
def test_a_restriction_also_clears_the_optimiser_s_buffers(kind: type[torch.optim.Optimizer]) -> None:
    layer = nn.Linear(3, 2)
    masks = {"weight": torch.eye(2, 3).bool(), "bias": torch.ones(2).bool()}
    options = {"momentum": 0.9} if kind is torch.optim.SGD else {}
    optimizer = kind(layer.parameters(), lr=0.1, weight_decay=0.1, **options)  # type: ignore[arg-type]
    restriction, before = Restriction(layer, masks), layer.weight.detach().clone()
    for _ in range(3):
        layer(torch.ones(1, 3)).sum().backward()
        optimizer.step()
        restriction.restore(optimizer)
    assert torch.equal(layer.weight[~masks["weight"]], before[~masks["weight"]])
    assert (layer.weight != before)[masks["weight"]].all()
    buffers = [v for v in optimizer.state[layer.weight].values() if v is not None and v.shape == layer.weight.shape]
    assert buffers
    assert all((buffer[~masks["weight"]] == 0).all() and (buffer[masks["weight"]] != 0).all() for buffer in buffers)
