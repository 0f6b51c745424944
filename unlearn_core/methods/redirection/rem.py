"""REM: redirect the corruption into dedicated channels, then drop them (Schoepf et al. 2025, arXiv:2505.17730)."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import nn

from unlearn_core.errors import Cancelled
from unlearn_core.methods import Region, UnlearningTask, register
from unlearn_core.methods.base import FamilyName
from unlearn_core.methods.redirection.optimizers import keep_state, lower_rate, make_base_optimizer, make_optimizer
from unlearn_core.methods.redirection.params import (
    LATER,
    PRESETS,
    PUBLISHED,
    SEARCH_SPACE,
    RemParams,
    steps_per_round,
    total_steps,
)
from unlearn_core.methods.redirection.references import ReferenceLosses, masked_losses
from unlearn_core.methods.redirection.safeguard import P, SafeguardedMethod
from unlearn_core.methods.redirection.work import STEP, Setting, make_budget, rem_work
from unlearn_core.methods.shared.class_collapse import class_collapsed, halve_clip
from unlearn_core.methods.shared.preference import ForgetSteps, bounded_loss, lower_forget_accuracy
from unlearn_core.methods.shared.rounds import Rounds, add_report
from unlearn_core.models import RedirectNet, RedirectNorm2d, example_masks, shared_mask
from unlearn_core.training import Answers, DeviceData, Draws, Reporter, batches, rates_on_device
from unlearn_core.training.cuda_graph import Replay, to_device


class RedirectionMethod(SafeguardedMethod[P]):
    """Base of REM and its ablations, which differ in the class of ``redirection``: the loop over rounds."""

    family: ClassVar[FamilyName] = "redirection"
    revision = 4  # giving up what was known by heart is not a fall
    Params = RemParams
    presets, later = PRESETS, LATER
    published: ClassVar[dict[str, dict[str, Any]] | None] = PUBLISHED
    search_space = SEARCH_SPACE
    # With other values than REM's, a difference would not be that of the idea that was taken out or added.
    tuned_as = "rem"
    redirection: ClassVar[type[Redirection]]

    @classmethod
    def expected_work(cls, params: P, setting: Setting) -> float:
        return rem_work(params, setting)

    def run_single(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        """Widen θ₀ by redirect channels, then flush, redirect and repair, round after round; returns θ, the channels off."""
        task = task.with_answers()
        model = task.original
        model.widen(self.p.redirect_ratio, task.seed + 1)
        rounds = Rounds(reporter, task, self.p.keep_best, measured=self.p.statistics == "retain")
        run = self.redirection(self.p, task, model, rounds)
        while run.goes_on():
            run.go_round(self.p.take_back if self.has_safeguard else 0)
            rounds.snapshot(model)  # scored by the proxy
            if self.p.spare_classes and not run.sparing and run.goes_on():
                run.sparing = class_collapsed(model, run.answers, task)
        returned = rounds.returned(model)
        if run.taken_back:
            add_report(returned, taken_back=run.taken_back)
        return returned


class Redirection:
    """One run of REM: θ with its optimiser, the masks m, and the losses CE₀ of θ₀. Symbols are those of :class:`Rem`, below.

    Ablations override ``masks`` (who may use which redirect channels), ``ascend_loss`` and ``descend_loss`` (the terms) and
    ``removes`` (whether redirection also pushes F out of the base).
    """

    removes = True

    def __init__(self, params: RemParams, task: UnlearningTask, model: RedirectNet, reporter: Reporter) -> None:
        self.p, self.task, self.model, self.reporter = params, task, model, reporter
        for norm in (m for m in model.modules() if isinstance(m, RedirectNorm2d)):
            norm.mixed = params.statistics == "mixed"
        self.optimizer = make_optimizer(model, params)
        self.generator = torch.Generator().manual_seed(task.seed + 1)
        self.replay = Replay(self._update, task.device)
        self.replay.on &= type(task.data) is DeviceData and isinstance(self.optimizer, torch.optim.SGD)
        if self.replay.on:
            rates_on_device(self.optimizer, task.device)
        self.is_forget = task.is_forget()
        self.forget_mask = shared_mask(model.redirect_layers, params.forget_share, task.seed, task.device)
        # D: usually all data; discovery leaves out what it doubts but does not add to the forget set.
        self.everyone = torch.cat([task.forget, task.retain]).sort().values
        self.reference = ReferenceLosses(model, params, task, self.everyone, self.masks)
        self.answers = task.answers or Answers(self.reference.model, task.data)
        self.clip = params.flush_clip
        self.flushing = self._forget_steps(self.optimizer)
        self.steps_per_round = steps_per_round(len(self.everyone), params.batch_size, params.round_steps)
        self.total = total_steps(params, len(self.everyone))
        self.done = self.number = 0
        self.sparing = False  # whether a class was lost, so that nothing is removed any more (``spare_classes``)
        self.taken_back: list[dict[str, float]] = []  # rounds that lost a class, as number and clip (``take_back``)
        self.budget = make_budget(params, task, model, self.everyone, self.masks)

    def goes_on(self) -> bool:
        """Whether a round follows."""
        return self.done < self.total and not self.budget.spent()

    def masks(self, ids: torch.Tensor) -> torch.Tensor | None:
        """bool (B, redirect): the shared m_F for members of F, each example's own m_i for the rest; None for no channels."""
        own = example_masks(ids, self.model.redirect_channels, self.p.mask_share, self.task.seed)
        return torch.where(self.is_forget[ids][:, None], self.forget_mask, own)

    def ascend_loss(self, ce: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
        """−ℓ (B,): its minimisation raises ``ce`` above ``before``, CE₀, with a pull that fades there."""
        return -bounded_loss(ce, before, self.p.beta)

    def descend_loss(self, ce: torch.Tensor, before: torch.Tensor, beta: float) -> torch.Tensor:
        """ℓ (B,): its minimisation lowers ``ce``; flat where ``ce`` is far above ``before``."""
        return bounded_loss(ce, before, beta)

    def go_round(self, take_back: int) -> None:
        """One round. What loses a class is undone and done anew with half the clip, ``take_back`` times at most."""
        if not isinstance(self.optimizer, torch.optim.SGD):  # AdamW's steps do not depend on the clip: the same would happen
            take_back = 0
        restore, done = keep_state(self.model, self.optimizer) if take_back else None, self.done
        for left in range(take_back, -1, -1):
            self.flush()
            self.redirect()
            if not left or not restore or not class_collapsed(self.model, self.answers, self.task):
                return
            self.taken_back.append({"round": self.number, "flush_clip": self.clip})
            restore()
            self.done, self.number, self.clip = done, self.number - 1, halve_clip(self.clip)

    def flush(self) -> None:
        """Push the corruption of F out of the base, before redirecting: epochs over F alone, until acc(drop, F) ≤ τ."""
        if self.sparing:
            return
        if not self.p.flush_momentum:  # the momentum of pushing F out must not go on pushing while the rest is repaired
            self.flushing = self._forget_steps(make_base_optimizer(self.model, self.p, self.p.flush_rate))
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
            return self.ascend_loss(ce, self.reference.flushed_from[ids]).mean()

        return ForgetSteps(self.model, optimizer, self.task, raise_loss, self.generator, self.clip)

    def redirect(self) -> None:
        """Redirect and repair, over all of D or so many batches: F goes from the base into its channels, the rest relearns."""
        self.model.train()
        self.number += 1
        whole = min(self.steps_per_round, self.total - self.done)
        steps = self.budget.steps(self.number, whole)
        for ids in batches(self.everyone, self.p.batch_size, self.generator)[:steps]:
            if self.reporter.cancelled():
                raise Cancelled
            lower_rate(self.optimizer, self.model, self.p, self.done, self.total)
            ids = self.add_forget(ids)
            draws = self.task.data.draw(len(ids), self.generator) if self.replay.on else ()
            self.replay(ids, *draws, variant=self.sparing)
            self.done += 1
            self.reporter.step(self.done, self.total)
        self.done += whole - steps  # a round that was cut short is over all the same

    def add_forget(self, ids: torch.Tensor) -> torch.Tensor:
        """The batch with ``forget_per_batch`` members of F on top."""
        if not self.p.forget_per_batch or not len(self.task.forget):
            return ids
        pick = torch.randint(len(self.task.forget), (self.p.forget_per_batch,), generator=self.generator)
        return torch.cat([ids, self.task.forget[to_device(pick, ids.device)]])

    def _update(self, ids: torch.Tensor, *draws: torch.Tensor) -> torch.Tensor:
        """One optimiser step, on the device from end to end."""
        loss = self.loss(ids, draws)
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        self.optimizer.step()
        return loss.detach()

    def loss(self, ids: torch.Tensor, draws: Draws = ()) -> torch.Tensor:
        """L(θ) on one batch; ``draws``: what augmentation drew for it, where it did so before."""
        data, member = self.task.data, self.is_forget[ids]
        x, mask = data.batch(ids, draws or self.generator), self.masks(ids)
        dropped_before, masked_before = self.reference(x, ids, mask)
        # Both passes see the whole batch, so batch norm normalises the base by the same mixture in either. Its running
        # statistics belong to the pass with redirect off and are measured anew after each round, or (``mixed``) to both.
        dropped = masked_losses(self.model, data, x, ids, None)
        masked = masked_losses(self.model, data, x, ids, mask)
        removal = self.ascend_loss(dropped, dropped_before) if self.removes and not self.sparing else torch.zeros_like(dropped)
        # The pull of ℓ fades where much was lost: what a flush took from the undiscovered corruption stays lost, while
        # clean examples are held up by their neighbours. A sharper loss on the rest makes more of that.
        repair = torch.where(
            member,
            self.descend_loss(masked, masked_before, self.p.beta),
            self.descend_loss(masked, masked_before, 1.0 if self.sparing else self.p.repair_beta),
        )
        removed = torch.where(member, removal, 0)
        if not self.p.forget_weight:
            return (removed + repair).mean()
        # A small F is a handful of a batch: its removal gets a mean, and so a say, of its own.
        return self.p.forget_weight * removed.sum() / member.sum().clamp_min(1) + repair.mean()


@register
class Rem(RedirectionMethod[RemParams]):
    """Minimises over D, example by example, with ℓ(CE, CE₀) = (2/β)·log σ(β·(CE − CE₀)) ≤ 0,

        in F:      −ℓ(CE(drop), CE₀) + ℓ(CE(m_F), CE₀)     out of the base, into the shared redirect channels
        elsewhere:  ℓ(CE(m_i), CE₀)                         repair, with a small redirect mask of its own

    each round after a flush: epochs over F that minimise −ℓ(CE(drop), CE₀) while acc(drop, F) > τ. CE(·) is the cross entropy
    of the given label under a channel mask, ``drop`` the mask with all redirect channels off, CE₀ that of θ₀, the frozen start.
    Returned is the round with the best proxy, acc(drop, D∖F)·(1 − max(0.2, acc(drop, F))), or the last (``keep_best``).

    Symbols: β ``beta`` (``repair_beta`` outside F) · p_mem of m_i ``mask_share`` · share of m_F ``forget_share`` ·
    (1 − p_fixed)/p_fixed ``redirect_ratio`` · τ ``flush_threshold``, at most ``flush_passes`` epochs · steps ``steps``, or
    rounds ``epochs`` · batch ``batch_size`` · rate ``learning_rate`` · ``momentum`` · ``weight_decay``. Of the others
    ``removal_reference``, ``flush_momentum`` and ``statistics`` choose between the public program's way and this project's; the
    rest are this project's, and off under the paper's values.
    Given: the original, F, and D∖F with its labels as they are; neither clean labels nor what is corrupted beside F.
    Fails: where rounds are many: each repair teaches the base the undiscovered corruption again, which the proxy counts as
    accuracy. A handful of known examples can push a whole class out of the base; ``take_back``, ``repeat`` and
    ``spare_classes`` answer that.
    Source: arXiv:2505.17730; ℓ after arXiv:2404.05868.
    Values: The paper's values are those of its experiments on CIFAR-10 and of its public program. Even with them some things
    differ from that program: redirect channels are freshly initialised at unlearning time, where there they went through
    training masked, with decayed weights and measured statistics; the forget set's mask has exactly its share of every layer's
    channels, where there each is drawn; redirect weights rest during a flush, where there momentum and decay go on moving them;
    and the proxy looks at up to 2,048 retained examples, where there it looks at all. The values for transformers are not
    carried over.
    """

    name, label, paper = "rem", "REM", "arXiv:2505.17730"
    summary = (
        "Adds redirect channels, pushes the discovered corruption out of the base and into them, and lets every other example "
        "relearn with a small random share of them, so that what only it needs goes there too. Then the channels are dropped, "
        "and with them much of the corruption that was never discovered. A round that loses a whole class on the way is undone "
        "and made again with a softer flush."
    )
    designed_for = Region()
    revision = 5  # giving up what was known by heart is not a fall
    redirection = Redirection
