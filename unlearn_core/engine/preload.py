"""Imported once before workers start: everything heavy that a stage needs. It must not touch a device.

On Linux the workers are forked from a process that has imported this (a restarted worker is then ready at once, and the
libraries' memory is shared); elsewhere each worker imports it while it starts.
"""

import importlib

from unlearn_core.engine.backends.admission import dask_setup, our_resource
from unlearn_core.stages.stage import load_stages

__all__ = ["dask_setup"]  # Dask calls it

load_stages()
our_resource()  # reads our code once, for all that are forked
for _name in ("unlearn_core.stages.execution", "unlearn_core.engine.worker", "torch._dynamo"):
    importlib.import_module(_name)
