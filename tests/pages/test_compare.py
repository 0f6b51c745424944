"""Compare: finding methods among many, what each of them is, any metric, classes, paces, the worst case."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from apptools import QUICK, link, texts
from streamlit.testing.v1 import AppTest

from unlearn_core import view_state as vs
from unlearn_core.methods import registry

OpenPage = Callable[..., AppTest]


def keyed(app: AppTest, key: str) -> object:
    """The element with this key."""
    return next(element for element in app.main if getattr(element, "key", None) == key)


def test_the_family_filter_offers_its_methods_and_keeps_the_chosen(open_page: OpenPage, fresh_store: object) -> None:
    app = open_page("compare")
    every = app.multiselect(key="control:methods").options
    assert len(every) == len(registry)
    app.button_group(key="control:families").set_value(["dampening"]).run()
    assert link(app)["families"] == "dampening"
    chooser = app.multiselect(key="control:methods")
    dampening = {method.label for method in registry if method.family == "dampening"}
    assert dampening < set(chooser.options)
    assert len(chooser.options) == len(dampening) + len(vs.DEMO_METHODS)
    assert chooser.value == list(vs.DEMO_METHODS)
    again = open_page("compare", "families=dampening")
    assert again.multiselect(key="control:methods").options == chooser.options


def test_each_method_explains_itself(open_page: OpenPage, fresh_store: object) -> None:
    words = texts(open_page("compare", "methods=npo,etd,rem"))
    for name in ("npo", "etd", "rem", "retrain", "oracle_retrain"):
        assert registry.get(name).summary in words
    assert "https://arxiv.org/abs/2404.05868" in words
    assert "does without the retain set" in words
    assert "an original of its own" in words
    assert "Aims at triggers (regularity 0.75 to 1), at any discovery rate." in words
    assert "Aims at random labels (regularity 0 to 0.25)" in words
    assert "This view lies inside." in words
    assert "This view lies <b>outside</b>." in words
    assert "not tuned" in words or "Tuned by" in words


@pytest.mark.parametrize("start", range(0, len(registry), vs.MAX_METHODS))
def test_the_form_of_every_method_opens(open_page: OpenPage, fresh_store: object, start: int) -> None:
    names = registry.names()[start:][: vs.MAX_METHODS]
    names = names if len(names) >= vs.MIN_METHODS else registry.names()[-vs.MIN_METHODS :]
    app = open_page("compare", f"dataset=blobs&methods={','.join(names)}")
    shown = {e.key for kind in (app.number_input, app.checkbox, app.selectbox, app.text_input) for e in kind}
    for name in names:
        assert {f"parameter:{name}.{field}" for field in registry.get(name).Params.model_fields} <= shown


def test_hidden_parts_of_the_choice_are_left_out(open_page: OpenPage, fresh_store: object) -> None:
    app = open_page("compare", "hide=families,explanation")
    assert not app.button_group
    assert registry.get("rem").summary not in texts(app)
    assert app.number_input(key="parameter:rem.epochs")
    assert registry.get("rem").summary in texts(open_page("compare", "hide=parameters"))


def test_quick_is_a_valid_link() -> None:
    assert vs.decode(QUICK)[1] == []


@pytest.mark.parametrize("name", registry.names())
@pytest.mark.parametrize("dataset", ["digits", "blobs"])
def test_every_parameter_has_a_widget_of_its_kind_and_the_default_that_runs(name: str, dataset: str) -> None:
    state = vs.default_state() | {"dataset": dataset, "methods": (name, "finetune")}
    (spec,) = vs.to_methods(state, [name])
    kinds = {bool: "bool", int: "int", float: "float", str: "choice"}
    for field in vs.section_fields(state, name):
        assert field.kind in (kinds[type(spec.params[field.name])], "float"), field
        assert field.default == spec.params[field.name]
        assert field.clamp(field.default) == (field.default, True)
        if field.kind == "choice":
            assert field.default in field.choices
