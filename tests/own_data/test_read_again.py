"""The page Your own shows the files as they are now, whatever their names, and never a raw error."""

from __future__ import annotations

import html
import os
from pathlib import Path

import pytest
from ownpage import button, enter, opened, until_read
from ownpage import words as written
from owntools import picture
from streamlit.testing.v1 import AppTest

pytestmark = pytest.mark.usefixtures("at_the_root")


def words(app: AppTest) -> str:
    return html.unescape(written(app))


def test_a_class_whose_name_is_not_utf8_is_shown(photos: Path) -> None:
    for half in ("train", "test"):
        folder = os.fsencode(photos / half)
        os.rename(folder + b"/ant", folder + b"/caf\xe9")
    app = enter(opened(), photos)
    assert "The name of the class 'caf%E9' is not UTF-8 text" in words(app)
    assert "30 of 30 training images and 15 of 15 test images of 3 classes" in words(app)
    assert not button(app, "own-find").disabled


@pytest.mark.parametrize("path", ["/" + "x" * 300, "~no-such-user-here/photos"])
def test_what_cannot_be_a_path_is_one_sentence(path: str) -> None:
    app = enter(opened(), path)
    assert "The path of the data" in words(app)


def test_the_page_shows_the_files_of_now(photos: Path) -> None:
    app = enter(opened(), photos)
    assert "is empty" not in words(app)
    (photos / "train" / "nada").mkdir()
    app.run()
    assert "is empty" not in words(app)  # looking at the page does not read a folder again and again
    button(app, "own-again").click()
    assert "'train/nada' is empty" in words(until_read(app))
    app.switch_page("pages/craft.py").run()
    (photos / "train" / "nada").rmdir()
    picture(1, 4_321).save(photos / "train" / "bee" / "more.png")
    app.switch_page("pages/own.py")
    until_read(app)
    assert "is empty" not in words(app)
    assert "31 of 31 training images" in words(app)
