"""Kinds of trigger and of corruption in a view: what is offered, what a change takes along, and the same key everywhere."""

from __future__ import annotations

import shlex

from unlearn_core import view_state as vs


def test_only_kinds_that_fit_are_offered_and_the_chosen_one() -> None:
    offered = set(vs.fitting_triggers(vs.default_state()))
    assert {"blended", "patch", "sticker", "warp"} <= offered
    assert "sinusoid" not in offered  # its six waves need 24 pixels
    assert "sinusoid" in vs.fitting_triggers(vs.decode("t_kind=sinusoid&trigger.waves=2")[0])
    assert "sinusoid" in vs.fitting_triggers(vs.decode("dataset=signs")[0])
    assert vs.fitting_triggers(vs.decode("dataset=blobs")[0]) == []


def test_a_kind_has_its_parameters_and_the_patch_its_controls() -> None:
    def names(query: str) -> list[str]:
        return [field.name for field in vs.section_fields(vs.decode(query)[0], "trigger")]

    assert names("") == names("dataset=signs&t_kind=patch") == []
    assert names("t_kind=warp") == ["strength", "grid"]
    assert names("dataset=signs") == ["share"]


def test_another_kind_starts_from_its_own_defaults() -> None:
    state = vs.decode("t_size=4&t_value=200&seed=2")[0]
    changes = vs.change_kind(state, {"trigger_kind": "blended"})
    there = vs.clamp_state(state | changes)
    assert there == (vs.decode("t_kind=blended&seed=2")[0], [])
    mixed = there[0] | {"overrides": {"trigger.alpha": 0.5, "rem.epochs": 3}}
    back = vs.change_kind(mixed, {"trigger_kind": "patch"})
    assert back["overrides"] == {"rem.epochs": 3}
    assert vs.change_kind(mixed, {"trigger_kind": "blended"}) == {"trigger_kind": "blended"}  # nothing has changed


def test_signs_open_with_a_sticker_that_asks_for_80(shift: None) -> None:
    state = vs.decode("dataset=signs")[0]
    shown = vs.by_name(vs.with_defaults(state))
    assert [vs.class_names(state)[shown[name]] for name in ("class_a", "class_b", "target_class")] == ["30", "80", "80"]
    assert shown["trigger_kind"] == "sticker"
    assert vs.encode(vs.decode("dataset=signs&t_kind=sticker&trigger.share=0.4")[0]) == vs.encode(state)
    scenario = vs.to_scenario(state).corruption
    assert scenario.trigger.model_dump() == {"kind": "sticker", "params": {"share": 0.4}}
    with_patch = vs.to_scenario(vs.decode("dataset=signs&t_kind=patch&t_size=5")[0]).corruption.trigger
    assert (with_patch.kind, with_patch.size) == ("patch", 5)


def test_a_corruption_in_the_dial_s_place(shift: None) -> None:
    state, notices = vs.decode("corruption=shift&corruption.by=2&class_a=1&regularity=0.2&amount=40")
    assert notices == []
    assert (vs.on_dial(state), vs.as_found(state)) == (False, False)
    assert [field.name for field in vs.section_fields(state, "corruption")] == ["by"]
    scenario = vs.to_scenario(state)
    assert (scenario.corruption.kind, scenario.corruption.options) == ("shift", {"by": 2})
    # Where the dial stands has no meaning, and is no part of the key.
    assert vs.to_scenario(vs.decode("corruption=shift&corruption.by=2&amount=40")[0]).key == scenario.key
    words = shlex.split(vs.as_cli(state))
    assert {"corruption.kind=shift", "corruption.by=2"} <= set(words)
    assert not {"--regularity", "corruption.class_a=1"} & set(words)
    assert vs.decode(vs.encode(state)) == (state, [])


def test_a_corruption_that_cannot_be_made_gives_way_to_the_dial(shift: None) -> None:
    state, notices = vs.decode("dataset=blobs&corruption=shift&corruption.by=2")
    assert (state["corruption"], state["overrides"]) == ("dial", {})
    assert notices == ["Shifted labels are for images. The dial takes its place."]


def test_leaving_a_corruption_leaves_its_parameters(shift: None) -> None:
    state = vs.decode("corruption=shift&corruption.by=2&trigger.alpha=0.5&t_kind=blended")[0]
    assert vs.change_kind(state, {"corruption": "dial"}) == {"corruption": "dial", "overrides": {"trigger.alpha": 0.5}}
