"""Adding a method on Compare: for the app's own user alone, after its checks, and until it is removed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from apptools import QUICK, link, texts
from streamlit.runtime.context import ContextProxy
from streamlit.testing.v1 import AppTest

from pages.session import own_plugins
from unlearn_core import kept_plugins, plugins
from unlearn_core import view_state as vs
from unlearn_core.errors import UserError
from unlearn_core.support.public_mode import PUBLIC

OpenPage = Callable[..., AppTest]
METHOD = Path(__file__).parents[2] / "examples" / "plugin" / "eunoe_second_choice" / "method.py"
QUERY = "dataset=blobs&methods=finetune,rem"


@pytest.fixture(autouse=True)
def own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A plug-in file of the user's."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv(plugins.VARIABLE, "")
    path = tmp_path / "second_choice.py"
    path.write_text(METHOD.read_text())
    path.chmod(0o600)
    yield path
    for kept in kept_plugins.kept():
        kept_plugins.remove(kept.name)
    monkeypatch.undo()
    plugins.refresh()


def add(app: AppTest, path: Path) -> AppTest:
    app.text_input(key="plugin-path").set_value(str(path))
    app.button(key="plugin-add").click()
    return app.run(timeout=200)


def test_a_file_that_passes_is_offered_now_and_next_time_and_can_be_removed(
    open_page: OpenPage, own_file: Path, fresh_store: object
) -> None:
    app = open_page("compare", QUERY, own_methods_open=True)
    assert "**The file's code runs on this computer with your rights**" in texts(app)
    assert "Second choice" not in app.multiselect(key="control:methods").options
    app = add(app, own_file)
    assert not app.exception
    assert "second_choice.py is added" in app.success[0].value.replace("\\", "")
    assert "Second choice" in app.multiselect(key="control:methods").options
    [kept] = kept_plugins.kept()
    assert kept.read_text() == own_file.read_text()
    assert kept.stat().st_mode & 0o077 == 0
    own_file.unlink()
    again = open_page("compare", "dataset=blobs&methods=second_choice,rem", own_methods_open=True)
    assert again.multiselect(key="control:methods").value == ["second_choice", "rem"]
    again.button(key="plugin-remove:second_choice.py").click().run()
    assert not again.exception
    assert not kept_plugins.kept()
    assert "Second choice" not in again.multiselect(key="control:methods").options
    assert "second_choice" not in link(again).get("methods", "")
    app.run()  # another session, which had it among its offers
    assert not app.exception


def test_a_broken_file_says_why_and_is_not_kept(open_page: OpenPage, own_file: Path, fresh_store: object) -> None:
    own_file.write_text(METHOD.read_text() + "\nx = 1 / 0\n")  # so that its checks, which take long, end with the first
    app = add(open_page("compare", QUERY, own_methods_open=True), own_file)
    said = app.error[0].value.replace("\\", "")
    assert "second_choice.py was not added" in said
    assert f"ZeroDivisionError: division by zero (second_choice.py, line {len(METHOD.read_text().splitlines()) + 2})" in said
    assert not kept_plugins.kept()
    assert not app.success


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x = (", "is no Python ('(' was never closed, line 1)"),
        ("import os", "imports nothing of unlearn_core"),
        ("from unlearn_corex import y", "imports nothing of unlearn_core"),
    ],
)
def test_what_is_no_plug_in_is_never_run(own_file: Path, text: str, why: str) -> None:
    own_file.write_text(text)
    with pytest.raises(UserError, match=why.replace("(", r"\(").replace(")", r"\)")):
        kept_plugins.add(str(own_file))


def test_a_file_that_others_could_change_is_refused(own_file: Path) -> None:
    own_file.chmod(0o666)
    with pytest.raises(UserError, match="Others may write to the file"):
        kept_plugins.add(str(own_file))
    with pytest.raises(UserError, match="There is no plug-in file"):
        kept_plugins.add(str(own_file.with_name("gone.py")))
    other = own_file.rename(own_file.with_suffix(".txt"))
    with pytest.raises(UserError, match=r"ends in \.py"):
        kept_plugins.add(str(other))


def open_to_others(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    if how == "another host":
        monkeypatch.setattr(ContextProxy, "headers", property(lambda _: {"Host": "192.168.1.7:8501"}))
    else:
        monkeypatch.setenv(own_plugins.HOSTS, "1")


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("proxy", "because this app is served under other names than localhost"),
        ("another host", "because this page was not opened as localhost"),
    ],
)
def test_where_others_use_the_app_it_takes_no_file(
    open_page: OpenPage, own_file: Path, fresh_store: object, monkeypatch: pytest.MonkeyPatch, how: str, why: str
) -> None:
    open_to_others(monkeypatch, how)
    app = open_page("compare", QUERY, own_methods_open=True)
    assert why in texts(app)
    assert not [element for element in app.text_input if element.key == "plugin-path"]
    assert not [element for element in app.button if str(element.key).startswith("plugin-")]


def test_strangers_are_not_even_offered_it(open_page: OpenPage, fresh_store: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PUBLIC, "1")
    app = open_page("compare", QUERY, own_methods_open=True)
    assert "Methods cannot be added here" not in texts(app)
    assert not [element for element in app.text_input if element.key == "plugin-path"]


def test_a_link_adds_nothing(open_page: OpenPage, own_file: Path, fresh_store: object) -> None:
    app = open_page("compare", f"{QUERY}&plugin-path={own_file}&plugin-add=1&plugin={own_file}", own_methods_open=True)
    assert app.text_input(key="plugin-path").value == ""
    assert not kept_plugins.kept()


def test_a_network_address_is_open_to_others(open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, fresh_store: object) -> None:
    import streamlit as st

    real = st.get_option
    monkeypatch.setattr(st, "get_option", lambda name: "0.0.0.0" if name == "server.address" else real(name))
    assert "because this app listens on the network" in texts(open_page("compare", QUERY, own_methods_open=True))


def test_a_picture_of_a_plug_in_has_a_tab_and_one_that_fails_costs_no_other(
    open_page: OpenPage, computed: vs.State, own_file: Path, tmp_path: Path
) -> None:
    text = (METHOD.parents[1] / "files" / "picture.py").read_text()
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text(text)
    bad.write_text(text.replace('"healed_per_second", "Healed', '"broken", "Healed').replace('frame["seconds"]', 'frame["no"]'))
    plugins.name_files([str(bad), str(good)])
    plugins.refresh()
    app = open_page("compare", f"{QUICK}&tab=added")
    assert "figure:added-healed_per_second" in {str(getattr(element, "key", "")) for element in app.main}
    assert "This picture cannot be drawn: KeyError" in app.error[0].value
    assert "bad.py, line " in app.error[0].value
