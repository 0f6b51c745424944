"""The training loop, its batches and augmentation."""

from __future__ import annotations

import copy
import sys
from itertools import pairwise

import pytest
import torch
from trained import Trained

from unlearn_core.datasets import LabelledData
from unlearn_core.errors import Cancelled, UserError
from unlearn_core.models import build_model
from unlearn_core.specs import ModelSpec, TrainingSpec
from unlearn_core.training import (
    SGD,
    AdamW,
    Augmentation,
    DeviceData,
    FreshTrainer,
    SilentReporter,
    Trainer,
    batches,
    computing_in,
    device_data,
    full_precision,
    predict,
    rate_factor,
)
from unlearn_core.training.fresh import whiten

RECIPE = TrainingSpec(epochs=2, batch_size=16, learning_rate=0.05)


def images(n: int = 40, size: int = 8) -> DeviceData:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (n, 1, size, size), generator=generator, dtype=torch.uint8)
    return DeviceData.place(LabelledData(pixels, torch.arange(n) % 4, ("a", "b", "c", "d")), torch.device("cpu"))


def train(data: DeviceData, seed: int) -> dict[str, torch.Tensor]:
    model = build_model(ModelSpec(name="cnn", params={"width": 4}), (1, 8, 8), 4, 0)
    return Trainer(model, data, RECIPE, seed, SilentReporter()).fit(torch.arange(len(data))).state_dict()


def test_the_same_seed_trains_the_same_model_to_the_bit() -> None:
    data = images()
    one, two, other = train(data, 1), train(data, 1), train(data, 2)
    assert all(torch.equal(one[k], two[k]) for k in one)
    assert any(not torch.equal(one[k], other[k]) for k in one)


def test_bfloat16_on_a_processor_is_asked_for_and_ends_with_what_asked_for_it() -> None:
    data = images()
    usual = train(data, 1)
    with computing_in("bfloat16"):
        halved = train(data, 1)
        again = train(data, 1)
        with full_precision():
            exact = train(data, 1)
    after = train(data, 1)
    assert all(torch.equal(halved[k], again[k]) for k in halved)
    assert all(torch.equal(usual[k], exact[k]) and torch.equal(usual[k], after[k]) for k in usual)
    weights = [k for k in usual if k.endswith("weight")]
    assert all(halved[k].dtype == torch.float32 for k in weights)
    assert any(not torch.equal(halved[k], usual[k]) for k in weights)
    assert all((halved[k] - usual[k]).norm() < 0.1 * usual[k].norm() for k in weights)


def test_an_epoch_visits_every_example_once_and_leaves_no_single_one_alone() -> None:
    ids = torch.arange(100, 133)
    pieces = batches(ids, 16, torch.Generator().manual_seed(0))
    assert torch.equal(torch.cat(pieces).sort().values, ids)
    assert min(len(p) for p in pieces) > 1


def test_the_learning_rate_rises_then_falls_to_its_end() -> None:
    factors = [rate_factor(step, 200, 0.05, 0.2) for step in range(201)]
    assert factors[9] == 1.0
    assert factors[0] == 0.1
    assert factors[200] == pytest.approx(0.2)
    assert all(a >= b for a, b in pairwise(factors[9:]))


def test_cancelling_stops_within_one_batch() -> None:
    class Impatient(SilentReporter):
        asked = 0

        def cancelled(self) -> bool:
            self.asked += 1
            return self.asked > 3

    model = build_model(ModelSpec(name="cnn", params={"width": 4}), (1, 8, 8), 4, 0)
    reporter = Impatient()
    with pytest.raises(Cancelled):
        Trainer(model, images(), RECIPE, 0, reporter).fit(torch.arange(40))
    assert reporter.asked == 4


def test_training_on_nothing_is_said_plainly() -> None:
    model = build_model(ModelSpec(name="cnn", params={"width": 4}), (1, 8, 8), 4, 0)
    with pytest.raises(UserError, match="nothing to train on"):
        Trainer(model, images(), RECIPE, 0, SilentReporter()).fit(torch.arange(0))


def test_prediction_does_not_depend_on_the_pieces_or_the_order(digits: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    data, model = digits.arena.train, digits.original
    whole = predict(model, data)
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(1))
    monkeypatch.setattr(device_data, "EVAL_EXAMPLES", 17)
    assert {len(piece) for piece in data.eval_batches(order)[:-1]} == {17}
    torch.testing.assert_close(predict(model, data, order), whole[order], rtol=1e-4, atol=1e-4)


def test_prediction_is_in_eval_mode_and_leaves_the_network_as_it_was(digits: Trained) -> None:
    """Batch norm uses its running statistics, whoever is in the batch, and does not learn from what it is shown."""
    data, model = digits.arena.train, copy.deepcopy(digits.original)
    norms = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert norms
    expected = model.eval()(data.batch(torch.arange(40)))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.train()
    torch.testing.assert_close(predict(model, data, torch.arange(40)), expected, rtol=1e-5, atol=1e-5)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    model.eval()
    predict(model, data, torch.arange(3))
    assert not model.training


def test_inputs_are_normalised_by_the_training_data(digits: Trained) -> None:
    x = digits.arena.train.batch(torch.arange(len(digits.arena.train)))
    assert x.mean().item() == pytest.approx(0, abs=1e-3)
    assert x.std().item() == pytest.approx(1, abs=1e-2)
    assert torch.equal(digits.arena.test.mean, digits.arena.train.mean)


@pytest.mark.parametrize("channels", [1, 3])
def test_what_a_convolution_makes_of_a_batch_has_its_channels_innermost(channels: int) -> None:
    pixels = torch.randint(0, 256, (6, channels, 8, 8), dtype=torch.uint8)
    data = DeviceData.place(LabelledData(pixels, torch.arange(6) % 2, ("a", "b")), torch.device("cpu"))
    x = data.batch(torch.tensor([4, 0, 5]))
    expected = (pixels[[4, 0, 5]] - data.mean[:, None, None]) / data.std[:, None, None]
    torch.testing.assert_close(x, expected)
    seen = torch.nn.Conv2d(channels, 8, 3, padding=1)(x)
    assert seen.stride() == (8 * 8 * 8, 1, 8 * 8, 8)


class TestAugmentation:
    def test_a_corner_patch_stays_put_and_the_rest_moves(self) -> None:
        pictures = torch.rand(64, 3, 32, 32)
        pictures[..., 29:, 29:] = 7.0
        still = (slice(29, 32), slice(29, 32))
        moved = Augmentation(flip=True, still=still)(pictures, torch.Generator().manual_seed(0))
        assert (moved[..., 29:, 29:] == 7.0).all()
        outside = moved.clone()
        outside[..., 29:, 29:] = 0
        assert outside.max() < 7.0, "no second, moved copy of the patch"
        assert not torch.equal(moved, pictures)

    def test_without_flip_and_padding_nothing_changes(self) -> None:
        pictures = torch.rand(5, 3, 16, 16)
        assert torch.equal(Augmentation(padding=0)(pictures, torch.Generator().manual_seed(0)), pictures)

    def test_it_only_shifts_and_mirrors(self) -> None:
        pictures = torch.arange(1.0, 17.0).reshape(1, 1, 4, 4).expand(200, 1, 4, 4)
        moved = Augmentation(padding=1, flip=True)(pictures, torch.Generator().manual_seed(0))
        padded = torch.nn.functional.pad(pictures[:1], (1, 1, 1, 1))
        legal = {
            tuple(variant[..., r : r + 4, c : c + 4].flatten().tolist())
            for variant in (padded, padded.flip(-1))
            for r in range(3)
            for c in range(3)
        }
        seen = {tuple(picture.flatten().tolist()) for picture in moved}
        assert seen <= legal
        assert len(seen) == 18


@pytest.mark.parametrize("kind", [SGD, AdamW])
def test_our_optimisers_step_as_torch_s_and_without_its_compiler(kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = []
    for made in (getattr(torch.optim, kind.__name__), kind):
        parameter = torch.nn.Parameter(torch.linspace(-1, 1, 7))
        optimizer = made([parameter], lr=0.1, weight_decay=0.01, fused=True)
        optimizer.add_param_group({"params": [torch.nn.Parameter(torch.zeros(2))]})
        for _ in range(3):
            optimizer.zero_grad()
            (parameter**3).sum().backward()
            optimizer.step()
        weights.append(parameter.detach().clone())
        monkeypatch.setitem(sys.modules, "torch._dynamo", None)  # ours, which come second, may not import it
    assert torch.equal(*weights)
    assert not torch.equal(weights[0], torch.linspace(-1, 1, 7))


def fresh(recipe: TrainingSpec, data: DeviceData, ids: torch.Tensor | None = None, name: str = "resnet9") -> torch.nn.Module:
    params = {"width": 0.0625} if name == "resnet9" else {"width": 4}
    model = build_model(ModelSpec(name=name, params=params), tuple(data.inputs.shape[1:]), 4, 0)
    return FreshTrainer(model, data, recipe, 1, SilentReporter()).fit(torch.arange(len(data)) if ids is None else ids)


def test_a_fresh_start_without_more_is_plain_training_to_the_bit() -> None:
    data = images()
    model = build_model(ModelSpec(name="cnn", params={"width": 4}), (1, 8, 8), 4, 0)
    one = FreshTrainer(model, data, RECIPE, 1, SilentReporter()).fit(torch.arange(len(data))).state_dict()
    assert all(torch.equal(one[k], value) for k, value in train(data, 1).items())


def test_whitened_filters_give_uncorrelated_answers_and_see_only_what_is_trained_on() -> None:
    data = images(60, 16)
    data.inputs[30:] = 255 - data.inputs[30:] // 2  # others than those that are trained on look otherwise
    # Neighbouring pixels alike, as in photographs: without whitening the answers correlate.
    smooth = torch.nn.functional.avg_pool2d(data.inputs.float(), 3, 1, 1)
    data.inputs.copy_(smooth.to(torch.uint8))
    model = build_model(ModelSpec(name="cnn", params={"width": 8}), (1, 16, 16), 4, 0)
    filters = model.first_filters()
    assert filters is not None
    before = filters.detach().clone()
    seen = torch.arange(30)

    def largest_correlation() -> float:
        answers = torch.nn.functional.conv2d(data.batch(seen), filters.detach())[:, :4].transpose(0, 1).flatten(1)
        return (torch.corrcoef(answers) - torch.eye(4)).abs().max().item()

    usual = largest_correlation()
    whiten(model, data, seen)
    assert largest_correlation() < 0.1 < usual
    assert torch.equal(filters[:4], -filters[4:])
    assert filters.std().item() == pytest.approx(before.std().item(), rel=0.15)
    kept = filters.detach().clone()
    whiten(model, data, torch.arange(60))
    assert not torch.allclose(kept, filters)


def test_the_first_steps_are_on_smaller_images_and_the_others_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    data, sides = images(64, 32), list[int]()
    trained = torch.nn.Module.__call__

    def call(self: torch.nn.Module, x: torch.Tensor, *more: object) -> torch.Tensor:
        if type(self).__name__ == "ResNet9Net":
            sides.append(x.shape[-1])
        return trained(self, x, *more)

    monkeypatch.setattr(torch.nn.Module, "__call__", call)
    fresh(RECIPE.model_copy(update={"small": 0.5}), data)
    assert sides == [20] * 4 + [32] * 4


def test_what_cannot_begin_so_is_refused_in_a_sentence() -> None:
    with pytest.raises(UserError, match=r"training\.small at 0"):
        fresh(RECIPE.model_copy(update={"small": 0.5}), images(), name="cnn")
    points = DeviceData.place(LabelledData(torch.randn(20, 2), torch.arange(20) % 2, ("a", "b")), torch.device("cpu"))
    model = build_model(ModelSpec(name="mlp", params={"width": 8}), (2,), 2, 0)
    with pytest.raises(UserError, match=r"training\.whiten to false"):
        FreshTrainer(model, points, RECIPE.model_copy(update={"whiten": True}), 1, SilentReporter()).fit(torch.arange(20))


def test_going_on_from_a_trained_network_knows_nothing_of_its_beginning() -> None:
    data, weights = images(40, 32), []
    for told in (RECIPE, RECIPE.model_copy(update={"small": 0.9, "whiten": True})):
        model = build_model(ModelSpec(name="resnet9", params={"width": 0.0625}), (1, 32, 32), 4, 0)
        weights.append(Trainer(model, data, told, 1, SilentReporter()).fit(torch.arange(len(data))).state_dict())
    assert all(torch.equal(value, weights[1][k]) for k, value in weights[0].items())
