"""The engine: jobs made of stages that are shared by key, run by a backend, seen by any number of threads."""

from __future__ import annotations

import dataclasses
import functools
import math
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from unlearn_core.engine.backends.protocol import Backend, Outcome, Request
from unlearn_core.engine.elsewhere import Elsewhere
from unlearn_core.engine.jobs import Job, Task
from unlearn_core.engine.status import EngineState, EngineView, JobView, StageState, rate_per_minute
from unlearn_core.engine.waiting import Waits, waits_of
from unlearn_core.errors import UserError
from unlearn_core.store import Store

if TYPE_CHECKING:
    from unlearn_core.stages.stage import Stage
    from unlearn_core.store import Lease

RUNNER = "unlearn_core.stages.execution:run_stage"
LOST_AGAIN = "The worker process ended twice while computing this (out of memory, or stopped from outside)."
MAX_RESUBMITTED = 5
"""How often a stage that waited on a dying worker, or whose inputs were found damaged, is handed out again."""
KEPT_JOBS = 200
SMALL_JOB = 16
"""A job with more stages is a sweep, which the workers for short stages are not for."""
WATCHING_SECONDS = 5.0
"""So long after a page last drew a job, the person before it counts as watching."""


class Engine:
    """Computes stages that the store lacks.

    ``store``: the store, or what opens it when it is first needed; workers can be started before that.
    ``address``: "local" (an embedded cluster of ``workers`` processes), "tcp://…" (a running Dask scheduler) or "inline"
    (a thread of this process). Nothing starts before :meth:`start` or the first submission with something to compute.
    ``spare``: so many more workers of an embedded cluster take short stages only, which then never wait behind long ones.
    ``lives``: whether one of those who asked (the ``by`` of :meth:`submit`) is still there.
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
    ) -> None:
        if address not in ("local", "inline") and "://" not in address:
            raise UserError(
                f"The engine must be local, inline or the address of a scheduler such as tcp://host:8786 (got {address!r})."
            )
        if workers is not None and workers < 1:
            raise UserError(f"The engine needs at least one worker (got {workers}).")
        self._given, self._address, self._count, self._device, self._runner = store, address, workers, device, runner
        self._spare, self._lives = spare, lives
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._jobs: dict[str, Job] = {}
        self._active: dict[str, Task] = {}  # by stage key
        self._tokens: dict[str, Task] = {}  # by submission
        self._dependants: dict[str, list[Task]] = {}  # by the key they need
        self._backend: Backend | None = None
        self._state: EngineState = "off"
        self._message = ""
        self._elsewhere = Elsewhere(lambda: self._store, self._back_from_elsewhere)
        self._finished: deque[float] = deque(maxlen=1000)

    @functools.cached_property
    def _store(self) -> Store:
        return self._given() if callable(self._given) else self._given

    # -- the cluster ----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the workers and wait until they are ready; nothing if they are. Raises :class:`UserError`."""
        self._launch()
        with self._changed:
            self._changed.wait_for(lambda: self._state != "starting")
            if self._state != "ready":
                raise UserError(self._message or "The engine was closed while it started.")

    def close(self) -> None:
        """Cancel what runs and stop the workers that this engine started."""
        with self._lock:
            for job in list(self._jobs.values()):
                self._cancel(job)
            backend, self._backend, self._state = self._backend, None, "off"
            self._changed.notify_all()
        if backend is not None:
            backend.close()

    def status(self) -> EngineView:
        """A picture of the engine and its workers."""
        with self._lock:
            backend = self._backend if self._state == "ready" else None
            running = [task for task in self._active.values() if task.state == "running"]
            waiting = sum(task.state == "waiting" for task in self._active.values())
            titles = {task.worker: task.stage.title for task in running}
            state, message = self._state, self._message
            rate = rate_per_minute(self._finished, time.monotonic())
        workers = backend.workers() if backend is not None else []
        return EngineView(
            state=state,
            address=backend.address if backend is not None else self._address,
            workers=tuple(dataclasses.replace(view, stage=titles.get(view.address, "")) for view in workers),
            device=(backend.device() if backend is not None else "") or self._device,
            running=len(running),
            waiting=waiting,
            message=(backend.note() if backend is not None else "") or message,
            per_minute=rate,
        )

    def warm(self, worker: str) -> None:
        """Let the worker with this address compile what its first UMAP would; returns when it has. Nothing if not ready."""
        with self._lock:
            backend = self._backend if self._state == "ready" else None
        if backend is not None:
            backend.warm(worker)

    def _launch(self) -> None:
        with self._lock:
            if self._state in ("starting", "ready"):
                return
            self._state, self._message = "starting", ""
            self._backend = backend = self._make_backend()
        threading.Thread(target=self._start_backend, args=(backend,), name="lethe-start", daemon=True).start()

    def _make_backend(self) -> Backend:
        if self._address == "inline":
            from unlearn_core.engine.backends.inline import InlineBackend

            return InlineBackend(self)
        from unlearn_core.engine.backends.dask import DaskBackend

        return DaskBackend(self, self._address, self._count, self._spare)

    def _start_backend(self, backend: Backend) -> None:
        try:
            backend.start()
        except Exception as error:  # noqa: BLE001 - in a thread: whoever waits must hear about it
            message = (
                str(error) if isinstance(error, UserError) else f"The engine could not start: {type(error).__name__}: {error}"
            )
            self.on_lost(backend, message)
            return
        with self._lock:
            if self._backend is not backend:  # closed in the meantime
                threading.Thread(target=backend.close, daemon=True).start()
                return
            self._state = "ready"
            for task in list(self._active.values()):
                self._run_if_ready(task)
            self._changed.notify_all()

    # -- jobs -----------------------------------------------------------------------------------------------------

    def submit(self, stages: Sequence[Stage], title: str, by: str = "") -> str:
        """Compute what the store lacks of ``stages`` (dependencies first); returns a job id at once.

        While a job with the same unfinished stages is running, its id is returned instead of a new one. ``by`` names who
        asks: several may want the same job, and it goes on until all of them have cancelled it.
        """
        stages = list({stage.key: stage for stage in stages}.values())
        stored = self._store.has(stage.key for stage in stages)
        with self._lock:
            wanted = {stage.key for stage in stages} - stored
            if wanted and self._store.read_only:
                raise UserError("This store can only be read here: what is not in it cannot be computed.")
            for other in self._jobs.values():
                if wanted and wanted == {t.stage.key for t in other.tasks if other.state_of(t) in ("waiting", "running")}:
                    other.askers |= dict.fromkeys([by] if by else [], math.inf)
                    return other.id
            job = Job(uuid.uuid4().hex[:12], title, [], time.monotonic(), askers=dict.fromkeys([by] if by else [], math.inf))
            for stage in stages:
                task = Task(stage, state="cached") if stage.key in stored else self._activate(stage, len(job.tasks))
                task.jobs.add(job.id)
                job.tasks.append(task)
            self._jobs[job.id] = job
            self._forget_old_jobs()
            if wanted:
                self._launch()
                for task in job.tasks:
                    self._run_if_ready(task)
            self._close_finished()
            return job.id

    def view(self, job_id: str) -> JobView | None:
        """A picture of one job, or None if there is none with this id."""
        workers = self._slots()
        with self._lock:
            job = self._jobs.get(job_id)
            return None if job is None else job.view(time.monotonic(), workers, self._waits())

    def jobs(self) -> list[JobView]:
        """Pictures of all jobs, newest first."""
        workers = self._slots()
        with self._lock:
            waits = self._waits()
            return [job.view(time.monotonic(), workers, waits) for job in reversed(self._jobs.values())]

    def watch(self, job_id: str, by: str) -> None:
        """``by`` looks at this job: another's cancelling does not stop it for the next :data:`WATCHING_SECONDS`."""
        with self._lock:
            job = self._jobs.get(job_id)
            if job is not None and not job.finished:
                job.askers[by] = max(job.askers.get(by, 0.0), time.monotonic() + WATCHING_SECONDS)

    def others(self, job_id: str, by: str) -> int:
        """How many others asked for this job or look at it, and are still there."""
        with self._lock:
            job, now = self._jobs.get(job_id), time.monotonic()
            askers = dict(job.askers) if job is not None else {}
        return sum(name != by and until > now and self._lives(name) for name, until in askers.items())

    def cancel(self, job_id: str, by: str = "") -> bool:
        """Stop a job; returns whether it was stopped. Finished stages stay; those that another job wants go on for it.

        With ``by`` it is no longer wanted by that one alone, and goes on while :meth:`others` want it.
        """
        go_on = bool(by) and self.others(job_id, by) > 0
        with self._lock:
            job = self._jobs.get(job_id)
            if job is None:
                return False
            job.askers.pop(by, None)
            if not go_on:
                self._cancel(job)
            return not go_on

    def retry(self, job_id: str) -> str:
        """A new job for what failed or was cancelled in this one; returns its id."""
        with self._lock:
            job = self._jobs.get(job_id)
            if job is None:
                raise UserError(f"There is no job {job_id!r}.")
            stages, title = [task.stage for task in job.tasks], job.title
        return self.submit(stages, title)

    def wait(self, job_id: str, timeout: float | None = None) -> JobView:
        """Block until the job is finished or ``timeout`` seconds are over; returns its picture."""
        with self._changed:
            job = self._jobs.get(job_id)
            if job is None:
                raise UserError(f"There is no job {job_id!r}.")
            self._changed.wait_for(lambda: job.finished, timeout)
            return job.view(time.monotonic(), self._slots(), self._waits())

    def _slots(self) -> int:
        backend = self._backend
        return max(1, sum(not view.spare for view in backend.workers())) if backend is not None else 1

    def _waits(self) -> Waits:
        return waits_of(self._active, self._state, time.monotonic())

    def _cancel(self, job: Job) -> None:
        tokens = []
        for task in job.tasks:
            if task.finished:
                continue
            job.dropped.add(task.stage.key)
            task.jobs.discard(job.id)
            if not task.jobs:
                if task.token:
                    tokens.append(task.token)
                self._finish(task, "cancelled")
        if tokens and self._backend is not None:
            self._backend.cancel(tokens)
        self._close_finished()

    # -- stages ---------------------------------------------------------------------------------------------------

    def _activate(self, stage: Stage, order: int) -> Task:
        """The task that computes this stage: the one another job has already asked for, or a new one."""
        task = self._active.get(stage.key)
        if task is None:
            task = self._active[stage.key] = Task(stage, order=order)
            for need in stage.needs:
                self._dependants.setdefault(need, []).append(task)
        return task

    def _run_if_ready(self, task: Task) -> None:
        """Hand a waiting task to the backend once nothing that it needs is still being computed."""
        if self._state != "ready" or self._backend is None or task.state != "waiting" or task.token or task.elsewhere:
            return
        if any(need in self._active for need in task.stage.needs):
            return
        token = task.new_token()
        self._tokens[token] = task
        # What somebody waits for at the screen goes before the many stages of a sweep.
        size = min((len(self._jobs[job].tasks) for job in task.jobs if job in self._jobs), default=1)
        # Within a job in its own order: a sweep finishes scenario after scenario instead of all originals first.
        priority = -(size * 1_000_000 + task.order)
        stage = task.stage if size <= SMALL_JOB else dataclasses.replace(task.stage, lane="long")
        place = self._store.location, self._store.identity
        self._backend.run(Request(token, stage, *place, self._device, self._runner, priority, task.over))

    def _finish(self, task: Task, state: StageState, message: str = "") -> None:
        """End a task, and with it what depends on it or what waited for it."""
        task.finish(state, time.monotonic(), message)
        self._active.pop(task.stage.key, None)
        self._tokens.pop(task.token, None)
        if task.elsewhere:
            self._elsewhere.forget(task.stage.key)
        for other in self._dependants.pop(task.stage.key, []):
            if other.finished:
                continue
            if state == "failed":
                self._finish(other, "failed", f"This needs “{task.stage.title}”, which failed.")
            elif state == "done":
                self._run_if_ready(other)

    def _again(self, task: Task, lost: bool) -> None:
        """Submit a task once more; after its worker died it counts as an attempt if it had started there."""
        self._tokens.pop(task.token, None)
        task.token = ""
        task.reset()
        if lost:
            task.attempt += 1
            task.message = "worker lost, started again"
        else:
            task.resubmitted += 1
        self._run_if_ready(task)

    def _leave_to_others(self, task: Task, lease: Lease) -> None:
        """Another program on this store computes it: our workers do something else meanwhile."""
        self._tokens.pop(task.token, None)
        task.token = ""
        task.reset()
        task.elsewhere, task.over = True, None
        self._elsewhere.watch(lease)

    def _back_from_elsewhere(self, key: str, over: Lease | None) -> None:
        """What another program computed is there, or has to be computed here after all."""
        with self._lock:
            task = self._active.get(key)
            if task is not None and task.elsewhere:
                task.elsewhere, task.over = False, over
                self._run_if_ready(task)

    def _mend(self, task: Task, gone: set[str]) -> bool:
        """Compute once more what this task needs and the store had to drop; False where no job can say what that was."""
        jobs = [self._jobs[job] for job in task.jobs if job in self._jobs]
        places = [(job, index, old) for job in jobs for index, old in enumerate(job.tasks) if old.stage.key in gone]
        if gone - {old.stage.key for _, _, old in places}:
            return False
        for job, index, old in places:
            fresh = self._activate(old.stage, old.order)
            fresh.message = "was damaged, computed again"
            fresh.jobs.add(job.id)
            job.tasks[index] = fresh
        for key in gone:
            self._dependants.setdefault(key, []).append(task)
            self._run_if_ready(self._active[key])
        return True

    def _close_finished(self) -> None:
        now = time.monotonic()
        for job in self._jobs.values():
            if job.ended is None and job.finished:
                job.ended = now
        self._changed.notify_all()

    def _forget_old_jobs(self) -> None:
        finished = [job.id for job in self._jobs.values() if job.finished]
        for job_id in finished[: max(0, len(self._jobs) - KEPT_JOBS)]:
            del self._jobs[job_id]

    # -- what the backend says ------------------------------------------------------------------------------------

    def on_started(self, token: str, worker: str, moved: bool = False) -> None:
        give_up = None
        with self._lock:
            task = self._tokens.get(token)
            if task is None:
                return
            if task.state == "running" and moved:
                task.reset()
                task.message = "its worker left, started on another"
            elif task.state == "running":
                # A scheduler that is not ours hands the stages of a dead worker out again by itself.
                if task.attempt >= 2:
                    give_up = task.stage
                    self._finish(task, "failed", LOST_AGAIN)
                else:
                    task.reset()
                    task.attempt, task.message = task.attempt + 1, "worker lost, started again"
            if give_up is None:
                task.state, task.started, task.worker = "running", time.monotonic(), worker
            elif self._backend is not None:
                self._backend.cancel([token])
            self._close_finished()
        if give_up is not None:
            self._remember(give_up, LOST_AGAIN)

    def on_progress(self, token: str, done: int, total: int, scalars: dict[str, float]) -> None:
        with self._lock:
            task = self._tokens.get(token)
            if task is not None and task.state == "running":
                task.progress(time.monotonic(), done, total, scalars)
                self._changed.notify_all()

    def on_finished(self, token: str, outcome: Outcome) -> None:
        gave_up = None
        with self._lock:
            task = self._tokens.get(token)
            if task is None:
                return
            started = task.state == "running"
            if outcome.status == "killed" and (task.attempt < 2 if started else task.resubmitted < MAX_RESUBMITTED):
                self._again(task, lost=started)
            elif outcome.status == "killed":
                gave_up = task.stage
                self._finish(task, "failed", LOST_AGAIN)
            elif outcome.status == "elsewhere":
                assert outcome.lease is not None
                self._leave_to_others(task, outcome.lease)
            elif outcome.gone and task.resubmitted < MAX_RESUBMITTED and self._mend(task, set(outcome.gone)):
                self._again(task, lost=False)
            else:
                self._finish(task, outcome.status, outcome.message)
                if outcome.status == "done":
                    self._finished.append(time.monotonic())
            self._close_finished()
        if gave_up is not None:
            self._remember(gave_up, LOST_AGAIN)

    def on_lost(self, backend: Backend, message: str) -> None:
        with self._lock:
            if self._backend is not backend:
                return
            self._backend, self._state, self._message = None, "lost", message
            for task in list(self._active.values()):
                if not task.finished:
                    task.finish("failed", time.monotonic(), f"{message} Start it again to go on.")
            self._active.clear()
            self._tokens.clear()
            self._dependants.clear()
            self._close_finished()

    def _remember(self, stage: Stage, message: str) -> None:
        try:
            self._store.fail(stage.key, stage.kind, message)
        except UserError:
            return  # the job shows the cause all the same
