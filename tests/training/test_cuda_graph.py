"""Steps that are recorded once and replayed give what plain steps give. A stand-in records where there is no GPU: like a graph
it reads and writes the tensors that were there when it was recorded, and nothing else."""

from __future__ import annotations

import copy
import dataclasses

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from unlearn_core.datasets import LabelledData
from unlearn_core.methods import UnlearningTask, registry
from unlearn_core.models import build_model
from unlearn_core.specs import ModelSpec, TrainingSpec
from unlearn_core.training import Augmentation, DeviceData, SilentReporter, Trainer, autocast, cross_entropy, full_precision
from unlearn_core.training import cuda_graph as capture
from unlearn_core.training.cuda_graph import Recording, Replay, Work

RECIPE = TrainingSpec(epochs=4, batch_size=16, learning_rate=0.05)
CPU = torch.device("cpu")


class Recorder:
    """Counts recordings and replays."""

    def __init__(self) -> None:
        self.recorded = self.replayed = 0

    def __call__(self, work: Work, inputs: tuple[torch.Tensor, ...]) -> Recording:
        self.recorded += 1
        fixed, out = tuple(tensor.clone() for tensor in inputs), torch.zeros(())

        def run() -> None:
            self.replayed += 1
            out.copy_(work(*fixed))

        return Recording(run, fixed, out)


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    found = Recorder()
    monkeypatch.setattr(capture, "graphs_wanted", lambda device: True)
    monkeypatch.setattr(capture, "record", found)
    monkeypatch.setattr(capture, "WARM", 2)
    return found


def images() -> DeviceData:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (72, 1, 8, 8), generator=generator, dtype=torch.uint8)
    return DeviceData.place(
        LabelledData(pixels, torch.arange(72) % 4, ("a", "b", "c", "d")), CPU, Augmentation(padding=2, flip=True)
    )


def train(loss: object = cross_entropy) -> tuple[Trainer, dict[str, torch.Tensor]]:
    model = build_model(ModelSpec(name="cnn", params={"width": 4}), (1, 8, 8), 4, 0)
    trainer = Trainer(model, images(), RECIPE, 1, SilentReporter(), loss)  # type: ignore[arg-type]
    return trainer, trainer.fit(torch.arange(72)).state_dict()


def test_replayed_training_is_training(recorder: Recorder) -> None:
    trainer, replayed = train()
    # 4 epochs of 4 batches of 16 and one of 8: two plain calls of either shape.
    assert recorder.recorded == 2
    assert recorder.replayed == 14 + 2
    assert trainer.optimizer.param_groups[0]["lr"].item() == pytest.approx(RECIPE.learning_rate * 0.2, rel=0.3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(capture, "graphs_wanted", lambda device: False)
        _, plain = train()
    assert (recorder.recorded, recorder.replayed) == (2, 16)  # the plain one added none
    for name, value in plain.items():
        torch.testing.assert_close(replayed[name], value, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("augmented", [False, True])
def test_replayed_redirection_is_rem_to_the_bit(augmented: bool, recorder: Recorder) -> None:
    rem = registry.get("rem")
    values = {"steps": 10, "batch_size": 16, "flush_passes": 2, "learning_rate": 0.01, "forget_per_batch": 2, "repeat": False}
    data = images() if augmented else dataclasses.replace(images(), augmentation=None)

    def unlearn() -> dict[str, torch.Tensor]:
        model = build_model(ModelSpec(name="cnn", params={"width": 4}), (1, 8, 8), 4, 0)
        task = UnlearningTask(model, data, torch.arange(8), torch.arange(8, 72), lambda seed: model, RECIPE, 0)
        return rem(rem.params(rem.full_params(values))).unlearn(task, SilentReporter()).state_dict()

    replayed = unlearn()
    assert recorder.replayed == 6  # two rounds of four batches of 16 and one of 8: two plain steps of either size come first
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(capture, "graphs_wanted", lambda device: False)
        plain = unlearn()
    assert all(torch.equal(replayed[name], value) for name, value in plain.items())


def test_only_losses_that_say_so_are_recorded(recorder: Recorder) -> None:
    def decaying(model: nn.Module, x: torch.Tensor, y: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(model(x), y)

    train(decaying)
    assert recorder.recorded == 0


def test_data_that_make_batches_in_a_way_of_their_own_are_not_recorded(recorder: Recorder) -> None:
    class Other(DeviceData):
        pass

    data = images()
    own = Other(*(getattr(data, field.name) for field in dataclasses.fields(data)))
    model = build_model(ModelSpec(name="cnn", params={"width": 4}), (1, 8, 8), 4, 0)
    Trainer(model, own, RECIPE, 1, SilentReporter()).fit(torch.arange(72))
    assert recorder.recorded == 0


def test_what_cannot_be_recorded_is_computed_all_the_same(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> Recording:
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(capture, "record", fails)
    replay = Replay(lambda x: x.sum(), CPU)
    assert [replay(torch.full((2,), float(k))).item() for k in range(5)] == [0.0, 2.0, 4.0, 6.0, 8.0]
    assert replay.on is False
    assert sum("not permitted" in message for message in caplog.messages) == 1


def test_what_a_replay_returned_stays(recorder: Recorder) -> None:
    replay = Replay(lambda x: x.sum(), CPU)
    found = [replay(torch.full((2,), float(k))) for k in range(6)]
    assert recorder.replayed == 4
    assert [value.item() for value in found] == [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]


def test_graphs_are_wanted_on_a_gpu_where_they_were_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = torch.device("cuda")
    monkeypatch.delenv(capture.SWITCH, raising=False)
    assert not capture.graphs_wanted(gpu)
    monkeypatch.setenv(capture.SWITCH, "1")
    assert capture.graphs_wanted(gpu)
    assert not capture.graphs_wanted(CPU)


def test_what_was_drawn_before_moves_images_as_drawing_now() -> None:
    data, ids = images(), torch.arange(20)
    now = data.batch(ids, torch.Generator().manual_seed(5))
    before = data.batch(ids, data.draw(20, torch.Generator().manual_seed(5)))
    assert torch.equal(now, before)
    assert not torch.equal(now, data.batch(ids))
    plain = dataclasses.replace(data, augmentation=None)
    assert plain.draw(20, torch.Generator()) == ()


def test_running_statistics_are_followed_where_they_lie() -> None:
    """A recorded step writes into the tensors that it was recorded with: they must be the network's own afterwards."""
    scenario = ModelSpec(name="resnet9", params={"width": 0.0625})
    model = build_model(scenario, (3, 32, 32), 10, 0).train()
    model.widen(1.0, 0)
    norms = [module for name, module in model.named_modules() if isinstance(module, nn.BatchNorm2d) and "redirect" in name]
    places, before = [norm.running_mean.data_ptr() for norm in norms], copy.deepcopy(model.state_dict())
    x = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    model(x, torch.ones(1, model.redirect_channels))
    assert [norm.running_mean.data_ptr() for norm in norms] == places
    after = model.state_dict()
    changed = {name for name in after if "running" in name and not torch.equal(after[name], before[name])}
    assert changed == {name for name in after if "running" in name and "redirect" in name}


def test_full_precision_on_a_gpu_is_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[object] = []
    monkeypatch.setattr(torch, "autocast", lambda *values: used.append(values))
    autocast(torch.device("cuda"))
    before = torch.backends.cudnn.allow_tf32
    with full_precision():
        assert torch.backends.cudnn.allow_tf32 is False
        autocast(torch.device("cuda"))
    assert torch.backends.cudnn.allow_tf32 is before
    assert used == [("cuda", torch.bfloat16)]
