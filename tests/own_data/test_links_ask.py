"""Links from strangers on the pages: what they name outside the allowed folders is a question, and a button answers it."""

from __future__ import annotations

from pathlib import Path

import pytest
from ownpage import address, enter, opened, until, until_read, words
from streamlit.testing.v1 import AppTest

from unlearn_core.datasets.torchvision_sets import TorchvisionArrays
from unlearn_core.support.escaping import escape_markdown

pytestmark = pytest.mark.usefixtures("at_the_root")


@pytest.fixture(autouse=True)
def _no_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "allowed").mkdir()
    monkeypatch.setenv("UNLEARN_DATA_ROOTS", str(tmp_path / "allowed"))


def click(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click()
    app.run()
    assert not app.exception, app.exception
    return app


def test_files_outside_are_opened_by_a_button_alone(photos: Path) -> None:
    link = {"dataset": "images", "dataset__data": str(photos), "corruption": "found", "seed": "3"}
    app = opened(**link)
    assert "files outside the folders that links may open" in words(app)
    assert "training images of 3 classes" not in words(app)
    assert app.session_state["state"]["dataset"] == "digits"
    assert app.session_state["state"]["seed"] == 3  # the rest of the link is followed
    app = until_read(click(app, "link-open_paths"))
    assert "30 of 30 training images" in words(app)
    assert "links may open" not in words(app)
    assert app.session_state["state"]["seed"] == 3
    again = opened(own=str(photos))  # another session knows nothing of it
    assert "links may open" in words(again)
    assert "links may open" not in words(click(again, "link-leave-open_paths"))
    assert again.session_state["state"]["own"] == ""


def test_what_a_person_types_may_lie_anywhere(photos: Path) -> None:
    app = enter(opened(), photos)
    assert "30 of 30 training images" in words(app)
    assert "links may open" not in words(app)
    for name, value in {"own": str(photos), "seed": "4"}.items():  # Back, or a link to the same files
        app.query_params[name] = value
    app.session_state["written_at"] = 0.0
    app = until_read(app)
    assert app.session_state["state"]["seed"] == 4
    assert "30 of 30 training images" in words(app)


def test_a_path_is_written_as_it_is() -> None:
    path = "/x/![a](https://evil.example/b.png)**c**"
    assert f"links may open: **{escape_markdown(path)}**" in words(opened(own=path))


def test_a_download_needs_its_button(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[Path] = []
    monkeypatch.setattr(TorchvisionArrays, "download", lambda self, tell: fetched.append(self.root))
    place = tmp_path / "allowed" / "anywhere"
    app = opened(dataset="mnist", dataset__download="true", dataset__data=str(place))
    assert "MNIST, which is not on this computer" in words(app)
    assert not fetched
    assert not place.exists()
    click(app, "link-fetch")
    until(app, lambda: "Getting MNIST failed" in words(app))  # this one brought nothing
    assert [path.name for path in fetched] == ["torchvision"]
    assert not place.exists()
    assert "dataset.download" not in address(app)
