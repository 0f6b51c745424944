"""Plan → stages → workers: progress, cancelling, resuming. Durable state is the store alone.

Importing this package costs nothing: Dask and torch are imported when a cluster starts.
"""

from unlearn_core.engine.engine import Engine
from unlearn_core.engine.idle_warmup import warm_when_idle
from unlearn_core.engine.status import EngineView, JobView, StageView, WorkerView

__all__ = ["Engine", "EngineView", "JobView", "StageView", "WorkerView", "warm_when_idle"]
