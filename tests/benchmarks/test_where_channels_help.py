"""Where the channels make a difference: seed by seed."""

from __future__ import annotations

import pytest

from benchmarks.measure.channels import REGULARITY, SETTINGS, Row, lead, scenario_of, sentence, specs_of, table


def rows(leads: dict[float, list[float]]) -> list[Row]:
    """Seeds that differ far more than the methods do; ``leads`` by regularity."""
    level = [0.9, 0.5, 0.7]
    return [
        Row("the preset", r, k, 1.0, level[k], level[k] - value)
        for r, values in leads.items()
        for k, value in enumerate(values)
    ]


def test_leads_are_taken_seed_by_seed() -> None:
    assert lead(rows({0.0: [0.1, 0.1, 0.1]})) == pytest.approx((0.1, 0.0), abs=1e-9)
    assert lead(rows({0.0: [-0.1, -0.1, -0.1]}))[0] == pytest.approx(-0.1)


def test_the_table_marks_what_is_beyond_chance_and_the_sentence_says_which_way() -> None:
    given = rows({0.0: [0.1, 0.11, 0.1], 0.5: [0.2, -0.2, 0.0], 1.0: [-0.1, -0.11, -0.1]})
    line = table(given)[2]
    assert line.count("**") == 4
    assert "The channels help: the preset at r 0. They cost: the preset at r 1." in sentence(given)


def test_one_thing_is_changed_at_a_time() -> None:
    usual = scenario_of("the preset", 1.0, 40)
    tasks = {name: scenario_of(name, 1.0, 40) for name in SETTINGS}
    assert len({scenario.key for scenario in tasks.values()}) == len(SETTINGS)
    assert (usual.model.params["width"], tasks["twice the width"].model.params["width"]) == (16, 32)
    assert [spec.name for spec in specs_of(usual)] == ["rem", "rem_no_redirect"]
    one, other = ({k: v for k, v in spec.params.items() if "redirect" not in k} for spec in specs_of(usual))
    assert one == other
    assert REGULARITY == (0.0, 0.5, 1.0)
