"""The loop inside REM and its ablations: flush, redirect, repair."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import nn

from unlearn_core.errors import Cancelled
from unlearn_core.methods._base import Method, MethodParams, UnlearningTask
from unlearn_core.methods._collapse import collapsed, softer
from unlearn_core.methods._held_out import Quiet
from unlearn_core.methods._npo import accuracy_on, bounded_loss, lower_forget_accuracy
from unlearn_core.methods._rounds import Rounds, add_report
from unlearn_core.models import RedirectNet, example_masks, shared_mask
from unlearn_core.training import Reporter, autocast, batches

_ADAM = 0.01
"""Adam's learning rate relative to SGD's (in the paper 1/250: 2e-5 on a transformer, 0.005 on ResNet-9)."""


class RemParams(MethodParams):
    """REM's knobs; the defaults are the paper's, for 32×32 photographs."""

    epochs: int = Field(10, ge=1, le=100, description="Rounds of flushing, then redirecting over all data")
    learning_rate: float = Field(
        0.005, gt=0, le=1, description="Constant learning rate of SGD; a hundredth of it for Adam, which moves transformers"
    )
    batch_size: int = Field(512, ge=2, le=8192, description="Examples in a step of redirection")
    round_steps: int = Field(
        0,
        ge=0,
        le=100_000,
        description="At most so many steps of redirection in a round; 0: once over all data, as in the paper",
    )
    momentum: float = Field(0.9, ge=0, lt=1)
    weight_decay: float = Field(5e-4, ge=0, le=0.1)
    beta: float = Field(1.0, gt=0, le=20, description="Sharpness of the bounded loss on the forget set")
    repair_beta: float = Field(
        1.0,
        gt=0,
        le=20,
        description="Sharpness of the bounded loss on the rest; the higher, the less is relearned of what was lost most",
    )
    redirect_ratio: float = Field(1.0, gt=0, le=4, description="Redirect channels for each base channel")
    mask_share: float = Field(0.2, gt=0, le=1, description="Share of the redirect channels that one example may use")
    forget_share: float = Field(0.2, gt=0, le=1, description="Share of the redirect channels given to the forget set")
    forget_per_batch: int = Field(0, ge=0, le=1024, description="Extra forget examples added to every batch")
    forget_weight: float = Field(
        0.0,
        ge=0,
        le=10,
        description="Weight of the removal's mean over the forget examples of a batch; 0 counts every example alike",
    )
    redirect_rate: float = Field(1.0, gt=0, le=20, description="Learning rate of the redirect channels relative to the base")
    flush_rate: float = Field(1.0, gt=0, le=20, description="Learning rate of a flush relative to that of redirection")
    removal_cap: float = Field(
        100.0,
        ge=0,
        le=100,
        description="Starting losses count at most this much in the removal: where they are above, the wrong label was never "
        "learned, and there is less to remove; 100 counts them as they are, as in the paper",
    )
    flush_threshold: float = Field(0.2, ge=0, le=1, description="Flush until the forget accuracy is at most this")
    flush_passes: int = Field(100, ge=0, le=1000, description="At most so many passes of one flush")
    flush_clip: float = Field(0.0, ge=0, le=100, description="Largest gradient norm of a flush; 0 leaves gradients alone")
    keep_best: bool = Field(True, description="Return the round that is best by the paper's proxy, else the last")


def steps_per_round(examples: int, batch_size: int, round_steps: int) -> int:
    """Optimiser steps of redirection in one round; ``round_steps`` 0 is a whole epoch."""
    epoch = -(-examples // batch_size)
    return min(epoch, round_steps) if round_steps else epoch


# Where to start from on small data; `tune` refines it by the held-out-F rule (unlearn_core/tuned).
_SMALL: dict[str, float | bool] = {
    "epochs": 4,
    "batch_size": 256,
    "learning_rate": 0.1,
    "forget_share": 1.0,
    "forget_weight": 0.3,
    "flush_clip": 0.5,
    "weight_decay": 5e-3,
    "repair_beta": 2.0,
    "mask_share": 0.1,
    "keep_best": False,
}
PRESETS: dict[str, dict[str, float | bool]] = {
    "digits": _SMALL,
    "points": _SMALL | {"batch_size": 64},
    "photos": _SMALL,
    # Where crops and flips keep a network from learning by heart, the same rule finds a lower rate. What redirection does grows
    # with its steps, and with what it tries to remove: with 10,000 images, an epoch a round and the full force against labels
    # that were never learned broke the network (benchmarks.rem_photos).
    "photos, augmented": {"learning_rate": 0.02, "epochs": 5, "repair_beta": 1.0, "round_steps": 8, "removal_cap": 0.0},
}
SEARCH_SPACE: dict[str, list[object]] = {
    "epochs": [4, 5],
    "flush_clip": [0.5, 1.0],
    "repair_beta": [1.0, 2.0],
    "mask_share": [0.1, 0.2],
}


class Redirection:
    """The state of one REM run: optimiser, masks, and the frozen reference of the bounded loss.

    Ablations override ``masks`` (who may use which redirect channels), ``raised`` and ``lowered`` (the loss terms) and
    ``removes`` (whether redirection also pushes F out of the base).
    """

    removes = True

    def __init__(self, params: RemParams, task: UnlearningTask, model: RedirectNet, reporter: Reporter) -> None:
        self.p, self.task, self.model, self.reporter = params, task, model, reporter
        base = [p for _, p in model.base_parameters()]
        redirect = [p for name, p in model.named_parameters() if "redirect" in name]
        self.rate = params.learning_rate * (_ADAM if model.optimizer == "adam" else 1.0)
        self.optimizer = self._optimizer(base, 1.0)
        self.optimizer.add_param_group({"params": redirect, "lr": self.rate * params.redirect_rate})
        self.generator = torch.Generator().manual_seed(task.seed + 1)
        self.is_forget = task.is_forget()
        self.forget_mask = shared_mask(model.redirect_layers, params.forget_share, task.seed, task.device)
        self.reference = copy.deepcopy(model).eval().requires_grad_(False)
        # Masks are fixed, so without augmentation the reference losses are constants: computed once.
        self.constant = task.data.augmentation is None
        if self.constant:
            with torch.no_grad():
                pieces = [self._reference(task.data.batch(ids), ids) for ids in task.data.pieces(task.everything)]
            self.dropped, self.masked = (torch.cat(parts) for parts in zip(*pieces, strict=True))
        # Usually all data; discovery leaves out what it doubts but does not add to the forget set.
        self.everyone = torch.cat([task.forget, task.retain]).sort().values
        self.steps_per_round = steps_per_round(len(self.everyone), params.batch_size, params.round_steps)
        self.done = 0

    def _optimizer(self, parameters: list[nn.Parameter], rate: float) -> torch.optim.Optimizer:
        """The network's kind of optimiser: SGD or, as in the paper, Adam for a transformer."""
        p, rate = self.p, rate * self.rate
        if self.model.optimizer == "adam":
            return torch.optim.AdamW(parameters, lr=rate, weight_decay=p.weight_decay, fused=True)
        return torch.optim.SGD(parameters, lr=rate, momentum=p.momentum, weight_decay=p.weight_decay, fused=True)

    def raised(self, ce: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
        """The term per example whose minimisation raises ``ce`` above ``before``: −ℓ."""
        return -bounded_loss(ce, before, self.p.beta)

    def lowered(self, ce: torch.Tensor, before: torch.Tensor, beta: float) -> torch.Tensor:
        """The term per example whose minimisation lowers ``ce``: ℓ, flat where ``ce`` is far above ``before``."""
        return bounded_loss(ce, before, beta)

    def masks(self, ids: torch.Tensor) -> torch.Tensor | None:
        """bool (B, redirect): the shared mask for members of F, each example's own for the rest; None for no channels."""
        own = example_masks(ids, self.model.redirect_channels, self.p.mask_share, self.task.seed)
        return torch.where(self.is_forget[ids][:, None], self.forget_mask, own)

    def _losses(self, model: RedirectNet, x: torch.Tensor, ids: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        with autocast(self.task.device):
            logits = model(x, mask).float()
        return F.cross_entropy(logits, self.task.data.labels[ids], reduction="none")

    def _reference(self, x: torch.Tensor, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Reference losses (B,) with redirect off, at most ``removal_cap``, and with the masks, from the model at the start."""
        with torch.no_grad():
            dropped, masked = (self._losses(self.reference, x, ids, mask) for mask in (None, self.masks(ids)))
        return dropped.clamp_max(self.p.removal_cap), masked

    def references(self, x: torch.Tensor, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return (self.dropped[ids], self.masked[ids]) if self.constant else self._reference(x, ids)

    def flush(self) -> None:
        """Step 1a: push the corruption of F out of the base, before redirecting."""
        start = self.dropped if self.constant else None
        # An optimiser of its own: the momentum of pushing F out must not go on pushing while the rest is repaired.
        optimizer = self._optimizer([p for _, p in self.model.base_parameters()], self.p.flush_rate)

        def raise_loss(ce: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
            before = self._reference(self.task.data.batch(ids), ids)[0] if start is None else start[ids]
            return self.raised(ce, before).mean()

        lower_forget_accuracy(
            self.model,
            optimizer,
            self.task,
            self.reporter,
            raise_loss,
            threshold=self.p.flush_threshold,
            max_passes=self.p.flush_passes,
            batch_size=self.p.batch_size,
            generator=self.generator,
            clip=self.p.flush_clip,
        )

    def redirect(self) -> None:
        """Step 1b, over all or ``round_steps`` batches: F goes from the base into its channels, the rest relearns."""
        self.model.train()
        total = self.steps_per_round * self.p.epochs
        for ids in batches(self.everyone, self.p.batch_size, self.generator)[: self.steps_per_round]:
            if self.reporter.cancelled():
                raise Cancelled
            loss = self.loss(self._with_extra_forget(ids))
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
            self.done += 1
            self.reporter.step(min(self.done, total), total)

    def loss(self, ids: torch.Tensor) -> torch.Tensor:
        """REM's objective on one batch: remove F from the base, put it into its channels, let the rest relearn."""
        x = self.task.data.batch(ids, self.generator)
        dropped_before, masked_before = self.references(x, ids)
        member = self.is_forget[ids]
        # Both passes see the whole batch, so batch norm normalises the base by the same mixture in either. Its running
        # statistics belong to the pass with redirect off (see RedirectNorm2d) and are measured anew after each round.
        dropped = self._losses(self.model, x, ids, None)
        masked = self._losses(self.model, x, ids, self.masks(ids))
        removal = self.raised(dropped, dropped_before) if self.removes else torch.zeros_like(dropped)
        # The pull of ℓ fades where much was lost: what a flush took from the undiscovered corruption stays lost, while
        # clean examples are held up by their neighbours. A sharper loss on the rest makes more of that.
        repair = torch.where(
            member,
            self.lowered(masked, masked_before, self.p.beta),
            self.lowered(masked, masked_before, self.p.repair_beta),
        )
        removed = torch.where(member, removal, 0)
        if not self.p.forget_weight:
            return (removed + repair).mean()
        # A small F is a handful of a batch: its removal gets a mean, and so a say, of its own.
        return self.p.forget_weight * removed.sum() / member.sum().clamp_min(1) + repair.mean()

    def _with_extra_forget(self, ids: torch.Tensor) -> torch.Tensor:
        if not self.p.forget_per_batch or not len(self.task.forget):
            return ids
        pick = torch.randint(len(self.task.forget), (self.p.forget_per_batch,), generator=self.generator)
        return torch.cat([ids, self.task.forget[pick.to(ids.device)]])


class RedirectionMethod(Method):
    """Base of REM and its ablations; they differ in the class of ``redirection``."""

    family = "redirection"
    revision = 3  # a last round that fell gives way to the best; chance is not a lost class
    Params = RemParams
    presets = PRESETS
    search_space = SEARCH_SPACE
    # With other values than REM's, a difference would not be that of the idea that was taken out or added.
    tuned_as = "rem"
    redirection: ClassVar[type[Redirection]]
    repeats: ClassVar[bool] = True
    """Whether a run that lost a class is repeated."""

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        """One run; a second, softer one where the first lost a class, and of the two the one that keeps more of the rest.

        A handful of known examples can push the class they show, or the one they are labelled as, out of the base as a
        whole, and the bounded loss hardly pulls that back. It shows on the labels as given.
        """
        spare = copy.deepcopy(task.original)
        model = self.once(task, reporter)
        if not self.repeats or not collapsed(model, spare, task):
            return model
        change = {"flush_clip": softer(self.p.flush_clip)}
        method = type(self)(self.p.model_copy(update=change))
        again = method.once(dataclasses.replace(task, original=spare), Quiet(reporter))
        tried: list[dict[str, Any]] = [
            {"changed": values, "retain": accuracy_on(run, task, task.retain)} for values, run in (({}, model), (change, again))
        ]
        if tried[1]["retain"] > tried[0]["retain"]:
            model = again
            reporter.snapshot(model)
        else:
            change = {}
        add_report(model, tuning={"changed": change, "tried": tried, "repeated": True})
        return model

    def once(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        """One run with these knobs, whatever comes of it; consumes the task's original."""
        model = task.original
        model.widen(self.p.redirect_ratio, task.seed + 1)
        rounds = Rounds(reporter, task, self.p.keep_best)
        run = self.redirection(self.p, task, model, rounds)
        for _ in range(self.p.epochs):
            run.flush()
            run.redirect()
            rounds.snapshot(model)
        return rounds.returned(model)
