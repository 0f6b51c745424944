"""The page Your own: a path is read outside of the script, judged, taken into the view; a list comes in as a file."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from copiedcode import keys_of
from ownpage import ROOT, address, button, enter, opened, until, until_read, words
from owntools import WRONG, make_photos, picture, write_list, write_manifest
from streamlit.testing.v1 import AppTest

from unlearn_core import view_state as vs
from unlearn_core.datasets import load_dataset

pytestmark = pytest.mark.usefixtures("at_the_root")


def test_before_a_path_is_given_it_says_what_to_do() -> None:
    app = opened()
    assert "Enter a path, or hand over" in words(app)
    assert not [one for one in app.button if one.key in ("own-compare", "own-find")]


def test_a_folder_is_read_judged_and_taken_into_the_view(photos: Path) -> None:
    (photos / "train" / "ant" / "bad.png").write_bytes(b"bad")
    (photos / "train" / "bee" / "again.png").write_bytes((photos / "train" / "ant" / "05.png").read_bytes())
    picture(2, 77).save((photos / "test").joinpath("cow", "x.png"))
    app = enter(opened(), photos)
    said = words(app)
    assert "31 of 32 training images and 16 of 16 test images of 3 classes" in said
    assert "resized to 12×12 (Pillow, bicubic, antialiased), in RGB, transparency on white" in said
    assert "train/ant/bad.png is no image that can be read" in said
    assert "look exactly like another one" in said
    assert "carry another label than their twin" in said
    assert "Nothing is known to be wrong yet" in said
    assert "on one core of this computer" in said
    assert button(app, "own-compare").disabled  # nothing is known to be wrong
    assert not button(app, "own-find").disabled
    link = address(app)
    assert (link["dataset"], link["corruption"], link["dataset.data"]) == ("images", "found", str(photos))
    # The copied link shows the same.
    again = until_read(opened(**{name.replace(".", "__"): value for name, value in link.items()}))
    assert "31 of 32 training images" in words(again)


def test_a_list_comes_in_and_leads_to_compare(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = enter(opened(), photos)
    listed = write_list(tmp_path / "known wrong.csv", labels=True).read_bytes()
    app.file_uploader(key="own-list").upload("known wrong.csv", listed, "text/csv")
    app.run()
    app.run()
    assert not app.exception
    assert "**4** training images are held to be wrong, the right label of 4 of them is given" in words(app)
    assert "4 listed images are very few" in words(app)
    key = address(app)["forget"]
    assert app.selectbox(key="control:forget").value == key
    assert not button(app, "own-compare").disabled
    state = app.session_state["state"]
    assert len(state["indices"]) == len(WRONG)
    assert vs.to_scenario(state).relabelled == tuple((index, "ant") for index in state["indices"])
    [needs_them] = vs.to_methods(state, ["relabel_only"])
    copied = keys_of(vs.as_python(state, ["relabel_only"]), monkeypatch)
    assert copied == [vs.to_scenario(state).run_key(needs_them)]
    button(app, "own-compare").click()
    app.run()
    assert not app.exception
    assert "4 in an edited forget set" in words(app)
    assert "so these cannot run" in words(app)


def test_a_list_takes_its_images_into_the_training_part_and_the_link_does_so_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = make_photos(tmp_path / "photos") / "train"  # one tree: the seed holds out two of ten
    app = enter(opened(seed="1"), photos)
    listed = "index,path\n" + "".join(f"{k},ant/{k:02}.png\n" for k in range(9))
    app.file_uploader(key="own-list").upload("ants.csv", listed.encode(), "text/csv")
    app.run()
    app.run()
    assert not app.exception
    assert "**9** training images are held to be wrong" in words(app)
    assert "had been held out for testing by the seed; they are taken into the training images" in words(app)
    scenario = vs.to_scenario(app.session_state["state"])
    names = load_dataset(scenario.dataset, 1).names
    assert {names[k] for k in scenario.forget or ()} == {f"ant/{k:02}.png" for k in range(9)}
    link = address(app)
    assert "dataset.listed" not in link
    again = until_read(opened(**{name.replace(".", "__"): value for name, value in link.items()}))
    assert vs.to_scenario(again.session_state["state"]) == scenario
    # Under another seed the same link means the same files.
    other = until_read(opened(**{name.replace(".", "__"): value for name, value in (link | {"seed": "2"}).items()}))
    there = vs.to_scenario(other.session_state["state"])
    names = load_dataset(there.dataset, 2).names
    assert {names[k] for k in there.forget or ()} == {f"ant/{k:02}.png" for k in range(9)}
    code = vs.as_python(other.session_state["state"], ["finetune"])
    [spec] = vs.to_methods(other.session_state["state"], ["finetune"])
    assert keys_of(code, monkeypatch) == [there.run_key(spec)]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"path\ntrain/ant/99.png\n", "names 1 files that are no images here: 'train/ant/99.png' in line 2"),
        (b"path\n\xff\n", "is not UTF-8 text"),
        (b"index\n99\n", "names training example 99 in line 2, but there are 30"),
        (b"path,clean_label\ntrain/ant/00.png,bee\ntrain/ant/00.png,cow\n", "one image two right labels"),
        (b"index\n" + b"".join(b"%d\n" % k for k in range(20)), "20 examples are too many for a forget set"),
        (b"index,clean_label\n3,dog\n", "a clean\\_label that is no class"),
    ],
)
def test_a_bad_list_gets_one_sentence_and_changes_nothing(photos: Path, text: bytes, sentence: str) -> None:
    app = enter(opened(), photos)
    app.file_uploader(key="own-list").upload("list.csv", text, "text/csv")
    for _ in range(2):
        app.run()
        assert not app.exception
        assert sentence in "\n".join(str(error.value) for error in app.error)
    assert "forget" not in address(app)


def test_a_path_that_cannot_be_read_says_so_and_can_be_tried_again(tmp_path: Path) -> None:
    app = enter(opened(), tmp_path / "nowhere")
    assert "There is nothing at" in app.error[0].value
    assert "dataset" not in address(app)
    assert address(app)["own"] == str(tmp_path / "nowhere")
    make_photos(tmp_path / "nowhere")
    button(app, "own-again").click()
    app.run()
    assert "30 of 30 training images" in words(until_read(app))


def test_clean_labels_for_all_bring_the_discovery_rate(photos: Path) -> None:
    app = enter(opened(), write_manifest(photos))
    assert "The right label of every training image is given" in words(app)
    assert not button(app, "own-compare").disabled
    app.slider(key="control:discovery").set_value(0.5)
    app.run()
    assert vs.to_scenario(app.session_state["state"]).discovery == 0.5


def test_the_dial_can_be_used_instead(photos: Path) -> None:
    app = enter(opened(), photos)
    app.segmented_control(key="control:corruption").set_value("dial")
    app.run()
    assert not app.exception
    assert "The labels you bring count as true" in words(app)
    assert "corruption" not in address(app)
    assert not vs.to_scenario(app.session_state["state"]).corruption.found


def test_a_file_that_is_handed_over_is_kept_in_the_store(photos: Path, tmp_path: Path) -> None:
    import shutil

    archive = Path(shutil.make_archive(str(tmp_path / "photos"), "zip", photos))
    app = opened()
    app.file_uploader(key="own-upload").upload("../../photos.zip", archive.read_bytes(), "application/zip")
    app.run()
    until_read(app)
    assert "30 of 30 training images" in words(app)
    kept = Path(address(app)["dataset.data"])
    assert kept.parent == Path(os.environ["UNLEARN_STORE"]) / "uploads"
    assert kept.read_bytes() == archive.read_bytes()


def test_the_page_itself_reads_no_image(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from unlearn_core.datasets.files import facts, loading

    readers: list[str] = []

    def noted(module: ModuleType, name: str) -> None:
        inner = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *given: (readers.append(threading.current_thread().name), inner(*given))[1])

    noted(loading, "decode_wanted")
    noted(facts, "survey")
    app = opened()
    app.text_input(key="control:own").set_value(str(photos))
    app.run()
    assert "30 of 30 training images" in words(until_read(app))
    assert set(readers) == {"eunoe-inline"}


def test_a_link_to_images_that_nobody_has_read_shows_how_they_are_read(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from unlearn_core.datasets.files import loading

    decode, go = loading.decode_wanted, threading.Event()
    monkeypatch.setattr(loading, "decode_wanted", lambda *given: (go.wait(60), decode(*given))[1])
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params["dataset"], app.query_params["dataset.data"] = "images", str(photos)
    app.switch_page("pages/craft.py")
    until(app, lambda: "Decoding the images" in words(app))
    assert [button.label for button in app.button if button.label.startswith("Cancel")] == ["Cancel"]
    go.set()
    until(app, lambda: app.session_state["state"]["dataset"] == "images" if "state" in app.session_state else False)
    assert "Decoding the images" not in words(app)


def test_where_nothing_can_be_kept_the_page_reads_for_itself(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from unlearn_core.datasets import base
    from unlearn_core.datasets.files import cache

    class Forgetful(OrderedDict[Any, Any]):  # as between two processes
        def __setitem__(self, key: Any, value: Any) -> None: ...

    monkeypatch.setattr(cache, "write", lambda *given: None)
    monkeypatch.setattr(base, "_recent", Forgetful())
    app = enter(opened(), photos)
    assert "30 of 30 training images" in words(app)
