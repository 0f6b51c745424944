"""The configurations of docs/proxy on real proxies before a real server: the first page, health, websockets, addresses."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.measure.attacking.visitor import Visitor, request
from benchmarks.measure.serving import run_apart, served
from unlearn_core.cli import public
from unlearn_core.support import audit

ROOT = Path(__file__).parents[2]
PROXIES = ROOT / "docs" / "proxy"
NAME = "lab.example.org"
RUN = "dataset=blobs&training.epochs=2&amount=60&methods=finetune,npo&finetune.epochs=1"
STRANGER = "203.0.113.9"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def caddy(folder: Path, port: int, app: int) -> list[str]:
    """The documented file with this test's ports, without TLS and without Caddy's address for administration."""
    text = (PROXIES / "Caddyfile").read_text().replace(f"{NAME} {{", f"http://{NAME}:{port} {{").replace(":8501", f":{app}")
    made = folder / "Caddyfile"
    made.write_text("{\n\tadmin off\n\tauto_https off\n}\n" + text)
    return ["caddy", "run", "--config", str(made), "--adapter", "caddyfile"]


def nginx(folder: Path, port: int, app: int) -> list[str]:
    """The documented file with this test's ports, without TLS, in the frame that the system's nginx.conf gives it."""
    text = re.sub(r"^ *ssl_\w+ .*\n", "", (PROXIES / "nginx.conf").read_text(), flags=re.M)
    text = text.replace("listen 443 ssl", f"listen 127.0.0.1:{port}").replace(":8501", f":{app}")
    places = "".join(f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    made = folder / "nginx.conf"
    made.write_text(
        f"daemon off;\nuser root;\npid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{places}{text}}}\n"
    )
    return ["nginx", "-p", str(folder), "-c", str(made)]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """A public server below /eunoe that believes proxies of this computer: its port and its store."""
    folder = tmp_path_factory.mktemp("behind-a-proxy")
    environment = public.variables(False, [], ["127.0.0.1"], [NAME], []) | {
        "UNLEARN_STORE": str(folder / "store"), "UNLEARN_ENGINE": "inline", "UNLEARN_GALLERY": "",
    }  # fmt: skip

    def command(port: int) -> list[str]:
        script = str(ROOT / "pages" / "session" / "serve.py")
        more = ["--server.baseUrlPath", "eunoe", *public.flags([])]
        return [sys.executable, script, "run", "app.py", "--server.port", str(port), *more]

    with served(folder / "log.txt", environment, command, health="/eunoe/_stcore/health") as (port, _):
        yield port, folder / "store"


@pytest.fixture(scope="module", params=[caddy, nginx], ids=["caddy", "nginx"])
def behind(request: pytest.FixtureRequest, app: tuple[int, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a proxy before it."""
    made: Callable[[Path, int, int], list[str]] = request.param
    if shutil.which(made.__name__) is None:
        pytest.skip(f"{made.__name__} is not installed here")
    folder, port = tmp_path_factory.mktemp(made.__name__), free_port()
    log = folder / "log"
    with log.open("wb") as out:
        command = made(folder, port, app[0])
        process = subprocess.Popen(
            command, stdout=out, stderr=out, env={"HOME": str(folder), "PATH": "/usr/sbin:/usr/bin:/bin"}
        )
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        else:
            pytest.fail(log.read_text())
        yield port
    finally:
        process.terminate()
        process.wait(20)


def fetched(port: int, path: str, host: str = NAME) -> tuple[int, bytes]:
    status, _, body = run_apart(request(port, "GET", path, {"Host": f"{host}:{port}"}))
    return status, body


def test_the_first_page_and_health_come_through_the_base_path(behind: int) -> None:
    status, page = fetched(behind, "/eunoe/")
    assert status == 200
    assert b"<title>Streamlit</title>" in page or b'<div id="root">' in page
    assert fetched(behind, "/eunoe/_stcore/health") == (200, b"ok")
    script = re.search(rb'src="\.?/?([^"]*\.js)"', page)
    assert script is not None
    path = script[1].decode().removeprefix("eunoe/")
    assert fetched(behind, f"/eunoe/{path}")[0] == 200
    assert fetched(behind, "/eunoe")[0] in (301, 302, 308)
    assert fetched(behind, "/_stcore/health")[0] != 200 or fetched(behind, "/_stcore/health")[1] != b"ok"


def test_a_page_is_drawn_over_the_websocket_and_a_run_is_noted_with_the_visitor_s_address(
    behind: int, app: tuple[int, Path]
) -> None:
    async def visit() -> str:
        async with Visitor.on(behind, NAME, f"http://{NAME}:{behind}", base="/eunoe", forwarded=STRANGER) as visitor:
            query = f"{RUN}&seed={behind % 1000}"  # another one behind each proxy
            page = await visitor.open("compare", query)
            if "Run" not in page.buttons:  # as a person would, who loads the page again
                page = await visitor.open("compare", query)
            assert (page.wrong, "Run" in page.buttons) == ("", True), (query, page.buttons, page.text)
            again = await visitor.open("compare", query, [{"id": page.buttons["Run"], "trigger_value": True}])
            assert again.wrong == ""
            status = (await visitor.put(visitor.session, str(uuid.uuid4()), "x.zip", b"x" * 3_000_000))[0]
            assert status < 300
            return page.text

    log = app[1] / audit.NAME
    before = len(log.read_text().splitlines()) if log.exists() else 0
    assert "A public server" in run_apart(visit())
    line = json.loads(log.read_text().splitlines()[before])
    # The proxy's own word, not what the visitor wrote into the header: this test comes from this computer.
    assert line.get("address", "") == "" != STRANGER


def test_another_name_gets_no_page_and_another_page_no_connection(behind: int) -> None:
    async def visit(host: str, origin: str) -> str:
        async with Visitor.on(behind, host, origin, base="/eunoe") as visitor:
            page = await visitor.open("craft")
            return "drawn" if page.buttons else page.text

    with pytest.raises(Exception, match=r"403|closed|HTTP"):
        run_apart(visit(NAME, "http://evil.example"))
    assert run_apart(visit(NAME, f"http://{NAME}:{behind}")) == "drawn"


def test_a_proxy_of_this_computer_is_believed_and_others_are_not(app: tuple[int, Path]) -> None:
    """Straight to the server, as the proxy would: it listens on this computer alone."""

    async def visit() -> None:
        async with Visitor.on(app[0], "localhost", base="/eunoe", forwarded=STRANGER) as visitor:
            query = RUN.replace("epochs=2", "epochs=3")
            page = await visitor.open("compare", query)
            await visitor.open("compare", query, [{"id": page.buttons["Run"], "trigger_value": True}])

    run_apart(visit())
    assert json.loads((app[1] / audit.NAME).read_text().splitlines()[-1])["address"] == STRANGER
