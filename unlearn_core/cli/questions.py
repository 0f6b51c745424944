"""``discover --questions``: cards to look at where no error is known yet, and the answers taken back."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unlearn_core.cli.checkpoint_fit import say_fit
from unlearn_core.cli.engine_options import EngineOptions
from unlearn_core.cli.follow import failure, follow
from unlearn_core.cli.forget_option import file_bytes
from unlearn_core.cli.options import FAILED, fail, print_json, say, say_stopped
from unlearn_core.cli.scenario_options import ScenarioOptions
from unlearn_core.errors import UserError
from unlearn_core.support.typed_paths import typed_path, typed_target

if TYPE_CHECKING:
    from unlearn_core.discovery.cards import Card
    from unlearn_core.front_door.assistant import Assistant
    from unlearn_core.front_door.card_answers import AnswerRow
    from unlearn_core.specs import Scenario
    from unlearn_core.store import Store

SHEET, ANSWERS = "cards.html", "answers.csv"
MOST = 200
HEALERS = ("rem",)
"""What a report shows beside the original."""


@dataclass(frozen=True)
class Asked:
    """What was typed: how many ``questions``, the folder ``out``, the file of ``answers``, where to ``accept`` them, and where
    to ``report`` on them."""

    questions: int | None
    out: Path | None
    answers: Path | None
    accept: Path | None
    report: Path | None = None

    def check(self, options: ScenarioOptions) -> None:
        """Raise :class:`UserError` for what cannot be, before anything is computed."""
        if options.forget is not None:
            raise UserError("--questions starts from nothing known, so --forget has no meaning beside it.")
        if self.questions is not None and not 1 <= self.questions <= MOST:
            raise UserError(f"--questions must be 1 to {MOST} (got {self.questions}).")
        if (self.questions is None) != (self.out is None):
            raise UserError("--questions needs --out, the folder for the cards, and --out needs --questions here.")
        if self.out is not None:
            folder = typed_target(self.out.parent / (self.out.name + ".part"), "--out").with_name(self.out.name)
            if folder.exists() and not folder.is_dir():
                raise UserError(f"--out {str(self.out)!r} is a file; the cards need a folder.")
        if self.accept is not None:
            typed_target(self.accept, "--accept")
        if self.report is not None:
            if self.answers is None:
                raise UserError("--report is about answers to cards, so it needs --answers.")
            typed_target(self.report, "--report")


def ask(options: ScenarioOptions, compute: EngineOptions, asked: Asked, json: bool) -> int:
    """Write the next cards, take answers back, or both."""
    from unlearn_core.front_door.assistant import Assistant
    from unlearn_core.front_door.card_answers import read_answers

    asked.check(options)
    rows: list[AnswerRow] = []
    if asked.answers is not None:
        path = typed_path(asked.answers, "the answers", kept=False)
        rows = read_answers(file_bytes(path), f"The file {str(asked.answers)!r}")
    try:
        with compute.open() as (store, machine):
            scenario = options.make(["rem_discover"]).at_rate(0.0)
            if why := _train(scenario, store, machine):
                return fail(why, FAILED)
            assistant = Assistant.of_stored(scenario, store, compute.device.value)
            replay(assistant, rows, str(asked.answers))
            cards = assistant.next(asked.questions) if asked.questions else []
            if asked.report is not None:
                _report(asked.report, assistant, options, scenario, store, machine)
    except KeyboardInterrupt:
        return say_stopped()
    written = _write(assistant, cards, rows, scenario, asked)
    say(assistant.sentence)
    for sentence in written:
        say(sentence)
    if json:
        print_json(_answer(assistant, cards, scenario))
    return 0


def _train(scenario: Scenario, store: Store, machine: Any) -> str:
    """Make sure that the original is in the store; returns why it is not."""
    from unlearn_core.cli.run import check_counts, say_data
    from unlearn_core.stages.original import plan_original
    from unlearn_core.stages.validate import check_task

    check_counts(scenario)
    check_task(scenario)
    say_data(scenario)
    say_fit(machine, store, scenario)
    return failure(follow(machine, machine.submit([plan_original(scenario)], "discover"), details=True))


def replay(assistant: Assistant, rows: Sequence[AnswerRow], name: str) -> None:
    """Give the answers of a file, round by round; raises :class:`UserError` where its cards are not those of these data."""
    for turn in sorted({row.turn for row in rows}):
        here = [row for row in rows if row.turn == turn]
        cards = {card.number: card for card in assistant.next(len(here))}
        for row in here:
            card = cards.get(row.card)
            if card is None or tuple(int(index) for index in card.shown) != row.shown:
                raise UserError(
                    f"The file {name!r} answers card {row.card} of round {turn}, which shows other examples here: it belongs "
                    "to other data, another seed or another version."
                )
            if row.answer:
                assistant.answer(card, row.check(), wrong=row.wrong)


def _write(
    assistant: Assistant, cards: Sequence[Card], rows: Sequence[AnswerRow], scenario: Scenario, asked: Asked
) -> list[str]:
    """The files that were asked for, and a sentence about each."""
    from unlearn_core.datasets import load_dataset
    from unlearn_core.front_door.card_answers import row_of, write_answers
    from unlearn_core.front_door.card_sheet import write_sheet

    split = load_dataset(scenario.dataset, scenario.seed)
    said = []
    if asked.out is not None and cards:
        turn = 1 + max((row.turn for row in rows), default=0)
        page = write_sheet(
            cards, turn, assistant.data, split.train.class_names, split.names, rows, assistant.sentence, assistant.explain
        )
        _put(asked.out / SHEET, page)
        _put(asked.out / ANSWERS, write_answers([*rows, *(row_of(turn, card) for card in cards)]))
        said.append(f"{len(cards)} cards are in {str(asked.out / SHEET)!r}; answer there, or in {str(asked.out / ANSWERS)!r}.")
    elif asked.out is not None:
        said.append("No card is worth a look any more, so none was written.")
    if asked.accept is not None:
        _put(asked.accept, _forget_list(assistant, scenario, split.names))
        said.append(f"The forget list with {len(assistant.forget_set)} examples is in {str(asked.accept)!r}.")
    return said


def _report(
    target: Path, assistant: Assistant, options: ScenarioOptions, scenario: Scenario, store: Store, machine: Any
) -> None:
    """Heal with what was called wrong, where anything was, and write the report."""
    from unlearn_core.front_door.looks_report import looks_report
    from unlearn_core.front_door.report import write_report
    from unlearn_core.presets import make_method, method_overrides
    from unlearn_core.stages.unlearn import plan_runs

    specs = [make_method(name, scenario, method_overrides(options.parse().overrides, name)) for name in HEALERS]
    if assistant.forget_set:
        told = scenario.knowing(tuple(assistant.forget_set))
        if why := failure(follow(machine, machine.submit(plan_runs(told, specs), "heal"), details=True)):
            say(why)
    command = f"python -m unlearn_core {shlex.join(sys.argv[1:])}"
    write_report(target, looks_report(store, scenario, assistant.inquiry, {"Terminal": command}, specs))
    say(f"The report is in {str(target)!r}.")


def _forget_list(assistant: Assistant, scenario: Scenario, paths: Sequence[str]) -> str:
    from unlearn_core.forget_sets import ForgetSet, write_csv

    notes = dict.fromkeys(assistant.forget_set, "called wrong on a card")
    return write_csv(ForgetSet(tuple(assistant.forget_set), (), {}, notes), paths)


def _put(path: Path, text: str) -> None:
    try:
        os.makedirs(path.parent, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"The file {str(path)!r} cannot be written: {error.strerror or error}.") from None


def _answer(assistant: Assistant, cards: Sequence[Card], scenario: Scenario) -> dict[str, Any]:
    return {
        "scenario": scenario.model_dump(mode="json") | {"key": scenario.key},
        "looks": assistant.looks,
        "sentence": assistant.sentence,
        "forget": assistant.forget_set,
        "expected_rest": assistant.expected_rest,
        "expected_find": assistant.expected_find,
        "cards": [{"card": card.number, "kind": card.group.kind, "shown": card.shown.tolist()} for card in cards],
    }
