"""What keeps a run of REM from doing harm: a softer second run where the first lost a class, and a learning rate that fits."""

from __future__ import annotations

import copy
import dataclasses
from typing import ClassVar, TypeVar

from torch import nn

from unlearn_core.methods.base import Method, UnlearningTask
from unlearn_core.methods.redirection.fitted_rate import run_at_fitting_rate
from unlearn_core.methods.redirection.params import RemParams
from unlearn_core.methods.shared.class_collapse import class_collapsed, halve_clip
from unlearn_core.methods.shared.preference import accuracy_on
from unlearn_core.methods.shared.rounds import add_report
from unlearn_core.training import Reporter
from unlearn_core.training.progress import SilentProgress
from unlearn_core.tuning.held_out import Run, Values

P = TypeVar("P", bound=RemParams)


def with_safeguard(run: Run, clip: float) -> Run:
    """``run``, and a second, softer one where the first lost a class; of the two the one that keeps more of the rest.

    A handful of known examples can push the class they show, or the one they are labelled as, out of the base as a whole, and
    the bounded loss hardly pulls that back. It shows on the labels as given. ``clip``: the flush's largest gradient norm,
    which is halved. What was tried and what was kept is in the model's report, under ``tuning``.
    """

    def run_safely(changes: Values, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        task, spare = task.with_answers(), copy.deepcopy(task.original)
        model = run(changes, task, reporter)
        if not class_collapsed(model, task.answers or spare, task):
            return model
        softer: Values = {"flush_clip": halve_clip(clip)}
        again = run(changes | softer, dataclasses.replace(task, original=spare), SilentProgress(reporter))
        kept = [accuracy_on(one, task, task.retain) for one in (model, again)]
        tried = [{"changed": {}, "retain": kept[0]}, {"changed": softer, "retain": kept[1]}]
        if kept[1] > kept[0]:
            model = again
            reporter.snapshot(model)
        add_report(model, tuning={"changed": softer if model is again else {}, "tried": tried, "repeated": True})
        return model

    return run_safely


class SafeguardedMethod(Method[P]):
    """Base of methods whose algorithm, :meth:`run_single`, is wrapped: by :func:`with_safeguard` where the parameters say
    ``repeat``, and by a search for a learning rate that fits the network where they say ``fit_rate``."""

    has_safeguard: ClassVar[bool] = True
    """Whether a run that lost a class may be repeated at all."""

    def run_single(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        """The algorithm, once, whatever comes of it; consumes the task's original."""
        raise NotImplementedError

    def run_changed(self, changes: Values, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        """:meth:`run_single` with other values of some parameters."""
        return type(self)(self.p.model_copy(update=changes)).run_single(task, reporter)

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        run: Run = self.run_changed
        if self.has_safeguard and self.p.repeat:
            run = with_safeguard(run, self.p.flush_clip)
        if self.p.fit_rate:
            return run_at_fitting_rate(self.run_changed, run, self.p.learning_rate, task, reporter)
        return run({}, task, reporter)
