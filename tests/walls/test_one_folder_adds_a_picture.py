"""A folder with data, figure and stage, put beside the other pictures and nowhere else named, is computed and drawn."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

from unlearn_core import views
from unlearn_core.stages.stage import load_stages

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
COMPUTE = """
    import sys
    from pathlib import Path

    from unlearn_core import views
    from unlearn_core.engine import Engine
    from unlearn_core.presets import make_scenario
    from unlearn_core.canonical import content_key
    from unlearn_core.stages.stage import Stage
    from unlearn_core.store import Store

    views.__path__.append(sys.argv[1])
    scenario, store = make_scenario("blobs", amount=10), Store.open(Path(sys.argv[2]))
    key = content_key("class_sizes", scenario.key)
    stage = Stage("class_sizes", key, "Class sizes", {"scenario": scenario.model_dump(mode="json")})
    engine = Engine(store, address="inline")
    assert engine.wait(engine.submit([stage], stage.title), 60).state == "done"
    engine.close()

    from unlearn_core.views.class_sizes.figure import bars

    sizes = store.get(key).payload["sizes"]
    print(sum(sizes.values()), list(bars(sizes).figure.data[0].y) == list(sizes.values()))
"""
"""A process of its own: what a picture registers stays registered."""


def test_the_stage_of_a_new_folder_is_computed_and_its_picture_drawn(tmp_path: Path) -> None:
    folder = tmp_path / "views" / "class_sizes"
    folder.mkdir(parents=True)
    for name, text in FILES.items():
        (folder / f"{name}.py").write_text(dedent(text).strip() + "\n")
    command = [sys.executable, "-c", dedent(COMPUTE), str(folder.parent), str(tmp_path / "store")]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    count, drawn = done.stdout.split()
    assert int(count) > 0
    assert drawn == "True"


def test_every_folder_with_a_stage_is_found_without_a_list() -> None:
    folders = [path.parent.name for path in Path(views.__file__).parent.glob("*/stage.py")]
    load_stages()
    assert folders
    for folder in folders:
        assert f"{views.__name__}.{folder}.stage" in sys.modules
