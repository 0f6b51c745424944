"""A stranger hands images over to a public server: read and run as ever, with no path of the server anywhere."""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path

import pytest
from ownpage import address, opened, until_read, words
from streamlit.testing.v1 import AppTest

from pages.session import public, services
from unlearn_core.support import audit
from unlearn_core.support.limits import VARIABLE
from unlearn_core.support.public_mode import PUBLIC

pytestmark = pytest.mark.usefixtures("at_the_root")
WHO = ["one"]


@pytest.fixture(autouse=True)
def _public(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PUBLIC, "1")
    monkeypatch.setattr(public, "secret", lambda: WHO[0])
    WHO[0] = "one"


def zipped(folder: Path) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for path in sorted(folder.rglob("*.png")):
            archive.write(path, path.relative_to(folder))
    return made.getvalue()


def hand_over(data: bytes, name: str = "photos.zip") -> AppTest:
    app = opened()
    assert "A path on this computer" not in [tab.label for tab in app.tabs]
    app.file_uploader(key="own-upload").upload(name, data, "application/zip")
    return app.run()


def everything(app: AppTest) -> str:
    codes = "\n".join(str(one.value) for one in app.code)
    return f"{words(app)}\n{codes}\n{address(app)}\n{[one.value for one in app.text_input]}"


def test_images_are_read_and_no_page_names_a_place_on_the_server(photos: Path) -> None:
    app = until_read(hand_over(zipped(photos)))
    assert "training images" in words(app)
    link = address(app)
    assert link["dataset.data"].startswith("upload:")
    store = os.environ["UNLEARN_STORE"]
    assert store not in everything(app)
    assert "dataset.data=your-file.zip" in everything(app)
    events = [json.loads(line) for line in (Path(store) / audit.NAME).read_text().splitlines()]
    assert [one["event"] for one in events] == ["uploaded", *["started"] * (len(events) - 1)]
    assert "photos" not in json.dumps(events), "a file's name may be personal"
    # Somebody else opens the copied link: it shows the same.
    WHO[0] = "two"
    query = {name.replace(".", "__"): value for name, value in link.items()}
    other = until_read(opened(**query))
    assert "training images" in words(other)
    assert store not in everything(other)
    assert public.may_open(services.store(), _path(link)) is False


def test_a_damaged_file_and_a_foreign_one_are_refused_without_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    app = until_read(hand_over(b"PK\x03\x04 not a zip"))
    assert app.error
    assert os.environ["UNLEARN_STORE"] not in everything(app)
    monkeypatch.setenv(VARIABLE, "upload_mb=1")
    assert "A file may have 1 MB here" in words(hand_over(b"0" * 1_200_000))


def test_images_take_no_more_memory_than_a_stranger_has(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "decoded_mb=1")
    app = hand_over(zipped(photos))
    app = until_read(opened(**{name.replace(".", "__"): value for name, value in (address(app) | {"own_size": "256"}).items()}))
    assert "GB of memory, more than" in words(app)


def _path(link: dict[str, str]) -> str:
    return str(services.store().uploads / link["dataset.data"].removeprefix("upload:"))
