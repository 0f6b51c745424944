"""What holds for every page: it says what to see and to try, needs no network, and leaves out or locks whatever a link says."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from apptools import QUICK, link, texts
from streamlit.testing.v1 import AppTest

from unlearn_core import view_state as vs

OpenPage = Callable[..., AppTest]
ROOT = Path(__file__).parents[2]
PAGES = re.findall(r'st\.Page\("pages/(\w+)\.py"', (ROOT / "app.py").read_text())
VIEW = f"{QUICK}&views=original,rem&embedded=finetune,rem&projection=pca"
STAYS = {"control:layout", "run", "next"}
"""What a link cannot leave out: the layout, which leads back to everything, and the way on."""


def keys(app: AppTest) -> set[str]:
    return {str(key) for element in app.main if (key := getattr(element, "key", None))}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_says_what_to_see_and_to_try_and_asks_no_other_machine(
    open_page: OpenPage, computed: vs.State, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    asked: list[object] = []

    def refuse(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX:
            asked.append(address)
        raise OSError("no network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    app = open_page(page, VIEW)
    assert "What you see" in texts(app)
    assert "Try this" in texts(app)
    assert "Computes on" in texts(app)
    assert [said.value for said in (*app.warning, *app.error)] == []
    assert asked == []


@pytest.mark.parametrize("page", vs.hideable_by_page())
def test_a_link_leaves_out_every_panel_and_locks_every_control(open_page: OpenPage, computed: vs.State, page: str) -> None:
    controls = {f"control:{name}" for name in vs.lockable()}
    seen = keys(open_page(page, VIEW))
    plain = seen & controls
    assert plain or page == "start"  # its sliders are the picture's own
    bare = open_page(page, f"{VIEW}&hide={','.join(vs.hideable())}")
    assert {key for key in keys(bare) if not key.startswith("in-browser")} <= STAYS < seen | STAYS
    locked = open_page(page, f"{VIEW}&lock={','.join(vs.lockable())}")
    shown = {str(e.key): e for e in locked.main if str(getattr(e, "key", "")) in controls}
    assert plain <= set(shown)
    assert [key for key, element in shown.items() if not element.disabled] == []


@pytest.mark.parametrize("page", PAGES)
def test_where_nothing_is_computed_a_page_says_what_to_do(open_page: OpenPage, fresh_store: Path, page: str) -> None:
    app = open_page(page, "dataset=blobs")
    ready = {button.key: button.label for button in app.button if not button.disabled}
    said = [word for info in app.info for word in re.findall(r"\*\*(\w[^*]*)\*\*", info.value)]
    if page in ("start", "lessons", "craft"):  # nothing to wait for: each has its own way on
        assert {"demo", "next", *(f"lesson:{name}" for name in vs.lessons.lessons())} & set(ready)
    elif page == "own":
        assert any(info.value.startswith("Enter a path") for info in app.info)
    else:
        assert said
        assert set(said) <= set(ready.values())  # a button that is named is there


def test_two_browsers_share_no_widget(open_page: OpenPage, computed: vs.State) -> None:
    """One moves a slider, selects and pins examples; the other, on the same pages, sees nothing of it."""
    one, other = open_page("embedding", VIEW), open_page("embedding", VIEW)
    one.session_state["examples"] = one.session_state["examples"] | {"chosen": (3, 5, 8), "pins": (5,)}
    one.button_group(key="control:highlight").set_value("healed").run()
    before = link(other)
    other.run()
    assert "3 selected" in texts(one)
    assert "All 600" in texts(other)
    assert other.session_state["examples"]["pins"] == ()
    assert other.button_group(key="control:highlight").value == "all"
    assert link(other) == before != link(one)
