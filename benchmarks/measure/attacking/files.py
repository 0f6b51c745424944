"""Crafted files that are handed over: bombs, pickles, links, and more than there is room for."""

from __future__ import annotations

import io
import struct
import uuid
import zipfile
import zlib

import numpy as np

from benchmarks.measure.attacking.ground import DEFAULT, LIMITS, PUBLIC, SHOWN, Ground, attempt, png, zipped
from benchmarks.measure.attacking.visitor import Page, Visitor

COMPUTING = (PUBLIC, DEFAULT)
BOMB_MB = 600


async def handed_over(ground: Ground, name: str, data: bytes) -> Page:
    async with Visitor.on(ground.port) as visitor:
        return await visitor.hand_over(name, data)


def said(ground: Ground, page: Page) -> tuple[str, str]:
    """What became of the file."""
    if "error" in page.words:
        return "refused, with one sentence", ground.judge(page)
    if "What was read" in page.text:
        return "what is sound in it was read", ground.judge(page)
    return "not read", ground.judge(page)


@attempt("file", "a sound archive (to see that the others fail for what they are)", short=True, modes=COMPUTING)
async def sound(ground: Ground) -> tuple[str, str]:
    files: dict[str | zipfile.ZipInfo, bytes] = {
        f"{half}/{name}/{k}.png": png(k) for half in ("train", "test") for name in ("ant", "bee") for k in range(6)
    }
    page = await handed_over(ground, "photos.zip", zipped(files))
    words, wrong = said(ground, page)
    return words, wrong or ("" if words == "what is sound in it was read" else f"it was not read: {page.text[-300:]}")


@attempt("file", f"an archive that unpacks to {BOMB_MB} MB", modes=COMPUTING)
async def bomb(ground: Ground) -> tuple[str, str]:
    made = io.BytesIO()
    with (
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
        archive.open("train/ant/0.png", "w", force_zip64=True) as member,
    ):
        for _ in range(BOMB_MB):
            member.write(bytes(2**20))
    return said(ground, await handed_over(ground, "bomb.zip", made.getvalue()))


@attempt("file", "an archive with thirty thousand empty files", modes=COMPUTING)
async def crowd(ground: Ground) -> tuple[str, str]:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for k in range(30_000):
            archive.writestr(f"train/{k % 7}/{k}.png", b"")
    return said(ground, await handed_over(ground, "crowd.zip", made.getvalue()))


@attempt("file", "an archive whose names lead out of it, and links in it", short=True, modes=COMPUTING)
async def outside(ground: Ground) -> tuple[str, str]:
    link = zipfile.ZipInfo("train/ant/link.png")
    link.external_attr = 0o120777 << 16
    absolute = zipfile.ZipInfo("train/ant/folder")
    absolute.external_attr = 0o120777 << 16
    files: dict[str | zipfile.ZipInfo, bytes] = {
        "../../../home/code-was-run": b"x", "/tmp/evil.png": b"x", "train/ant/../../../../evil.png": png(1),
        link: b"/etc/passwd", absolute: str(ground.bait).encode(), "train/bee/1.png": png(2),
    }  # fmt: skip
    page = await handed_over(ground, "links.zip", zipped(files))
    words, wrong = said(ground, page)
    return words, wrong or ("the link was followed" if b"root:x:" in page.data else "")


@attempt("file", "six thousand small images, to be enlarged to 512 × 512", modes=COMPUTING)
async def enlarged(ground: Ground) -> tuple[str, str]:
    picture = png(1, side=2)
    files: dict[str | zipfile.ZipInfo, bytes] = {f"train/{k % 2}/{k}.png": picture for k in range(6_000)}
    async with Visitor.on(ground.port) as visitor:
        return said(ground, await visitor.hand_over("small.zip", zipped(files), "own_size=512"))


@attempt("file", "an .npz whose header promises 30 TB", modes=COMPUTING)
async def promise(ground: Ground) -> tuple[str, str]:
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (10000000, 1000, 1000, 3), }"
    header += b" " * (63 - (10 + len(header)) % 64) + b"\n"
    array = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + b"\0" * 100
    return said(ground, await handed_over(ground, "big.npz", zipped({"x_train.npy": array, "y_train.npy": array})))


@attempt("file", "an .npz that is a pickle, or holds one, with code", short=True, modes=COMPUTING)
async def pickled(ground: Ground) -> tuple[str, str]:
    made = io.BytesIO()
    np.savez(made, x_train=np.array([{"a": 1}], dtype=object), y_train=np.zeros(1))
    objects = made.getvalue()
    pages = [await handed_over(ground, "model.npz", data) for data in (ground.pickled(), objects)]
    return "refused, with one sentence" if all("error" in page.words for page in pages) else "not read", ground.judge(*pages)


@attempt("file", "an image of 50,000 × 50,000 pixels in 2.5 MB", modes=COMPUTING)
async def pixels(ground: Ground) -> tuple[str, str]:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer, rows = zlib.compressobj(9), []
    rows = [packer.compress(bytes(50_001)) for _ in range(50_000)]
    image = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 50_000, 50_000, 8, 0, 0, 0, 0))
    image += chunk(b"IDAT", b"".join(rows) + packer.flush()) + chunk(b"IEND", b"")
    files: dict[str | zipfile.ZipInfo, bytes] = {"train/ant/0.png": image, "train/bee/0.png": png(1), "train/bee/1.png": png(2)}
    return said(ground, await handed_over(ground, "wide.zip", zipped(files)))


@attempt("file", "larger than one may be", short=True, modes=(PUBLIC,))
async def large(ground: Ground) -> tuple[str, str]:
    page = await handed_over(ground, "large.zip", b"x" * (9 * 2**20))
    refused = "413" in page.wrong
    page.wrong = "" if refused else page.wrong
    return "the server answers 413", ground.judge(page) or ("" if refused else "it was taken")


@attempt("file", "one after the other to the address for uploads, until the memory is full", modes=(PUBLIC,))
async def flood(ground: Ground) -> tuple[str, str]:
    before = ground.process.memory_info().rss
    async with Visitor.on(ground.port) as visitor:
        page = await visitor.open("own")
        for _ in range(40):
            await visitor.put(visitor.session, str(uuid.uuid4()), "x.zip", bytes(7 * 2**20))
        grown = round((ground.process.memory_info().rss - before) / 2**20)
    most = next(int(one.partition("=")[2]) for one in LIMITS if one.startswith("uploads_mb"))
    words = f"of 280 MB the memory keeps a session's {most}"
    return words, ground.judge(page) or (f"the memory grew by {grown} MB" if grown > 8 * most else "")


@attempt("file", "to another session's address, or from another web page", short=True)
async def forged(ground: Ground) -> tuple[str, str]:
    async with Visitor.on(ground.port) as visitor:
        page = await visitor.open("own")
        codes = [
            (await visitor.put(str(uuid.uuid4()), str(uuid.uuid4()), "x.zip", b"x"))[0],
            (await visitor.put(visitor.session, str(uuid.uuid4()), "x.zip", b"x", token=False))[0],
        ]
    return f"the server answers {codes[0]} and {codes[1]}", ground.judge(page) or ("" if min(codes) >= 400 else "it was taken")


@attempt("file", "where nothing may be handed over", modes=(SHOWN,))
async def shown(ground: Ground) -> tuple[str, str]:
    page = await handed_over(ground, "photos.zip", zipped({"train/ant/0.png": png(1)}))
    there = not page.wrong
    page.wrong = ""
    return "there is no field for files", ground.judge(page) or ("there is a field for files" if there else "")
