"""Attacks on other visitors, from other web pages, and by asking for too much."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from urllib.parse import quote

from benchmarks.measure.attacking.ground import DEFAULT, PUBLIC, SHOWN, Ground, attempt
from benchmarks.measure.attacking.visitor import Page, Visitor, request

RUN = "dataset=blobs&training.epochs={epochs}&amount=60&methods=finetune,npo&seed={seed}"
TRAVERSALS = ("/../../../../etc/passwd", "/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "/app/static/../../../../etc/passwd",
              "/component/in_browser/../../../../etc/passwd", "/media/..%2f..%2f..%2fetc%2fpasswd", "//etc/passwd")  # fmt: skip


@attempt("web page", "under a rebound host name opens a page and its connection", short=True)
async def rebound(ground: Ground) -> tuple[str, str]:
    async with Visitor.on(ground.port, host="evil.example") as visitor:
        page = await visitor.open("craft")
    stopped = "answers to its own names alone" in page.text and not page.buttons
    try:
        async with Visitor.on(ground.port, host="localhost", origin="http://evil.example") as visitor:
            taken = not (await visitor.open("craft")).wrong
    except Exception:  # noqa: BLE001 - however the server refuses, there is no connection
        taken = False
    wrong = "" if stopped else "the page was drawn"
    return "one sentence and no page; the other connection is refused", ground.judge(page) or wrong or (
        "another page's connection was taken" if taken else ""
    )


@attempt("web page", "asks for files of the server by paths with `..`", short=True)
async def traversal(ground: Ground) -> tuple[str, str]:
    answers = [await request(ground.port, "GET", path) for path in TRAVERSALS]
    read = any(b"root:x:" in body for _, _, body in answers)
    return "the app's own page, or an error", "a file was sent" if read else ground.judge()


@attempt("session", "cancels what another session started, by its page or with the button's id", short=True)
async def cancel(ground: Ground) -> tuple[str, str]:
    query = RUN.format(epochs=25, seed=1)
    async with Visitor.on(ground.port) as owner, Visitor.on(ground.port) as thief:
        first = await owner.open("compare", query)
        if "Run" not in first.buttons:
            return "nothing runs here", ground.judge(first)
        mine = await owner.open("compare", query, [{"id": first.buttons["Run"], "trigger_value": True}])
        theirs = await thief.open("compare", query)
        button = mine.buttons.get("Cancel", "")
        if button:
            theirs = await thief.open("compare", query, [{"id": button, "trigger_value": True}])
        after = await until_done(owner, query)
        cancelled = "was cancelled" in after.text
        offered = any(label.startswith("Cancel") for label in theirs.buttons)
    if ground.mode == DEFAULT:
        return "one person's app: every window is theirs", ground.judge(mine, theirs)
    taken = "it was cancelled" if cancelled else "Cancel is offered" if offered else "" if button else "nothing was to cancel"
    return "sees how far it is; the button's id does nothing", ground.judge(mine, theirs) or taken


async def until_done(visitor: Visitor, query: str) -> Page:
    page = await visitor.open("compare", query)
    for _ in range(60):
        if "All cached" in page.buttons or "was cancelled" in page.text:
            break
        await asyncio.sleep(0.5)
        page = await visitor.open("compare", query)
    return page


@attempt("session", "guesses the number and the key of another session's forget set", modes=(PUBLIC, SHOWN))
async def sets(ground: Ground) -> tuple[str, str]:
    async with Visitor.on(ground.port) as thief:
        page = await thief.open("forget", f"{RUN.format(epochs=25, seed=1)}&draft={quote('0' * 12)}&forget={'0' * 16}")
    return "a set is found by its content's key alone", ground.judge(page)


@attempt("session", "clears everybody's caches, or ends the server, by Streamlit's own messages", short=True)
async def messages(ground: Ground) -> tuple[str, str]:
    from streamlit.proto.BackMsg_pb2 import BackMsg

    async with Visitor.on(ground.port) as visitor:
        await visitor.open("craft")
        for message in (
            *(BackMsg(clear_cache=True), BackMsg(set_run_on_save=True)),
            *(BackMsg(load_git_info=True), BackMsg(debug_shutdown_runtime=True)),
        ):
            await visitor.send(message)
        page = await visitor.open("craft")
    words = "dropped" if ground.closed else "its own caches; the server goes on"
    return words, ground.judge(page)


@attempt("session", "asks for a stage that is too large", short=True, modes=(PUBLIC,))
async def large(ground: Ground) -> tuple[str, str]:
    query = RUN.format(epochs=400, seed=2)
    async with Visitor.on(ground.port) as visitor:
        first = await visitor.open("compare", query)
        page = await visitor.open("compare", query, [{"id": first.buttons["Run"], "trigger_value": True}])
    refused = "one stage may ask for" in page.text
    return "refused, with the limit and what to do", ground.judge(page) or ("" if refused else "it was taken")


@attempt("session", "asks for thirty runs at once, while another asks for one", modes=(PUBLIC,))
async def flood(ground: Ground) -> tuple[str, str]:
    refused = 0
    async with Visitor.on(ground.port) as greedy, Visitor.on(ground.port) as modest:
        for seed in range(100, 130):
            query = RUN.format(epochs=110, seed=seed)
            first = await greedy.open("compare", query)
            page = await greedy.open("compare", query, [{"id": first.buttons["Run"], "trigger_value": True}])
            refused += "that one session may have" in page.text or "You have used up" in page.text
        one = RUN.format(epochs=10, seed=99)
        began, first = time.perf_counter(), await modest.open("compare", one)
        await modest.open("compare", one, [{"id": first.buttons["Run"], "trigger_value": True}])
        await until_done(modest, one)
        seconds = time.perf_counter() - began
    words = f"{refused} of 30 are refused; the other's run is there after {seconds:.0f} s"
    return words, ground.judge(page) or ("" if refused >= 10 else "too many were taken")


@attempt("user `nobody`", "of the same machine reads the store, the uploads and the audit log", short=True)
async def nobody(ground: Ground) -> tuple[str, str]:
    import os

    if sys.platform == "win32" or os.geteuid() != 0:
        return "not tried: only root can act as nobody", ""
    for parent in (ground.root, *ground.root.parents):  # the folders above may be private too: what counts is the store
        if parent.owner() == "root" and parent.name.startswith(("attacks", "pytest", "root", "test")):
            parent.chmod(0o755)
    listed = subprocess.run(["ls", "-R", str(ground.root / "store")], capture_output=True, text=True, user=65534, group=65534)
    read = [path for path in (ground.root / "store").rglob("*") if path.is_file() and _readable(str(path))]
    return (
        "permission denied",
        f"{read[0].name} can be read" if read else "" if listed.returncode else "the store can be listed",
    )


def _readable(path: str) -> bool:
    return subprocess.run(["cat", path], capture_output=True, user=65534, group=65534).returncode == 0
