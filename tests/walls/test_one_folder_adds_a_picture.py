"""A folder with data, figure and stage, put beside the other pictures and nowhere else named, is computed and drawn."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from unlearn_core import views
from unlearn_core.engine import Engine
from unlearn_core.presets import make_scenario
from unlearn_core.specs import content_key
from unlearn_core.stages.stage import Stage, load_stages, stage_kinds
from unlearn_core.store import Store

FILES = {
    "__init__": '"""How many examples each class has."""',
    "data": """
        from unlearn_core.results.reader import scenario_data

        def class_sizes(scenario):
            train = scenario_data(scenario).corrupted.train
            return dict(zip(train.class_names, train.labels.bincount().tolist(), strict=True))
    """,
    "figure": """
        import pandas as pd
        import plotly.graph_objects as go

        from unlearn_core.views.picture import Picture, layout

        def bars(sizes):
            figure = layout(go.Figure(go.Bar(x=list(sizes), y=list(sizes.values()))), 200)
            return Picture(figure, "Look for a small class.", "Bars.", pd.DataFrame(sizes.items()))
    """,
    "stage": """
        from unlearn_core.stages.execution import scenario_stage
        from unlearn_core.views.class_sizes.data import class_sizes

        @scenario_stage("class_sizes")
        def compute(stage, scenario, store, device, reporter):
            store.put(stage.key, "class_sizes", dict(stage.payload), {"sizes": class_sizes(scenario)}, {})
    """,
}
FOLDER = "class_sizes"


@pytest.fixture
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A picture's folder where the package looks for pictures; nothing of it is imported or registered here."""
    folder = tmp_path / "views" / FOLDER
    folder.mkdir(parents=True)
    for name, text in FILES.items():
        (folder / f"{name}.py").write_text(dedent(text).strip() + "\n")
    monkeypatch.setattr(views, "__path__", [*views.__path__, str(folder.parent)])
    importlib.invalidate_caches()
    load_stages.cache_clear()
    yield
    for name in [name for name in sys.modules if name.startswith(f"{views.__name__}.{FOLDER}")]:
        del sys.modules[name]
    vars(views).pop(FOLDER, None)
    load_stages.cache_clear()


@pytest.mark.usefixtures("added")
def test_the_stage_of_a_new_folder_is_computed_and_its_picture_drawn(tmp_path: Path) -> None:
    scenario, store = make_scenario("blobs", amount=10), Store.open(tmp_path / "store")
    stage = Stage("class_sizes", content_key(FOLDER, scenario.key), "Sizes", {"scenario": scenario.model_dump(mode="json")})
    engine = Engine(store, address="inline")
    try:
        assert engine.wait(engine.submit([stage], stage.title), 60).state == "done"
    finally:
        engine.close()
    record = store.get(stage.key)
    assert record is not None
    sizes = record.payload["sizes"]
    assert sum(sizes.values()) > 0
    picture = importlib.import_module(f"{views.__name__}.{FOLDER}.figure").bars(sizes)
    assert list(picture.figure.data[0].y) == list(sizes.values())


def test_every_folder_with_a_stage_is_found_without_a_list() -> None:
    folders = [path.parent.name for path in Path(views.__file__).parent.glob("*/stage.py")]
    load_stages.cache_clear()
    kinds = stage_kinds()
    assert folders
    for folder in folders:
        assert f"{views.__name__}.{folder}.stage" in sys.modules
    assert {"boundary", "embedding", "channels", "cost"} <= kinds
