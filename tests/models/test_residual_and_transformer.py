"""ResNet-18 and the vision transformer: the published function, and REM at work on them."""

from __future__ import annotations

import pytest
import torch

from unlearn_core.errors import UserError
from unlearn_core.evaluation import build_scenario_data
from unlearn_core.methods import UnlearningTask
from unlearn_core.methods import registry as methods
from unlearn_core.models import build_model, check_fit
from unlearn_core.models import registry as models
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.specs import ModelSpec
from unlearn_core.stages.execution import run_stage
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.support.torchvision_compat import torchvision
from unlearn_core.training import SGD, AdamW, SilentReporter


def test_the_imagenet_stem_at_full_width_is_torchvision_s_network() -> None:
    theirs = torchvision().models.resnet18(num_classes=7)
    ours = build_model(ModelSpec(name="resnet18", params={"width": 1.0, "stem": "imagenet"}), (3, 64, 64), 7, 0)
    x = torch.randn(4, 3, 64, 64)
    ours(x)  # running statistics that matter
    named = ours.as_torchvision()
    assert named is not None
    theirs.load_state_dict(named[1], strict=True)
    with torch.no_grad():
        torch.testing.assert_close(ours.eval()(x), theirs.eval()(x), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "params", "shape", "sentence"),
    [
        ("vit", {}, (1, 31, 31), "must divide both sides"),
        ("vit", {"patch": 5}, (3, 32, 32), "must divide both sides"),
        ("vit", {"width": 30}, (3, 32, 32), "must divide vit.width"),
        ("vit", {}, (2,), "choose"),
        ("resnet18", {"stem": "imagenet"}, (3, 28, 28), "32×32"),
    ],
)
def test_what_does_not_fit_is_one_sentence(name: str, params: dict[str, object], shape: tuple[int, ...], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        build_model(ModelSpec(name=name, params=params), shape, 3, 0)


def test_whether_a_network_fits_is_found_once_and_said_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    source, asked = models.get("vit"), []
    build = source.build
    monkeypatch.setattr(source, "build", lambda *given: (asked.append(given), build(*given))[1])
    for _ in range(2):
        check_fit(ModelSpec(name="vit"), (1, 32, 32), 23)
        with pytest.raises(UserError, match="must divide both sides"):
            check_fit(ModelSpec(name="vit"), (1, 31, 31), 23)
    assert [shape for _, shape, _ in asked] == [(1, 32, 32), (1, 31, 31)]


def test_rem_heals_a_transformer_where_fine_tuning_does_not(tmp_path: object) -> None:
    """A residual network of torchvision is healed in tests/front_door/test_unlearn.py."""
    params = {"model.width": 32, "model.depth": 2, "training.epochs": 20}
    scenario = make_scenario("digits", regularity=1.0, discovery=0.5, amount=86, model="vit", overrides=params)
    store = Store.open(str(tmp_path))
    specs = [make_method("finetune", scenario), make_method("rem", scenario)]
    for stage in plan_runs(scenario, specs):
        run_stage(stage, store, "cpu", SilentReporter())
    finetune, rem = (store.get(scenario.run_key(spec)).payload["metrics"] for spec in specs)
    assert rem["healed"] > finetune["healed"] + 0.2
    assert rem["utility"] > 0.85


def test_a_transformer_is_trained_and_moved_with_adam_and_points_keep_sgd() -> None:
    vit, points = make_scenario("digits", model="vit"), make_scenario("blobs")
    assert (vit.training.optimizer, make_scenario("digits").training.optimizer) == ("adam", "sgd")
    assert make_scenario("digits", model="vit", overrides={"training.optimizer": "sgd"}).training.optimizer == "sgd"
    assert points.training.optimizer == "adam"  # and yet REM's preset for them is one of SGD
    found = {}
    for scenario in (vit, points):
        arena, method = build_scenario_data(scenario, torch.device("cpu")), methods.get("rem")
        model = build_model(scenario.model, arena.corrupted.train.shape, arena.train.classes, 0)
        model.widen(1.0, 0)
        ids = torch.arange(len(arena.train))
        task = UnlearningTask(model, arena.train, ids[:9], ids[9:], lambda seed, model=model: model, scenario.training, 0)
        params = method.params(make_method("rem", scenario).params)
        run = method.redirection(params, task, model, SilentReporter())
        found[scenario.dataset.name] = (type(run.optimizer), run.optimizer.param_groups[0]["lr"] / params.learning_rate)
    assert found == {"digits": (AdamW, pytest.approx(0.01)), "blobs": (SGD, 1.0)}
