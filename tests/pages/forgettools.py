"""What the tests of the page Forget set share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from unlearn_core import view_state as vs
from unlearn_core.engine import Engine
from unlearn_core.forget_sets import NamedSets
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store

QUERY = (
    "dataset=blobs&training.epochs=12&amount=60&discovery=0.5&methods=rem,rem_discover&rem.epochs=2"
    "&rem_discover.folds=3&rem_discover.epochs=3"
)
IMAGES = QUERY.replace("dataset=blobs", "dataset=digits").replace("amount=60", "amount=120").replace("epochs=12", "epochs=6")
IMAGES = IMAGES.replace("folds=3", "folds=2").replace("rem_discover.epochs=3", "rem_discover.epochs=1")


def scenario_of(query: str) -> Any:
    return vs.to_scenario(vs.decode(query)[0])


def spec_of(query: str) -> Any:
    state = vs.decode(query)[0]
    quick = {"rem_discover.rounds": 1}
    return vs.to_methods(state | {"overrides": state["overrides"] | quick}, ["rem_discover"])[0]


def compute(place: Path, query: str) -> None:
    store = Store.open(place)
    engine = Engine(store, address="inline")
    view = engine.wait(engine.submit(plan_runs(scenario_of(query), [spec_of(query)]), "test"), 120)
    engine.close()
    store.close()
    assert view.state == "done", view


def sets(place: Path, query: str = QUERY) -> NamedSets:
    return NamedSets(Store.open(place), scenario_of(query).corruption_key)


def figures(app: AppTest) -> dict[str, dict[str, Any]]:
    found = {str(getattr(element, "key", "")): element for element in app.main}
    return {key.removeprefix("figure:"): json.loads(found[key].proto.spec) for key in found if key.startswith("figure:")}


def buttons(app: AppTest) -> dict[str, Any]:
    return {str(button.key): button for button in app.button}
