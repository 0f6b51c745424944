"""Crafted links: what they name is not opened, not run, not fetched, and not found out about."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

from benchmarks.measure.attacking.ground import DEFAULT, PUBLIC, Ground, attempt
from benchmarks.measure.attacking.visitor import Page, Visitor

ASKED = "The link names files outside"
ALIVE = re.compile(r"(?<!\\)<script|(?<!\\)\]\((?:https|javascript)")
LEFT_OUT = ("opens no path", "opens no file")


async def opened(ground: Ground, page: str, query: str) -> Page:
    """A visitor's view of one link."""
    async with Visitor.on(ground.port) as visitor:
        return await visitor.open(page, query)


def said(ground: Ground, page: Page) -> tuple[str, str]:
    """What a page answered to a link that names a file."""
    wrong = ground.judge(page)
    if any(words in page.text for words in LEFT_OUT):
        return "left out, with one sentence", wrong
    if ASKED in page.text:
        return "asks first; nothing is looked at", wrong or ("" if ground.mode == DEFAULT else "strangers are asked")
    return "left out", wrong


@attempt("link", "names a folder outside of what may be opened", short=True)
async def folder(ground: Ground) -> tuple[str, str]:
    return said(ground, await opened(ground, "craft", f"dataset=images&dataset.data={quote(str(ground.bait))}"))


@attempt("link", "goes out of an allowed folder with `..`")
async def dots(ground: Ground) -> tuple[str, str]:
    path = f"{ground.root / 'home' / 'photos'}/../../../outside/photos"
    return said(ground, await opened(ground, "own", f"own={quote(path)}"))


@attempt("link", "follows a link on the disk out of an allowed folder")
async def through_a_link(ground: Ground) -> tuple[str, str]:
    place = ground.root / "home" / "innocent"
    if not place.is_symlink():
        place.symlink_to(ground.bait)
    return said(ground, await opened(ground, "own", f"own={quote(str(place))}"))


@attempt("link", "tells whether a file is there from what the page says", short=True)
async def oracle(ground: Ground) -> tuple[str, str]:
    seen = []
    for path in (ground.bait, ground.bait.with_name("absent")):
        page = await opened(ground, "own", f"own={quote(str(path))}")
        seen.append((page, page.text.replace(path.name, "NAME")))
    (there, one), (absent, other) = seen
    return "the same page either way", ground.judge(there, absent) or ("" if one == other else "the page depends on it")


@attempt("link", "loads a checkpoint that is a pickle with code")
async def pickled(ground: Ground) -> tuple[str, str]:
    path = ground.root / "home" / "model.pt"
    path.write_bytes(ground.pickled())
    page = await opened(ground, "craft", f"model=torchvision&model.architecture=resnet18&model.weights={quote(str(path))}")
    words, wrong = said(ground, page)
    return ("read as data, never run" if ground.mode == DEFAULT else words), wrong


@attempt("link", "names a table of labels, `/etc/passwd`")
async def table(ground: Ground) -> tuple[str, str]:
    page = await opened(ground, "craft", "corruption=table&corruption.file=/etc/passwd")
    words, wrong = said(ground, page)
    return words, wrong or ("the file was read" if b"root:x:" in page.data else "")


@attempt("link", "names a share of another machine")
async def share(ground: Ground) -> tuple[str, str]:
    return said(ground, await opened(ground, "own", "own=//evil.example/share"))


@attempt("link", "has a dataset downloaded", short=True)
async def download(ground: Ground) -> tuple[str, str]:
    page = await opened(ground, "craft", "dataset=cifar10&dataset.download=true")
    fetched = list((ground.root / "cache").rglob("cifar*"))
    words = "offers a button" if "can be fetched" in page.text else "left out, with one sentence"
    strange = "strangers are offered a download" if ground.closed and "can be fetched" in page.text else ""
    return words, ground.judge(page) or strange or ("something was fetched" if fetched else "")


@attempt("link", "adds a plug-in")
async def plugin(ground: Ground) -> tuple[str, str]:
    path = ground.root / "home" / "method.py"
    path.write_text(f"import os\nos.mkdir({str(ground.ran)!r})\n")
    page = await opened(ground, "compare", f"plugin={quote(str(path))}&plugin-path={quote(str(path))}&plugin-add=1")
    return "unknown settings are ignored", ground.judge(page)


@attempt("link", "brings Markdown, HTML and JavaScript", short=True)
async def markup(ground: Ground) -> tuple[str, str]:
    evil = "<script>alert(1)</script>![x](https://evil.example/x.png)[y](javascript:alert(1))"
    query = "&".join(f"{name}={quote(evil)}" for name in ("dataset", "draft", "cell", "lesson", "methods", evil))
    pages = [await opened(ground, page, query) for page in ("craft", "heatmap", "forget")]
    alive = any(ALIVE.search(page.text) for page in pages)
    return "shown as text", ground.judge(*pages) or ("it is alive in the page" if alive else "")


@attempt("link", "asks for huge numbers")
async def numbers(ground: Ground) -> tuple[str, str]:
    query = "amount=1e308&seed=99999999999999999999&training.epochs=999999999&model.width=1000000&own_limit=1e18&seeds=-5"
    pages = [await opened(ground, page, query) for page in ("craft", "compare", "heatmap")]
    return "brought within the limits of each control", ground.judge(*pages)


@attempt("link", "is 300,000 characters long")
async def long(ground: Ground) -> tuple[str, str]:
    page = await opened(ground, "craft", "own=" + "a/" * 150_000)
    return "cut; the page opens", ground.judge(page)


@attempt("link", "guesses the name of another's file", modes=(PUBLIC,))
async def guessed(ground: Ground) -> tuple[str, str]:
    names = [f"upload:{'a' * 12}-{'0' * 32}.zip", "upload:../../../outside/photos", f"upload:{Path('/etc/passwd')}"]
    pages = [await opened(ground, "own", f"own={quote(name)}") for name in names]
    read = any("What was read" in page.text for page in pages)
    return "nothing is found", ground.judge(*pages) or ("something was read" if read else "")


@attempt("link", "guesses the lecturer's word")
async def lecturer(ground: Ground) -> tuple[str, str]:
    page = await opened(ground, "start", "lecturer=guess")
    return "nobody leads here", ground.judge(page) or ("it was taken" if "Lead" in page.buttons else "")
