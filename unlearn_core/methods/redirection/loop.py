"""The loop inside REM and its ablations: flush, redirect, repair."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any, ClassVar, TypeVar

import torch
import torch.nn.functional as F
from torch import nn

from unlearn_core.errors import Cancelled
from unlearn_core.methods.base import Method, UnlearningTask
from unlearn_core.methods.redirection.fitted_rate import at_fitting_rate
from unlearn_core.methods.redirection.params import (
    LATER,
    PRESETS,
    PUBLISHED,
    SEARCH_SPACE,
    RemParams,
    steps_per_round,
    total_steps,
)
from unlearn_core.methods.redirection.work import STEP, Budget, Setting, rem_work, widened_cost
from unlearn_core.methods.shared.class_collapse import class_collapsed, halve_clip
from unlearn_core.methods.shared.preference import ForgetSteps, accuracy_on, bounded_loss, lower_forget_accuracy
from unlearn_core.methods.shared.rounds import LOOK, Rounds, add_report
from unlearn_core.models import RedirectNet, RedirectNorm2d, example_masks, shared_mask
from unlearn_core.training import DeviceData, Draws, Reporter, autocast, batches, rates_on_device, real, set_rate
from unlearn_core.training.cuda_graph import Replay, to_device
from unlearn_core.tuning.held_out import Quiet

_ADAM = 0.01
"""AdamW's learning rate relative to SGD's (in the paper 1/250: 2e-5 on a transformer, 0.005 on ResNet-9)."""


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
        for norm in (m for m in model.modules() if isinstance(m, RedirectNorm2d)):
            norm.mixed = params.statistics == "mixed"
        self.rate = params.learning_rate * (_ADAM if model.optimizer == "adam" else 1.0)
        self.optimizer = self._optimizer(base, 1.0)
        self.optimizer.add_param_group({"params": redirect, "lr": self.rate * params.redirect_rate})
        self.generator = torch.Generator().manual_seed(task.seed + 1)
        self.replay = Replay(self._update, task.device)
        self.replay.on &= type(task.data) is DeviceData and isinstance(self.optimizer, torch.optim.SGD)
        if self.replay.on:
            rates_on_device(self.optimizer, task.device)
        self.is_forget = task.is_forget()
        self.forget_mask = shared_mask(model.redirect_layers, params.forget_share, task.seed, task.device)
        self.reference = copy.deepcopy(model).eval().requires_grad_(False)
        # Usually all data; discovery leaves out what it doubts but does not add to the forget set.
        self.everyone = torch.cat([task.forget, task.retain]).sort().values
        # Masks are fixed, so without augmentation the reference losses are constants: computed once.
        self.constant = task.data.augmentation is None
        losses = torch.zeros(len(task.data), device=task.device, dtype=base[0].dtype)
        if self.constant:
            self.dropped, self.masked = losses.clone(), losses.clone()
            for ids in task.data.eval_batches(self.everyone):
                self.dropped[ids], self.masked[ids] = self._reference(task.data.batch(ids), ids)
            self.flushed_from = self.dropped
        else:  # a flush starts from the images as they are
            self.flushed_from = losses
            for ids in task.data.eval_batches(task.forget):
                self.flushed_from[ids] = self._reference(task.data.batch(ids), ids)[0]
        self.flushing = self._forget_steps(self.optimizer)
        self.steps_per_round = steps_per_round(len(self.everyone), params.batch_size, params.round_steps)
        self.total = total_steps(params, len(self.everyone))
        self.done = self.number = 0
        self.sparing = False  # whether a class was lost, so that nothing is removed any more (``spare_classes``)
        self.budget = self._budget()

    def _optimizer(self, parameters: list[nn.Parameter], rate: float) -> torch.optim.Optimizer:
        """The network's kind of optimiser: SGD, or AdamW for a transformer. (The paper has Adam, whose weight decay goes
        through the moments; decoupled, it is the same decay as SGD's.)"""
        p, rate = self.p, rate * self.rate
        if self.model.optimizer == "adam":
            return torch.optim.AdamW(parameters, lr=rate, weight_decay=p.weight_decay, fused=True)
        return torch.optim.SGD(parameters, lr=rate, momentum=p.momentum, weight_decay=p.weight_decay, fused=True)

    def _budget(self) -> Budget:
        example = self.task.data.batch(self.everyone[:1])
        masked = widened_cost(self.model, example) if self.p.most_work and self.masks(self.everyone[:1]) is not None else 1.0
        return Budget(self.p, self.task, masked, len(self.everyone), min(LOOK, len(self.task.retain)))

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
            logits = real(model(x, mask))
        return F.cross_entropy(logits, self.task.data.labels[ids], reduction="none")

    def _reference(self, x: torch.Tensor, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Losses (B,) of the model at the start: what a removal starts from, at most ``removal_cap``, and with the masks."""
        with torch.no_grad():
            masked = self._losses(self.reference, x, ids, self.masks(ids))
            dropped = masked if self.p.removal_reference == "masked" else self._losses(self.reference, x, ids, None)
        return dropped.clamp_max(self.p.removal_cap), masked

    def references(self, x: torch.Tensor, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return (self.dropped[ids], self.masked[ids]) if self.constant else self._reference(x, ids)

    def flush(self) -> None:
        """Step 1a: push the corruption of F out of the base, before redirecting."""
        if self.sparing:
            return
        if not self.p.flush_momentum:  # the momentum of pushing F out must not go on pushing while the rest is repaired
            optimizer = self._optimizer([p for _, p in self.model.base_parameters()], self.p.flush_rate)
            self.flushing = self._forget_steps(optimizer)
        passes = lower_forget_accuracy(
            self.flushing,
            self.reporter,
            threshold=self.p.flush_threshold,
            max_passes=self.p.flush_passes,
            batch_size=self.p.batch_size,
            least_loss=self.p.flush_loss,
        )
        self.budget.spend(len(self.task.forget) * ((STEP + 1) * passes + 1))

    def _forget_steps(self, optimizer: torch.optim.Optimizer) -> ForgetSteps:
        def raise_loss(ce: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
            return self.raised(ce, self.flushed_from[ids]).mean()

        return ForgetSteps(self.model, optimizer, self.task, raise_loss, self.generator, self.p.flush_clip)

    def redirect(self) -> None:
        """Step 1b, over all or so many batches: F goes from the base into its channels, the rest relearns."""
        self.model.train()
        self.number += 1
        whole = min(self.steps_per_round, self.total - self.done)
        steps = self.budget.steps(self.number, whole)
        for ids in batches(self.everyone, self.p.batch_size, self.generator)[:steps]:
            if self.reporter.cancelled():
                raise Cancelled
            self._set_rate()
            ids = self._with_extra_forget(ids)
            draws = self.task.data.draw(len(ids), self.generator) if self.replay.on else ()
            self.replay(ids, *draws, variant=self.sparing)
            self.done += 1
            self.reporter.step(self.done, self.total)
        self.done += whole - steps  # a round that was cut short is over all the same

    def _set_rate(self) -> None:
        """The learning rate of this step, where it falls; the redirect channels' falls with it."""
        if self.p.final_rate == 1:
            return
        factor = 1 - (1 - self.p.final_rate) * self.done / self.total
        for group, relative in zip(self.optimizer.param_groups, (1.0, self.p.redirect_rate), strict=True):
            set_rate(group, self.rate * relative * factor)

    def _update(self, ids: torch.Tensor, *draws: torch.Tensor) -> torch.Tensor:
        """One optimiser step, on the device from end to end."""
        loss = self.loss(ids, draws)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def loss(self, ids: torch.Tensor, draws: Draws = ()) -> torch.Tensor:
        """REM's objective on one batch: remove F from the base, put it into its channels, let the rest relearn.

        ``draws``: what augmentation drew for the batch, where it did so before."""
        x = self.task.data.batch(ids, draws or self.generator)
        dropped_before, masked_before = self.references(x, ids)
        member = self.is_forget[ids]
        # Both passes see the whole batch, so batch norm normalises the base by the same mixture in either. Its running
        # statistics belong to the pass with redirect off and are measured anew after each round, or (``mixed``) to both.
        dropped = self._losses(self.model, x, ids, None)
        masked = self._losses(self.model, x, ids, self.masks(ids))
        removal = self.raised(dropped, dropped_before) if self.removes and not self.sparing else torch.zeros_like(dropped)
        # The pull of ℓ fades where much was lost: what a flush took from the undiscovered corruption stays lost, while
        # clean examples are held up by their neighbours. A sharper loss on the rest makes more of that.
        repair = torch.where(
            member,
            self.lowered(masked, masked_before, self.p.beta),
            self.lowered(masked, masked_before, 1.0 if self.sparing else self.p.repair_beta),
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
        return torch.cat([ids, self.task.forget[to_device(pick, ids.device)]])


R = TypeVar("R", bound=RemParams)


class RedirectionMethod(Method[R]):
    """Base of REM and its ablations; they differ in the class of ``redirection``."""

    family = "redirection"
    revision = 4  # giving up what was known by heart is not a fall
    presets, later = PRESETS, LATER
    published: ClassVar[dict[str, dict[str, Any]] | None] = PUBLISHED
    search_space = SEARCH_SPACE
    # With other values than REM's, a difference would not be that of the idea that was taken out or added.
    tuned_as = "rem"
    redirection: ClassVar[type[Redirection]]
    repeats: ClassVar[bool] = True
    """Whether a run that lost a class may be repeated at all."""

    @classmethod
    def expected_work(cls, params: Any, setting: Setting) -> float:
        return rem_work(params, setting)

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        """One run; a second, softer one where the first lost a class, and of the two the one that keeps more of the rest.

        A handful of known examples can push the class they show, or the one they are labelled as, out of the base as a
        whole, and the bounded loss hardly pulls that back. It shows on the labels as given.
        """
        if self.p.fit_rate:
            return at_fitting_rate(
                lambda values, *rest: self._with(values).once(*rest),
                lambda values, *rest: self._with(values).unlearn(*rest),
                self.p.learning_rate,
                task,
                reporter,
            )
        spare = copy.deepcopy(task.original)
        model = self.once(task, reporter)
        if not (self.repeats and self.p.repeat) or not class_collapsed(model, spare, task):
            return model
        change = {"flush_clip": halve_clip(self.p.flush_clip)}
        again = self._with(change).once(dataclasses.replace(task, original=spare), Quiet(reporter))
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

    def _with(self, values: dict[str, Any]) -> RedirectionMethod[R]:
        return type(self)(self.p.model_copy(update=values))

    def once(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        """One run with these knobs, whatever comes of it; consumes the task's original."""
        model = task.original
        model.widen(self.p.redirect_ratio, task.seed + 1)
        rounds = Rounds(reporter, task, self.p.keep_best, measured=self.p.statistics == "retain")
        run = self.redirection(self.p, task, model, rounds)
        while run.done < run.total and not run.budget.spent():
            run.flush()
            run.redirect()
            rounds.snapshot(model)
            if self.p.spare_classes and not run.sparing:
                run.sparing = class_collapsed(model, run.reference, task)
        return rounds.returned(model)
