"""Retrain on what is learned early and not contradicted later (early cutting, Yuan et al. 2025, arXiv:2502.08227)."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import nn

from unlearn_core.discovery.early_cutting import EARLY, STREAK, examine, learned_first
from unlearn_core.discovery.watched import learning_times
from unlearn_core.discovery.watching import WATCHED, input_gradients, shorten
from unlearn_core.methods import Method, MethodParams, Region, UnlearningTask, register
from unlearn_core.methods.redirection.work import STEP, Setting
from unlearn_core.methods.shared.rounds import add_report, training_anew
from unlearn_core.methods.shared.sgd import count_batches, phases
from unlearn_core.training import FreshTrainer, Reporter, predict
from unlearn_core.training.progress import StepProgress


class EarlyCutParams(MethodParams):
    rounds: int = Field(3, ge=1, le=20, description="Training runs that are watched, each on what the one before left")
    keep: float = Field(
        0.925, ge=0.5, le=1, description="Least share of a round's examples, the first to be learned, that stays"
    )
    early: float = Field(EARLY, gt=0, le=1, description="Of these the share, the first to be learned, that is looked at again")
    streak: int = Field(STREAK, ge=1, le=20, description="Epochs in a row with the given label that count as learned")


@register
class EarlyCutRetrain(Method[EarlyCutParams]):
    """θ = train(S_R) from scratch; S_0 = D, S_r = K_r ∖ X_r: K_r ⊆ S_{r−1} is learned first, X_r ⊆ K_r is contradicted later.

    Symbols: D are all training data, R is ``rounds``. In each a network is trained anew on S_{r−1}, for half of the recipe's
    epochs. K_r are the examples that it learned by the first epoch after which at least ``keep`` of them were, learned meaning
    ``streak`` epochs in a row with the given label; where so many never are, all that are. X_r are those among the ``early``
    of K_r that were learned first to which the network gives another label at the end: their loss among the highest tenth, and
    of these the fifth of which it is surest and the fifth whose loss has the shortest gradient with respect to the input, in
    both.
    Given: D with its given labels. It is not told which are in F, and of the original not even the weights.
    Fails: What shares a rule is learned early, and no later network contradicts it: it stays. What is right but hard is left
    out with the wrong labels, the more the fewer of these there are. It costs more than retraining.
    Source: Yuan et al. 2025, arXiv:2502.08227.
    Values: Rounds, epochs in a row and the three shares are published, and ``keep`` for a fifth of wrong labels (for two fifths
    0.85), as the published program has it, which is told how many are wrong. That program trains two networks with
    distillation between them and averaged weights, cuts in its first round alone, stops a round once enough are learned, and
    looks again with the network that was best on a held-out tenth; here a round's network is taken at the end of its short
    run, all rounds cut, and nothing is held out. That another label has to be given is this project's condition: without wrong
    labels among those learned first the published shares would cut right ones.
    """

    name, label, paper = "early_cut_retrain", "Retrain after early cutting", "arXiv:2502.08227"
    family = "retraining"
    statistics = "of training"
    needs_forget = False
    summary = (
        "Trains on everything, keeps what is learned first unless the network soon contradicts it, and does so again on what "
        "is left; then it trains a new model on the rest. "
        "It relies on wrong labels being learned late, or being given up. "
        "It needs to know of no corruption, and helps where wrong labels have no rule; it costs more than the original "
        "training."
    )
    designed_for = Region(regularity=(0.0, 0.5), discovery=(0.0, 0.25))
    search_space = {"keep": [0.8, 0.85, 0.925, 0.975], "rounds": [1, 2, 3], "streak": [2, 3]}

    @classmethod
    def expected_work(cls, params: EarlyCutParams, setting: Setting) -> float:
        """As if every round left exactly the least share: an example counts for a step in each epoch of a round and for a look
        after it, then for one with its gradient, and for the recipe's epochs at the end."""
        short = shorten(setting.recipe).epochs
        rounds = sum(params.keep**number for number in range(params.rounds))
        looks = short * (STEP + 1) + STEP
        return rounds * looks / (STEP * setting.recipe.epochs) + params.keep**params.rounds

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        p, ids, entries = self.p, task.everything, []
        short = shorten(task.recipe).epochs * count_batches(len(ids), task.recipe.batch_size)
        *works, last = phases(
            reporter, *[short] * p.rounds, task.recipe.epochs * count_batches(len(ids), task.recipe.batch_size)
        )
        for number, work in enumerate(works):
            kept, contradicted = self.look(task, ids, task.seed + WATCHED + number, work)
            if not len(kept):
                break
            entries.append({"examples": len(ids), "learned": len(kept), "cut": len(contradicted)})
            ids = kept[~torch.isin(kept, contradicted)]
        fresh = task.fresh_model(task.seed + 1)
        settling = training_anew(last, fresh, task, ids)
        model = FreshTrainer(fresh, task.data, task.recipe, task.seed + 1, settling).fit(ids)
        add_report(model, early_cutting={"rounds": entries, "kept": len(ids)})
        return model

    def look(self, task: UnlearningTask, ids: torch.Tensor, seed: int, work: Reporter) -> tuple[torch.Tensor, torch.Tensor]:
        """A watched run on ``ids``: those that are learned first, ascending, and those of these that are contradicted."""
        seen = _Seen(work, task, ids)
        model = FreshTrainer(task.fresh_model(seed), task.data, shorten(task.recipe), seed, seen).fit(ids)
        right = torch.stack(seen.right)
        taken = learned_soon(right, self.p.keep, self.p.streak)
        early = taken[learned_first(right[:, taken], self.p.early, self.p.streak)]
        labels, gradient = task.data.labels[ids], torch.zeros(len(ids), device=task.device)
        gradient[early] = input_gradients(model, task.data, ids[early])
        return ids[taken], ids[examine(early, seen.logits, labels, gradient).cut]


class _Seen(StepProgress):
    """After every epoch, where the given labels of ``ids`` are predicted, and what is said of them."""

    def __init__(self, reporter: Reporter, task: UnlearningTask, ids: torch.Tensor) -> None:
        super().__init__(reporter)
        self.data, self.ids, self.right = task.data, ids, list[torch.Tensor]()
        self.logits = torch.empty(0)

    def snapshot(self, model: nn.Module) -> None:
        self.logits = predict(model, self.data, self.ids)
        self.right.append(self.logits.argmax(1) == self.data.labels[self.ids])


def learned_soon(right: torch.Tensor, keep: float, streak: int) -> torch.Tensor:
    """int64, ascending: what is learned by the first epoch after which at least the share ``keep`` is; all that is learned at
    all, where so much never is. ``right`` bool (epochs, n)."""
    epochs, times = len(right), learning_times(right, streak)
    counts = torch.bincount(times, minlength=epochs + 2)[: epochs + 1].cumsum(0)
    enough = (counts >= keep * right.shape[1]).nonzero()[:, 0]
    last = int(enough[0]) if len(enough) else epochs
    return (times <= last).nonzero()[:, 0]
