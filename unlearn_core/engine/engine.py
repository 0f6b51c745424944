"""The engine: jobs made of stages that are shared by key, run by workers, seen by any number of threads."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import math
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from unlearn_core.engine.expected import with_expected
from unlearn_core.engine.jobs import Job
from unlearn_core.engine.pool import WorkerPool
from unlearn_core.engine.scheduler import Scheduler
from unlearn_core.engine.status import EngineView, JobView
from unlearn_core.engine.turns import Account, Turns
from unlearn_core.errors import UserError

if TYPE_CHECKING:
    from unlearn_core.stages.stage import Stage
    from unlearn_core.store import Store
    from unlearn_core.support.limits import Limits

RUNNER = "unlearn_core.stages.execution:run_stage"
WATCHING_SECONDS = 5.0
"""So long after a page last drew a job, the person before it counts as watching."""
WORTH_ORDERING = 2
"""Of more unfinished stages than that the order matters, and what they cost is looked up."""


class Engine:
    """Computes stages that the store lacks.

    ``store``: the store, or what opens it when it is first needed; workers can be started before that.
    ``address``: "local" (an embedded cluster of ``workers`` processes), "tcp://…" (a running Dask scheduler) or "inline"
    (a thread of this process). Nothing starts before :meth:`start` or the first submission with something to compute.
    ``spare``: so many more workers of an embedded cluster take short stages only, which then never wait behind long ones.
    ``lives``: whether one of those who asked (the ``by`` of :meth:`submit`) is still there.
    ``limits``: where strangers share the workers: their stages then start in turn (:mod:`.turns`). ``refuses``: why nothing is
    ever computed here; "" where something is.
    All methods may be called from any thread.
    """

    def __init__(
        self,
        store: Store | Callable[[], Store],
        *,
        address: str = "local",
        workers: int | None = None,
        device: str = "auto",
        runner: str = RUNNER,
        spare: int = 0,
        lives: Callable[[str], bool] = lambda by: True,
        limits: Limits | None = None,
        refuses: str = "",
    ) -> None:
        if address not in ("local", "inline") and "://" not in address:
            raise UserError(
                f"The engine must be local, inline or the address of a scheduler such as tcp://host:8786 (got {address!r})."
            )
        if workers is not None and workers < 1:
            raise UserError(f"The engine needs at least one worker (got {workers}).")
        self._given, self._device, self._lives, self._refuses = store, device, lives, refuses
        self._changed = threading.Condition(threading.RLock())
        self._pool = WorkerPool(self._changed, address, workers, spare)
        turns = None if limits is None else Turns(limits)
        self._scheduler = Scheduler(self._changed, self._pool, lambda: self._store, device, runner, turns)

    @functools.cached_property
    def _store(self) -> Store:
        return self._given() if callable(self._given) else self._given

    # -- the workers ----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the workers and wait until they are ready; nothing if they are. Raises :class:`UserError`."""
        self._scheduler.launch_workers()
        self._pool.wait_until_ready()

    def close(self) -> None:
        """Cancel what runs and stop the workers that this engine started."""
        with self._changed:
            for job in list(self._scheduler.jobs.values()):
                self._scheduler.cancel_job(job)
            backend = self._pool.detach()
            self._changed.notify_all()
        if backend is not None:
            backend.close()

    def status(self) -> EngineView:
        """A picture of the engine and its workers."""
        with self._changed:
            backend = self._pool.ready
            tasks = self._scheduler.tasks()
            running = [task for task in tasks if task.state == "running"]
            waiting = sum(task.state == "waiting" for task in tasks)
            titles = {task.worker: task.stage.title for task in running}
            state, address, message = self._pool.state, self._pool.address, self._pool.message
            rate = self._scheduler.rate()
        workers = backend.workers() if backend is not None else []
        return EngineView(
            state=state,
            address=address,
            workers=tuple(dataclasses.replace(view, stage=titles.get(view.address, "")) for view in workers),
            device=(backend.device() if backend is not None and self._device == "auto" else "") or self._device,
            running=len(running),
            waiting=waiting,
            message=(backend.note() if backend is not None else "") or message,
            per_minute=rate,
        )

    def find_device(self) -> None:
        """Find out where the workers compute where that was left to them; :meth:`status` has it soon. Nothing if not ready."""
        with self._changed:
            backend = self._pool.ready
        if backend is not None and self._device == "auto":
            backend.find_device()

    def warm(self, worker: str) -> None:
        """Let the worker with this address compile what its first UMAP would; returns when it has. Nothing if not ready."""
        with self._changed:
            backend = self._pool.ready
        if backend is not None:
            backend.warm(worker)

    # -- jobs -----------------------------------------------------------------------------------------------------

    def submit(self, stages: Sequence[Stage], title: str, by: str = "", owner: str = "") -> str:
        """Compute what the store lacks of ``stages`` (dependencies first); returns a job id at once.

        While a job with the same unfinished stages is running, its id is returned instead of a new one. ``by`` names who
        asks: several may want the same job, and it goes on until all of them have cancelled it. ``owner``: on whose account it
        goes where strangers share the workers.
        """
        if self._refuses:
            raise UserError(self._refuses)
        stages = list({stage.key: stage for stage in stages}.values())
        stored = self._store.has(stage.key for stage in stages)
        if len(stages) - len(stored) > WORTH_ORDERING:
            with contextlib.suppress(UserError):  # the rough weights do as well
                stages = with_expected(stages, self._store, self._device)
        askers = dict.fromkeys([by] if by else [], math.inf)
        with self._changed:
            wanted = {stage.key for stage in stages} - stored
            if wanted and self._store.read_only:
                raise UserError("This store can only be read here: what is not in it cannot be computed.")
            for other in self._scheduler.jobs.values():
                if wanted and wanted == other.unfinished():
                    other.askers |= askers
                    other.owners.add(owner)
                    return other.id
            job = Job(uuid.uuid4().hex[:12], title, [], time.monotonic(), owners={owner}, askers=askers)
            self._scheduler.add_job(job, stages, stored)
            return job.id

    def view(self, job_id: str) -> JobView | None:
        """A picture of one job, or None if there is none with this id."""
        workers = self._pool.slots()
        with self._changed:
            job = self._scheduler.jobs.get(job_id)
            return None if job is None else job.view(time.monotonic(), workers, self._scheduler.waits())

    def jobs(self) -> list[JobView]:
        """Pictures of all jobs, newest first."""
        workers = self._pool.slots()
        with self._changed:
            waits = self._scheduler.waits()
            return [job.view(time.monotonic(), workers, waits) for job in reversed(self._scheduler.jobs.values())]

    def owners(self, job_id: str) -> frozenset[str]:
        """On whose account this job goes."""
        with self._changed:
            job = self._scheduler.jobs.get(job_id)
            return frozenset(job.owners) if job is not None else frozenset()

    def load(self) -> dict[str, int]:
        """How many stages wait or run for each owner; one that several want counts for each."""
        with self._changed:
            return self._scheduler.load()

    def account(self, owner: str) -> Account | None:
        """What this owner used and has left; None where nobody counts."""
        with self._changed:
            return self._scheduler.account(owner)

    def watch(self, job_id: str, by: str) -> None:
        """``by`` looks at this job: another's cancelling does not stop it for the next :data:`WATCHING_SECONDS`."""
        with self._changed:
            job = self._scheduler.jobs.get(job_id)
            if job is not None and not job.finished:
                job.askers[by] = max(job.askers.get(by, 0.0), time.monotonic() + WATCHING_SECONDS)

    def others(self, job_id: str, by: str) -> int:
        """How many others asked for this job or look at it, and are still there."""
        with self._changed:
            job, now = self._scheduler.jobs.get(job_id), time.monotonic()
            askers = dict(job.askers) if job is not None else {}
        return sum(name != by and until > now and self._lives(name) for name, until in askers.items())

    def cancel(self, job_id: str, by: str = "") -> bool:
        """Stop a job; returns whether it was stopped. Finished stages stay; those that another job wants go on for it.

        With ``by`` it is no longer wanted by that one alone, and goes on while :meth:`others` want it.
        """
        go_on = bool(by) and self.others(job_id, by) > 0
        with self._changed:
            job = self._scheduler.jobs.get(job_id)
            if job is None:
                return False
            job.askers.pop(by, None)
            if not go_on:
                self._scheduler.cancel_job(job)
            return not go_on

    def stages(self, job_id: str) -> tuple[list[Stage], str]:
        """The stages and the title of a job, to submit it again. Raises :class:`UserError` where there is none."""
        with self._changed:
            job = self._scheduler.jobs.get(job_id)
            if job is None:
                raise UserError(f"There is no job {job_id!r}.")
            return [task.stage for task in job.tasks], job.title

    def retry(self, job_id: str) -> str:
        """A new job for what failed or was cancelled in this one; returns its id."""
        return self.submit(*self.stages(job_id))

    def wait(self, job_id: str, timeout: float | None = None) -> JobView:
        """Block until the job is finished or ``timeout`` seconds are over; returns its picture."""
        with self._changed:
            job = self._scheduler.jobs.get(job_id)
            if job is None:
                raise UserError(f"There is no job {job_id!r}.")
            self._changed.wait_for(lambda: job.finished, timeout)
            return job.view(time.monotonic(), self._pool.slots(), self._scheduler.waits())
