"""The stages of all jobs: each is handed to the backend once what it needs is there, and followed until it ends."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from unlearn_core.engine.backends.protocol import Backend, Outcome
from unlearn_core.engine.elsewhere import Elsewhere
from unlearn_core.engine.handing_out import HandingOut
from unlearn_core.engine.jobs import Job, Task
from unlearn_core.engine.pool import WorkerPool
from unlearn_core.engine.status import StageState, rate_per_minute
from unlearn_core.engine.taking_turns import TakingTurns
from unlearn_core.engine.turns import Turns
from unlearn_core.engine.waiting import Waits, waits_of
from unlearn_core.errors import UserError

if TYPE_CHECKING:
    from unlearn_core.stages.stage import Stage
    from unlearn_core.store import Lease, Store

LOST_AGAIN = "The worker process ended twice while computing this (out of memory, or stopped from outside)."
MAX_RESUBMITTED = 5
"""How often a stage that waited on a dying worker, or whose inputs were found damaged, is handed out again."""
KEPT_JOBS = 200


class Scheduler(HandingOut):
    """What the backend listens for (its ``Listener``); stages are shared by key between jobs.

    The ``on_…`` methods take the lock of ``changed`` themselves; every other method is called under it.
    ``store``: what opens the store; ``device`` and ``runner``: what each request carries. ``turns``: where strangers share the
    workers; no more is then handed out than these take, so that the next turn is decided when one of them is free.
    """

    def __init__(
        self,
        changed: threading.Condition,
        pool: WorkerPool,
        store: Callable[[], Store],
        device: str,
        runner: str,
        turns: Turns | None = None,
    ) -> None:
        super().__init__(pool, store, device, runner)
        self._changed = changed
        self._dependants: dict[str, list[Task]] = {}  # by the key they need
        self._elsewhere = Elsewhere(store, self._return_from_elsewhere)
        self._finished: deque[float] = deque(maxlen=1000)
        self._turns = None if turns is None else TakingTurns(turns, changed, pool, self)
        self._slots = 1  # workers that the stages were ordered for

    # -- jobs -----------------------------------------------------------------------------------------------------

    def waits(self) -> Waits:
        """What a task waits for, as it is now."""
        return waits_of(self._active, self._pool.state, time.monotonic())

    def rate(self) -> float | None:
        """Stages finished in a minute; None where none was lately."""
        return rate_per_minute(self._finished, time.monotonic())

    def add_job(self, job: Job, stages: list[Stage], stored: set[str]) -> None:
        """Take on a job: its stages without those that are ``stored``, which need workers only if there are others."""
        for stage in stages:
            task = Task(stage, state="cached") if stage.key in stored else self._activate(stage, len(job.tasks))
            task.jobs.add(job.id)
            job.tasks.append(task)
        self.jobs[job.id] = job
        job.arrange(self._slots)
        self._forget_old_jobs()
        if job.finished:
            self._close_finished_jobs()
        else:
            self.launch_workers()
            self._hand_out_all(job.tasks)

    def cancel_job(self, job: Job) -> None:
        """Stop its stages, but for those that another job wants."""
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
        if tokens and (backend := self._pool.ready) is not None:
            backend.cancel(tokens)
        self._close_finished_jobs()

    def launch_workers(self) -> None:
        """Start the workers unless they are there; what can start by then is handed out to them."""
        self._pool.launch(self, self._hand_out_all)

    def _hand_out_all(self, tasks: Sequence[Task] = ()) -> None:
        """Hand out what can start (of these tasks, else of all), in their turns: a free worker takes the first that comes."""
        self._arrange_for(self._pool.slots())
        for task in sorted(tasks or self.tasks(), key=lambda task: task.order):
            self._hand_out(task)
        self._close_finished_jobs()

    def _close_finished_jobs(self) -> None:
        now = time.monotonic()
        for job in self.jobs.values():
            if job.ended is None and job.finished:
                job.ended = now
        if self._turns is not None:
            self._turns.take()
        self._changed.notify_all()

    def _forget_old_jobs(self) -> None:
        finished = [job.id for job in self.jobs.values() if job.finished]
        for job_id in finished[: max(0, len(self.jobs) - KEPT_JOBS)]:
            del self.jobs[job_id]

    # -- stages ---------------------------------------------------------------------------------------------------

    def _activate(self, stage: Stage, order: int) -> Task:
        """The task that computes this stage: the one another job has already asked for, or a new one."""
        task = self._active.get(stage.key)
        if task is None:
            task = self._active[stage.key] = Task(stage, order=order)
            for need in stage.needs:
                self._dependants.setdefault(need, []).append(task)
        return task

    def give_up(self, token: str, message: str) -> None:
        """Stop what runs under this token: its stage has failed, here and in no other program's eyes."""
        if (task := self._tokens.get(token)) is not None:
            self._finish(task, "failed", message)
            if (backend := self._pool.ready) is not None:
                backend.cancel([token])
            self._close_finished_jobs()

    def _arrange_for(self, slots: int) -> None:
        """Order all jobs anew when workers have come or gone."""
        if slots != self._slots:
            self._slots = slots
            for job in self.jobs.values():
                if not job.finished:
                    job.arrange(slots)

    def _finish(self, task: Task, state: StageState, message: str = "") -> None:
        """End a task, and with it what depends on it or what waited for it."""
        self._arrange_for(self._pool.slots())
        task.finish(state, time.monotonic(), message)
        self._active.pop(task.stage.key, None)
        self._forget_token(task)
        if task.elsewhere:
            self._elsewhere.forget(task.stage.key)
        for other in sorted(self._dependants.pop(task.stage.key, []), key=lambda task: task.order):
            if other.finished:
                continue
            if state == "failed":
                self._finish(other, "failed", f"This needs “{task.stage.title}”, which failed.")
            elif state == "done":
                self._hand_out(other)

    def _withdraw(self, task: Task) -> None:
        """Make a task wait again; what its submission still reports no longer counts."""
        self._forget_token(task)
        task.token = ""
        task.reset()

    def _resubmit(self, task: Task, lost: bool) -> None:
        """Submit a task once more; after its worker died it counts as an attempt if it had started there."""
        self._withdraw(task)
        if lost:
            task.attempt += 1
            task.message = "worker lost, started again"
        else:
            task.resubmitted += 1
        self._hand_out(task)

    def _leave_to_others(self, task: Task, lease: Lease) -> None:
        """Another program on this store computes it: our workers do something else meanwhile."""
        self._withdraw(task)
        task.elsewhere, task.over = True, None
        self._elsewhere.watch(lease)

    def _return_from_elsewhere(self, key: str, over: Lease | None) -> None:
        """What another program computed is there, or has to be computed here after all."""
        with self._changed:
            task = self._active.get(key)
            if task is not None and task.elsewhere:
                task.elsewhere, task.over = False, over
                self._hand_out(task)
                self._close_finished_jobs()

    def _recompute_needs(self, task: Task, gone: set[str]) -> bool:
        """Compute once more what this task needs and the store had to drop; False where no job can say what that was."""
        jobs = [self.jobs[job] for job in task.jobs if job in self.jobs]
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
            self._hand_out(self._active[key])
        return True

    # -- what the backend reports ---------------------------------------------------------------------------------

    def on_started(self, token: str, worker: str, moved: bool = False) -> None:
        give_up = None
        with self._changed:
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
                if self._turns is not None:
                    self._turns.started(token)
            elif (backend := self._pool.ready) is not None:
                backend.cancel([token])
            self._close_finished_jobs()
        if give_up is not None:
            self._store_failure(give_up, LOST_AGAIN)

    def on_progress(self, token: str, done: int, total: int, scalars: dict[str, float]) -> None:
        with self._changed:
            task = self._tokens.get(token)
            if task is not None and task.state == "running":
                task.progress(time.monotonic(), done, total, scalars)
                self._changed.notify_all()

    def on_held(self, token: str, why: str) -> None:
        with self._changed:
            task = self._tokens.get(token)
            if task is not None and task.state == "running":
                task.held = why
                self._changed.notify_all()

    def on_finished(self, token: str, outcome: Outcome) -> None:
        gave_up = None
        with self._changed:
            task = self._tokens.get(token)
            if task is None:
                return
            started = task.state == "running"
            if outcome.status == "killed" and (task.attempt < 2 if started else task.resubmitted < MAX_RESUBMITTED):
                self._resubmit(task, lost=started)
            elif outcome.status == "killed":
                gave_up = task.stage
                self._finish(task, "failed", LOST_AGAIN)
            elif outcome.status == "elsewhere":
                assert outcome.lease is not None
                self._leave_to_others(task, outcome.lease)
            elif outcome.gone and task.resubmitted < MAX_RESUBMITTED and self._recompute_needs(task, set(outcome.gone)):
                self._resubmit(task, lost=False)
            else:
                self._finish(task, outcome.status, outcome.message)
                if outcome.status == "done":
                    self._finished.append(time.monotonic())
            self._close_finished_jobs()
        if gave_up is not None:
            self._store_failure(gave_up, LOST_AGAIN)

    def on_lost(self, backend: Backend, message: str) -> None:
        with self._changed:
            if not self._pool.lose(backend, message):
                return
            for task in self.tasks():
                if not task.finished:
                    task.finish("failed", time.monotonic(), f"{message} Start it again to go on.")
            self._active.clear()
            self._tokens.clear()
            if self._turns is not None:
                self._turns.clear()
            self._dependants.clear()
            self._close_finished_jobs()

    def _store_failure(self, stage: Stage, message: str) -> None:
        try:
            self._store().fail(stage.key, stage.kind, message)
        except UserError:
            return  # the job shows the cause all the same
