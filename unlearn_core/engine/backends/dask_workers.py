"""The workers of a Dask scheduler, as its client sees them: who is there, who leaves, and what is wrong with them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from unlearn_core.engine.backends.admission import PRELOAD, our_resource, refusal
from unlearn_core.engine.lanes import SHORT
from unlearn_core.engine.status import WorkerView

if TYPE_CHECKING:
    from distributed import Client

GPU = "GPU"
"""The resource that a worker with a graphics card is started with: ``dask worker … --resources GPU=1``."""


def _pids(dask_scheduler: Any) -> dict[str, int]:
    """Worker → its process number: asked of the scheduler, as a worker that stands still would never answer."""
    return {address: worker.pid for address, worker in dask_scheduler.workers.items()}


class DaskWorkers:
    """``embedded``: the cluster is ours, so its workers tell their process numbers and are as they should be."""

    def __init__(self, embedded: bool) -> None:
        self._embedded = embedded
        self.views: list[WorkerView] = []
        self.pids: dict[str, int] = {}
        self.gpus = 0
        """Workers that we may use and that have a slot for a stage on a graphics card."""
        self.left: set[str] = set()
        """Workers that said that they would go."""

    def refresh(self, client: Client) -> None:
        """Ask the scheduler who is there."""
        infos = client.scheduler_info(n_workers=-1)["workers"]
        if self._embedded and any(address not in self.pids for address in infos):
            self.pids |= client.run_on_scheduler(_pids)
        if not self._embedded:
            for address in set(infos) - {view.address for view in self.views}:
                client.subscribe_topic(address, functools.partial(self._note_leaving, address))
        self.views = [
            WorkerView(
                address,
                self.pids.get(address, 0),
                int(info["nthreads"]),
                spare=SHORT in info["resources"],
                refused="" if self._embedded else refusal(address, info["resources"]),
            )
            for address, info in infos.items()
        ]
        usable = [infos[view.address]["resources"] for view in self.views if not view.refused]
        self.gpus = sum(resources.get(GPU, 0) >= 1 for resources in usable)

    def room(self, gpu: bool) -> int:
        """How many stages can run at a time on a scheduler that is not ours: one in each process that we may use."""
        return self.gpus if gpu else sum(not view.refused for view in self.views)

    def resources(self, gpu: bool) -> dict[str, int]:
        """What a stage asks for on a scheduler that is not ours."""
        return {our_resource(): 1} | ({GPU: 1} if gpu else {})

    def complaint(self, address: str, wants_gpu: bool) -> str:
        """What is wrong with the workers of a scheduler that is not ours, with what helps; "" where nothing is.

        ``address``: the scheduler's; ``wants_gpu``: whether a stage asked for a graphics card.
        """
        if self._embedded:
            return ""
        if not self.views:
            return f"No worker has joined the scheduler yet: dask worker {address} --nthreads 1 {PRELOAD}"
        refused = [view.refused for view in self.views if view.refused]
        more = f" And {len(refused) - 1} more." if len(refused) > 1 else ""
        if len(refused) == len(self.views):
            return refused[0] + more
        if wants_gpu and not self.gpus:
            return f"No worker offers a GPU: dask worker {address} --nthreads 1 --resources {GPU}=1 {PRELOAD}"
        if refused:
            return refused[0] + more
        if any(view.threads > 1 for view in self.views):
            return "Some workers have several threads and still compute one stage at a time: start them with --nthreads 1."
        return ""

    def _note_leaving(self, address: str, event: tuple[float, Any]) -> None:
        """One message about a worker; a process that is killed says nothing before."""
        if isinstance(event[1], Mapping) and event[1].get("action") == "closing-worker":
            self.left.add(address)
