"""The published values of every method: valid everywhere, those that the literature gives, and none for what is our own."""

from __future__ import annotations

import pytest

from unlearn_core.datasets import registry as datasets
from unlearn_core.methods import registry
from unlearn_core.presets import make_method, make_scenario, preset_params, published_params, value_sets, values_of

OWN = {
    "rem_tuned", "rem_discover", "rem_relabel_discover", "retrain_discover", "relabel_finetune", "relabel_only",
    "relabel_retrain", "task_vector",
}  # fmt: skip
SEARCHING = {"rem_tuned", "rem_discover", "rem_relabel_discover", "retrain_discover"}
FACTS = [
    ("rem", "epochs", 10),
    ("rem", "steps", 980),
    ("rem", "learning_rate", 0.005),
    ("rem", "batch_size", 512),
    ("rem", "beta", 1.0),
    ("rem", "repair_beta", 1.0),
    ("rem", "mask_share", 0.2),
    ("rem", "flush_threshold", 0.2),
    ("rem", "flush_passes", 100),
    ("rem", "removal_reference", "masked"),
    ("rem", "flush_momentum", True),
    ("rem", "statistics", "mixed"),
    ("rem", "repeat", False),
    ("rem", "keep_best", True),
    ("npo", "threshold", 0.2),
    ("npo", "beta", 1.0),
    ("ascent", "passes", 100),
    ("finetune", "learning_rate", 0.025),
    ("cf_k", "k", 2),
    ("eu_k", "learning_rate", 0.025),
    ("scrub", "learning_rate", 5e-4),
    ("scrub", "epochs", 3),
    ("scrub", "ascent_epochs", 2),
    ("scrub", "gamma", 5.0),
    ("scrub", "temperature", 4.0),
    ("bad_teacher", "optimizer", "adam"),
    ("bad_teacher", "learning_rate", 1e-4),
    ("bad_teacher", "retain_share", 0.3),
    ("ssd", "threshold", 10.0),
    ("ssd", "strength", 1.0),
    ("ssd", "batch_size", 128),
    ("assd", "batch_size", 512),
    ("potion", "batch_size", 512),
    ("potion", "start_divisor", 25.0),
    ("potion", "growth", 1.1),
    ("potion", "trials", 500),
    ("salun", "learning_rate", 0.013),
    ("salun", "localise_share", 0.5),
    ("salun", "batch_size", 256),
    ("del", "share", 0.3),
    ("del", "learning_rate", 0.015),
    ("del", "epochs", 30),
    ("amun", "first_radius", 0.04),
    ("amun", "attack_steps", 50),
    ("amun", "learning_rate", 0.01),
    ("duck", "retain_batches", 40),
    ("duck", "retain_weight", 1.4),
    ("duck", "temperature", 2.0),
    ("jit", "draws", 25),
    ("jit", "sigma", 0.01),
    ("jit", "learning_rate", 128 * 3e-4),
    ("wfisher", "samples", 1000),
    ("etd", "mask_share", 0.2),
    ("pgu", "ratio", 0.95),
    ("pgu", "offset", 0.05),
    ("pgu", "entropy", 0.2),
    ("pgu", "learning_rate", 0.05),
    ("l2ul", "copies", 20),
    ("l2ul", "radius", 4.0),
    ("l2ul", "attack_steps", 100),
    ("l2ul", "learning_rate", 1e-3),
    ("ft_sam", "radius", 2.0),
    ("ft_sam", "smoothing", 0.1),
    ("weight_distance", "weight", 1.0),
    ("oracle_matching", "oracles", 10),
    ("oracle_matching", "learning_rate", 5e-4),
    ("oracle_matching", "epochs", 5),
    ("data_model_matching", "retained", 3.0),
    ("robust_retrain", "weight", 3.0),
    ("robust_retrain", "memory", 0.7),
    ("cuts_neighbours", "epochs", 60),
    ("early_cut_retrain", "rounds", 3),
    ("early_cut_retrain", "keep", 0.925),
    ("early_cut_retrain", "early", 0.667),  # 1 / 1.5 to the digits that a field shows
    ("early_cut_retrain", "streak", 3),
    ("label_influence", "rate", 50_000 * 2e-5),
    ("label_influence", "scale", 2e5 / 50_000),
    ("label_influence", "damping", 1e-4),
]
"""What the publications and their programs say, read off apart from this code (method, parameter, value)."""


@pytest.mark.parametrize(("name", "parameter", "value"), FACTS)
@pytest.mark.parametrize("dataset", ["digits", "waves"])
def test_the_published_values_are_those_of_the_literature(name: str, parameter: str, value: object, dataset: str) -> None:
    spec = make_method(name, make_scenario(dataset), values="paper")
    assert spec.params[parameter] == (pytest.approx(value) if isinstance(value, float) else value)


@pytest.mark.parametrize("name", registry.names())
def test_both_sets_are_valid_on_every_kind_of_data(name: str) -> None:
    method = registry.get(name)
    families = {source.family: source.name for source in datasets}
    assert set(method.published or {}) <= {"", *families}
    for dataset in families.values():
        for values in ("tuned", "paper"):
            method.full_params(values_of(name, dataset, values=values))
        tuned, paper = (method.all_params(values_of(name, dataset, values=values)) for values in ("tuned", "paper"))
        assert value_sets(name, dataset) == {k: (tuned[k], paper[k]) for k in tuned if tuned[k] != paper[k]}


@pytest.mark.parametrize("name", registry.names())
def test_what_was_never_published_has_one_set(name: str) -> None:
    assert (registry.get(name).published is None) == (name in OWN)
    assert registry.get(name).describe()["published"] == (name not in OWN)
    if name in OWN:
        assert published_params(name, "digits") == {}
        for augment in (False, True):
            assert value_sets(name, "cifar10", augment, foreign=True) == {}
            assert values_of(name, "cifar10", augment, "paper") == preset_params(name, "cifar10", augment)
            assert preset_params(name, "cifar10", augment) or name not in SEARCHING  # there is something to be equal


def test_paper_and_tuned_are_two_runs_and_an_override_changes_either() -> None:
    scenario = make_scenario("digits")
    tuned, paper = make_method("scrub", scenario), make_method("scrub", scenario, values="paper")
    assert scenario.run_key(tuned) != scenario.run_key(paper)
    assert make_method("scrub", scenario, values="tuned") == tuned
    assert make_method("scrub", scenario, dict(paper.params)) == paper
    changed = make_method("scrub", scenario, {"alpha": 0.5}, "paper")
    assert changed.params == paper.params | {"alpha": 0.5}


def test_a_family_s_own_published_values_come_on_top(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry.get("npo"), "published", {"": {"beta": 2.0, "passes": 7}, "digits": {"beta": 3.0}})
    assert published_params("npo", "digits") == {"beta": 3.0, "passes": 7}
    assert published_params("npo", "waves") == {"beta": 2.0, "passes": 7}
