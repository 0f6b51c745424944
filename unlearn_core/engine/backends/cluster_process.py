"""The embedded cluster in a process of its own.

``python -m unlearn_core.engine.backends.cluster_process --workers 2 --stopped 20 --scratch DIR --preload MODULE``

Streamlit replaces ``__main__``, which worker processes would import again; here ``__main__`` is this small module. The
first line on stdout is JSON with the scheduler's address. The process ends when its stdin closes, which the system does
for a parent that was killed; workers end when this process does. Nothing listens beyond 127.0.0.1, and what listens there
answers only those who have the key of the certificate in the scratch folder: any user of a machine reaches 127.0.0.1.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import multiprocessing.forkserver
import os
import shutil
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from unlearn_core.engine.backends.certificate import cluster_security, write_certificate
from unlearn_core.engine.backends.stopped import end_stopped
from unlearn_core.engine.lanes import LONG, SHORT
from unlearn_core.support.scratch import hold_scratch

if TYPE_CHECKING:
    from distributed import LocalCluster

FORKS = sys.platform == "linux"


def main() -> None:
    """Start the cluster, print its address, stay until stdin closes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--spare", type=int, default=0, help="so many more, for short stages alone")
    parser.add_argument("--scratch", required=True, help="a folder of its own, removed at the end")
    parser.add_argument("--preload", required=True, help="the module that workers have imported when they start")
    parser.add_argument("--stopped", type=float, required=True, help="seconds after which a stopped worker is replaced")
    options = parser.parse_args()
    hold_scratch(options.scratch)
    threading.Thread(target=_leave_with_parent, args=(options.scratch,), daemon=True).start()
    threading.Thread(target=_end_stopped, args=(options.stopped,), daemon=True).start()
    if FORKS:
        # Started before anything else: it imports torch on one core while Dask is imported here on another.
        multiprocessing.set_forkserver_preload([options.preload, "distributed"])
        multiprocessing.forkserver.ensure_running()
    write_certificate(options.scratch)
    _configure(options.scratch)
    asyncio.run(_serve(options.workers, options.spare, options.scratch, options.preload))


def _leave_with_parent(scratch: str) -> None:
    # Unbuffered: a thread inside a buffered read would hold a lock that the interpreter wants at exit.
    with contextlib.suppress(OSError):
        while os.read(0, 1024):
            pass
    # Results are in the store, written atomically: there is nothing to bring in order, so leave at once.
    _kill_children()  # first: what still runs would write to the scratch folder again
    shutil.rmtree(scratch, ignore_errors=True)
    os._exit(0)


def _kill_children() -> None:
    import psutil

    for number in _children():
        with contextlib.suppress(psutil.Error):
            psutil.Process(number).send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))


def _children() -> list[int]:
    import psutil

    with contextlib.suppress(psutil.Error):
        return [child.pid for child in psutil.Process().children(recursive=True)]
    return []


def _end_stopped(most: float) -> None:
    """Replace workers that stand still; here, as those that have just been started are not known elsewhere."""
    for _ in end_stopped(_children, most):
        time.sleep(min(2.0, most / 4))


def _configure(scratch: str) -> None:
    import dask
    import distributed  # noqa: F401 - its defaults must be there before they are changed

    dask.config.set(
        {
            "temporary-directory": scratch,
            # A dead worker's stages come back to the client at once; it alone decides what is tried again.
            "distributed.scheduler.allowed-failures": 0,
            "distributed.scheduler.worker-ttl": None,
            "distributed.scheduler.http.routes": [],
            "distributed.worker.http.routes": [],
            "distributed.worker.multiprocessing-method": "forkserver" if FORKS else "spawn",
            # Dask's own measurements are not shown here, and they take their share of the workers' cores.
            "distributed.worker.profile.enabled": False,
            "distributed.admin.system-monitor.interval": "10s",
            "distributed.admin.system-monitor.gil.enabled": False,
            "distributed.admin.tick.interval": "1s",
            "distributed.admin.tick.limit": "1h",
        }
    )


async def _serve(workers: int, spare: int, scratch: str, preload: str) -> None:
    cluster = _make_cluster(workers, spare, scratch, preload)
    try:
        await cluster
    except RuntimeError:  # a worker was killed before it had joined: others may fare better
        with contextlib.suppress(Exception):
            await asyncio.wait_for(asyncio.ensure_future(cluster.close() or asyncio.sleep(0)), 10)
        cluster = _make_cluster(workers, spare, scratch, preload)
    async with cluster:
        print(json.dumps({"address": cluster.scheduler_address}), flush=True)
        await asyncio.Event().wait()


def _make_cluster(workers: int, spare: int, scratch: str, preload: str) -> LocalCluster:
    """The cluster, which starts once it is awaited."""
    from distributed import LocalCluster

    options: dict[str, Any] = {"preload": [preload], "memory_limit": 0, "death_timeout": "120s"}
    cluster = LocalCluster(
        n_workers=workers + spare,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        protocol="tls",
        security=cluster_security(scratch),
        dashboard_address=None,
        scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
        local_directory=scratch,
        silence_logs=50,
        asynchronous=True,
        **options,
    )
    # What kind of stage a worker takes: a restarted one gets the same.
    for number, (name, worker) in enumerate(cluster.worker_spec.items()):
        takes = {"resources": {LONG if number < workers else SHORT: 1}}
        cluster.worker_spec[name] = worker | {"options": worker["options"] | takes}
    return cluster


if __name__ == "__main__":
    main()
