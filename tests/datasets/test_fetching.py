"""Fetching from a server of the test's own: gone on with where it broke, checked, cancelled, refused; never without asking."""

from __future__ import annotations

import gzip
import hashlib
import struct
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from unlearn_core.cli import main
from unlearn_core.datasets import load_dataset, registry
from unlearn_core.datasets.files.fetching import Remote, fetch
from unlearn_core.datasets.torchvision_sets import Mnist
from unlearn_core.errors import Cancelled, UserError
from unlearn_core.presets import make_scenario
from unlearn_core.stages.execution import run_stage
from unlearn_core.stages.fetch import plan_fetching
from unlearn_core.store import Store
from unlearn_core.training import SilentReporter

CONTENT = np.random.default_rng(0).bytes(300_000)


class Server:
    """Files by name. ``cut``: after how many bytes the next answer breaks off; ``ranges``: whether it can start in between."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.cut: int | None = None
        self.ranges = True
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.answer(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        wanted, data = handler.headers.get("Range", ""), self.files.get(handler.path[1:])
        self.asked.append(wanted)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.ranges else 0
        if data is None or start >= len(data):
            handler.send_error(404 if data is None else 416)
            return
        handler.send_response(206 if start else 200)
        handler.send_header("Content-Length", str(len(data) - start))
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        handler.end_headers()
        handler.wfile.write(data[start : self.cut])
        self.cut = None

    def remote(self, name: str, content: bytes, *addresses: str) -> Remote:
        self.files[name] = content
        here = f"http://127.0.0.1:{self.http.server_port}/{name}"
        return Remote(name, (*addresses, here), hashlib.md5(content).hexdigest())


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.http.shutdown()
    made.http.server_close()


def nothing(done: int) -> None:
    """Does not listen."""


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_download_goes_on_where_it_broke(server: Server, tmp_path: Path, ranges: bool) -> None:
    remote, heard = server.remote("set.bin", CONTENT), list[int]()
    server.cut, server.ranges = 120_000, ranges
    with pytest.raises(UserError, match=r"^set.bin: the connection broke after 120,000 of 300,000 bytes\. What has arrived"):
        fetch(remote, tmp_path, nothing)
    assert [path.name for path in tmp_path.iterdir()] == ["set.bin.part"]
    path = fetch(remote, tmp_path, heard.append)
    assert path.read_bytes() == CONTENT
    assert server.asked == ["", "bytes=120000-"]
    assert (heard[0] > 120_000) == ranges
    assert heard[-1] == len(CONTENT)
    assert fetch(remote, tmp_path, nothing) == path
    assert len(server.asked) == 2  # what is there is not asked for again
    assert [one.name for one in tmp_path.iterdir()] == ["set.bin"]


def test_what_is_not_the_published_file_is_removed(server: Server, tmp_path: Path) -> None:
    remote = server.remote("set.bin", CONTENT)
    for arrived in (CONTENT[:-1] + b"x", CONTENT + b"more"):
        server.files["set.bin"] = arrived
        with pytest.raises(UserError, match="its checksum differs"):
            fetch(remote, tmp_path, nothing)
        assert list(tmp_path.iterdir()) == []
    (tmp_path / "set.bin.part").write_bytes(CONTENT + b"more")  # the server has nothing behind its end
    server.files["set.bin"] = CONTENT
    with pytest.raises(UserError, match="its checksum differs"):
        fetch(remote, tmp_path, nothing)
    assert fetch(remote, tmp_path, nothing).read_bytes() == CONTENT


def test_the_next_address_is_tried(server: Server, tmp_path: Path) -> None:
    gone = f"http://127.0.0.1:{server.http.server_port}/gone"
    assert fetch(server.remote("set.bin", CONTENT, gone), tmp_path, nothing).read_bytes() == CONTENT
    with pytest.raises(UserError, match=r"^x: HTTP Error 404: Not Found\.$"):
        fetch(Remote("x", (gone,), ""), tmp_path, nothing)


def test_a_cancelled_download_keeps_what_has_arrived(server: Server, tmp_path: Path) -> None:
    def stop(done: int) -> None:
        if done > 100_000:
            raise Cancelled

    remote = server.remote("set.bin", CONTENT)
    with pytest.raises(Cancelled):
        fetch(remote, tmp_path, stop)
    assert 100_000 < (tmp_path / "set.bin.part").stat().st_size < len(CONTENT)
    assert fetch(remote, tmp_path, nothing).read_bytes() == CONTENT


@pytest.fixture
def mnist(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """MNIST's four files, small, on the server, which is the only address; the cache is the test's."""
    remotes = []
    for half, count in (("train", 30), ("t10k", 10)):
        images = np.random.default_rng(count).integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = (np.arange(count) % 10).astype(np.uint8)
        files = {"images-idx3": struct.pack(">4L", 2051, count, 28, 28) + images.tobytes(),
                 "labels-idx1": struct.pack(">2L", 2049, count) + labels.tobytes()}  # fmt: skip
        remotes += [server.remote(f"{half}-{kind}-ubyte.gz", gzip.compress(data)) for kind, data in files.items()]
    monkeypatch.setattr(Mnist, "remotes", classmethod(lambda cls: tuple(remotes)))
    monkeypatch.setenv("UNLEARN_CACHE", str(tmp_path / "cache"))
    return SimpleNamespace(server=server, place=tmp_path / "cache" / "torchvision")


def test_a_worker_fetches_and_reads_a_dataset(mnist: SimpleNamespace, tmp_path: Path) -> None:
    assert registry.get("mnist").missing().startswith("train-images-idx3-ubyte, train-labels")
    store, stage = Store.open(tmp_path / "store"), plan_fetching("mnist")
    mnist.server.cut = 5_000
    with pytest.raises(UserError, match=r"^MNIST cannot be downloaded: train-images-idx3-ubyte\.gz: the connection broke"):
        run_stage(stage, store, "cpu", SilentReporter())
    run_stage(stage, store, "cpu", SilentReporter())
    record = store.get(stage.key)
    assert record is not None
    assert record.payload == {"train": 30, "test": 10}
    assert registry.get("mnist").missing() == ""
    assert sorted(path.name for path in mnist.place.rglob("*") if path.is_file()) == sorted(Mnist.files)  # no archive is left
    assert load_dataset(make_scenario("mnist").dataset, 0).train.shape == (1, 28, 28)


def test_the_command_fetches_once_and_says_where(mnist: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["datasets", "get", "mnist"]) == 0
    assert f"MNIST is now in {mnist.place / 'MNIST' / 'raw'}" in capsys.readouterr().err
    asked = len(mnist.server.asked)
    assert main(["datasets", "get", "mnist", "--json"]) == 0
    assert '"fetched": false' in capsys.readouterr().out
    assert len(mnist.server.asked) == asked
    assert main(["datasets", "get", "digits"]) == 2
    assert "nothing to fetch for" in capsys.readouterr().err


def test_where_strangers_use_it_nothing_is_fetched(
    mnist: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNLEARN_PUBLIC", "1")
    with pytest.raises(UserError, match=r"^MNIST is not fetched: this installation is public \(UNLEARN_PUBLIC\)\.$"):
        run_stage(plan_fetching("mnist"), Store.open(tmp_path / "store"), "cpu", SilentReporter())
    assert mnist.server.asked == []


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "cifar10", "cifar100", "svhn"])
def test_addresses_and_sums_are_torchvision_s(name: str) -> None:
    source: Any = registry.get(name)
    remotes = source.remotes()
    assert all(len(remote.md5) == 32 and remote.addresses for remote in remotes)
    assert all(address.startswith("http") for remote in remotes for address in remote.addresses)
    assert {"mnist": 4, "fashion_mnist": 4, "cifar10": 1, "cifar100": 1, "svhn": 2}[name] == len(remotes)
