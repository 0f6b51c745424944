"""Plug-in files: listed behind ours, refused in one sentence, told apart by their source in every key."""

from __future__ import annotations

from pathlib import Path

import pytest
from plugintools import Plug, method
from typer.testing import CliRunner

from unlearn_core import datasets, discovery, evaluation, methods, plugins
from unlearn_core.cli import app, main
from unlearn_core.cli.options import with_plugins_first
from unlearn_core.corruption import ADDED, corrupt
from unlearn_core.datasets import load_dataset
from unlearn_core.engine import Engine
from unlearn_core.errors import UserError
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results.late_metrics import MissingMetric
from unlearn_core.specs import MethodSpec
from unlearn_core.stages.components import check_components
from unlearn_core.stages.metrics import plan_measures
from unlearn_core.stages.stage import stage_kinds
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.views.craft.data import preview

EXAMPLES = Path(__file__).parents[2] / "examples" / "plugin" / "files"


def test_a_plug_in_comes_behind_our_own_and_goes_with_its_file(plug: Plug) -> None:
    own = methods.registry.names()
    found = plug("mine.py", method())
    assert methods.registry.names() == [*own, "still"]
    assert methods.registry.plugin_of("still") is found
    assert methods.registry.plugin_of("rem") is None
    Path(found.path).unlink()
    plugins.refresh()
    assert methods.registry.names() == own


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("\n\nraise RuntimeError('out of\\norder')", "RuntimeError: out of order (mine.py, line 3)"),
        ("x = (", "SyntaxError: '(' was never closed (mine.py, line 1)"),
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module' (mine.py, line 1)"),
        (method("rem"), "the method name 'rem' is taken by <class 'unlearn_core.methods.redirection.rem.Rem'>"),
        (method() + method("npo"), "the method name 'npo' is taken by"),
    ],
)
def test_one_that_cannot_be_imported_is_listed_with_file_and_line_and_costs_no_other(
    plug: Plug, text: str, reason: str
) -> None:
    own = methods.registry.names()
    found = plug("mine.py", text)
    assert reason in found.reason
    assert methods.registry.names() == own
    assert methods.registry.disabled == {"mine.py": found.reason}
    assert "redirection" in methods.registry.get("rem").family
    with pytest.raises(UserError, match=r"There is no method called 'still'\..* The plug-in mine\.py is disabled: "):
        methods.registry.get("still")


def test_a_component_that_lacks_something_is_disabled_by_itself(plug: Plug) -> None:
    found = plug("mine.py", method() + method("worse").replace('"Leaves all as it is."', '""'))
    assert methods.registry.disabled == {"worse": "mine.py, class Still: it has no summary"}
    assert found.components == [("method", "still")]
    metric = (EXAMPLES / "metric.py").read_text().replace('direction, split = "higher"', 'direction, split = ""')
    plug("metric.py", metric)
    assert evaluation.registry.disabled["worst_healed"] == "metric.py, class WorstHealed: it has no direction"


def test_another_version_of_the_file_has_another_key_and_the_same_version_the_same(plug: Plug) -> None:
    scenario = make_scenario("blobs", amount=60)

    def key(text: str) -> str:
        plug("mine.py", text)
        return scenario.run_key(make_method("still", scenario))

    first = key(method())
    assert key(method() + "\n# a remark") != first
    assert key(method()) == first
    assert make_method("rem", scenario).revision == methods.registry.get("rem").revision < 100


def test_a_dataset_s_and_a_network_s_source_is_part_of_a_scenario_s_key(plug: Plug) -> None:
    text = (EXAMPLES / "dataset.py").read_text()
    plug("rings.py", text)
    plug("waves.py", (EXAMPLES / "network.py").read_text())
    before = make_scenario("rings", model="wave_net")
    assert len(str(before.dataset.params["plugin_version"])) == len(str(before.model.params["plugin_version"])) == 16
    plug("rings.py", text + "\n# a remark")
    assert make_scenario("rings", model="wave_net").key != before.key
    with pytest.raises(UserError, match=r"the plug-in rings\.py has another version here than where this was made"):
        datasets.registry.get("rings").params(before.dataset.params)
    assert "plugin_version" not in make_scenario("digits").dataset.params


def test_a_plug_in_s_score_changes_the_revision_of_those_that_rank_by_it(plug: Plug) -> None:
    scenario = make_scenario("blobs", amount=60)
    before = {name: make_method(name, scenario).revision for name in ("rem", "rem_discover", "retrain_discover")}
    plug("score.py", (EXAMPLES / "score.py").read_text())
    assert "disagreement" in discovery.registry
    after = {name: make_method(name, scenario).revision for name in before}
    assert after["rem"] == before["rem"]
    assert after["rem_discover"] != before["rem_discover"]
    assert after["retrain_discover"] != before["retrain_discover"]


def test_a_run_that_fails_in_a_plug_in_names_its_file_and_line(plug: Plug, tmp_path: Path) -> None:
    plug("mine.py", method(line="return task.no_such_thing"))
    scenario = make_scenario("blobs", amount=60, overrides={"training.epochs": 1})
    store = Store.open(tmp_path / "store")
    engine = Engine(store, address="inline")
    stages = plan_runs(scenario, [make_method("still", scenario)])
    view = engine.wait(engine.submit(stages, "t"), 60)
    message = next(stage.message for stage in view.stages if stage.state == "failed")
    failure = store.failure(stages[-1].key)
    engine.close()
    assert message == "AttributeError: 'UnlearningTask' object has no attribute 'no_such_thing' (mine.py, line 16)"
    assert failure is not None
    assert f'{tmp_path / "mine.py"}", line 16, in unlearn' in failure.detail


def test_a_worker_without_the_plug_in_or_with_another_version_says_so(plug: Plug) -> None:
    scenario = make_scenario("blobs", amount=60)
    plug("mine.py", method())
    spec = make_method("still", scenario)
    check_components(scenario, {"method": spec.model_dump()})
    other = spec.model_copy(update={"revision": spec.revision + 1})
    with pytest.raises(UserError, match=r"'still' comes from the plug-in mine\.py, and the worker has another version"):
        check_components(scenario, {"method": other.model_dump()})
    with pytest.raises(UserError, match=r"^The worker has no method 'gone', so the plug-in that adds it is missing there: "):
        check_components(scenario, {"method": MethodSpec(name="gone").model_dump()})
    elsewhere = scenario.model_copy(update={"dataset": scenario.dataset.model_copy(update={"name": "gone"})})
    with pytest.raises(UserError, match=r"^The worker has no dataset 'gone'"):
        check_components(elsewhere, {})


@pytest.mark.parametrize(("noun", "name"), [("metric", "worst_healed"), ("score", "disagreement")])
def test_a_worker_without_a_metric_or_a_score_says_so(plug: Plug, noun: str, name: str) -> None:
    """A run names neither; without them it would be computed all the same, and stored where a whole one belongs."""
    file, scenario = f"{noun}.py", make_scenario("blobs", amount=60)
    text = (EXAMPLES / file).read_text()
    own = [make_method(method, scenario) for method in ("rem", "rem_discover")]
    unaware = {stage.title: stage.payload for stage in plan_runs(scenario, own)}
    plugin = plug(file, text)
    _, rem, searching = plan_runs(scenario, [make_method(method, scenario) for method in ("rem", "rem_discover")])
    [late] = plan_measures([MissingMetric(scenario, name if noun == "metric" else "utility", ("a",), ())])
    check_components(scenario, searching.payload)
    plug(file, text + "\n# a remark")
    with pytest.raises(UserError, match=rf"^The {noun} '{name}' comes from the plug-in {file}, and the worker has another ver"):
        check_components(scenario, searching.payload)
    Path(plugin.path).unlink()
    missing = rf"^The worker has no {noun} '{name}', so the plug-in {file} that adds it is missing there: install it where"
    with pytest.raises(UserError, match=missing):
        check_components(scenario, searching.payload)
    if noun == "metric":
        for needs_it in (rem, late):
            with pytest.raises(UserError, match=missing):
                check_components(scenario, needs_it.payload)
        return
    for ranks_by_none in (rem, late):
        check_components(scenario, ranks_by_none.payload)
    plug(file, text)
    with pytest.raises(UserError, match=rf"has the score '{name}' of the plug-in {file}, and this run was planned without it"):
        check_components(scenario, unaware[searching.title])
    check_components(scenario, unaware[rem.title])


def test_a_plug_in_s_stage_cannot_take_a_name(plug: Plug) -> None:
    text = (
        "from unlearn_core.stages.stage import register_stage\n"
        "@register_stage('{}')\n"
        "def compute(stage, store, device, reporter): ...\n"
    )
    plug("stage.py", text.format("mine"))
    assert "mine" in stage_kinds()
    found = plug("stage.py", text.format("run"))
    assert "the stage name 'run' is taken by" in found.reason
    assert "mine" not in stage_kinds()


def test_the_option_may_stand_anywhere() -> None:
    given = ["run", "--plugin", "a.py", "--json", "--plugin=b.py"]
    assert with_plugins_first(given) == ["--plugin", "a.py", "--plugin=b.py", "run", "--json"]


def test_commands_say_where_components_come_from(plug: Plug) -> None:
    found, broken = plug("mine.py", method()), plug("broken.py", "raise RuntimeError('no')")
    done = CliRunner().invoke(app, ["methods"])
    assert done.exit_code == 0
    assert "still" in done.stdout
    assert f"From a plug-in: still ({found.path})." in done.stderr
    assert f"Disabled: broken.py. {broken.reason}" in done.stderr


def test_check_plugin_has_a_line_for_each_check(plug: Plug, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.py"
    path.write_text(method())
    assert main(["check-plugin", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "ok    mine.py: can be imported"
    assert "ok    method still on digits: stops when it is cancelled" in lines
    path.write_text(method(line="return task.no_such_thing"))
    assert main(["check-plugin", str(path)]) == 1
    out = capsys.readouterr().out
    assert "FAIL  method still on waves: returns a classifier with finite outputs - AttributeError: " in out
    assert "(mine.py, line 16)" in out
    path.write_text("'''Nothing.'''")
    assert main(["check-plugin", str(path)]) == 1
    assert "it registers nothing" in capsys.readouterr().out
    assert main(["check-plugin", str(tmp_path / "gone.py")]) == 2
    assert main(["check-plugin", str(tmp_path)]) == 2


BROKEN = {
    "names and shapes of the state dict - its model's state dict differs": "import torch\n        "
    "return nn.Sequential(nn.Flatten(), nn.LazyLinear(task.data.classes)).eval()",
    "outputs that are not finite": "model = task.original.eval()\n        next(model.parameters()).data.fill_(float('nan'))\n"
    "        return model",
    "in training mode": "return task.original.train()",
    "changed the training data": "task.data.labels.fill_(0)\n        return task.original.eval()",
    "different models": "import torch\n        model = task.original.eval()\n"
    "        model.head.bias.data.add_(torch.rand(()))\n        return model",
    "gives the ground truth": "from unlearn_core.datasets import load_dataset\n        return task.original.eval()",
    "returned int instead of a model": "return 3",
}


@pytest.mark.parametrize("said", BROKEN)
def test_every_check_of_a_method_finds_what_it_is_for(plug: Plug, said: str) -> None:
    from unlearn_core.contracts.plugin import check_plugin

    outcomes = list(check_plugin(plug("mine.py", method(line=BROKEN[said]))))
    assert any(said in outcome.line() for outcome in outcomes), [outcome.line() for outcome in outcomes]


def test_a_corruption_takes_the_dial_s_place(plug: Plug) -> None:
    text = (EXAMPLES / "corruption.py").read_text()
    plug("borderline.py", text)
    overrides = {"corruption.kind": "borderline", "corruption.share": 0.3}
    scenario = make_scenario("blobs", amount=40, overrides=overrides)
    assert scenario.corruption.options["share"] == 0.3
    split = load_dataset(scenario.dataset, 0)
    made = corrupt(split, scenario.dataset, scenario.corruption, 0)
    changed = (made.train.labels != split.train.labels).nonzero()[:, 0]
    assert set(changed.tolist()) == set(made.truth.corrupted.tolist())
    assert len(changed) == 40
    assert set(made.truth.kinds.tolist()) == {ADDED}
    assert preview(scenario).counts["total"].tolist() == [40]
    plug("borderline.py", text + "\n# a remark")
    assert make_scenario("blobs", amount=40, overrides=overrides).key != scenario.key
    assert "kind" not in make_scenario("blobs").corruption.model_dump()


def test_a_corruption_that_does_not_do_what_it_says_is_refused(plug: Plug) -> None:
    text = (EXAMPLES / "corruption.py").read_text()
    wrong = {
        "changes 41 examples and 41 labels where 40": ("[:count]", "[: count + 1]"),
        "names an example twice": ("drawn = ", "candidates = candidates * 0\n        drawn = "),
        "leaves as it was": ("label[candidates[drawn]])", "y[candidates[drawn]])"),
        "gives a label that no class has": ("label[candidates[drawn]])", "label[candidates[drawn]] + 9)"),
    }
    for said, change in wrong.items():
        plug("borderline.py", text.replace(*change))
        scenario = make_scenario("blobs", amount=40, overrides={"corruption.kind": "borderline"})
        with pytest.raises(UserError, match=said):
            corrupt(load_dataset(scenario.dataset, 0), scenario.dataset, scenario.corruption, 0)
