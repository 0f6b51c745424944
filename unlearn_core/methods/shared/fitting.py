"""A learning rate that follows a network trained elsewhere, and a run that is stopped where it costs too much."""

from __future__ import annotations

import copy
import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar

import torch
from pydantic import Field, create_model
from torch import nn

from unlearn_core.methods.base import Method, MethodParams, UnlearningTask
from unlearn_core.methods.shared.preference import accuracy_on
from unlearn_core.methods.shared.rounds import FALL, add_report, sample
from unlearn_core.training import Reporter
from unlearn_core.training.progress import SilentProgress

FACTORS = (1.0, 0.3, 0.1, 0.03, 0.01)
"""What the rate that was asked for is multiplied by: presets were found on networks with a hundredth of the weights."""
KEPT = 0.5
"""Share of the original's accuracy on held-out retain examples that a run has to keep. Not more: what the original knew by
heart of them counts as right, and a network that lost just that is as useful as before."""
HOLDS = 1 - FALL
"""The same share for a trial, which is too short to give up much of what was known by heart: what a round may lack."""
SEED, REST = 977, 1024
"""Added to the task's seed; retain examples that a trial sees."""
_HELD, _SHARE = 512, 0.1
"""Retain examples that no run learns from: at most so many, and this share of all."""

P = TypeVar("P", bound=MethodParams)
Unlearn = Callable[[Any, UnlearningTask, Reporter], nn.Module]


class FittedMethod(Method[P]):
    """Base of methods that take gradient steps with a rate of their own, :attr:`rate_name`.

    Their parameters get ``fit_rate``, which presets switch on for a network that was trained elsewhere and which is in no key
    while it is off. With it, before ``unlearn`` does what the method says, one pass is tried at that rate and at lower ones,
    the highest first. The first that keeps :data:`HOLDS` of the original's accuracy on held-out retain examples is taken, or
    the one that keeps most. On these examples the run is judged as well (:func:`judged_run`). Only given labels are read. Of a
    method on checked examples all of these are used: what is held out is none of them.
    """

    rate_name: ClassVar[str] = "learning_rate"
    """The parameter that is tried, of which lower values move the weights less."""
    trial: ClassVar[dict[str, Any]] = {}
    """What makes a trial short, in place of one pass."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.rate_name in cls.Params.model_fields and "fit_rate" not in cls.Params.model_fields:
            about = Field(
                False, description="First try lower learning rates for a pass: the highest that does no harm is taken"
            )
            name, words = cls.Params.__name__, cls.Params.__doc__
            cls.Params = create_model(name, __base__=cls.Params, __doc__=words, fit_rate=(bool, about))
            cls.later |= {"fit_rate"}
        if "unlearn" in vars(cls):
            cls.unlearn = _fitting(vars(cls)["unlearn"])  # type: ignore[method-assign, assignment]
        if "correct" in vars(cls):
            cls.correct = _correcting(vars(cls)["correct"])  # type: ignore[attr-defined]


def _fitting(unlearn: Unlearn) -> Unlearn:
    @functools.wraps(unlearn)
    def at_a_fitting_rate(self: FittedMethod[Any], task: UnlearningTask, reporter: Reporter) -> nn.Module:
        if not getattr(self.p, "fit_rate", False):
            return unlearn(self, task, reporter)
        return _fit(self, task, reporter, unlearn, task.retain)

    return at_a_fitting_rate


def _correcting(correct: Callable[[Any, UnlearningTask, torch.Tensor, Reporter], nn.Module]) -> Any:
    """The same of a method on checked examples (``shared/trusted.py``)."""

    @functools.wraps(correct)
    def at_a_fitting_rate(
        self: FittedMethod[Any], task: UnlearningTask, checked: torch.Tensor, reporter: Reporter
    ) -> nn.Module:
        if not getattr(self.p, "fit_rate", False):
            return correct(self, task, checked, reporter)
        unchecked = task.retain[~torch.isin(task.retain, checked)]
        return _fit(self, task, reporter, lambda other, part, inner: correct(other, part, checked, inner), unchecked)

    return at_a_fitting_rate


def _fit(method: FittedMethod[Any], task: UnlearningTask, reporter: Reporter, start: Unlearn, free: torch.Tensor) -> nn.Module:
    """``start``: what the method does; ``free``: retain examples of which some may be held out."""
    name = method.rate_name
    held, _ = hold_out_retain(dataclasses.replace(task, retain=free))
    rest = task.retain[~torch.isin(task.retain, held)]
    part, asked = dataclasses.replace(task, retain=rest), getattr(method.p, name)
    before = accuracy_on(task.original, task, held)
    short = method.trial or ({"epochs": 1} if "epochs" in type(method.p).model_fields else {})

    def run(changes: dict[str, Any], task: UnlearningTask, reporter: Reporter) -> nn.Module:
        return start(type(method)(method.p.model_copy(update=changes | {"fit_rate": False})), task, reporter)

    few = sample(rest, task.seed + SEED, REST)
    tried: list[dict[str, Any]] = []
    for factor in FACTORS:
        change = {name: asked * factor}
        own = dataclasses.replace(part, original=copy.deepcopy(task.original), retain=few)
        kept = accuracy_on(run(change | short, own, SilentProgress(reporter)), task, held)
        tried.append({"changed": change, "retain": kept})
        if kept >= HOLDS * before:
            break
    best = tried[-1] if tried[-1]["retain"] >= HOLDS * before else max(tried, key=lambda one: float(one["retain"]))
    change = {} if best is tried[0] else dict(best["changed"])
    about = {"changed": change, "tried": tried, "asked": asked}
    return judged_run(lambda: run(change, part, reporter), task, held, reporter, about)


def judged_run(
    run: Callable[[], nn.Module], task: UnlearningTask, held: torch.Tensor, reporter: Reporter, about: dict[str, Any]
) -> nn.Module:
    """The model of ``run``, which consumes the task's original; or the original, where the run kept less than :data:`KEPT` of
    what that says of ``held`` (indices). ``about`` goes into the model's report, under ``rate``, with what was seen."""
    original, before = copy.deepcopy(task.original), accuracy_on(task.original, task, held)
    model = run()
    after = accuracy_on(model, task, held)
    stopped = after < KEPT * before
    if stopped:
        _copy_reports(model, original, ("report", "report_arrays"))
        model = original.eval()
        reporter.snapshot(model)
    seen = {"examples": len(held), "before": before, "after": after}
    add_report(model, rate=about | {"held_out": seen, "stopped": stopped})
    return model


def hold_out_retain(task: UnlearningTask) -> tuple[torch.Tensor, torch.Tensor]:
    """Retain examples (m,) that are only looked at, and the others; sorted indices."""
    held = sample(task.retain, task.seed + SEED, max(1, min(_HELD, round(_SHARE * len(task.retain)))))
    return held, task.retain[~torch.isin(task.retain, held)]


def _copy_reports(source: nn.Module, target: nn.Module, names: Sequence[str]) -> None:
    """What a search found is no less true of a network that its run was not allowed to change."""
    for name in names:
        if hasattr(source, name):
            setattr(target, name, getattr(source, name))
