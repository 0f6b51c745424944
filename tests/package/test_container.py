"""The container's files, as far as they can be tried without a Docker daemon; dockerfile_commands.py runs the Dockerfile."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.engine.dummy import until
from tests.engine.outside import free_port
from tests.package.conftest import ROOT
from tests.package.dockerfile_commands import read_environment, read_instructions, sent_files
from unlearn_core import __version__

COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if service["image"].startswith("eunoe:")]
DOCKERFILE = read_instructions((ROOT / "Dockerfile").read_text())


def test_the_linter_of_dockerfiles_has_nothing_to_say() -> None:
    beside = Path(sys.executable).parent / "hadolint"
    program = str(beside) if beside.exists() else shutil.which("hadolint")
    if program is None:
        pytest.skip("hadolint is not installed")
    done = subprocess.run([program, str(ROOT / "Dockerfile")], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_runs_as_a_user_without_rights_and_writes_to_its_volume() -> None:
    last = {one.word: one.text for one in DOCKERFILE}
    assert int(last["USER"]) > 0
    written = read_environment(DOCKERFILE, {})
    assert all(
        written[name].startswith(("/data", "/tmp")) for name in ("HOME", "UNLEARN_STORE", "UNLEARN_CACHE", "NUMBA_CACHE_DIR")
    )
    assert json.loads(last["VOLUME"]) == ["/data"]
    assert "/_stcore/health" in last["HEALTHCHECK"]


def test_the_builder_gets_what_the_wheel_is_built_from_and_no_more() -> None:
    sent = {path.as_posix() for path in sent_files(ROOT, (ROOT / ".dockerignore").read_text())}
    assert {"pyproject.toml", "requirements.txt", "README.md", "LICENSE", "app.py", ".streamlit/config.toml"} <= sent
    assert {"unlearn_core/cli/app.py", "pages/start.py", "assets/logo.svg", "assets/gallery/runs.csv"} <= sent
    assert {path.partition("/")[0] for path in sent if "/" in path} == {"unlearn_core", "pages", "assets", ".streamlit"}
    assert not [path for path in sent if path.startswith("assets/screenshots") or "__pycache__" in path]


def test_compose_starts_the_app_a_database_a_scheduler_and_two_workers() -> None:
    assert set(SERVICES) == {"certificates", "database", "scheduler", "worker", "app"}
    assert SERVICES["worker"]["deploy"]["replicas"] == 2
    assert {SERVICES[name]["image"] for name in OURS} == {f"eunoe:{__version__}"}
    assert all(SERVICES[name]["ports"] == ["127.0.0.1:8501:8501"] for name in SERVICES if "ports" in SERVICES[name])


@pytest.mark.parametrize("name", OURS)
def test_our_services_have_a_root_that_cannot_be_written_and_no_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", ["scheduler", "worker", "app"])
def test_a_service_waits_for_what_it_needs_and_its_volumes_exist(name: str) -> None:
    for other, condition in SERVICES[name]["depends_on"].items():
        healthy = condition["condition"] == "service_healthy"
        assert not healthy or "test" in SERVICES[other]["healthcheck"]
    assert {volume.partition(":")[0] for volume in SERVICES[name]["volumes"]} <= set(COMPOSE["volumes"])


class Rehearsal:
    """Services of the compose file as processes of this machine: names of hosts and volumes become local ones."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "certificates").mkdir()
        port, health = free_port(), free_port()
        self.names = {
            "scheduler:8786": f"127.0.0.1:{port}",
            "8786": str(port),
            "8787": str(health),
            "/certificates": str(folder / "certificates"),
            "/tmp": str(folder),
            "python": sys.executable,
        }
        self.running: list[subprocess.Popen[bytes]] = []

    def local(self, text: str) -> str:
        for there, here in self.names.items():
            if there in text and here not in text:
                text = text.replace(there, here)
        return text

    def command(self, name: str) -> list[str]:
        words = [self.local(str(word)) for word in (*SERVICES[name]["entrypoint"], *SERVICES[name]["command"])]
        return [sys.executable, "-m", *words] if words[0] == "dask" else words

    def environment(self, name: str) -> dict[str, str]:
        """Of a service, with a store in a folder: PostgreSQL has its own tests."""
        said = {key: self.local(value) for key, value in SERVICES[name].get("environment", {}).items()}
        more = {"UNLEARN_STORE": str(self.folder / "store"), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        return os.environ | said | more

    def start(self, name: str) -> None:
        with (self.folder / f"{name}.log").open("w") as log:
            made = subprocess.Popen(
                self.command(name), cwd=self.folder, env=self.environment(name), stdout=log, stderr=log, start_new_session=True
            )
        self.running.append(made)

    def healthy(self, name: str) -> bool:
        check = [self.local(word) for word in SERVICES[name]["healthcheck"]["test"][1:]]
        return subprocess.run(check, capture_output=True, timeout=20).returncode == 0


def answers(port: int, certificates: Path | None) -> bool:
    """Whether what listens says anything to a stranger who shows this certificate, or none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if certificates is not None:
        context.load_cert_chain(certificates / "certificate.pem", certificates / "key.pem")
    with socket.create_connection(("127.0.0.1", port), 10) as plain, context.wrap_socket(plain) as opened:
        opened.settimeout(10)
        try:
            return opened.recv(1) != b""
        except (ssl.SSLError, ConnectionResetError):
            return False


@pytest.fixture
def rehearsal(tmp_path: Path) -> Iterator[Rehearsal]:
    made = Rehearsal(tmp_path)
    yield made
    for process in reversed(made.running):
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)


@pytest.mark.cluster
def test_the_services_find_one_another_over_tls_and_compute(rehearsal: Rehearsal) -> None:
    for _ in range(2):  # the second time as after a restart: what is there stays
        subprocess.run(rehearsal.command("certificates"), cwd=ROOT, check=True, timeout=60)
    key = rehearsal.folder / "certificates" / "key.pem"
    assert key.stat().st_mode & 0o077 == 0
    rehearsal.start("scheduler")
    until(lambda: rehearsal.healthy("scheduler"), 60)
    rehearsal.start("worker")
    environment = rehearsal.environment("app")
    assert environment["UNLEARN_ENGINE"].startswith("tls://127.0.0.1:")
    run = ["run", "--dataset", "blobs", "--methods", "finetune", "--set", "training.epochs=2", "--amount", "60", "--json"]
    command = [sys.executable, "-m", "unlearn_core", *run, "--engine", environment["UNLEARN_ENGINE"]]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, (done.stderr, (rehearsal.folder / "worker.log").read_text())
    assert json.loads(done.stdout)["results"][0]["metrics"]["utility"] > 0
    port = int(environment["UNLEARN_ENGINE"].rpartition(":")[2])
    assert answers(port, rehearsal.folder / "certificates")
    assert not answers(port, None)
