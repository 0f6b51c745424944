"""The page Your own: a path is read outside of the script, judged, taken into the view; a list comes in as a file."""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from copiedcode import keys_of
from owntools import WRONG, make_photos, picture, write_list, write_manifest
from streamlit.testing.v1 import AppTest

from unlearn_core import view_state as vs
from unlearn_core.component import ComponentParams
from unlearn_core.datasets import load_dataset
from unlearn_core.models import ModelSource
from unlearn_core.models import registry as models
from unlearn_core.models.redirect.layers import RedirectNet
from unlearn_core.store import Store
from unlearn_core.support.torchvision_compat import torchvision

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _at_the_root() -> Iterator[None]:
    before = os.getcwd()
    os.chdir(ROOT)
    yield
    os.chdir(before)


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    for name, value in query.items():
        app.query_params[name.replace("__", ".")] = value
    app.switch_page("pages/own.py")
    app.run()
    assert not app.exception, app.exception
    return app


def until_read(app: AppTest) -> AppTest:
    """Run the page until the files are read, as the browser does while the bar is drawn."""
    for _ in range(100):
        app.run()
        assert not app.exception, app.exception
        if "What was read" in words(app) or app.error:
            return app
        time.sleep(0.05)
    raise AssertionError("the files were not read")


def until(app: AppTest, true: Callable[[], bool]) -> None:
    for _ in range(200):
        app.run()
        assert not app.exception, app.exception
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("it never happened")


def words(app: AppTest) -> str:
    kinds: tuple[Any, ...] = (app.markdown, app.caption, app.info, app.warning, app.success, app.error)
    html = [element.proto.body for element in app.main if getattr(element, "type", "") == "html"]
    return "\n".join([*(str(element.value) for kind in kinds for element in kind), *html])


def button(app: AppTest, key: str) -> Any:
    return app.button(key=key)


def address(app: AppTest) -> dict[str, str]:
    return {name: value if isinstance(value, str) else value[-1] for name, value in app.query_params.items()}


def enter(app: AppTest, path: Path | str) -> AppTest:
    app.text_input(key="control:own").set_value(str(path))
    return until_read(app)


def test_before_a_path_is_given_it_says_what_to_do() -> None:
    app = opened()
    assert "Enter a path on the left" in words(app)
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


def test_a_list_comes_in_and_leads_to_compare(photos: Path, tmp_path: Path) -> None:
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
    from owntools import make_photos

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


@pytest.fixture
def without_torchvision() -> Iterator[None]:
    """Its network is not registered; afterwards all are again, in their order."""
    registered = {name: models.get(name) for name in models.names()}
    models.remove("torchvision")
    yield
    for name in models.names():
        models.remove(name)
    for name, network in registered.items():
        models.add(name, network)


@pytest.mark.usefixtures("without_torchvision")
def test_a_checkpoint_is_only_offered_where_there_is_such_a_network(photos: Path) -> None:
    app = enter(opened(), photos)
    assert not any(one.label == "Weights" for one in app.text_input)
    assert not any("A checkpoint" in one.options for one in app.segmented_control)

    class Checkpoint(ModelSource):
        name, label = "torchvision", "A checkpoint of torchvision"

        class Params(ComponentParams):
            architecture: str = "resnet18"
            weights: str = ""
            size: int = 0
            mean: str = ""
            std: str = ""

        @classmethod
        def build(cls, params: Any, shape: tuple[int, ...], classes: int) -> RedirectNet:
            return models.get("cnn").build(models.get("cnn").Params(), shape, classes)

    models.add("torchvision", Checkpoint)
    app.run()
    assert not app.exception
    choice = next(one for one in app.segmented_control if "A checkpoint" in one.options)
    choice.set_value("A checkpoint")
    app.run()
    app.run()
    assert not app.exception
    assert {"Architecture", "Weights", "Size", "Mean", "Std"} <= {one.label for one in (*app.text_input, *app.number_input)}
    assert vs.to_scenario(app.session_state["state"]).model.name == "torchvision"
    next(one for one in app.text_input if one.label == "Weights").set_value("mine.safetensors")
    app.run()
    app.run()
    assert not app.exception
    assert "Your checkpoint is used as it is" in words(app)


def test_a_checkpoint_is_taken_once_its_fields_are_complete(photos: Path, tmp_path: Path) -> None:
    network = torchvision().models.get_model("shufflenet_v2_x0_5", num_classes=3)
    torch.save(network.state_dict(), tmp_path / "mine.pt")
    torch.save(torchvision().models.get_model("shufflenet_v2_x0_5", num_classes=7).state_dict(), tmp_path / "other.pt")
    app = enter(opened(), photos)
    next(one for one in app.segmented_control if "A checkpoint" in one.options).set_value("A checkpoint")
    app.run()
    app.run()
    assert "Until a file is given" in words(app)

    def typed(name: str, value: str) -> str:
        app.text_input(key=f"checkpoint:{name}").set_value(value)
        app.run()
        assert not app.exception, app.exception
        assert app.text_input(key=f"checkpoint:{name}").value == value
        return words(app)

    assert "There is no checkpoint file" in typed("weights", str(tmp_path / "none.pt"))
    assert "needs the name of its architecture" in typed("weights", str(tmp_path / "mine.pt"))
    assert "model.weights" not in address(app)
    assert "needs the name" not in typed("architecture", "shufflenet_v2_x0_5")
    assert address(app)["model.weights"] == str(tmp_path / "mine.pt")
    for _ in range(100):
        if "Your checkpoint is used as it is" in words(app):
            break
        time.sleep(0.1)
        app.run()
        assert not app.exception, app.exception
    assert "Your checkpoint is used as it is" in words(app)
    # A worker has measured it on the given labels before anything else runs; a fresh network is not right on them.
    for _ in range(100):
        if "of the given training labels" in words(app):
            break
        assert button(app, "own-compare").disabled
        time.sleep(0.1)
        app.run()
        assert not app.exception, app.exception
    assert "far too few training labels" in words(app)
    assert Store.open().find("fit")
    assert not Store.open().find("original")
    listed = write_list(tmp_path / "known wrong.csv").read_bytes()
    app.file_uploader(key="own-list").upload("known wrong.csv", listed, "text/csv")
    app.run()
    app.run()
    assert not button(app, "own-compare").disabled
    assert "7" in typed("weights", str(tmp_path / "other.pt"))
    assert app.error
    assert address(app)["model.weights"] == str(tmp_path / "mine.pt")
    assert button(app, "own-compare").disabled  # the one that was typed is refused: nothing is compared with the one before
    assert "The checkpoint cannot be used as it was given" in words(app)
    typed("weights", str(tmp_path / "mine.pt"))
    app.run()
    assert not button(app, "own-compare").disabled
