"""REM with the published values is the published algorithm, where that differs from what the presets do."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn
from trained import Trained

from unlearn_core.methods import registry
from unlearn_core.methods.redirection.params import RemParams, count_rounds, total_steps
from unlearn_core.methods.redirection.references import masked_losses
from unlearn_core.methods.redirection.rem import Redirection
from unlearn_core.models import RedirectNorm2d
from unlearn_core.models import registry as models
from unlearn_core.models.resnet9 import ResNet9Net
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.training import SilentReporter

PUBLISHED = {
    "learning_rate": 0.005, "batch_size": 512, "steps": 980, "beta": 1.0, "repair_beta": 1.0, "mask_share": 0.2,
    "forget_share": 0.2, "flush_threshold": 0.2, "flush_passes": 100, "keep_best": True, "repeat": False,
    "removal_reference": "masked", "flush_momentum": True, "statistics": "mixed", "momentum": 0.9, "weight_decay": 5e-4,
    "redirect_ratio": 1.0, "forget_weight": 0.0, "forget_per_batch": 0, "flush_clip": 0.0, "round_steps": 0, "most_work": 0.0,
}  # fmt: skip


PROGRAM = {"removal_reference": "masked", "flush_momentum": True, "statistics": "mixed", "repeat": False}


def redirection(trained: Trained, **params: Any) -> Redirection:
    """A run as the public program's."""
    task = trained.task(discovery=0.5)
    task.original.widen(1.0, 1)
    return Redirection(RemParams(**PROGRAM, **params), task, task.original, SilentReporter())


@pytest.mark.parametrize("dataset", ["digits", "blobs"])
def test_the_paper_s_values_are_the_same_on_all_data(dataset: str) -> None:
    scenario = make_scenario(dataset)
    spec = make_method("rem", scenario, values="paper")
    assert {name: spec.params[name] for name in PUBLISHED} == PUBLISHED
    usual = make_method("rem", scenario)
    assert spec.key != usual.key
    # What is not written leaves the keys of older runs as they were. On digits a round is repeated in place of the run.
    assert not (set(PROGRAM) - ({"repeat"} if dataset == "digits" else set())) & set(usual.params)


def test_980_steps_whatever_the_size_of_the_set() -> None:
    params = RemParams(steps=980)
    assert (total_steps(params, 50_000), count_rounds(params, 50_000)) == (980, 10)
    assert (total_steps(params, 1437), count_rounds(params, 1437)) == (980, 327)
    assert total_steps(RemParams(epochs=4, batch_size=256), 1437) == 4 * 6


def test_a_run_ends_after_its_steps_in_the_middle_of_a_round(digits: Trained) -> None:
    seen: list[tuple[int, int]] = []

    class Counting(SilentReporter):
        def step(self, done: int, total: int, **scalars: float | torch.Tensor) -> None:
            seen.append((done, total))

    rem = registry.get("rem")
    rem(rem.params({"steps": 7, "flush_passes": 1})).run_single(digits.task(discovery=0.5), Counting())
    assert seen == [(done, 7) for done in range(1, 8)]  # three steps a round, so the third round is cut short


def test_both_terms_start_from_the_loss_with_the_forget_mask(digits: Trained) -> None:
    run = redirection(digits)
    forget = run.task.forget
    with torch.no_grad():
        mask = run.forget_mask.expand(len(forget), -1)
        expected = masked_losses(run.reference.model, run.task.data, run.task.data.batch(forget), forget, mask)
    torch.testing.assert_close(run.reference.dropped[forget], expected)
    torch.testing.assert_close(run.reference.masked[forget], expected)
    run.model.eval()
    # −ℓ(CE(drop), CE₀) no longer begins at 2·log 2, since CE₀ is that of the mask.
    dropped = masked_losses(run.model, run.task.data, run.task.data.batch(forget[:3]), forget[:3], None)
    removal = -2 * torch.nn.functional.logsigmoid(dropped - expected[:3]).sum().item()
    repair = (3 + 5) * 2 * math.log(0.5)
    assert run.loss(torch.cat([forget[:3], run.task.retain[:5]])).item() == pytest.approx((removal + repair) / 8, abs=1e-4)


def test_a_flush_goes_on_with_redirection_s_momentum(digits: Trained) -> None:
    run = redirection(digits, learning_rate=0.02)
    run.flush()
    assert run.optimizer.state  # what pushed F out goes on pushing


@pytest.mark.parametrize(("statistics", "follows"), [("mixed", True), ("retain", False)])
@pytest.mark.parametrize("whole", [True, False])
def test_running_means_follow_both_passes_or_that_without_redirect_alone(statistics: str, follows: bool, whole: bool) -> None:
    norm = RedirectNorm2d(3, whole=whole)
    norm.widen(2)
    norm.mixed = statistics == "mixed"
    x = torch.randn(16, 5, 4, 4, generator=torch.Generator().manual_seed(0)) + 7
    norm.train()(x, on=True)
    moved = norm.base.running_mean.abs() > 0.5
    assert bool(moved.all()) is follows
    assert not moved.any() or torch.allclose(norm.base.running_mean, 0.1 * x[:, :3].mean((0, 2, 3)), atol=1e-5)
    norm(x[:, :3], on=False)
    assert (norm.base.running_mean > 0.5).all()


def test_statistics_are_left_as_the_passes_left_them(digits: Trained) -> None:
    class Watching(SilentReporter):
        def snapshot(self, model: nn.Module) -> None:
            shown.append({name: value.clone() for name, value in model.state_dict().items() if "running_mean" in name})

    shown: list[dict[str, torch.Tensor]] = []
    rem = registry.get("rem")
    for statistics in ("mixed", "retain"):
        params = rem.params({"steps": 3, "flush_passes": 0, "statistics": statistics, "learning_rate": 1e-9})
        rem(params).run_single(digits.task(discovery=0.5), Watching())
    mixed, measured = shown
    start = {name: value for name, value in digits.original.state_dict().items() if "running_mean" in name}
    name = next(iter(start))
    # Three passes of each kind at momentum 0.1 leave half of what was there; a mean over the retain set leaves nothing of it.
    assert not torch.equal(mixed[name], measured[name])
    assert (mixed[name] - start[name]).abs().max() > 0


def test_the_published_base_is_whole_inside_its_residual_blocks() -> None:
    def size(model: nn.Module) -> int:
        return sum(p.numel() for p in model.parameters())

    published = ResNet9Net(3, 0.5, 10, whole_blocks=True).eval()
    assert size(published) == 940_032
    assert size(ResNet9Net(3, 0.5, 10)) == 570_816
    x = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    before = published(x)
    published.widen(1.0, seed=0)
    assert size(published) == size(ResNet9Net(3, 1.0, 10)) == 2_276_224  # with its redirect channels it is the whole network
    assert published.redirect_channels == 480
    assert torch.equal(published(x), before)
    assert not torch.equal(published(x, torch.ones(1, 480)), before)
    published.narrow()
    assert torch.equal(published(x), before)


def test_whole_blocks_are_part_of_the_key_only_where_they_are_chosen() -> None:
    source = models.get("resnet9")
    assert "whole_blocks" not in source.full_params({})
    assert source.full_params({"whole_blocks": True})["whole_blocks"] is True
