"""What is committed for clusters: commands that Dask takes, manifests that hang together, a job script that starts a worker."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.engine.dummy import RUNNER, Stage, until
from tests.engine.outside import ROOT, Outside
from unlearn_core.cli import app
from unlearn_core.engine import Engine
from unlearn_core.store import Store

DEPLOY = ROOT / "deploy"
MANIFESTS = ("kubernetes.yaml", "dask_cluster.yaml")


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DEPLOY / name).read_text()))


def pods(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The specs of the pods that a document starts."""
    spec = document.get("spec", {})
    if document["kind"] == "DaskCluster":
        yield from (spec[role]["spec"] for role in ("scheduler", "worker"))
    elif "template" in spec:
        yield spec["template"]["spec"]


def commands() -> list[list[str]]:
    found = [
        list(container["command"])
        for name in MANIFESTS
        for document in documents(name)
        for pod in pods(document)
        for container in pod["containers"]
    ]
    script = (DEPLOY / "slurm_job.sh").read_text().splitlines()
    line = next(shlex.split(line) for line in script if "distributed.cli.dask_worker" in line)
    return [*found, ["dask", "worker", *line[3 : line.index("--protocol")]]]  # the certificate's files are not here


@pytest.mark.parametrize("command", commands(), ids=lambda command: " ".join(command[:2]))
def test_every_command_is_one_that_its_program_takes(command: list[str]) -> None:
    from distributed.cli.dask_scheduler import main as scheduler
    from distributed.cli.dask_worker import main as worker
    from typer.main import get_command

    if command[0] == "eunoe":
        sweep = get_command(app).commands["sweep"]  # type: ignore[attr-defined]
        asked = sweep.make_context("sweep", command[2:]).params
        assert (str(asked["plan"]), asked["device"]) == ("/plan/plan.yaml", "cuda")
        return
    program = {"scheduler": scheduler, "worker": worker}[command[1]]
    found = program.make_context(command[1], list(command[2:])).params
    if command[1] == "worker":  # what docs/cluster.md says that every worker needs
        assert found["nthreads"] == 1
        assert found["memory_limit"] == "0"
        assert "unlearn_core.engine.preload" in found["preload"]
        assert found["resources"] == "GPU=1"


@pytest.mark.parametrize("name", MANIFESTS)
def test_what_a_manifest_names_is_there(name: str) -> None:
    """Volumes that are mounted, config maps and ports; selectors find the pods that they are meant for."""
    found = documents(name)
    maps = {document["metadata"]["name"] for document in found if document["kind"] == "ConfigMap"}
    for document in found:
        for pod in pods(document):
            volumes = {volume["name"] for volume in pod.get("volumes", ())}
            assert not pod["automountServiceAccountToken"]
            for container in pod["containers"]:
                assert {mount["name"] for mount in container.get("volumeMounts", ())} <= volumes
                assert {source["configMapRef"]["name"] for source in container.get("envFrom", ())} <= maps
        if document["kind"] == "Deployment":
            labels = document["spec"]["template"]["metadata"]["labels"]
            assert document["spec"]["selector"]["matchLabels"].items() <= labels.items()
        if document["kind"] == "Service":
            ours = [other["spec"]["template"]["metadata"]["labels"] for other in found if other["kind"] == "Deployment"]
            assert sum(document["spec"]["selector"].items() <= labels.items() for labels in ours) == 1


def test_the_scheduler_is_behind_tls_and_a_policy() -> None:
    found = {document["kind"]: document for document in documents("kubernetes.yaml")}
    assert found["ConfigMap"]["data"]["DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION"] == "True"
    allowed = found["NetworkPolicy"]["spec"]["ingress"]
    assert allowed == [{"from": [{"podSelector": {"matchLabels": {"app": "eunoe"}}}]}]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


@pytest.mark.cluster
def test_the_job_script_starts_a_worker_that_computes(store: Store, tmp_path: Path) -> None:
    """Slurm is not here: its lines are comments to bash, and the rest is run as Slurm would."""
    outside = Outside(tmp_path)
    home = tmp_path / "home"
    (home / ".eunoe-cluster").mkdir(parents=True)
    (home / "eunoe").symlink_to(ROOT)
    (home / ".eunoe-cluster" / "environment").write_text(f"export PATH={Path(sys.executable).parent}:$PATH\n")
    script = (DEPLOY / "slurm_job.sh").read_text().replace("tls://scheduler:8786", outside.address)
    script = script[: script.index(" --protocol")].replace("engine.preload", "engine.backends.admission")  # without torch
    engine = Engine(store, address=outside.address, runner=RUNNER, device="cuda")
    worker = None
    try:
        outside.scheduler()
        with (tmp_path / "job.log").open("wb") as log:
            worker = subprocess.Popen(
                ["bash", "-e", "-c", script],
                env=os.environ | {"HOME": str(home)},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        engine.start()
        until(lambda: engine.status().workers)
        assert engine.wait(engine.submit([Stage("one")], "one"), 60).state == "done"
    finally:
        engine.close()
        outside.end([] if worker is None else [worker])
        outside.end()


def test_the_script_s_directives_are_slurm_s() -> None:
    lines = (DEPLOY / "slurm_job.sh").read_text().splitlines()
    assert lines[0] == "#!/usr/bin/env bash"
    asked = [line.split()[1].partition("=")[0] for line in lines if line.startswith("#SBATCH")]
    assert asked == ["-J", "-n", "--cpus-per-task", "--mem", "-t", "--requeue", "--gpus"]
    body = lines.index(next(line for line in lines if line.startswith("cd ")))
    assert all(line.startswith("#") or not line for line in lines[:body])  # Slurm reads directives up to the first command
    assert subprocess.run(["bash", "-n", str(DEPLOY / "slurm_job.sh")], check=False).returncode == 0


def test_the_script_is_what_dask_jobqueue_renders(tmp_path: Path) -> None:
    pytest.importorskip("dask_jobqueue")
    command = [sys.executable, str(DEPLOY / "slurm_cluster.py"), "--show", "--gpu"]
    path = os.pathsep.join([str(ROOT), *sys.path])
    environment = os.environ | {"HOME": str(tmp_path), "PYTHONPATH": path}
    done = subprocess.run(command, env=environment, capture_output=True, check=True, text=True)
    assert done.stdout == (DEPLOY / "slurm_job.sh").read_text()
