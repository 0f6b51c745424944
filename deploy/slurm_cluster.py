"""A Dask scheduler on this node and workers as Slurm jobs, over TLS, for ``eunoe sweep --engine``.

    pip install dask-jobqueue
    python deploy/slurm_cluster.py --jobs 16 --gpu --interface ib0 &
    eunoe sweep plan.yaml --engine "$(cat ~/eunoe-scheduler)" --device cuda --store 'postgresql://me@dbhost/eunoe?artifacts=/shared/eunoe'

It writes the scheduler's address to ``~/eunoe-scheduler`` and stays until it is stopped; its jobs end with it. Certificate and
key lie in ``~/.eunoe-cluster``, which every node has to see; before ``sweep``: ``source ~/.eunoe-cluster/environment``.
``--show`` prints the job script and starts nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import socket
from pathlib import Path
from typing import Any

from unlearn_core.engine.backends.certificate import CERTIFICATE, KEY, write_certificate

FOLDER, ADDRESS = Path.home() / ".eunoe-cluster", Path.home() / "eunoe-scheduler"
PRELOAD = "unlearn_core.engine.preload"


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=4, help="Slurm jobs, one worker process in each")
    parser.add_argument("--gpu", action="store_true", help="a graphics card for each job")
    parser.add_argument("--cpus", type=int, default=4, help="cores for each job")
    parser.add_argument("--memory", default="16GB")
    parser.add_argument("--walltime", default="04:00:00")
    parser.add_argument("--lifetime", default="230m", help="when a worker leaves, before Slurm ends its job")
    parser.add_argument("--partition", default=None)
    parser.add_argument("--interface", default=None, help="the network that the nodes share, such as ib0 (ip addr)")
    parser.add_argument("--show", action="store_true")
    return parser.parse_args()


def tls() -> dict[str, str]:
    """What Dask's configuration calls our certificate and key, for every role."""
    files = {"cert": str(FOLDER / CERTIFICATE), "key": str(FOLDER / KEY)}
    roles = {f"{role}.{part}": path for role in ("client", "scheduler", "worker") for part, path in files.items()}
    return {"ca-file": files["cert"], **roles}


def variables() -> list[str]:
    """The same as lines for a shell."""
    names = {name: name.upper().replace("-", "_").replace(".", "__") for name in tls()}
    lines = [f"export DASK_DISTRIBUTED__COMM__TLS__{names[name]}={value}" for name, value in tls().items()]
    return [*lines, "export DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION=True"]


def job(given: argparse.Namespace) -> dict[str, Any]:
    """What dask-jobqueue is told of one job. ``cores`` are Dask's threads: one, as a process computes one stage at a time."""
    return {
        "job_name": "eunoe-worker",
        "cores": 1,
        "processes": 1,
        "job_cpu": given.cpus,
        "memory": given.memory,
        "walltime": given.walltime,
        "queue": given.partition,
        "interface": given.interface,
        "python": "python",
        "death_timeout": 300,
        "local_directory": "/tmp",
        "job_extra_directives": ["--requeue", *(["--gpus=1"] if given.gpu else [])],
        "job_script_prologue": ["cd $HOME/eunoe", "export PYTHONPATH=$PWD", f"source {FOLDER}/environment"],
        "worker_extra_args": [
            *("--memory-limit", "0", "--no-dashboard", "--preload", PRELOAD),
            *("--lifetime", given.lifetime, "--lifetime-stagger", "5m"),
            *(["--resources", "GPU=1"] if given.gpu else []),
        ],
    }


async def serve(given: argparse.Namespace) -> None:
    """Start the scheduler and ask for the jobs, or print the script."""
    import dask
    from dask_jobqueue import SLURMCluster
    from distributed import Security

    dask.config.set({f"distributed.comm.tls.{name}": value for name, value in tls().items()})
    dask.config.set({"distributed.comm.require-encryption": True})
    here: dict[str, Any] = {"dashboard_address": "127.0.0.1:0"}
    here |= {"interface": given.interface} if given.interface else {"host": socket.gethostname()}
    async with SLURMCluster(
        **job(given),
        protocol="tls://",
        security=Security(),
        scheduler_options=here,
        shared_temp_directory=str(FOLDER),
        asynchronous=True,
    ) as cluster:
        if given.show:
            script = cluster.job_script().replace(cluster.scheduler_address, "tls://scheduler:8786")
            print(script.replace(str(Path.home()), "$HOME").rstrip())
            return
        cluster.scale(jobs=given.jobs)
        ADDRESS.write_text(cluster.scheduler_address + "\n")
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):  # the jobs are cancelled in good order
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await stop.wait()


def main() -> None:
    given = options()
    FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (FOLDER / KEY).exists():
        write_certificate(str(FOLDER))
    (FOLDER / "environment").write_text("\n".join(variables()) + "\n")
    asyncio.run(serve(given))


if __name__ == "__main__":
    main()
