"""Links round-trip, bad links are clamped with a sentence, and copied commands compute the same keys."""

from __future__ import annotations

import json
import random
import shlex
import string

import pytest
import yaml
from copiedcode import keys_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unlearn_core import view_state as vs
from unlearn_core.presets import make_method, make_scenario, method_overrides
from unlearn_core.specs import SweepSpec

CHEAP = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
METHODS = ("finetune", "npo", "retrain", "oracle_retrain", "rem", "ascent")


@st.composite
def states(draw: st.DrawFn) -> vs.State:
    """Settled states: what a person can reach with the widgets."""
    share = st.integers(0, 100).map(lambda k: k / 100)
    state = vs.default_state() | {
        "dataset": draw(st.sampled_from(["digits", "blobs", "waves", "spirals"])),
        "regularity": draw(share),
        "discovery": draw(share),
        "amount": draw(st.none() | st.integers(1, 200) | st.integers(5, 200).map(lambda k: k / 1000)),
        "class_a": draw(st.none() | st.integers(0, 9)),
        "target_class": draw(st.none() | st.integers(0, 9)),
        "trigger_kind": draw(st.none() | st.sampled_from(["patch", "blended", "warp"])),
        "trigger_size": draw(st.none() | st.integers(1, 8)),
        "trigger_corner": draw(st.none() | st.sampled_from(["top-left", "bottom-left"])),
        "trigger_opacity": draw(st.none() | st.integers(1, 19).map(lambda k: round(k * 0.05, 2))),
        "seed": draw(st.integers(0, 5)),
        "methods": tuple(draw(st.lists(st.sampled_from(METHODS), min_size=2, max_size=6, unique=True))),
        "values": draw(st.sampled_from(vs.VALUE_SETS)),
        "metric": draw(st.sampled_from(["healed", "utility"])),
        "examples": draw(st.sampled_from([12, 24])),
        "hide": tuple(draw(st.lists(st.sampled_from(["seed", "plane", "amount"]), unique=True))),
        "overrides": draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "rem.epochs": st.integers(1, 100),
                    "rem.keep_best": st.booleans(),
                    "npo.beta": st.floats(0.001, 20).map(lambda x: float(f"{x:.6g}")),
                    "training.epochs": st.integers(1, 50),
                    "trigger.alpha": st.integers(1, 9).map(lambda k: k / 10),
                },
            )
        ),
    }
    return vs.clamp_state(state)[0]


@CHEAP
@given(states())
def test_every_state_survives_its_link(state: vs.State) -> None:
    query = vs.encode(state)
    again, notices = vs.decode(query)
    assert len(query) < vs.MAX_QUERY
    assert again == state
    assert notices == []
    assert vs.to_scenario(again).key == vs.to_scenario(state).key


def test_the_default_state_has_an_empty_link() -> None:
    assert vs.encode(vs.default_state()) == ""
    assert vs.decode("") == (vs.default_state(), [])


@pytest.mark.parametrize("control", vs.CONTROLS, ids=lambda c: c.name)
def test_every_control_has_words_and_a_name_in_the_link(control: vs.Control) -> None:
    assert control.label
    assert control.help.endswith(".")
    assert len([c for c in vs.CONTROLS if c.query_name == control.query_name]) == 1
    assert control.query_name not in ("embed", "embed_options")  # Streamlit keeps these for itself


@pytest.mark.parametrize(
    ("query", "name", "value", "says"),
    [
        ("regularity=nan", "regularity", 1.0, "must be a number"),
        ("regularity=-3", "regularity", 0.0, "nearest possible value, 0"),
        ("discovery=1e999", "discovery", 0.3, "must be a number"),
        ("discovery=7", "discovery", 1.0, "nearest possible value, 1"),
        ("discovery=0.00001", "discovery", 0.0059, "one of them is known"),
        ("amount=9000", "amount", 718, "At most half"),
        ("amount=0", "amount", 1, "nearest possible"),
        ("amount=0.9", "amount", 718, "nearest possible value, 0.5"),
        ("amount=600&regularity=0.5", "amount", 116, "keeps the task meaningful"),
        ("dataset=mars", "dataset", "digits", "known: "),
        ("model=mlp", "model", None, "mlp"),
        ("class_a=99", "class_a", 9, "at most 9"),
        ("class_a=5", "class_b", 6, "must differ"),
        ("t_size=12", "trigger_size", 8, "at most 8"),
        ("t_kind=nonsense", "trigger_kind", None, "known: blended, "),
        ("t_kind=warp&t_size=4", "trigger_size", None, "no trigger size"),
        ("t_kind=sinusoid", "trigger_kind", None, "6 waves do not show on images 8 pixels wide"),
        ("dataset=blobs&t_kind=warp", "trigger_kind", None, "Points have no kinds of trigger"),
        ("t_kind=blended&trigger.alpha=7", "overrides", {"trigger.alpha": 1.0}, "at most 1"),
        ("trigger.alpha=0.5", "overrides", {}, "no parameter 'alpha'"),
        ("corruption=chaos", "corruption", "dial", "known: dial, found"),
        ("seed=1.5", "seed", 2, "nearest possible"),
        ("methods=rem", "methods", ("rem", "finetune"), "Between 2 and 6"),
        ("methods=rem,magic,npo", "methods", ("rem", "npo"), "'magic'"),
        ("hide=everything", "hide", (), "'everything'"),
        ("rem.epochs=0", "overrides", {"rem.epochs": 1}, "at least 1"),
        ("rem.epochs=x", "overrides", {}, "whole number"),
        ("rem.beta=0", "overrides", {"rem.beta": 0.0001}, "above 0"),
        ("rem.spin=1", "overrides", {}, "no parameter"),
        ("ascent.passes=5", "overrides", {}, "sets nothing"),
        ("training.momentum=1", "overrides", {"training.momentum": 0.99999}, "below 1"),
        ("colour=red", "dataset", "digits", "'colour'"),
    ],
)
def test_bad_values_become_the_nearest_possible_one(query: str, name: str, value: object, says: str) -> None:
    state, notices = vs.decode(query)
    assert state[name] == value
    assert any(says in notice for notice in notices), notices
    assert all(notice.endswith(".") and "\n" not in notice for notice in notices)


def test_five_hundred_random_links_never_raise_and_settle() -> None:
    rng = random.Random(20250523)
    names = [c.query_name for c in vs.CONTROLS] + ["rem.epochs", "npo.beta", "model.width", "x", ".", "dataset.noise"]
    words = [
        "nan",
        "inf",
        "-1",
        "0",
        "1",
        "0.5",
        "3",
        "1e9",
        "",
        "rem,npo",
        "cnn",
        "mlp",
        "blobs",
        "digits",
        "%00",
        "None",
        "true",
    ]
    for _ in range(500):
        pairs = [
            (rng.choice(names), rng.choice([*words, "".join(rng.choices(string.printable, k=9))]))
            for _ in range(rng.randint(0, 8))
        ]
        query = "&".join(f"{name}={value}" for name, value in pairs)
        state, notices = vs.decode(query)
        assert all(isinstance(n, str) and n.endswith(".") for n in notices)
        assert vs.decode(vs.encode(state)) == (state, []), query
        vs.to_scenario(state)
        vs.to_methods(state)


@pytest.mark.parametrize("query", [{"seed": ["1", "2"]}, {"seed": "2"}, "?seed=2", {"seed": []}])
def test_links_come_as_text_or_as_parsed_mappings(query: vs.State) -> None:
    assert vs.decode(query)[0]["seed"] == (0 if query == {"seed": []} else 2)


def test_a_link_never_grows_beyond_the_limit() -> None:
    state = vs.default_state() | {"overrides": {f"rem.parameter_{k:03d}": 1 / 3 for k in range(200)}}
    assert len(vs.encode(state)) < vs.MAX_QUERY


QUERIES = [
    "",
    "regularity=0.2&amount=80&class_a=4&t_opacity=0.5&rem.epochs=7&training.epochs=3&seed=2",
    "dataset=spirals&dataset.noise=0.5",
    "t_kind=blended&trigger.alpha=0.4",
    "t_kind=sinusoid&trigger.waves=2&target_class=4",
    "values=paper&methods=scrub,rem,npo&rem.epochs=7&npo.threshold=0.1&npo.beta=2",
    "dataset=waves&values=paper&methods=jit,ssd,rem_tuned",
]


def keys(state: vs.State) -> list[str]:
    scenario = vs.to_scenario(state)
    return [scenario.run_key(spec) for spec in vs.to_methods(state)]


@pytest.mark.parametrize("query", QUERIES)
def test_copied_python_computes_the_same_keys(query: str, monkeypatch: pytest.MonkeyPatch) -> None:
    state = vs.decode(query)[0]
    assert keys_of(vs.as_python(state), monkeypatch) == keys(state)


@pytest.mark.parametrize("query", QUERIES)
def test_a_copied_plan_computes_the_same_keys(query: str) -> None:
    state = vs.decode(query)[0]
    plan = SweepSpec.parse(yaml.safe_load(vs.as_yaml(state)))
    scenario = make_scenario(
        plan.dataset,
        regularity=plan.regularity[0],
        discovery=plan.discovery[0],
        amount=plan.amount[0] if plan.amount else None,
        model=plan.model,
        seed=plan.seeds[0],
        overrides=plan.set,
    )
    (values,) = plan.values
    specs = [make_method(name, scenario, method_overrides(plan.set, name), values) for name in plan.methods]
    assert [scenario.run_key(spec) for spec in specs] == keys(state)


@pytest.mark.parametrize("query", QUERIES)
def test_a_copied_command_computes_the_same_keys(query: str) -> None:
    state = vs.decode(query)[0]
    words = shlex.split(vs.as_cli(state))[4:]
    options: dict[str, str] = {}
    overrides = {}
    for name, value in zip(words[::2], words[1::2], strict=True):
        if name == "--set":
            key, _, raw = value.partition("=")
            try:
                overrides[key] = json.loads(raw)
            except json.JSONDecodeError:
                overrides[key] = raw
        else:
            options[name.removeprefix("--")] = value
    scenario = make_scenario(
        options["dataset"],
        regularity=float(options["regularity"]),
        discovery=float(options["discovery"]),
        amount=options.get("amount"),
        model=options.get("model"),
        seed=int(options["seed"]),
        overrides=overrides,
    )
    names, values = options["methods"].split(","), options.get("values", "tuned")
    assert values == state["values"]
    specs = [make_method(name, scenario, method_overrides(overrides, name), values) for name in names]
    assert [scenario.run_key(spec) for spec in specs] == keys(state)


def test_overrides_are_what_departs_from_the_chosen_values() -> None:
    published = make_method("rem", make_scenario("digits"), values="paper").params
    tuned = make_method("rem", make_scenario("digits")).params
    assert (published["epochs"], published["batch_size"]) != (tuned["epochs"], tuned["batch_size"])
    same_as_paper = f"rem.epochs={published['epochs']}&rem.batch_size={tuned['batch_size']}"
    state, notices = vs.decode(f"values=paper&{same_as_paper}")
    assert notices == []
    assert state["overrides"] == {"rem.batch_size": tuned["batch_size"]}
    assert "values=paper" in vs.encode(state)
    assert vs.decode(same_as_paper)[0]["overrides"] == {"rem.epochs": published["epochs"]}
    assert "values" not in vs.encode(vs.decode("values=tuned")[0])


def test_a_link_to_values_that_nobody_has_says_so() -> None:
    state, notices = vs.decode("values=best")
    assert state["values"] == "tuned"
    assert notices == ["Values cannot be 'best', so the default is used; known: tuned, paper."]


@pytest.mark.parametrize("values", vs.VALUE_SETS)
def test_a_network_trained_elsewhere_has_its_own_defaults(values: str) -> None:
    """With tuned values REM fits its learning rate to a checkpoint; to switch that off is then what departs."""
    state = vs.default_state() | {"values": values, "model": "torchvision"}
    for weights, expected in (({"model.weights": "mine.pt"}, values == "tuned"), ({}, False)):
        fields = {field.name: field for field in vs.section_fields(state | {"overrides": weights}, "rem")}
        assert fields["fit_rate"].default is expected
