"""What a method is and what it sees: only what a practitioner has."""

from __future__ import annotations

import copy
import dataclasses
import functools
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Self, TypeVar, get_args

import torch
from annotated_types import Le, Lt
from torch import nn

from unlearn_core.component import Component, ComponentParams, ComponentRegistry, is_limited, is_number
from unlearn_core.corruption import GroundTruth
from unlearn_core.models import RedirectNet
from unlearn_core.plugins import Plugin
from unlearn_core.specs import TrainingSpec
from unlearn_core.training import Answers, DeviceData, Reporter

registry: ComponentRegistry[Method[Any]] = ComponentRegistry("method", "unlearn_core.methods", families=True)

FamilyName = Literal[
    "retraining", "fine-tuning", "ascent", "distillation", "dampening", "localised", "adversarial", "redirection"
]
FAMILIES: tuple[str, ...] = get_args(FamilyName)
SECTIONS = ("Symbols", "Given", "Fails", "Source", "Values")
"""What a method's docstring says below its equation: which parameter stands for which symbol, what the method is given, where
it fails, who published it, and where its values come from."""


class MethodParams(ComponentParams):
    """Base of a method's parameters."""


@dataclass(frozen=True)
class Region:
    """A rectangle on the plane of regularity and discovery that a method's paper aims at."""

    regularity: tuple[float, float] = (0.0, 1.0)
    discovery: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True)
class UnlearningTask:
    """Everything a practitioner has at unlearning time, and nothing else.

    ``original``: the trained model (a copy: methods may change it). ``data``: training inputs with their *given* labels.
    ``forget``, ``retain``: int64 training indices; retain still hides the undiscovered corruption. ``fresh_model(seed)``
    gives a newly initialised network of the same architecture on the device; ``recipe`` is how the original was trained.
    ``right``: int64 (n_f,), in the order of ``forget``, the right labels that a person gave, -1 where none; ``trusted``: int64
    training indices that a person checked and found right. Either is None where nothing was given, or the method does not say
    that it needs it. ``answers``: what the original says of the examples, shared by the runs of a search so that it is asked
    once; None for a run by itself.
    """

    original: RedirectNet
    data: DeviceData
    forget: torch.Tensor
    retain: torch.Tensor
    fresh_model: Callable[[int], RedirectNet]
    recipe: TrainingSpec
    seed: int
    right: torch.Tensor | None = field(default=None, kw_only=True)
    trusted: torch.Tensor | None = field(default=None, kw_only=True)
    answers: Answers | None = field(default=None, kw_only=True)

    @property
    def device(self) -> torch.device:
        return self.data.device

    @property
    def everything(self) -> torch.Tensor:
        """All training indices."""
        return torch.arange(len(self.data), device=self.device)

    def is_forget(self) -> torch.Tensor:
        """bool (N,): which training examples are in the forget set."""
        flags = torch.zeros(len(self.data), dtype=torch.bool, device=self.device)
        flags[self.forget] = True
        return flags

    def frozen_original(self) -> RedirectNet:
        """A separate copy of the original in eval mode, without gradients: a teacher or a reference."""
        teacher = copy.deepcopy(self.original).eval()
        for parameter in teacher.parameters():
            parameter.requires_grad_(False)
        return teacher

    def with_answers(self) -> Self:
        """The same task with :attr:`answers`, of the original as it is now."""
        answers = self.answers or Answers(self.frozen_original(), self.data)
        return dataclasses.replace(self, answers=answers)


@dataclass(frozen=True)
class OracleTask(UnlearningTask):
    """What an upper bound on purpose gets on top: the ground truth."""

    truth: GroundTruth


P = TypeVar("P", bound=MethodParams)


class Method(Component[P]):
    """One unlearning method. Subclasses name their parameters in the brackets, ``class Mine(Method[MineParams])``, which makes
    them the type of ``self.p`` and :attr:`Params`; and set the class attributes and ``unlearn``. Their docstring opens with the
    equation; :data:`SECTIONS` follow."""

    paper: ClassVar[str] = ""
    family: ClassVar[FamilyName]
    designed_for: ClassVar[Region] = Region()
    oracle: ClassVar[bool] = False
    needs_forget: ClassVar[bool] = True
    cost: ClassVar[float] = 0.5
    """Rough time beside training from scratch; what a run is expected to take until its first steps are counted."""
    revision: ClassVar[int] = 1
    """Raised whenever the same parameters would give other numbers, so that stored runs are not mistaken for new ones."""
    presets: ClassVar[dict[str, dict[str, Any]]] = {}
    """Family of data ("points", "digits", "photos") → parameters that differ from the defaults there; under the family's name
    and ", augmented" those that differ from these where training crops and flips."""
    published: ClassVar[dict[str, dict[str, Any]] | None] = {}
    """Parameters in which the publication departs from the defaults: under "" everywhere, under a family of data there. The
    defaults are the publication's where it has them. None: there is no publication, and so one set of values."""

    statistics: ClassVar[Literal["measured", "of training", "kept"]] = "measured"
    """What batch norm normalises by in the model that is returned: statistics measured on the retain set after every round,
    which is the rule (``shared/rounds.py``); the running means of a training from scratch; or those of the original."""
    tuned_as: ClassVar[str] = ""
    """Name of the method whose tuned values it starts from where it was not tuned itself; "" for none."""
    needs_retain: ClassVar[bool] = True
    needs_labels: ClassVar[bool] = True
    """Whether it uses the given labels of the forget set."""
    needs_right_labels: ClassVar[bool] = False
    """Whether it cannot run without right labels of some of the forget set (``UnlearningTask.right``)."""
    needs_trusted: ClassVar[bool] = False
    """Whether it works on examples that a person checked (``UnlearningTask.trusted``)."""
    stands_in: ClassVar[bool] = False
    """Whether it takes a stand-in for checked examples where there are none, and says so (``shared/trusted.py``); one that does
    not cannot run then."""
    needs_own_original: ClassVar[bool] = False
    """Whether it cannot start from the given original, but trains one of its own kind first."""
    search_space: ClassVar[dict[str, list[Any]]] = {}
    """Values that ``tune`` may try for each parameter worth tuning."""

    Params: ClassVar[type[ComponentParams]] = MethodParams

    def __init__(self, params: P) -> None:
        self.p = params

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        """The unlearned model, in eval mode, giving logits without a mask. Checks ``reporter.cancelled()`` every batch."""
        raise NotImplementedError

    @classmethod
    def expected_work(cls, params: P, setting: Any) -> float:
        """What a run with ``params`` takes beside training from scratch, before anything runs: counted arithmetic where the
        method can count it, else :attr:`cost`. ``setting``: a ``redirection.work.Setting``, which this module cannot import."""
        return cls.cost

    ranks: ClassVar[bool] = False
    """Whether it ranks examples by every registered score, so that a plug-in's score changes its numbers."""

    @classmethod
    def stamp(cls, plugin: Plugin) -> None:
        cls.revision = plugin.revision(cls.revision)

    @classmethod
    def todays_revision(cls) -> int:
        """:attr:`revision`, or where it ranks by a plug-in's scores one that tells their version as well."""
        if not cls.ranks:
            return cls.revision
        from unlearn_core.discovery import registry as scores

        of = {plugin.digest: plugin for name in scores.names() if (plugin := scores.plugin_of(name)) is not None}
        return functools.reduce(lambda revision, digest: of[digest].revision(revision), sorted(of), cls.revision)

    @classmethod
    def faults(cls) -> list[str]:
        found, family = super().faults(), getattr(cls, "family", "")
        if family not in FAMILIES:
            what = f"its family {family!r} is unknown" if family else "it has no family"
            found.append(f"{what} (known: {', '.join(FAMILIES)})")
        numbers = {name: field for name, field in cls.Params.model_fields.items() if is_number(field)}
        unlimited = [name for name, field in numbers.items() if not is_limited(field, Le, Lt)]
        return found + [f"its parameter {name!r} has no largest value" for name in unlimited]

    @classmethod
    def manual(cls) -> dict[str, str]:
        """The class's own docstring by section, each on one line: "Equation", then those of :data:`SECTIONS` that it has."""
        text = inspect.cleandoc(vars(cls).get("__doc__") or "")
        parts = re.split(rf"^({'|'.join(SECTIONS)}): ", text, flags=re.MULTILINE)
        return {name: " ".join(words.split()) for name, words in zip(["Equation", *parts[1::2]], parts[::2], strict=True)}

    @classmethod
    def knows(cls) -> tuple[str, ...]:
        """What it is told beside the original and the data that are left: methods are rivals where this is the same."""
        told = {
            "F": cls.needs_forget,
            "given labels": cls.needs_forget and cls.needs_labels,
            "right labels": cls.needs_right_labels,
            "trusted": cls.needs_trusted,
            "truth": cls.oracle,
        }
        return tuple(words for words, needed in told.items() if needed)

    @classmethod
    def describe(cls) -> dict[str, Any]:
        return super().describe() | {
            "family": cls.family,
            "paper": cls.paper,
            "oracle": cls.oracle,
            "needs_forget": cls.needs_forget,
            "needs_retain": cls.needs_retain,
            "needs_labels": cls.needs_labels,
            "needs_own_original": cls.needs_own_original,
            "knows": cls.knows(),
            "designed_for": {"regularity": cls.designed_for.regularity, "discovery": cls.designed_for.discovery},
            "presets": cls.presets,
            "published": cls.published is not None,
        }
