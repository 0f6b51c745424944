"""What is left out of a folder or a zip is said, as it is now: links, trash, endings, names, permissions."""

from __future__ import annotations

import ctypes
import io
import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from picturetools import forget, make_folder, make_tree, picture
from PIL import Image

from unlearn_core.datasets.files.listing import Listing
from unlearn_core.datasets.files.opening import open_collection
from unlearn_core.errors import UserError
from unlearn_core.views.own_data import data as own


def said(path: Path) -> str:
    """All that ``check`` says of the files now."""
    return "\n".join(own.read("images", {"data": str(path)}, 0).problems)


def listed(path: Path) -> Listing:
    return open_collection(path).listing()


def told(path: Path) -> str:
    """What listing alone says; nothing is decoded."""
    return "\n".join(listed(path).problems)


@contextmanager
def without_power() -> Iterator[None]:
    """As a user who may not read everything, also where the tests run as root: two capabilities of this thread are dropped."""
    if os.geteuid():
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    assert libc.capget(header, data) == 0
    kept = list(data)
    data[0] &= ~0b110  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH in the effective set
    assert libc.capset(header, data) == 0
    try:
        yield
    finally:
        data[:] = kept
        assert libc.capset(header, data) == 0


# --- links and permissions -------------------------------------------------------------------------------------------------


def test_links_to_nothing_are_counted_by_folder(tmp_path: Path) -> None:
    make_folder(tmp_path, train=12)
    for k in range(8):
        file = tmp_path / "train" / "bee" / f"{k:02}.png"
        file.unlink()
        file.symlink_to(f"../../../annex/{k}.png")
    assert "8 links lead to files that are missing or out of reach (8 of 12 in 'train/bee') and left out" in told(tmp_path)
    (tmp_path / "train" / "elk").symlink_to(tmp_path / "gone")
    assert "1 of 1 in 'train'" in told(tmp_path)
    assert listed(tmp_path).class_names == ("ant", "bee", "cow")


def test_what_only_names_a_missing_file_is_said(tmp_path: Path) -> None:
    make_folder(tmp_path)
    for k, text in enumerate(
        (b"../../../annex/0.png", b"version https://git-lfs.github.com/spec/v1\noid sha256:0", b"no image")
    ):
        (tmp_path / "train" / "ant" / f"{k:02}.png").write_bytes(text)
    lines = said(tmp_path).splitlines()
    for k in range(2):
        assert lines[k].startswith(f"train/ant/{k:02}.png only names a file that is not here (Git LFS, git-annex or a link")
    assert lines[2] == "train/ant/02.png is no image that can be read and is left out."


def test_links_that_lead_around_end_and_class_folders_may_be_links(tmp_path: Path) -> None:
    pool = make_tree(tmp_path / "pool", each=2)
    for half in ("train/train", "test/test"):
        (tmp_path / "photos" / half).mkdir(parents=True)
        for name in ("ant", "bee"):
            (tmp_path / "photos" / half / name).symlink_to(pool / name)
    os.symlink(tmp_path / "photos", pool / "ant" / "around")
    os.symlink("itself", tmp_path / "photos" / "train" / "itself")
    listing = listed(tmp_path / "photos")
    assert (listing.class_names, len(listing)) == (("ant", "bee"), 8)
    assert "'test/test/ant/around', 'train/train/ant/around' are links that lead back to a folder around it" in told(
        tmp_path / "photos"
    )
    assert "'train/itself'" in told(tmp_path / "photos")


def test_folders_and_files_that_may_not_be_read_are_left_out_and_said(tmp_path: Path) -> None:
    make_folder(tmp_path)
    (tmp_path / "private").mkdir()
    locked = [tmp_path / "private", tmp_path / "train" / "cow", tmp_path / "train" / "ant" / "00.png"]
    before = said(tmp_path)
    assert "read" not in before
    for path in locked:
        path.chmod(0)
    with without_power():
        now = said(tmp_path)
        assert "'private', 'train/cow' cannot be read and are left out." in now
        assert "train/ant/00.png may not be read and is left out." in now
        assert "'cow' in the test images is no class" in now
        tmp_path.joinpath("train").chmod(0)
        with pytest.raises(UserError, match=r"has images in 'test' alone; 'private', 'train' are empty or cannot be read"):
            listed(tmp_path)
        tmp_path.chmod(0)
        with pytest.raises(UserError, match="cannot be read: Permission denied"):
            listed(tmp_path)
    for path in (tmp_path, tmp_path / "train", *locked):
        path.chmod(0o700)
    assert said(tmp_path) == before


def test_pipes_deep_folders_and_hidden_files_are_said(tmp_path: Path) -> None:
    make_tree(tmp_path, each=2)
    os.mkfifo(tmp_path / "ant" / "pipe.png")
    deep = tmp_path / "ant" / "/".join("abcdefgh")
    deep.mkdir(parents=True)
    picture(0, 0).save(deep / "x.png")
    picture(0, 0).save(tmp_path / "ant" / ".secret.png")
    picture(0, 0).save(tmp_path / "ant" / "._resource.png")
    (tmp_path / ".git").mkdir()
    text = told(tmp_path)
    assert "'ant/pipe.png' is no regular file and is left out." in text
    assert "'ant/a/b/c/d/e/f/g/h' lies more than 8 folders deep" in text
    assert "'ant/.secret.png' is hidden and left out." in text
    assert ".git'" not in text
    assert "resource" not in text
    assert len(listed(tmp_path)) == 6


# --- trash, endings, tables ------------------------------------------------------------------------------------------------

TRASH = (
    "@eaDir", "#recycle", "$RECYCLE.BIN", ".Trash-1000", ".Trashes", "__MACOSX", "System Volume Information",
    ".ipynb_checkpoints", ".AppleDouble", "lost+found", "@Recycle", ".@__thumb",
)  # fmt: skip


@pytest.mark.parametrize("name", TRASH)
@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_trash_and_thumbnails_are_left_out_and_said(tmp_path: Path, name: str, kind: str) -> None:
    root = make_folder(tmp_path / "photos", train=2, test=1)
    for place in (root, root / "train", root / "train" / "ant"):
        make_tree(place / name, each=1)
    path = root if kind == "folder" else zipped(root, tmp_path / "photos.zip")
    assert (listed(path).class_names, len(listed(path))) == (("ant", "bee", "cow"), 9)
    assert f"'{name}' is left out" in told(path)
    assert "thumbnails, trash or files of the system" in told(path)


def zipped(folder: Path, target: Path) -> Path:
    with zipfile.ZipFile(target, "w") as file:
        for path in sorted(folder.rglob("*")):
            file.write(path, path.relative_to(folder).as_posix())
    return target


def test_endings_are_counted_whether_read_or_not(tmp_path: Path) -> None:
    make_tree(tmp_path, each=6)
    ant = sorted((tmp_path / "ant").iterdir())
    jpeg = io.BytesIO()
    Image.open(ant[0]).save(jpeg, "JPEG")
    for k, ending in enumerate((".JFIF", ".jpe", ".JPG", ".heic", ".avif", "")):
        (tmp_path / "bee" / f"IMG{k}{ending}").write_bytes(jpeg.getvalue())
    (tmp_path / "bee" / "more.heic").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "README").write_text("no image")
    text = said(tmp_path)
    assert "Left out by their ending: 2 .heic, 1 without an ending, 1 .avif; save what is an image as .jpg or .png." in text
    assert "Unusual endings that are read: 1 .jfif, 1 .jpe." in text
    assert "is no image" not in text
    assert len(listed(tmp_path)) == 18 + 3
    shutil.rmtree(tmp_path / "ant")
    for file in [*(tmp_path / "bee").iterdir(), *(tmp_path / "cow").iterdir()]:
        file.rename(file.with_suffix(".heic"))
    with pytest.raises(UserError, match=r"has no images in it.*Left out by their ending: 19 \.heic"):
        listed(tmp_path)


def test_a_table_beside_the_classes_is_pointed_at(tmp_path: Path) -> None:
    make_tree(tmp_path, each=6)
    (tmp_path / "labels.csv").write_text("path,label\n")
    assert "Beside the images lies 'labels.csv'; labels come from the folders, not from there." in said(tmp_path)


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.tgz", "a.7z", "a.rar"])
def test_other_archives_say_what_to_do(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"anything")
    with pytest.raises(UserError, match="unpack it and give the folder, or pack it as a zip"):
        open_collection(tmp_path / name)


# --- of now ----------------------------------------------------------------------------------------------------------------


def test_what_is_said_is_of_this_folder_and_of_now(tmp_path: Path) -> None:
    here, there = make_folder(tmp_path / "here", train=12), tmp_path / "there"
    assert said(here) == ""
    (here / "train" / "nada").mkdir()
    assert "'train/nada' is empty" in said(here)
    shutil.copytree(here, there)
    (there / "train" / "nada").rmdir()
    (there / "train" / "ant" / "x.heic").write_bytes(b"")
    assert said(there) == "Left out by their ending: 1 .heic; save what is an image as .jpg or .png."
    assert "nada" in said(here)
    (here / "train" / "nada").rmdir()
    (here / "test" / "other").mkdir()
    (there / "train" / "ant" / "x.heic").unlink()
    assert said(here) == "'test/other' is empty: no images are in there."
    assert said(there) == ""
    (there / "train" / "ant" / "gone.png").symlink_to("nowhere.png")
    assert "1 link leads to a file" in said(there)
    shutil.copy(there / "train" / "ant" / "00.png", there / "train" / "ant" / "nowhere.png")
    assert "look exactly like" in said(there)
    forget()
    assert "1 link" not in said(there)


def test_a_file_replaced_by_one_of_the_same_size_and_time_is_noticed(tmp_path: Path) -> None:
    make_tree(tmp_path, each=12)
    file = tmp_path / "ant" / "00.png"
    about = file.stat()
    assert said(tmp_path).count("no image") == 0
    file.write_bytes(b"x" * about.st_size)
    os.utime(file, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert "ant/00.png is no image that can be read" in said(tmp_path)


def test_what_was_read_before_says_where_the_files_are_others_now(tmp_path: Path) -> None:
    make_tree(tmp_path, each=12)
    found = own.read("images", {"data": str(tmp_path)}, 0)
    picture(0, 99).save(tmp_path / "ant" / "more.png")
    again = own.read("images", found.dataset.params, 0)
    assert again.problems == (f"The files at {str(tmp_path)!r} have changed; the images shown here are those read before.",)
