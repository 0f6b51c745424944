"""A view in every kind: each is another corruption of the same data, with its own defaults but for the kind that is seen."""

from __future__ import annotations

import pytest

from unlearn_core import view_state as vs
from unlearn_core.corruption import corrupt, is_kind, kind_label, trigger_kinds
from unlearn_core.corruption import registry as corruptions
from unlearn_core.datasets import load_dataset
from unlearn_core.views.heatmap.links import cell_of, cell_text
from unlearn_core.views.heatmap.tasks import Cell


def kinds(query: str) -> dict[str, vs.State]:
    state, notices = vs.decode(query)
    assert notices == []
    return vs.kind_states(state)


@pytest.mark.parametrize(("data", "images"), [("digits", True), ("signs", True), ("waves", False)])
def test_every_kind_that_fits_is_there_and_can_be_made(data: str, images: bool) -> None:
    found = kinds(f"dataset={data}")
    scenarios = {name: vs.to_scenario(view) for name, view in found.items()}
    made = {name: what.corruption.kind for name, what in scenarios.items()}
    needing = {"drawn", "from_file"}
    others = {kind.name for kind in corruptions if images or not kind.images_only} - needing
    assert {name for name, kind in made.items() if kind} == others
    triggers = {name for name in found if name in trigger_kinds}
    assert triggers >= ({"patch", "sticker", "blended", "warp"} if images else set())
    assert ("trigger" in found) != images
    assert all(is_kind(name) and kind_label(name) for name in found)
    for name in triggers:
        assert scenarios[name].corruption.trigger.kind == name
        assert (scenarios[name].corruption.kind, scenarios[name].corruption.regularity) == ("", 1.0)
    assert [scenarios[name].corruption.regularity for name in ("random", "confusion")] == [0.0, 0.5]
    assert len({what.original_key for what in scenarios.values()}) == len(found)
    split = load_dataset(scenarios["random"].dataset, 0)
    for what in scenarios.values():  # nothing stands in a column that would be refused when it is run
        assert len(corrupt(split, what.dataset, what.corruption, 0).truth.corrupted)


def test_the_kind_that_is_seen_keeps_its_parameters_and_the_others_have_none_of_them() -> None:
    seen = kinds("t_kind=blended&trigger.alpha=0.4&rem.epochs=2")
    assert seen["blended"]["overrides"] == {"trigger.alpha": 0.4, "rem.epochs": 2}
    assert all(view["overrides"] == {"rem.epochs": 2} for name, view in seen.items() if name != "blended")
    patch = kinds("t_size=3")
    assert (patch["patch"]["trigger_size"], patch["warp"]["trigger_size"]) == (3, None)
    noisy = kinds("dataset=signs&corruption=asymmetric&corruption.matrix=30<>80 0.4")
    assert noisy["asymmetric"]["overrides"] == {"corruption.matrix": "30<>80 0.4"}
    assert noisy["instance_dependent"]["overrides"] == {}
    # The usual trigger has no words in a link: the same corruption has one key.
    assert vs.to_scenario(patch["warp"]).original_key == vs.to_scenario(kinds("t_kind=warp")["warp"]).original_key


def test_a_cell_of_a_kind_has_an_address() -> None:
    for task in (Cell(1.0, 0.1, "warp"), Cell(0.5, 0.3, "asymmetric"), Cell(0.25, 1.0)):
        assert cell_of(cell_text("rem", "epochs=2,beta=0.5", task)) == ("rem", "epochs=2,beta=0.5", task)
    assert cell_text("rem", "", Cell(1.0, 0.1, "warp")) == "rem,warp:1,0.1"
    assert cell_of("rem,1,0.1") == ("rem", "", Cell(1.0, 0.1))
    assert cell_of("rem,wrap:1,0.1") is None
    assert cell_of("rem,warp:2,0.1") is None
