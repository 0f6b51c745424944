"""PGU: raise the loss of F in directions that the rest of the data hardly uses (Hoang et al. 2024, arXiv:2312.04095)."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from functools import partial

import torch
from pydantic import Field
from torch import nn

from unlearn_core.errors import UserError
from unlearn_core.methods import MethodParams, Region, UnlearningTask, register
from unlearn_core.methods.dampening.importance import Work
from unlearn_core.methods.shared.fitting import FittedMethod
from unlearn_core.methods.shared.layer_inputs import input_moments, kernel_layers, moment_steps
from unlearn_core.methods.shared.preference import accuracy_on
from unlearn_core.methods.shared.rounds import add_report
from unlearn_core.methods.shared.sgd import count_batches, phases, sgd_recipe
from unlearn_core.training import Loss, Reporter, Trainer, batches, real, set_rate


class PguParams(MethodParams):
    epochs: int = Field(100, ge=1, le=1000, description="Passes over the forget set at most")
    learning_rate: float = Field(0.05, gt=0, le=10, description="Rate of plain SGD in the first pass")
    final: float = Field(0.2, gt=0, le=1, description="Rate in the last pass, as a share of that in the first")
    batch_size: int = Field(128, ge=1, le=8192, description="Examples in a step")
    ratio: float = Field(0.95, gt=0, lt=1, description="Share of what a layer sees of the rest whose directions are kept")
    offset: float = Field(0.05, gt=0, le=1, description="Keeps the loss of an example that is said for certain finite")
    entropy: float = Field(0.2, ge=0, le=10, description="Price of an answer that is spread over many classes")
    threshold: float = Field(0.2, ge=0, le=1, description="Stop once the forget accuracy is at most this")


@register
class Pgu(FittedMethod[PguParams]):
    """W_l ← W_l − η·(∂ℓ_F/∂W_l)·(I − P_l),  ℓ = −log(1 − p_ỹ + o) + w·H(p),  P_l = U_k·U_kᵀ,  Σ_R x·xᵀ = U·diag(s²)·Uᵀ.

    Symbols: l are convolutions and linear layers, x what such a layer sees of R; k is the largest number of directions with
    Σ_{j≤k} s_j ≤ ``ratio``·Σ_j s_j, at least one. p are softmax outputs, ỹ the given label, o is ``offset``; H is the entropy,
    w is ``entropy``. η falls geometrically from ``learning_rate`` to ``final`` of it in ``epochs`` passes over F in batches of
    ``batch_size``, without momentum; they end once F's accuracy on given labels is at most ``threshold``. Nothing but those
    weights changes, and all of it is in eval mode.
    Given: F with its given labels; the inputs of R, for P alone.
    Fails: R holds undiscovered corruption, and what it uses is kept: at the published ratio of 0.95 a trigger stays as it is.
    Where F is said for certain the loss has hardly any slope.
    Source: Hoang et al. 2024, arXiv:2312.04095. Its program unfolds every convolution with stride 1, subtracts a moment of
    plain images from one of augmented ones, and ends the whole process where the first pass goes too far; its variant for wrong
    labels has to know all that is right and stops by test accuracy. Here the moments are those of R, of what each layer really
    sees.
    Values: Published for CIFAR-10, but the end: that is where F fits no better than held-out data, and here there are none that
    the original was not trained on. The threshold is that of gradient ascent here. A lower ratio is the knob for wrong labels:
    0.7 is taken for all kinds of data.
    """

    name, label, paper = "pgu", "PGU", "arXiv:2312.04095"
    family = "ascent"
    cost = 0.3
    statistics = "kept"
    summary = (
        "Raises the loss of the forget set, with the weights of every layer moving only in directions that what the layer sees "
        "of the other data hardly uses. "
        "It relies on the outputs of the others staying as they are, whatever is done to the forget set. "
        "Undiscovered corruption is among the others, and so is protected: at the published ratio a trigger stays."
    )
    designed_for = Region(regularity=(0.0, 0.5), discovery=(0.9, 1.0))
    presets = {"photos": {"ratio": 0.7}, "digits": {"ratio": 0.7}, "points": {"ratio": 0.7}}
    published = {"": {"ratio": 0.95}}
    search_space = {"ratio": [0.5, 0.65, 0.8, 0.95], "learning_rate": [0.02, 0.05, 0.1, 0.3]}

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        p, model = self.p, task.original.eval()
        steps, layers = count_batches(len(task.forget), p.batch_size), len(kernel_layers(model))
        looking, solving, training = phases(reporter, moment_steps(model, task.data, task.retain), layers, p.epochs * steps)
        moments = input_moments(model, task.data, task.retain, looking)
        if not moments:
            raise UserError("PGU moves convolutions and linear layers, and this network has none that are called.")
        kept: dict[str, torch.Tensor] = {}
        for name in Work(solving, len(moments)).pieces(list(moments)):
            kept[name] = projection(moments.pop(name), p.ratio)
        with projected(model, kept):
            left = self.push(task, training, reporter)
        add_report(model, projection={"kept": kept_share(kept), "left": left})
        return model

    def push(self, task: UnlearningTask, work: Reporter, reporter: Reporter) -> float:
        """Passes over F until little enough of it is said as given; returns how much that is."""
        p, model, done = self.p, task.original, 0
        plain = dataclasses.replace(task.data, augmentation=None)
        recipe = sgd_recipe(task, p, momentum=0.0, weight_decay=0.0, clip=0.0)
        trainer = Trainer(model, plain, recipe, task.seed + 1, work, self.loss())
        total = p.epochs * count_batches(len(task.forget), p.batch_size)
        for epoch in range(p.epochs):
            for group in trainer.optimizer.param_groups:
                set_rate(group, p.learning_rate * p.final ** (epoch / max(1, p.epochs - 1)))
            for piece in batches(task.forget, p.batch_size, trainer.generator):
                trainer.step(piece)
                done += 1
                work.step(done, total)
            reporter.snapshot(model)
            if (left := accuracy_on(model, task, task.forget)) <= p.threshold:
                break
        return left

    def loss(self) -> Loss:
        """Mean of ℓ over a batch."""

        def push(model: nn.Module, x: torch.Tensor, y: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
            logs = real(model(x)).log_softmax(1)
            return (unsay(logs, y, self.p.offset) - self.p.entropy * (logs.exp() * logs).sum(1)).mean()

        return push


def unsay(logs: torch.Tensor, given: torch.Tensor, offset: float) -> torch.Tensor:
    """−log(1 − (p_ỹ − o)) (B,), from log-probabilities (B, C): at most −log o, where the given label is certain."""
    p = logs.gather(1, given[:, None])[:, 0].exp()
    return -(1 - p + offset).log()


def projection(moment: torch.Tensor, ratio: float) -> torch.Tensor:
    """P (groups, d, d) from Σ x·xᵀ (groups, d, d): onto the directions in which what the layer sees is largest.

    As many as together have at most ``ratio`` of the sum of the singular values s of those inputs, but at least one: a layer
    whose inputs are all alike would lose what it is kept by.
    """
    values, vectors = torch.linalg.eigh(moment)
    s = values.clamp_min(0).sqrt().flip(-1)
    share = s.cumsum(-1) / s.sum(-1, keepdim=True).clamp_min(torch.finfo(s.dtype).tiny)
    chosen = share <= ratio
    chosen[..., 0] = True
    u: torch.Tensor = vectors.flip(-1) * chosen[..., None, :]
    return u @ u.transpose(-1, -2)


def kept_share(kept: dict[str, torch.Tensor]) -> float:
    """Share of all directions of all layers that are kept: the trace of P tells how many."""
    found = sum(part.diagonal(dim1=-2, dim2=-1).sum().item() for part in kept.values())
    return found / sum(part.shape[0] * part.shape[-1] for part in kept.values())


@contextlib.contextmanager
def projected(model: nn.Module, kept: dict[str, torch.Tensor]) -> Iterator[None]:
    """In here only the weights of these layers have gradients, and those are G − G·P."""
    before = {parameter: parameter.requires_grad for parameter in model.parameters()}
    layers = kernel_layers(model)
    weights = {layers[name].weight: part for name, part in kept.items() if layers[name].weight.requires_grad}
    for parameter in before:
        parameter.requires_grad_(parameter in weights)
    hooks = [w.register_hook(partial(project, part.to(w.dtype))) for w, part in weights.items()]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
        for parameter, wanted in before.items():
            parameter.requires_grad_(wanted)


def project(kept: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """A weight's gradient without its part in the kept directions (groups, d, d)."""
    rows = gradient.reshape(kept.shape[0], -1, kept.shape[-1])
    return (rows - rows @ kept).reshape(gradient.shape)
