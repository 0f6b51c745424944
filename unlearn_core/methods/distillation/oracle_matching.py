"""Oracle matching: fine-tune towards the outputs of models that never saw any corruption (arXiv:2410.23232)."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import nn

from unlearn_core.methods import OracleTask, UnlearningTask, register
from unlearn_core.methods.distillation.matching import MatchingParams, draw_examples, match
from unlearn_core.methods.redirection.work import Setting
from unlearn_core.methods.shared.fitting import FittedMethod
from unlearn_core.methods.shared.rounds import Rounds, training_anew
from unlearn_core.methods.shared.sgd import count_batches, phases
from unlearn_core.training import FreshTrainer, Reporter, predict
from unlearn_core.training.progress import StepProgress


class OracleMatchingParams(MatchingParams):
    oracles: int = Field(1, ge=1, le=50, description="Models trained without any corruption, whose outputs are averaged")


@register
class OracleMatching(FittedMethod[OracleMatchingParams]):
    """min_θ E_{F ∪ R'} ‖f_θ(x) − t(x)‖² / C,  t(x) = (1/K)·Σ_k f_k(x),  f_k = argmin CE_{D∖C'} from a random start each.

    Symbols: f are logits of C classes; C' is all of the corruption in the training data D, discovered or not; K is ``oracles``;
    R' are ``retained`` random examples of the retain set for each of F, in their plain view. ``epochs`` passes with Adam at
    ``learning_rate`` in batches of ``batch_size``, with ``weight_decay``; the rate falls by a twentieth after each.
    Given: The ground truth, which is why it is an oracle; the inputs of F and of R', no labels.
    Fails: It is an upper bound of what imitation can do, not a method. What is neither in F nor in R' is healed only as far as
    it resembles what is.
    Source: Georgiev et al. 2024, arXiv:2410.23232 (oracle matching; with predicted outputs in place of the oracle's see
    ``data_model_matching``).
    Values: Passes, rate, batches and the three retained examples for each of F are published, for ten oracles; one is the
    default here, because each costs a training. Few examples in batches of 512 are a single step a pass: digits and points have
    smaller batches and more passes.
    """

    name, label, paper = "oracle_matching", "Oracle matching", "arXiv:2410.23232"
    family = "distillation"
    cost = 1.1
    oracle = True
    needs_labels = False
    summary = (
        "Trains models on clean data alone and fine-tunes the original to give their outputs on the forget set and on some "
        "other examples. "
        "It sees the ground truth and is marked as an oracle: it shows how far imitating a better model can go. "
        "Each of those models costs as much as the original training, so that it takes longer than retraining."
    )
    presets = {
        "digits": {"batch_size": 64, "epochs": 20, "learning_rate": 1e-3},
        "points": {"batch_size": 64, "epochs": 40, "learning_rate": 1e-3},
    }
    published = {"": {"oracles": 10}}
    search_space = {"learning_rate": [2e-4, 5e-4, 1e-3, 2e-3], "epochs": [5, 20, 50], "retained": [1.0, 3.0, 10.0]}

    @classmethod
    def expected_work(cls, params: OracleMatchingParams, setting: Setting) -> float:
        return params.oracles + cls.cost - 1

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        assert isinstance(task, OracleTask)
        p, rounds = self.p, Rounds(reporter, task)
        clean = torch.ones(len(task.data), dtype=torch.bool, device=task.device)
        clean[task.truth.corrupted.to(task.device)] = False
        taught = task.everything[clean]
        ids = draw_examples(task, p)
        training = task.recipe.epochs * count_batches(len(taught), task.recipe.batch_size)
        *works, matching = phases(rounds, *[training] * p.oracles, p.epochs * count_batches(len(ids), p.batch_size))
        targets = torch.zeros(len(task.data), task.data.classes, device=task.device)
        for number, work in enumerate(works, 1):
            oracle, quiet = task.fresh_model(task.seed + number), StepProgress(work)
            settling = training_anew(quiet, oracle, task, taught)
            FreshTrainer(oracle, task.data, task.recipe, task.seed + number, settling).fit(taught)
            targets[ids] += predict(oracle, task.data, ids) / p.oracles
        match(task, p, ids, targets, rounds, matching)
        return rounds.returned(task.original)
