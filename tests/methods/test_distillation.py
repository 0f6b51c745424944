"""SCRUB, bad teacher and JiT: their losses by hand, their schedules, and who is in which mode."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from torch import nn
from trained import Trained

from unlearn_core.methods import registry
from unlearn_core.methods.distillation.bad_teacher import BadTeacher
from unlearn_core.methods.distillation.scrub import Scrub
from unlearn_core.methods.distillation.teachers import Teacher, divergence
from unlearn_core.methods.fine_tuning.jit import Jit, lipschitz_ratio, noisy_copy
from unlearn_core.training import SilentReporter, Trainer


def softmax(logits: list[float], temperature: float = 1.0) -> list[float]:
    powers = [math.exp(z / temperature) for z in logits]
    return [p / sum(powers) for p in powers]


def kl(teacher: list[float], student: list[float], temperature: float = 1.0) -> float:
    pairs = zip(softmax(teacher, temperature), softmax(student, temperature), strict=True)
    return temperature**2 * sum(t * math.log(t / s) for t, s in pairs)


STUDENT = [[1.0, -0.5, 0.2], [0.0, 2.0, 1.0]]
TEACHER = [[2.0, 0.0, -1.0], [0.5, 0.4, 3.0]]
LABELS = torch.tensor([1, 2])
IDS = torch.tensor([0, 1])


class Fixed(nn.Module):
    """Gives the same logits whatever it is asked."""

    def __init__(self, logits: list[list[float]]) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.tensor(logits))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.logits


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_the_divergence_by_hand(temperature: float) -> None:
    expected = sum(kl(t, s, temperature) for t, s in zip(TEACHER, STUDENT, strict=True)) / 2
    value = divergence(torch.tensor(STUDENT), torch.tensor(TEACHER), temperature)
    assert value.item() == pytest.approx(expected, rel=1e-5)
    assert divergence(torch.tensor(STUDENT), torch.tensor(STUDENT), temperature).item() == pytest.approx(0, abs=1e-6)


def fixed_teacher(logits: list[list[float]]) -> Teacher:
    teacher = Teacher.__new__(Teacher)
    teacher.answers = torch.tensor(logits)
    return teacher


@pytest.mark.parametrize("form", ["paper", "bench"])
def test_scrub_s_two_losses_by_hand(form: str) -> None:
    method = Scrub(Scrub.params({"form": form, "alpha": 0.7, "gamma": 3.0, "temperature": 4.0}))
    ascent, descent = method.losses(fixed_teacher(TEACHER))
    ce = -sum(math.log(softmax(s)[y]) for s, y in zip(STUDENT, LABELS.tolist(), strict=True)) / 2
    distance = sum(kl(t, s, 4.0) for t, s in zip(TEACHER, STUDENT, strict=True)) / 2
    up, down = (loss(Fixed(STUDENT), torch.zeros(2, 1), LABELS, IDS).item() for loss in (ascent, descent))
    if form == "paper":
        assert up == pytest.approx(-distance, rel=1e-5)
        assert down == pytest.approx(3.0 * ce + 0.7 * distance, rel=1e-5)
    else:
        assert up == pytest.approx(-(ce + 0.7 * distance), rel=1e-5)
        assert down == pytest.approx(-up)


def test_scrub_s_rounds_of_ascent() -> None:
    assert Scrub(Scrub.params({"epochs": 4, "ascent_epochs": 2})).rounds(1, 98) == [True, True, False, False]
    # The bench's example: a forget set of one step, 98 steps for the rest, 100 steps with ascent: two passes.
    bench = Scrub(Scrub.params({"form": "bench", "epochs": 4, "ascent_steps": 100}))
    assert bench.rounds(1, 98) == [True, True, False, False]


@pytest.mark.parametrize("schedule", ["constant", "bench"])
def test_scrub_s_rate_rises_and_falls_as_the_bench_s_where_asked(
    schedule: str, points: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over 200 steps: 1 % of them up to the highest, then a straight line down to a fifth of it."""
    rates: list[float] = []
    step = Trainer.step

    def noted(self: Trainer, piece: torch.Tensor) -> object:
        rates.append(float(self.optimizer.param_groups[0]["lr"]))
        return step(self, piece)

    monkeypatch.setattr(Trainer, "step", noted)
    steps = {"epochs": 10, "ascent_epochs": 0, "batch_size": math.ceil(len(points.task().retain) / 20)}
    Scrub(Scrub.params({"schedule": schedule, "learning_rate": 0.01} | steps)).unlearn(points.task(), SilentReporter())
    assert len(rates) == 200
    if schedule == "constant":
        assert set(rates) == {0.01}
        return
    assert rates[:3] == [0.005, 0.01, 0.01]
    assert rates[101] == pytest.approx(0.006, rel=0.02)  # halfway down
    assert rates[-1] == pytest.approx(0.002, rel=0.03)


def test_scrub_without_ascent_starts_as_plain_distillation(digits: Trained) -> None:
    """With no ascent, the forget set isn't looked at: what its labels say makes no difference."""
    method = Scrub(Scrub.params({"epochs": 1, "ascent_epochs": 0, "learning_rate": 0.01}))
    one, two = digits.task(), digits.task()
    two = dataclasses.replace(two, forget=two.forget[:1])
    models = [method.unlearn(task, SilentReporter()).state_dict() for task in (one, two)]
    assert all(torch.equal(value, models[1][name]) for name, value in models[0].items())


def test_bad_teacher_s_loss_by_hand() -> None:
    bad = [[0.0, 0.3, 0.0], [0.1, 0.0, 0.0]]
    is_forget = torch.tensor([True, False])
    for temperature in (1.0, 2.0):
        method = BadTeacher(BadTeacher.params({"temperature": temperature}))
        loss = method.loss(fixed_teacher(TEACHER), fixed_teacher(bad), is_forget)
        expected = (kl(bad[0], STUDENT[0], temperature) + kl(TEACHER[1], STUDENT[1], temperature)) / 2
        assert loss(Fixed(STUDENT), torch.zeros(2, 1), LABELS, IDS).item() == pytest.approx(expected, rel=1e-5)


def test_bad_teacher_needs_no_labels(digits: Trained) -> None:

    method = BadTeacher(BadTeacher.params({"epochs": 1, "learning_rate": 1e-3}))
    task = digits.task()
    blank = dataclasses.replace(task.data, labels=torch.zeros_like(task.data.labels))
    other = dataclasses.replace(digits.task(), data=blank)
    models = [method.unlearn(t, SilentReporter()).state_dict() for t in (task, other)]
    assert all(torch.equal(value, models[1][name]) for name, value in models[0].items())


def test_a_teacher_answers_the_same_from_memory_and_anew(digits: Trained) -> None:
    task = digits.task()
    teacher, ids = Teacher(task.frozen_original(), task.data), task.everything[:20]
    remembered = teacher(task.data.batch(ids), ids)
    teacher.answers = None
    torch.testing.assert_close(teacher(task.data.batch(ids), ids), remembered, rtol=1e-4, atol=1e-4)
    assert not teacher.model.training


def test_jit_s_ratio_by_hand() -> None:
    z, z_noisy = torch.tensor([[3.0, 4.0], [1.0, 0.0]]), torch.tensor([[0.0, 0.0], [1.0, 2.0]])
    x, x_noisy = torch.tensor([[0.0, 0.0], [1.0, 1.0]]), torch.tensor([[2.0, 0.0], [1.0, 1.5]])
    assert lipschitz_ratio(z, z_noisy, x, x_noisy).item() == pytest.approx((5 / 2 + 2 / 0.5) / 2)
    # No noise at all moves nothing and divides by nothing.
    assert lipschitz_ratio(z, z, x, x).item() == 0


def test_jit_s_noise_stays_within_the_batch_s_range() -> None:
    x = torch.randn(50, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    noisy = noisy_copy(x, 2.0, torch.Generator().manual_seed(1))
    assert noisy.min() == x.min()
    assert noisy.max() == x.max()
    expected = x + 2.0 * torch.randn(x.shape, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(noisy, expected.clamp(x.min().item(), x.max().item()))


def test_jit_s_loss_on_a_linear_model_by_hand() -> None:
    model = nn.Linear(2, 1, bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[3.0, -1.0]]))
    x = torch.tensor([[0.0, 3.0], [2.0, 1.0], [0.5, -2.0]])
    method = Jit(Jit.params({"draws": 2, "sigma": 0.3}))
    value = method.loss(torch.Generator().manual_seed(5))(model, x, torch.zeros(3), torch.arange(3))
    generator, expected, slope = torch.Generator().manual_seed(5), 0.0, torch.zeros(1, 2)
    for _ in range(2):
        moved = x - noisy_copy(x, 0.3, generator)
        # |w·δ| / ‖δ‖ for each example; only the clean side, w·x, carries a gradient.
        expected += ((moved @ model.weight.T).abs()[:, 0] / moved.norm(dim=1)).mean().item() / 2
        slope += ((moved @ model.weight.T).sign() * x / moved.norm(dim=1, keepdim=True)).mean(0).detach() / 2
    assert value.item() == pytest.approx(expected, rel=1e-5)
    torch.testing.assert_close(torch.autograd.grad(value, model.weight)[0], slope)


def test_jit_keeps_batch_norm_statistics_and_never_looks_at_labels_or_the_rest(digits: Trained) -> None:

    method = Jit(Jit.params({"epochs": 2, "draws": 3}))
    task = digits.task()
    blank = dataclasses.replace(task.data, labels=torch.zeros_like(task.data.labels))
    other = dataclasses.replace(digits.task(), data=blank, retain=task.retain[:5])
    one, two = (method.unlearn(t, SilentReporter()) for t in (task, other))
    assert all(torch.equal(value, two.state_dict()[name]) for name, value in one.state_dict().items())
    before = dict(digits.original.named_buffers())
    assert all(torch.equal(before[name], value) for name, value in one.named_buffers())
    assert not torch.equal(next(one.parameters()), next(digits.original.parameters()))


@pytest.mark.parametrize("name", ["scrub", "bad_teacher", "ssd", "lfssd", "assd", "potion", "wfisher", "jit"])
def test_explanations_have_three_sentences_and_search_spaces_are_valid(name: str) -> None:
    method = registry.get(name)
    assert method.summary.count(". ") == 2
    assert method.summary.endswith(".")
    assert 2 <= len(method.search_space) <= 4
    for field, values in method.search_space.items():
        for value in values:
            for preset in method.presets.values():
                method.params(preset | {field: value})
