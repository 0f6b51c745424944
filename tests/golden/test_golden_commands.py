"""Every command prints the JSON that it printed when the golden data were made, and computes nothing for it.

What comes from the golden store must be the same; words about components (``goldentools.PROSE``) may be improved, and
components may join. Where a method has another revision than its stored runs, today's command would compute them anew: these
commands are skipped and name the method, and `results` must print all rows but those of that method (the reason is in
``test_golden_store.py``). Where a command's JSON was changed on purpose: ``python tests/golden/make_golden.py --commands``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from goldencommands import BARE, COMPONENTS, STORED, Command
from goldentools import NO_STORE, ask, computed, differences, option_names, outdated, read_golden

from unlearn_core.cli import main
from unlearn_core.methods import registry
from unlearn_core.store import Store

GOLDEN = read_golden("commands")
ANSWERS: dict[str, Any] = GOLDEN["answers"]
RESULTS = [command for command in STORED if command.arguments[0] == "results"]


def by_name(command: Command) -> str:
    return command.name


def without_methods(rows: list[dict[str, Any]], names: list[str]) -> list[dict[str, Any]]:
    """The rows of other methods. What the originals memorised is a mean over all runs shown, so it goes with any of them."""
    shared = ("memorised",) if names else ()
    return [{name: row[name] for name in row if name not in shared} for row in rows if row["method"] not in names]


@pytest.mark.parametrize("command", COMPONENTS, ids=by_name)
def test_components_are_listed_as_they_were(command: Command, folder: Path, bare: None) -> None:
    now = ask(command.arguments, folder)
    listed = {part["name"]: part for part in now["out"]}
    assert now["code"] == 0
    then = {part["name"]: part for part in ANSWERS[command.name]["out"]}
    lines = differences(then, {name: listed.get(name) for name in then})
    assert [line for line in lines if ".description: was missing, is" not in line] == []  # a description may be added


@pytest.mark.parametrize("command", BARE, ids=by_name)
def test_commands_answer_without_a_store(command: Command, folder: Path, bare: None) -> None:
    assert differences(ANSWERS[command.name], ask(command.arguments, folder)) == []
    assert not (folder / NO_STORE).exists() or Store.open(folder / NO_STORE).find() == []


@pytest.mark.parametrize("command", STORED, ids=by_name)
def test_commands_answer_from_the_store(command: Command, folder: Path, store: Store, stored_revisions: dict[str, int]) -> None:
    if changed := outdated(command.methods, stored_revisions):
        pytest.skip(f"{', '.join(changed)} has another revision than its runs in the golden store")
    for path in folder.glob("healed.*"):
        path.unlink()
    before = computed(store)
    now, then = ask(command.arguments, folder), ANSWERS[command.name]
    assert computed(store) == before
    if command in RESULTS:
        gone = outdated(stored_revisions, stored_revisions)
        then, now = (one | {"out": without_methods(one["out"], gone)} for one in (then, now))
    assert differences(then, now) == []


def test_nothing_had_to_be_computed_for_what_is_kept() -> None:
    runs = [ANSWERS[command.name]["out"] for command in STORED if command.arguments[0] == "run"]
    assert len(runs) > 6
    assert all(result["cached"] for run in runs for result in run["results"])
    assert all(not run["failed"] for run in runs)
    assert ANSWERS["sweep"]["out"]["computed"] == 0
    assert all(len(ANSWERS[command.name]["out"]) for command in RESULTS)


def test_results_leave_out_a_method_whose_code_has_changed_and_nothing_else(
    folder: Path, store: Store, stored_revisions: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("results", "--metric", "utility", "--json")
    before = ask(arguments, folder)["out"]
    name = before[0]["method"]
    monkeypatch.setattr(registry.get(name), "revision", stored_revisions[name] + 1)
    after = ask(arguments, folder)["out"]
    assert 0 < len(after) < len(before)
    assert differences(*(without_methods(rows, [name]) for rows in (before, after))) == []
    assert name in outdated(stored_revisions, stored_revisions)


def test_every_command_still_takes_its_options() -> None:
    now = option_names()
    missing = {name: sorted(set(words) - set(now.get(name, ()))) for name, words in GOLDEN["options"].items()}
    assert {name: words for name, words in missing.items() if words} == {}
    assert len(GOLDEN["options"]) >= 11


def test_every_command_has_a_help(capsys: pytest.CaptureFixture[str]) -> None:
    for name in GOLDEN["options"]:
        assert main([name, "--help"]) == 0
        assert name in capsys.readouterr().out
