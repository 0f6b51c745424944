"""Every page on data as found: nothing breaks, and what nobody knows is said to be unknown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from owntools import SETTINGS, write_list
from streamlit.testing.v1 import AppTest

from unlearn_core import view_state as vs
from unlearn_core.engine import Engine
from unlearn_core.forget_sets import ForgetSet, NamedSets
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store

ROOT = Path(__file__).parents[2]
METHODS = ["finetune", "rem", "retrain"]
pytestmark = pytest.mark.usefixtures("at_the_root")


def state_of(photos: Path, listed: bool) -> vs.State:
    """A view of the photos as found, with a forget list in the store or with nothing known."""
    quick = {"finetune.epochs": 1, "rem.epochs": 1, "rem_discover.epochs": 1, "rem_discover.folds": 2}
    asked = vs.default_state() | {
        "dataset": "images", "corruption": "found", "methods": ("finetune", "rem"), "embedded": ("rem",), "search": "quick",
        "overrides": {"dataset.data": str(photos), **SETTINGS, **quick},
    }  # fmt: skip
    state, notices = vs.clamp_state(asked | {"overrides": {k: v for k, v in asked["overrides"].items() if "discover" not in k}})
    assert notices == []
    assert state["discovery"] == 0  # nobody knows how much is wrong
    if not listed:
        return state
    sets = NamedSets(Store.open(), vs.to_scenario(state).corruption_key)
    content = ForgetSet((10, 11, 22), (), {10: "ant", 11: "ant"})
    return state | {"forget": sets.create("listed", content, "test").key, "indices": content.indices}


def opened(page: str, state: vs.State, **session: object) -> tuple[AppTest, str]:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    for key, value in session.items():
        app.session_state[key] = value
    for name, value in vs_pairs(vs.encode(state)):
        app.query_params[name] = value
    app.switch_page(f"pages/{page}.py")
    app.run()
    assert not app.exception, app.exception
    kinds: tuple[Any, ...] = (app.markdown, app.caption, app.info, app.warning, app.error)
    html = [element.proto.body for element in app.main if getattr(element, "type", "") == "html"]
    return app, "\n".join([*(str(element.value) for kind in kinds for element in kind), *html])


def vs_pairs(query: str) -> list[tuple[str, str]]:
    from urllib.parse import parse_qsl

    return parse_qsl(query, keep_blank_values=True)


@pytest.mark.parametrize("listed", [False, True])
def test_every_page_holds_where_the_truth_is_unknown(photos: Path, listed: bool) -> None:
    state = state_of(photos, listed)
    scenario = vs.to_scenario(state)
    names = METHODS if listed else []
    engine = Engine(Store.open(), address="inline")
    assert engine.wait(engine.submit(plan_runs(scenario, vs.to_methods(state, names)), "test"), 120).state == "done"
    engine.close()
    said = {}
    for page in ("craft", "compare", "boundary", "redirect", "embedding", "forget", "heatmap"):
        app, said[page] = opened(page, state)
        if page == "compare" and listed:
            columns = set(app.dataframe[0].value.columns)
            metric, offered = app.selectbox(key="control:metric").value, app.selectbox(key="control:metric").options
            exported = opened(page, state | {"tab": "export"})[0].selectbox(key="export-method").value
            assert not opened(page, state | {"tab": "classes"})[0].error
        assert not app.error or (page == "redirect" and not listed), (page, [error.value for error in app.error])
    assert "as found: labels are as they come" in said["craft"]
    assert "how many are, nobody knows" in said["craft"]
    assert "labels as found" in said["embedding"]
    assert "Labels as they come have no place on the dial" in said["heatmap"]
    assert "In truth" not in said["forget"]
    assert "Truly" not in said["forget"]
    if listed:
        assert "How much is healed is **unknown**" in said["compare"]
        assert {"Healed, relabelled", "Forget accuracy", "Agreement with retraining"} <= columns
        assert not {"Healed", "Healed × utility"} & {*columns, *offered}
        assert (metric, exported) == ("forget_accuracy", "rem")
        assert "nobody knows" in said["compare"]
        assert "missed" not in said["embedding"]
        assert "of the 3 on your list" in said["compare"]
        assert "Predicted as the right label that you gave" in said["compare"]
        assert "Nobody knows here which labels are wrong, so these cannot run" in said["compare"]
    else:
        assert "Nothing is known to be wrong, and these need a forget set" in said["compare"]


def test_suspects_of_an_unknown_truth_have_estimates_alone(photos: Path) -> None:
    state = state_of(photos, True)
    scenario, spec = vs.to_scenario(state), vs.to_search(state)
    quick = spec.model_copy(update={"params": spec.params | {"epochs": 1, "folds": 2}})
    engine = Engine(Store.open(), address="inline")
    assert engine.wait(engine.submit(plan_runs(scenario, [quick]), "test"), 120).state == "done"
    engine.close()
    from unlearn_core.views.suspects.data import open_suspects

    found = open_suspects(Store.open(), scenario, quick)
    assert len(found) == 27
    assert found.truth.empty
    assert found.at(5)["true_precision"] != found.at(5)["true_precision"]  # NaN


def test_discover_names_files_and_writes_the_longer_list(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from unlearn_core.cli import main

    listed = write_list(tmp_path / "known.csv", ("train/bee/00.png", "train/bee/01.png", "train/cow/02.png"), labels=True)
    command = ["discover", "--data", str(photos), "--found", "--forget", str(listed), "--engine", "inline"]
    quick = ["training.epochs=2", "rem_discover.epochs=1", "rem_discover.folds=2", "rem_discover.rounds=1"]
    settings = [word for setting in quick for word in ("--set", setting)]
    longer = tmp_path / "longer.csv"
    assert main([*command, *settings, "--format", "csv", "--top", "27", "--accept", str(longer)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "index,given_label,score,probability,says,path"
    assert len(out) == 28
    assert not any("train/bee/00.png" in line for line in out)
    header, *rows = longer.read_text().splitlines()
    assert header in ("path,clean_label", "path,clean_label,note")
    assert any(row.startswith("train/bee/00.png,ant") for row in rows)
    # What was written is a list again.
    assert main(["check", "--data", str(photos), "--forget", str(longer)]) == 0
    assert main([*command, *settings, "--accept", str(tmp_path / "no" / "x.csv")]) == 2
    assert "The folder of --accept" in capsys.readouterr().err
