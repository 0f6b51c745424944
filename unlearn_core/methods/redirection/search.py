"""The search for undiscovered corruption by rounds of REM and judgement: what rem_discover and retrain_discover share."""

from __future__ import annotations

import dataclasses
import math
import time
from typing import TypeVar

import torch
from pydantic import Field
from torch import nn

from unlearn_core.discovery import MIN_KNOWN, Judgement, ModelOutputs, fold_of, judge
from unlearn_core.errors import Cancelled
from unlearn_core.methods.base import UnlearningTask
from unlearn_core.methods.redirection.findings import Findings, Report, describe_round
from unlearn_core.methods.redirection.params import PRESETS, RemParams
from unlearn_core.methods.redirection.rem import Rem
from unlearn_core.methods.redirection.self_tuning import UNTOUCHED, TunedMethod, rem_values, run_rem, steps_of, training_pace
from unlearn_core.methods.redirection.work import STEP, Setting, masked_cost, rem_work, whole_rounds
from unlearn_core.methods.shared.class_collapse import class_collapsed
from unlearn_core.methods.shared.early_learning import early_learning_steps, watch_learning
from unlearn_core.models import RedirectNet, shared_mask
from unlearn_core.training import Answers, Reporter, autocast
from unlearn_core.training.progress import ProgressBudget, SilentProgress, StepProgress
from unlearn_core.tuning.held_out import Values, evaluate, with_forget_set

_STABLE = 0.9
"""Rounds end once this share of the accepted suspects is the same as in the round before."""
_USUAL_ROUNDS = 2
"""Rounds that are planned for; with as much known as can be judged, nine searches of ten end after the second."""
_LESS, _THRIFTY = 0.75, 0.55
"""Rounds of a look at the data, and its share of the arithmetic, beside those of healing for good; and that share where it is
thrifty."""
_WATCHED, MOST_TRAININGS = 0.5, 6.0
"""In trainings from scratch: the one that is watched, and the most that a thrifty search with the last REM may take."""
MOSTLY_KNOWN = 0.5
"""Share of the corruption expected in all that must be known for the last REM to push it out with a third of the force."""
EXCLUDE_ABOVE = 0.05
"""What is at least so probably corrupted, but is not added, is left out of the last run: there is enough to repair from.
Nothing is left out where nothing could be added."""


class DiscoverParams(RemParams):
    """REM's parameters for every run inside, and how discovery goes about it."""

    rounds: int = Field(3, ge=1, le=10, description="Most rounds of discovery")
    folds: int = Field(4, ge=2, le=10, description="Parts of what is known, each of which one REM run is not told of")
    precision: float = Field(
        0.9, ge=0.5, lt=1, description="Least expected share of truly corrupted examples among those that are added"
    )
    growth: float = Field(10.0, gt=0, le=100, description="Most examples added in a round, relative to what is known before it")
    budget_seconds: float = Field(
        3600.0,
        gt=0,
        le=1e6,
        description="No new round starts after so many seconds; results then depend on the machine's speed",
    )
    thrifty: bool = Field(
        False,
        description="Once a run of the search lost a whole class, those that follow remove with a third of the force from the "
        "start, as its repetition does; rounds that most_work would cut short are joined; and none starts that would make it "
        "take longer than six trainings",
    )


D = TypeVar("D", bound=DiscoverParams)


class DiscoveryMethod(TunedMethod[D]):
    """Base of methods that search in rounds."""

    later = TunedMethod.later | {"thrifty"}
    # With few photographs nearly every run loses a class and would be made twice, and what is around a round, its flush, its
    # statistics and looks, takes longer than the steps in it. With crops it was not tried.
    presets = PRESETS | {
        "photos": PRESETS["photos"] | {"thrifty": True},
        "photos, augmented": PRESETS["photos, augmented"] | {"thrifty": False},
    }


def outputs(model: RedirectNet, task: UnlearningTask, mask: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits (N, classes) and features (N, D) of all training examples in eval mode, redirect off or with ``mask``."""
    logits, features = [], []
    with torch.no_grad(), autocast(task.device):
        for ids in task.data.eval_batches(task.everything):
            here = model.features(task.data.batch(ids), mask)
            features.append(here.float())
            logits.append(model.head(here, mask is not None).float())
    return torch.cat(logits), torch.cat(features)


def outputs_of(
    model: RedirectNet,
    task: UnlearningTask,
    known: torch.Tensor,
    share: float,
    original: tuple[torch.Tensor, torch.Tensor],
    learning: torch.Tensor,
    said: tuple[torch.Tensor, torch.Tensor],
) -> ModelOutputs:
    """What ``model``, healed while told of ``known`` and with ``task.seed``, says about every example; ``said``: its outputs
    with redirect off."""
    logits, features = said
    mask = shared_mask(model.redirect_layers, share, task.seed, task.device)
    flags = torch.zeros(len(task.data), dtype=torch.bool, device=task.device)
    flags[known] = True
    masked, _ = outputs(model, task, mask)
    return ModelOutputs(task.data.labels, flags, original[0], original[1], logits, features, masked, learning)


class Discovery:
    """Alternates REM and judgement. Everything outside F is judged anew each round, as if it were not known.

    ``learning`` (N,): the loss that a watched run has shown already; None: one is made.
    """

    def __init__(
        self,
        params: DiscoverParams,
        task: UnlearningTask,
        budget: ProgressBudget,
        keep_redirect: bool = True,
        learning: torch.Tensor | None = None,
    ) -> None:
        self.p, self.budget, self.keep_redirect = params, budget, keep_redirect
        start = task.frozen_original()
        self.original = outputs(start, task)
        self.task = task = dataclasses.replace(task, answers=Answers(start, task.data, self.original[0]))
        self.values = look_values(params, task)
        self.lost = False  # whether a run lost a class, so that none has the whole force any more (``thrifty``)
        self.is_forget = task.is_forget()
        watching = budget.next(early_learning_steps(task), training_pace(params, task))
        self.watched = watch_learning(task, watching) if learning is None else {"loss": learning}
        self.learning = self.watched["loss"]

    def run(self) -> Findings:
        """Rounds until nothing changes, nothing passes the target, or the budget is spent."""
        start = time.perf_counter()
        added = self.task.forget[:0]
        judgement: Judgement | None = None
        entries: list[Report] = []
        recent: list[list[ModelOutputs]] = []
        stopped = "All rounds were used."
        for number in range(self.p.rounds):
            if number and time.perf_counter() - start > self.p.budget_seconds:
                stopped = "The time was used up."
                break
            if number >= _USUAL_ROUNDS and self.p.thrifty and self.work(number + 1) > MOST_TRAININGS:
                stopped = "A further round would take too long beside training."
                break
            if number >= _USUAL_ROUNDS:
                self.budget.total += steps_a_round(self.p, self.task)
            # The round before was told less but saw other folds: together they are steadier than either.
            recent = [*recent[-1:], self.views(added, number)]
            judgement = judge([view for views in recent for view in views], self.is_forget)
            before = added
            count = judgement.accept_count(self.p.precision, int(self.p.growth * (len(self.task.forget) + len(before))))
            added = torch.from_numpy(judgement.suspects[:count].copy()).to(self.task.device).sort().values
            entries.append(describe_round(judgement, added, before))
            # One look may fail by an unlucky flush: nothing is called clean before a second one, with other folds.
            if judgement.state == "ranked" or (number and not count):
                stopped = judgement.sentence if judgement.state != "judged" else "Nothing passes the precision target."
                break
            if count and _overlap(added, before) >= _STABLE:
                stopped = "A further round added nothing new."
                break
        assert judgement is not None
        return Findings(added, self.select_excluded(judgement, len(added)), judgement, entries, stopped, self.watched)

    def select_excluded(self, judgement: Judgement, count: int) -> torch.Tensor:
        """Indices of suspects below the first ``count`` that are too doubtful to learn from; none where ``count`` is 0.

        A judgement from which nothing can be added does not tell the corrupted from the rest. Its doubt would fall on
        whatever is hard to learn, and the last run would have that much less to repair from.
        """
        rest = judgement.suspects[count:] if count else judgement.suspects[:0]
        # Comparing with NaN, where nothing can be said, gives False.
        return torch.from_numpy(rest[judgement.probability[rest] >= EXCLUDE_ABOVE].copy()).to(self.task.device)

    def work(self, rounds: int) -> float:
        """Counted arithmetic of a search with so many rounds and the last REM, beside training from scratch."""
        recipe, examples = self.task.recipe, len(self.task.data)
        masked = masked_cost(self.task, self.p.redirect_ratio)
        setting = Setting(recipe, examples, masked)
        said = (1 + masked) / (STEP * recipe.epochs)
        runs = rounds * self.p.folds * (rem_work(RemParams(**self.values), setting) + said)
        return _WATCHED + runs + rem_work(RemParams(**rem_values(self.p)), setting)

    def views(self, added: torch.Tensor, number: int) -> list[ModelOutputs]:
        """One view for each fold of what is known; with too little known to hold out, one that was told of everything."""
        known = torch.cat([self.task.forget, added])
        # F and what was added are cut apart separately, so that each run is told of most of either.
        parts = torch.cat(
            [
                fold_of(len(ids), self.p.folds, self.task.seed + 101 * number + k)
                for k, ids in enumerate((self.task.forget, added))
            ]
        ).to(self.task.device)
        folds = range(min(self.p.folds, len(self.task.forget))) if len(self.task.forget) >= MIN_KNOWN else [-1]
        views: list[ModelOutputs] = []
        for fold in folds:
            task = with_forget_set(self.task, known[parts != fold], self.task.seed + 1000 * (number + 1) + fold)
            reporter = StepProgress(self.budget.next(steps_of(self.values, len(task.data))))
            model, said = self.look(task, reporter)
            views.append(outputs_of(model, task, task.forget, self.p.forget_share, self.original, self.learning, said))
            if self.budget.reporter.cancelled():
                raise Cancelled
        if not self.keep_redirect:
            model.narrow()
        self.budget.reporter.snapshot(model)
        return views

    def look(self, task: UnlearningTask, reporter: Reporter) -> tuple[RedirectNet, tuple[torch.Tensor, torch.Tensor]]:
        """A short REM on ``task``, and its outputs with redirect off.

        A handful of examples with one label can push that whole class out of the base: then again, with less force.
        """
        milder = self.values | {"forget_weight": self.values["forget_weight"] / 3}
        soft = self.p.thrifty and self.lost
        model = run_single_rem(milder if soft else self.values, task, reporter)
        said = outputs(model, task)
        if not soft and class_collapsed(model, task.answers or task.original, task, said[0].argmax(1)):
            self.lost = True
            model = run_single_rem(milder, task, SilentProgress(reporter))
            said = outputs(model, task)
        return model, said


def run_single_rem(values: Values, task: UnlearningTask, reporter: Reporter) -> RedirectNet:
    """One REM run, as it comes out, on a copy of the original, which ``task`` keeps."""
    model = Rem(Rem.params(values)).run_single(with_forget_set(task, task.forget), reporter)
    assert isinstance(model, RedirectNet)
    return model


def search_params(values: Values) -> Values:
    """REM's values for a look at the data: fewer rounds and a softer flush than for healing for good.

    On development seeds these ranked the undiscovered at least as well, and broke a whole class less often.
    """
    epochs = max(1, round(_LESS * values["epochs"]))
    return values | {"epochs": epochs, "flush_clip": values["flush_clip"] / 2, "most_work": _LESS * values["most_work"]}


def look_values(params: DiscoverParams, task: UnlearningTask) -> Values:
    """:func:`search_params` of these; thrifty, with less work in as many rounds as that leaves whole."""
    values = search_params(rem_values(params))
    if not params.thrifty or params.steps:
        return values
    values |= {"most_work": _THRIFTY * params.most_work}
    return values | {"epochs": whole_rounds(RemParams(**values), task)}


def final_rem(params: DiscoverParams, task: UnlearningTask, found: Findings, reporter: Reporter) -> tuple[nn.Module, Report]:
    """REM on all that is known by now, which learns nothing from what is in doubt; and what was changed, as plain data."""
    known = torch.cat([task.forget, found.added])
    whole = with_forget_set(task, known, excluded=found.excluded)
    start = rem_values(params)
    # A weight of its own makes the removal of a handful spread. The more is known, the less it has to.
    mostly = len(known) >= MOSTLY_KNOWN * (len(task.forget) + found.judgement.undiscovered[0])
    change = {"forget_weight": start["forget_weight"] / 3} if mostly else {}
    model = Rem(Rem.params(start | change)).unlearn(with_forget_set(whole, known, excluded=found.excluded), reporter)
    # What the run itself says, where it was repeated more softly.
    report = getattr(model, "report", {}).get("tuning", {})
    chosen = change | report.get("changed", {})
    before, after = evaluate(UNTOUCHED, task.original, whole), evaluate(chosen, model, whole)
    tried: list[Report] = report.get("tried") or [{"changed": {}, "retain": after.retain}]
    tried = [entry | {"changed": change | entry["changed"]} for entry in tried]
    if before.significantly_better(after):
        # The network never learned the wrong labels: there is nothing that a REM run could make good.
        chosen, model = UNTOUCHED, run_rem(start | UNTOUCHED, with_forget_set(whole, known), SilentProgress(reporter))
        tried.append({"changed": UNTOUCHED, "retain": before.retain})
        reporter.snapshot(model)
    return model, {"changed": chosen, "tried": tried}


def _overlap(one: torch.Tensor, two: torch.Tensor) -> float:
    both = int(torch.isin(one, two).sum())
    return both / max(1, len(one) + len(two) - both)


def discovery_steps(params: DiscoverParams, task: UnlearningTask) -> int:
    """Steps of REM that a search usually takes, the run that is watched included for what it costs."""
    watching = math.ceil(early_learning_steps(task) * training_pace(params, task))
    rounds = min(params.rounds, _USUAL_ROUNDS) if len(task.forget) >= MIN_KNOWN else 1
    return watching + rounds * steps_a_round(params, task)


def search_work(params: DiscoverParams, setting: Setting) -> float:
    """Counted arithmetic of a search beside training from scratch: the run that is watched, and the usual rounds."""
    look = rem_work(Rem.params(search_params(rem_values(params))), setting)
    return _WATCHED + min(params.rounds, _USUAL_ROUNDS) * params.folds * look


def steps_a_round(params: DiscoverParams, task: UnlearningTask) -> int:
    """Steps of REM in one round."""
    folds = min(params.folds, len(task.forget)) if len(task.forget) >= MIN_KNOWN else 1
    return folds * steps_of(look_values(params, task), len(task.data))
