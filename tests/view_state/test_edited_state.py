"""Views with an edited forget set: the link carries a key, copied commands compute the same, sentences say what is known."""

from __future__ import annotations

import shlex

import pandas as pd
import pytest
from copiedcode import keys_of

from unlearn_core import view_state as vs
from unlearn_core.views.text.sentences import known_line, outcome, reference_note


@pytest.fixture
def state() -> vs.State:
    return vs.default_state() | {"dataset": "blobs", "forget": "0123456789abcdef", "indices": (3, 5, 9)}


def test_the_link_carries_the_key_alone(state: vs.State) -> None:
    assert vs.encode(state) == "dataset=blobs&forget=0123456789abcdef"
    again, notices = vs.decode(vs.encode(state))
    assert (again["forget"], notices) == (state["forget"], [])
    # Until somebody with a store has looked the key up, the discovery rate counts.
    assert vs.edited(again) == 0
    assert vs.to_scenario(again).forget is None
    assert vs.to_scenario(state).forget == (3, 5, 9)
    assert vs.to_scenario(state | {"forget": ""}).forget is None
    assert vs.edited(vs.clamp_state(state)[0]) == 3


def test_something_is_known_even_where_nothing_was_discovered(state: vs.State) -> None:
    assert not vs.nothing_known(state | {"discovery": 0.0})
    assert vs.nothing_known(state | {"discovery": 0.0, "forget": ""})


def test_copied_commands_name_the_set(state: vs.State, monkeypatch: pytest.MonkeyPatch) -> None:
    words = shlex.split(vs.as_cli(state))
    assert words[words.index("--forget") + 1] == state["forget"]
    scenario = vs.to_scenario(state)
    assert keys_of(vs.as_python(state), monkeypatch) == [scenario.run_key(spec) for spec in vs.to_methods(state)]
    assert "--forget" not in vs.as_cli(state | {"forget": ""})


def test_sentences_speak_of_the_set(state: vs.State) -> None:
    assert known_line(vs.to_scenario(state).model_dump()) == "3 in an edited forget set"
    assert known_line(vs.to_scenario(state | {"forget": ""}).model_dump()) == "30 % discovered"
    assert "3 examples" in reference_note(0.3, 3)
    assert "gold standard" not in reference_note(1.0, 3)
    frame = pd.DataFrame(
        [{"method": "rem", "label": "REM", "oracle": False, "healed": 0.9, "utility": 1, "healed_x_utility": 0.9}]
    )
    assert "With an edited forget set of 3 examples, REM heals" in outcome(frame, 0.3, 3)


def test_the_command_that_lists_suspects_has_the_same_options(state: vs.State) -> None:
    searching = state | {"overrides": {"rem_discover.rounds": 1, "training.epochs": 12}}
    run, discover = shlex.split(vs.as_cli(searching, ["rem_discover"])), shlex.split(vs.as_discover(searching))
    at = run.index("--methods")
    assert discover[3] == "discover"
    assert [*run[:3], "discover", *run[4:at], *run[at + 2 :]] == discover
    assert "rem_discover.rounds=1" in discover
