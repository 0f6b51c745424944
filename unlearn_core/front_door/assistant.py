"""``Assistant``: from nothing known to a forget set, by looks at a few groups of examples."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, Self, cast

from torch import nn

from unlearn_core.discovery.cards import Card
from unlearn_core.errors import UserError
from unlearn_core.front_door import unlearning
from unlearn_core.front_door.guest_data import Moments, take_data
from unlearn_core.front_door.watching import MethodReporter, display

if TYPE_CHECKING:
    from unlearn_core.discovery.inquiry import Inquiry
    from unlearn_core.methods import UnlearningTask
    from unlearn_core.methods.redirection.asking import Looks
    from unlearn_core.methods.redirection.search import DiscoverParams
    from unlearn_core.specs import Scenario
    from unlearn_core.store import Store
    from unlearn_core.training import DeviceData
    from unlearn_core.views.looks.cards import Shared

METHOD = "rem_discover"
"""Whose search takes over as soon as enough is known, and whose values it goes by."""
MOST = 1000
"""Most cards at once."""


class Assistant:
    """Finds out what is wrong with a training set where no error is known yet: it shows groups, a person answers.

    Each card has up to sixteen examples that belong together, and one question: are their given labels wrong, right, or mixed?
    What is called wrong becomes the forget set; once it holds enough, discovery takes over, and its doubts are the next cards.

    Args:
        data: a pair (inputs, labels) or a torch ``Dataset``, as for :func:`unlearn_core.unlearn`.
        model: the classifier that was trained on them, wrong labels and all. It is left as it was.
        recipe, kind, normalise, fresh, device, seed, progress: as for :func:`unlearn_core.unlearn`. Networks of the same kind
            are trained here, two of them for half of the recipe's epochs; then nothing more until discovery takes over.

    Raises:
        UserError: in one sentence, for what does not fit together.

    Source: docs/discovery.md, "Nothing known at the start".

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from unlearn_core import Assistant
        >>> inputs = torch.randn(400, 2, generator=torch.Generator().manual_seed(0))
        >>> right = (inputs[:, 0] > 0).long()
        >>> given = torch.where(torch.arange(400) < 40, 1 - right, right)
        >>> _ = torch.manual_seed(1)
        >>> net = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 2))
        >>> optimiser = torch.optim.Adam(net.parameters(), lr=0.01)
        >>> for _ in range(60):
        ...     optimiser.zero_grad()
        ...     nn.functional.cross_entropy(net(inputs), given).backward()
        ...     _ = optimiser.step()
        >>> assistant = Assistant((inputs, given), net, recipe={"epochs": 10, "batch_size": 32})
        >>> for _ in range(2):
        ...     for card in assistant.next():
        ...         mistaken = (given != right)[card.shown].float().mean()
        ...         assistant.answer(card, "wrong" if mistaken > 0.9 else "right" if mistaken < 0.1 else "mixed")
        >>> assistant.looks, len(assistant.forget_set) >= 16
        (2, True)
    """

    def __init__(
        self,
        data: Any,
        model: nn.Module,
        *,
        recipe: Mapping[str, Any] | None = None,
        kind: Literal["points", "digits", "photos"] | None = None,
        normalise: Moments | None = None,
        fresh: Callable[[], nn.Module] | None = None,
        device: str = "auto",
        seed: int = 0,
        progress: bool | None = None,
    ) -> None:
        inputs, labels = take_data(data)
        task = unlearning.make_task(model, inputs, labels, None, recipe, kind, normalise, fresh, device, seed)
        params = cast("DiscoverParams", unlearning.search_values(METHOD, kind, inputs))
        self._start(task, params, progress)

    @classmethod
    def of_stored(cls, scenario: Scenario, store: Store, device: str = "auto", progress: bool | None = None) -> Self:
        """The same on a scenario whose original is in ``store`` (:func:`unlearn_core.run` puts it there); of its corruption
        nothing is known."""
        from unlearn_core.evaluation import load_scenario_data
        from unlearn_core.methods import registry
        from unlearn_core.presets import make_method
        from unlearn_core.stages.execution import resolve_device
        from unlearn_core.stages.inputs import make_task

        scenario = scenario.at_rate(0.0)
        if store.get(scenario.original_key) is None:
            raise UserError("The original of this scenario is not in the store: run a method on it first.")
        task = make_task(store, scenario, load_scenario_data(scenario, resolve_device(device)))
        return cls.of_task(task, registry.get(METHOD).params(dict(make_method(METHOD, scenario, {}).params)), progress)

    @classmethod
    def of_task(cls, task: UnlearningTask, params: DiscoverParams, progress: bool | None = False) -> Self:
        """The same on a task that is made already, with an empty forget set, and the values of ``rem_discover``."""
        made = cls.__new__(cls)
        made._start(task, params, progress)
        return made

    def _start(self, task: UnlearningTask, params: DiscoverParams, progress: bool | None) -> None:
        from unlearn_core.methods.redirection.asking import Looks

        self._progress, self._right = progress, dict[int, int]()
        self._before: list[tuple[Looks, dict[int, int]]] = []
        with self._computing(task, progress) as reporter:
            self._looks = Looks(task, params, reporter)

    def next(self, k: int = 1) -> list[Card]:
        """The ``k`` most useful cards to show now, fewer where no more are worth a look; ``card.shown`` has the indices.

        The first call after enough is known takes as long as a few runs of REM: discovery takes over.
        """
        if not 1 <= k <= MOST:
            raise UserError(f"Ask for 1 to {MOST} cards at once (got {k}).")
        with self._computing(self._looks.task, self._progress) as reporter:
            return self._looks.next(k, reporter)

    def answer(
        self,
        card: Card,
        answer: Literal["wrong", "right", "mixed"],
        *,
        wrong: Iterable[int] | None = None,
        right: Mapping[int, int] | None = None,
    ) -> None:
        """Say of a card that its given labels are wrong, right, or mixed.

        Args:
            wrong: of a mixed card the indices of those that are wrong, where you want to tell them apart; otherwise its two
                halves are asked next.
            right: {index: right label} for any of the shown.
        """
        if wrong is not None and answer != "mixed":
            raise UserError("Single examples are marked on a card that is answered with 'mixed'.")
        given = {int(index): int(label) for index, label in (right or {}).items()}
        self._check_right(card, given)
        before = copy.copy(self._looks)
        before.questions = copy.deepcopy(self._looks.questions)
        self._looks.answer(card, answer, None if wrong is None else [int(index) for index in wrong])
        self._before.append((before, dict(self._right)))
        self._right |= given

    def explain(self, card: Card, names: Sequence[str] | None = None) -> str:
        """Why the examples of a card belong together, in one or two sentences; ``names``: the classes' names."""
        from unlearn_core.views.looks.cards import describe_card

        return describe_card(card, names, self._looks.evidence.given_up)

    def shared(self, card: Card) -> Shared:
        """What the examples of a card have in common: their average, and how it departs from that of their classes."""
        from unlearn_core.views.looks.cards import share_of

        return share_of(card, self.data.inputs, self.data.labels)

    def undo(self) -> None:
        """Take the last answer back; raises :class:`UserError` where there is none."""
        if not self._before:
            raise UserError("There is no answer to take back.")
        self._looks, self._right = self._before.pop()

    @property
    def looks(self) -> int:
        """How many answers were given."""
        return self._looks.questions.looks

    @property
    def forget_set(self) -> list[int]:
        """Training indices of what is called wrong, ascending; what :func:`unlearn_core.unlearn` takes as ``forget``."""
        return [int(index) for index in self._looks.questions.wrong()]

    @property
    def right_labels(self) -> dict[int, int]:
        """The right labels that were given for members of the forget set."""
        held = set(self.forget_set)
        return {index: label for index, label in sorted(self._right.items()) if index in held}

    @property
    def expected_rest(self) -> dict[str, float]:
        """How many corrupted examples are expected outside of the forget set: expected, and low and high of 90 %."""
        return dict(vars(self._looks.rest))

    @property
    def expected_find(self) -> float:
        """How many corrupted examples another look is expected to find."""
        return self._looks.questions.expected_find()

    @property
    def sentence(self) -> str:
        """How it stands: what was found, what is expected, or that the data look clean."""
        return self._looks.sentence

    @property
    def data(self) -> DeviceData:
        """The examples as they are shown, with their given labels."""
        return self._looks.task.data

    @property
    def inquiry(self) -> Inquiry:
        """The evidence, the questions and their answers, as a report reads them."""
        return self._looks

    def _check_right(self, card: Card, given: Mapping[int, int]) -> None:
        for index, label in given.items():
            if index not in card.shown:
                raise UserError(f"A right label is given for example {index}, which is not on card {card.number}.")
            if not 0 <= label < self.data.classes:
                raise UserError(f"Right labels go from 0 to {self.data.classes - 1} (got {label}).")

    @contextmanager
    def _computing(self, task: UnlearningTask, progress: bool | None) -> Iterator[MethodReporter]:
        from unlearn_core.training import computing_in, deterministic, seeded

        numbers = computing_in(task.recipe.precision)
        with numbers, deterministic(threads=None), seeded(task.seed), display(progress) as shown:
            yield MethodReporter(shown, "Looking for what belongs together")

    def __repr__(self) -> str:
        return f"<Assistant: {self.sentence}>"
