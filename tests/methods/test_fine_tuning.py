"""CF-k, EU-k, ℓ1-sparse, random labels, DUCK, NegGrad+ and example-tied dropout: their pieces by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from trained import Trained

from unlearn_core.methods import registry
from unlearn_core.methods.distillation.duck import Distillation, Duck, centroids_of, nearest_wrong
from unlearn_core.methods.fine_tuning.l1_sparse import l1_norm, penalty_at
from unlearn_core.methods.fine_tuning.last_layers import weight_layers
from unlearn_core.methods.retraining.eu_k import EuK
from unlearn_core.methods.shared.relabelling import random_labels
from unlearn_core.methods.shared.sgd import Cycle, count_batches, phases, statistics_kept
from unlearn_core.models import build_model
from unlearn_core.specs import ModelSpec
from unlearn_core.training import SilentReporter, Trainer, batches

MINE = ["amun", "cf_k", "del", "duck", "etd", "eu_k", "finetune", "l1_sparse", "neggrad_plus", "random_label", "salun"]


@pytest.mark.parametrize("name", MINE)
def test_a_method_explains_itself_in_three_sentences_and_can_be_tuned(name: str) -> None:
    method = registry.get(name)
    assert method.summary.count(". ") == 2
    assert method.summary.endswith(".")
    assert 2 <= len(method.search_space) <= 4
    for parameter, values in method.search_space.items():
        assert 2 <= len(values) <= 5
        for value in values:
            method.params({parameter: value})


def test_the_weight_layers_of_every_network() -> None:
    cnn = build_model(ModelSpec(name="cnn", params={"width": 4}), (1, 8, 8), 10, 0)
    assert weight_layers(cnn) == [*([f"layers.{k}", f"norms.{k}.base"] for k in range(3)), ["head"]]
    mlp = build_model(ModelSpec(name="mlp", params={"width": 4, "depth": 2}), (2,), 3, 0)
    assert weight_layers(mlp) == [["layers.0"], ["layers.1"], ["head"]]
    resnet = build_model(ModelSpec(name="resnet9", params={"width": 0.0625}), (3, 32, 32), 10, 0)
    assert weight_layers(resnet) == [*([f"units.{k}.conv", f"units.{k}.norm.base"] for k in range(8)), ["head"]]


@pytest.mark.parametrize("name", ["cf_k", "eu_k"])
@pytest.mark.parametrize("k", [1, 2])
def test_the_prefix_is_bit_identical_statistics_included(name: str, k: int, digits: Trained) -> None:
    method, task = registry.get(name), digits.task()
    before = {key: value.clone() for key, value in task.original.state_dict().items()}
    suffix = tuple(part for group in weight_layers(task.original)[-k:] for part in group)
    model = method(method.params({"k": k, "epochs": 1})).unlearn(task, SilentReporter())
    for key, value in model.state_dict().items():
        assert torch.equal(value, before[key]) == (not key.startswith(suffix)), key
    assert all(p.requires_grad for p in model.parameters())


def test_all_layers_are_the_whole_network(digits: Trained) -> None:
    task = digits.task()
    before = {key: value.clone() for key, value in task.original.state_dict().items()}
    model = EuK(EuK.params({"k": 0, "epochs": 1})).unlearn(task, SilentReporter())
    assert not any(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_eu_k_begins_the_suffix_anew_running_statistics_included(digits: Trained) -> None:
    task = digits.task()
    before = {key: value.clone() for key, value in task.original.state_dict().items()}
    fresh = task.fresh_model(task.seed + 1).state_dict()
    suffix = ("layers.2", "norms.2.base", "head")
    EuK(EuK.params()).prepare(task.original, task, list(suffix))
    for key, value in task.original.state_dict().items():
        assert torch.equal(value, (fresh if key.startswith(suffix) else before)[key]), key
    assert (task.original.state_dict()["norms.2.base.running_mean"] == 0).all()
    assert not torch.equal(fresh["head.weight"], before["head.weight"])


def test_the_sparsity_penalty_falls_linearly_to_nothing() -> None:
    assert [penalty_at(e, 4, 0.8, 0) for e in range(4)] == pytest.approx([0.8, 0.6, 0.4, 0.2])
    assert [penalty_at(e, 5, 0.6, 2) for e in range(5)] == pytest.approx([0.6, 0.4, 0.2, 0.0, 0.0])
    assert penalty_at(0, 2, 0.6, 2) == 0.0
    layer = nn.Linear(2, 1)
    layer.weight.data, layer.bias.data = torch.tensor([[1.0, -2.0]]), torch.tensor([-0.5])
    assert l1_norm(layer).item() == pytest.approx(3.5)


def test_a_heavy_penalty_shrinks_the_weights(digits: Trained) -> None:
    method = registry.get("l1_sparse")
    params = {"epochs": 2, "learning_rate": 0.02, "batch_size": 64}
    free, paid = (
        l1_norm(method(method.params(params | {"penalty": penalty})).unlearn(digits.task(), SilentReporter())).item()
        for penalty in (0.0, 1e-2)
    )
    assert paid < 0.8 * free


def test_random_labels_avoid_the_given_one_when_asked_and_are_uniform_otherwise() -> None:
    given = torch.arange(4).repeat_interleave(3000)
    excluded = random_labels(given, 4, torch.Generator().manual_seed(0), exclude=True)
    assert (excluded != given).all()
    for label in range(4):
        counts = torch.bincount(excluded[given == label], minlength=4)
        assert counts[label] == 0
        assert (counts[torch.arange(4) != label] - 1000).abs().max() < 150
    free = random_labels(given, 4, torch.Generator().manual_seed(0), exclude=False)
    assert 0.22 < (free == given).float().mean() < 0.28


def test_centroids_and_the_nearest_wrong_one_by_hand() -> None:
    features = torch.tensor([[2.0, 0.0], [4.0, 0.0], [0.0, 3.0], [-1.0, 1.0]])
    centroids, known = centroids_of(features, torch.tensor([0, 0, 1, 3]), 4)
    assert centroids.tolist() == [[3.0, 0.0], [0.0, 3.0], [0.0, 0.0], [-1.0, 1.0]]
    assert known.tolist() == [True, True, False, True]
    asked = torch.tensor([[5.0, 1.0], [5.0, 1.0], [-0.2, 1.0], [-0.2, 1.0]])
    # By cosine distance: (5, 1) is nearest to class 0, then 1; (−0.2, 1) to 1, then 3. Class 2 has no centroid.
    assert nearest_wrong(asked, torch.tensor([0, 1, 1, 2]), centroids, known).tolist() == [1, 0, 3, 1]


def test_duck_looks_its_targets_up_by_example_and_never_trains_on_what_it_holds_out(
    digits: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = digits.task()
    run = Distillation(
        Duck.params({"epochs": 2, "batch_size": 16, "retain_batches": 3, "stop_share": 0.0}), task, SilentReporter()
    )
    assert torch.equal(torch.cat([run.held, run.kept]).sort().values, task.retain)
    assert len(run.held) == round(0.1 * len(task.retain))
    run.aim()
    data, model = task.data, digits.original
    centroids, known = centroids_of(model.features(data.batch(task.retain)), data.labels[task.retain], 10)
    for example in task.forget[:5]:
        ids = example[None]
        target = nearest_wrong(model.features(data.batch(ids)), data.labels[ids], centroids, known)
        torch.testing.assert_close(run.targets[ids], centroids[target], rtol=1e-4, atol=1e-5)
    seen, step = [], Trainer.step

    def look(self: Trainer, ids: torch.Tensor) -> torch.Tensor:
        seen.append(ids)
        return step(self, ids)

    monkeypatch.setattr(Trainer, "step", look)
    run.pull()
    run.polish()
    assert len(seen) == 2 * count_batches(len(task.forget), 16) * 3 + 2 * count_batches(len(run.kept), 16)
    assert torch.isin(torch.cat(seen), run.kept).all()


def test_duck_stops_once_the_forget_accuracy_is_low(digits: Trained) -> None:
    def pulls(stop_share: float) -> int:
        class Counting(SilentReporter):
            snapshots = 0

            def snapshot(self, model: nn.Module) -> None:
                self.snapshots += 1

        reporter = Counting()
        params = Duck.params(Duck.presets["digits"] | {"epochs": 4, "stop_share": stop_share, "polish_epochs": 0})
        Duck(params).unlearn(digits.task(), reporter)
        return reporter.snapshots

    assert pulls(1.0) < pulls(0.0) == 4


def test_a_forget_pass_normalises_by_its_batch_and_leaves_the_statistics(digits: Trained) -> None:
    model = digits.task().original.train()
    x = digits.arena.train.batch(torch.arange(16))
    before = model.norms[0].base.running_mean.clone()  # type: ignore[union-attr]
    with statistics_kept(model):
        kept = model(x)
    assert torch.equal(model.norms[0].base.running_mean, before)  # type: ignore[union-attr]
    assert torch.equal(model(x), kept)
    assert not torch.equal(model.norms[0].base.running_mean, before)  # type: ignore[union-attr]


def test_a_cycle_goes_through_everyone_before_it_repeats() -> None:
    cycle = Cycle(torch.arange(5), 2, torch.Generator().manual_seed(0))
    rounds = [torch.cat([next(cycle) for _ in range(2)]) for _ in range(3)]
    assert all(torch.equal(one.sort().values, torch.arange(5)) for one in rounds)
    assert count_batches(5, 2) == 2 == len(batches(torch.arange(5), 2, torch.Generator()))
    assert count_batches(0, 2) == 0


def test_phases_count_on_from_each_other() -> None:
    class Listening(SilentReporter):
        def __init__(self) -> None:
            self.heard: list[tuple[int, int]] = []

        def step(self, done: int, total: int, **scalars: float | torch.Tensor) -> None:
            self.heard.append((done, total))

    reporter = Listening()
    first, empty, last = phases(reporter, 3, 0, 2)
    first.step(1, 9)
    first.step(7, 9)
    empty.step(0, 0)
    last.step(2, 2)
    assert reporter.heard == [(1, 5), (3, 5), (5, 5)]


def test_etd_normalises_the_base_by_what_it_computes_without_the_extra_channels(digits: Trained) -> None:
    method, task = registry.get("etd"), digits.task()
    assert method.needs_own_original
    assert not method.needs_forget
    model = method(method.params({"epochs": 1, "redirect_ratio": 0.5})).unlearn(task, SilentReporter())
    assert model.redirect_layers == (8, 16, 16)
    first = model.layers[0](task.data.batch(task.everything), False)
    norm = model.norms[0].base
    torch.testing.assert_close(norm.running_mean, first.mean((0, 2, 3)), rtol=0.02, atol=0.02)
    assert norm.momentum == 0.1
