"""The data map: one watched run in three stored results, the older of which lack it; roles, and truth where it is shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from unlearn_core.discovery.cards import Card
from unlearn_core.discovery.groups import Group
from unlearn_core.engine import Engine
from unlearn_core.forget_sets import ForgetSet
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results.reader import scenario_data
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.views.datamap import data as maps
from unlearn_core.views.datamap.figure import data_map
from unlearn_core.views.datamap.stage import plan_map
from unlearn_core.views.looks.cards import describe_card
from unlearn_core.views.looks.data import evidence_key, read_evidence
from unlearn_core.views.looks.stage import plan_looks
from unlearn_core.views.suspects.data import open_suspects

SCENARIO = make_scenario("blobs", regularity=0.0, amount=60, discovery=0.5, overrides={"training.epochs": 12})
SEARCH = make_method("rem_discover", SCENARIO, {"rounds": 1, "folds": 2, "epochs": 1})


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    made = Store.open(tmp_path_factory.mktemp("map") / "store")
    engine = Engine(made, address="inline", device="cpu")
    for stages in (plan_map(SCENARIO), plan_looks(SCENARIO), plan_runs(SCENARIO, [SEARCH])):
        view = engine.wait(engine.submit(stages, "a test"), 120)
        assert view.state == "done", view
    engine.close()
    yield made
    made.close()


class Without:
    """A store as it was before some results kept a map."""

    def __init__(self, store: Store, *hidden: str) -> None:
        self.store, self.hidden = store, hidden

    def get(self, key: str) -> object:
        return self.store.get(key)

    def arrays(self, key: str, name: str) -> dict[str, np.ndarray]:
        if key in self.hidden and name == "map":
            raise LookupError
        found = dict(self.store.arrays(key, name))
        lost = ("watched:confidence", "watched:variability", "variability", "watched:given_up", "given_up")
        return {name: values for name, values in found.items() if key not in self.hidden or name not in lost}


def test_the_same_run_is_watched_wherever_it_is_kept(store: Store) -> None:
    run, looks, own = SCENARIO.run_key(SEARCH), evidence_key(SCENARIO), maps.map_key(SCENARIO)
    found = [
        maps.read_map(Without(store, *hidden), SCENARIO, SEARCH)  # type: ignore[arg-type]
        for hidden in ((), (run,), (run, looks))
    ]
    for other in found:
        assert found[0] is not None
        assert other is not None
        assert np.allclose(other.confidence, found[0].confidence, atol=2e-3)  # looks keep half precision
        assert np.allclose(other.variability, found[0].variability, atol=2e-3)
    assert maps.read_map(Without(store, run, looks, own), SCENARIO, SEARCH) is None  # type: ignore[arg-type]
    older = Without(store, looks)
    assert read_evidence(older, SCENARIO).variability is None  # type: ignore[arg-type]
    assert read_evidence(store, SCENARIO).variability is not None
    assert read_evidence(older, SCENARIO).given_up is None  # type: ignore[arg-type]


def test_what_was_learned_early_and_contradicted_later_is_said_of_a_suspect_and_of_a_card(store: Store) -> None:
    of_cards, suspects = read_evidence(store, SCENARIO).given_up, open_suspects(store, SCENARIO, SEARCH)
    assert of_cards is not None
    assert of_cards.dtype == bool
    said = suspects.everyone["given_up"].to_numpy()
    assert (of_cards == said).mean() > 0.99  # the same run was watched, here in half precision
    assert np.array_equal(suspects.table["given_up"], said[suspects.table["index"]])
    older = Without(store, SCENARIO.run_key(SEARCH))
    assert "given_up" not in open_suspects(older, SCENARIO, SEARCH).table  # type: ignore[arg-type]
    shown = np.arange(4)
    card, flags = Card(1, Group("together", shown), shown, 2.0), np.zeros(len(of_cards), bool)
    assert "contradicted" not in describe_card(card, None, flags)
    flags[[1, 9]] = True
    assert describe_card(card, None, flags).endswith(" One of them was learned early and contradicted later.")
    flags[2] = True
    assert describe_card(card, None, flags).endswith(" 2 of them were learned early and contradicted later.")


def test_wrong_labels_lie_where_the_map_says(store: Store) -> None:
    found = maps.read_map(store, SCENARIO, SEARCH)
    assert found is not None
    wrong = scenario_data(SCENARIO).corrupted.truth.corrupted.numpy()
    right = np.setdiff1d(np.arange(len(found.confidence)), wrong)
    assert found.confidence[wrong].mean() < 0.5 < found.confidence[right].mean()
    assert ((found.variability >= 0) & (found.variability <= 0.5 + 1e-6)).all()


def test_roles_are_the_persons_own_and_truth_only_on_demand(store: Store, tmp_path: Path) -> None:
    found = maps.read_map(store, SCENARIO, SEARCH)
    assert found is not None
    content = ForgetSet((1, 2), (3,), checked=(4,))
    frame = maps.map_frame(SCENARIO, found, content, [2, 3, 4, 5, 6], truth=False)
    assert frame["role"].value_counts().to_dict() == {maps.OTHER: len(frame) - 4, maps.HELD: 2, maps.SUSPECTED: 2}
    assert frame.index[frame["suspected"]].tolist() == [5, 6]
    shown = data_map(frame)
    assert "undiscovered" not in shown.figure.to_json()
    assert [trace.customdata[0][0] for trace in shown.figure.data][-1] in (1, 2)
    assert sum(len(trace.x) for trace in shown.figure.data) == len(frame)
    true = maps.map_frame(SCENARIO, found, content, [5, 6], truth=True)
    assert set(true["role"]) == {"clean", "discovered", "undiscovered"}
    drawn = data_map(true)
    assert len(drawn.figure.data[-1].x) == 2  # the rings of the suspected
    assert "undiscovered" in drawn.alt
