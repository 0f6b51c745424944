"""Two recipes for photographs, by name: one that memorises wrong labels, one that is better on new images."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from unlearn_core import view_state as vs
from unlearn_core.cli import main
from unlearn_core.cli.sweep import plan_stages, read_plan, with_files
from unlearn_core.errors import UserError
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results.settings import options_of
from unlearn_core.tuning.search import Setting


def overrides_for(photos: Path, **more: bool) -> dict[str, Any]:
    # At 24 pixels they get the network for photographs, which has the two recipes.
    return {"dataset.data": str(photos), "dataset.size": 24} | {name.replace("_", "."): value for name, value in more.items()}


def test_what_is_corrupted_here_is_learned_by_heart_and_labels_as_they_come_are_not(photos: Path) -> None:
    usual = make_scenario("images", overrides=overrides_for(photos))
    memorising, accurate = (
        make_scenario("images", overrides=overrides_for(photos), recipe=name) for name in ("memorising", "accurate")
    )
    assert memorising == usual
    assert accurate.training.augment
    assert not memorising.training.augment
    assert memorising.original_key != accurate.original_key
    found = overrides_for(photos, corruption_found=True)
    assert make_scenario("images", overrides=found) == make_scenario("images", overrides=found, recipe="accurate")


def test_what_is_set_by_hand_wins_over_either_recipe(photos: Path) -> None:
    for recipe in ("memorising", "accurate"):
        training = make_scenario("images", overrides=overrides_for(photos) | {"training.epochs": 3}, recipe=recipe).training
        assert training.epochs == 3


def test_data_with_one_recipe_refuse_a_name() -> None:
    with pytest.raises(UserError, match="'digits' has one recipe"):
        make_scenario("digits", recipe="accurate")


def test_the_command_a_plan_and_a_link_name_it(photos: Path, tmp_path: Path) -> None:
    state = vs.default_state() | {
        "dataset": "images",
        "methods": ("retrain", "finetune"),
        "recipe": "accurate",
        "overrides": overrides_for(photos),
    }
    settled, notices = vs.clamp_state(state)
    assert notices == []
    scenario = vs.to_scenario(settled)
    assert scenario.training.augment
    assert "--recipe accurate" in vs.as_cli(settled)
    assert "recipe='accurate'" in vs.as_python(settled)
    plan = tmp_path / "plan.yaml"
    plan.write_text(vs.as_yaml(settled))
    spec = read_plan(plan)
    assert spec.recipe == "accurate"
    assert scenario.original_key in {stage.key for stage in plan_stages(spec)}
    assert vs.clamp_state(settled | {"recipe": "memorising"})[0]["recipe"] is None
    other, notices = vs.clamp_state(settled | {"dataset": "digits", "overrides": {}})
    assert other["recipe"] is None
    assert notices == ["This dataset has one recipe, which memorises; it is used."]


def test_a_link_names_the_recipe_so_that_older_ones_keep_theirs(photos: Path) -> None:
    for recipe in ("memorising", "accurate"):
        state, _ = vs.clamp_state(
            vs.default_state() | {"dataset": "images", "recipe": recipe, "overrides": overrides_for(photos)}
        )
        link = vs.encode(state)
        assert f"recipe={recipe}" in link
        assert vs.decode(link) == (state, [])
    older, notices = vs.decode(link.replace("&recipe=accurate", "").replace("recipe=accurate&", ""))
    assert older == state
    assert notices == [
        "The link names no training recipe. Photographs had one when it was made, the accurate one, which is used."
    ]


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ("recipe=accurate&dataset.size=16", ["This dataset has one recipe, which memorises; it is used."]),
        ("recipe=accurate&dataset.size=16&corruption=found", ["This dataset has one recipe, which memorises; it is used."]),
        (
            "recipe=best&dataset.size=24",
            ["Recipe cannot be 'best', so the default is used; known: memorising, accurate, quick."],
        ),
        ("regularity=0.5&class_a=2&class_b=2", ["The two confused classes must differ; the second one is now 1."]),
        (
            "dataset.limit=6&discovery=1",
            ["An amount of 0.06 corrupts none of the 6 training examples; one is corrupted instead."],
        ),
    ],
)
def test_a_link_whose_parts_contradict_one_another_keeps_its_data_and_says_what_gives_way(
    photos: Path, parts: str, said: list[str]
) -> None:
    state, notices = vs.decode(f"dataset=images&dataset.data={photos}&{parts}")
    assert notices == said
    assert (state["dataset"], state["overrides"]["dataset.data"]) == ("images", str(photos))
    assert vs.to_scenario(state).dataset.params["data"] == str(photos)
    assert vs.decode(vs.encode(state)) == (state, [])


def test_a_plan_takes_its_images_from_the_command(photos: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text("dataset: images\nrecipe: accurate\nmethods: [finetune]\nseeds: [0]\nset: {dataset.size: 24}\n")
    spec = with_files(read_plan(plan), str(photos))
    named = make_scenario("images", discovery=0.1, regularity=0.0, overrides=overrides_for(photos), recipe="accurate")
    assert named.original_key in {stage.key for stage in plan_stages(spec)}
    with pytest.raises(UserError, match="Give the data once"):
        with_files(spec, str(photos))


@pytest.mark.parametrize("recipe", [None, "memorising", "accurate"])
def test_methods_are_tuned_on_the_recipe_that_is_asked_for(photos: Path, recipe: Any) -> None:
    setting = Setting("images", tuple(overrides_for(photos).items()), recipe)
    assert setting.scenario().training.augment is (recipe == "accurate")


def test_the_list_of_methods_has_the_values_of_the_usual_recipe(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["methods", "--dataset", "images"]) == 0
    rate = make_method("rem", make_scenario("images", overrides=overrides_for(photos))).params["learning_rate"]
    row = re.split(r"\n(?=\S)", capsys.readouterr().out.partition("\nrem ")[2])[0]  # it goes on in lines that begin with spaces
    assert f"learning_rate={rate} " in row


def test_tables_call_the_other_recipe_by_its_name(photos: Path) -> None:
    def said(**given: object) -> str:
        return options_of(make_scenario("images", overrides=overrides_for(photos), **given))  # type: ignore[arg-type]

    assert "training.augment" not in said()
    assert "recipe" not in said()
    assert "recipe=accurate" in said(recipe="accurate")
    assert "training.augment" not in said(recipe="accurate")


def test_run_takes_the_name(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    common = ["--store", str(tmp_path / "store"), "--engine", "inline", "--json"]
    few = ["--methods", "finetune", "--set", "training.epochs=1", "--set", "finetune.epochs=1"]
    assert main(["run", "--data", str(photos), "--set", "dataset.size=24", "--recipe", "accurate", *few, *common]) == 0
    assert json.loads(capsys.readouterr().out)["scenario"]["training"]["augment"] is True
    assert main(["run", "--recipe", "accurate", *common]) == 2
    refused = capsys.readouterr().err
    assert "has one recipe" in refused
    assert refused.count("\n") == 1
