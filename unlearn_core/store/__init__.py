"""Results on disk or in a database: rows through SQLAlchemy, arrays as safetensors files beside them.

A file is complete before its row exists, and a row is trusted only while its files are there with their recorded size
and SHA-256. Several processes may write at once. What is promised when things break: ``docs/reliability.md``.
"""

from unlearn_core.store.leases import Lease
from unlearn_core.store.records import Failure, MissingArtifact, Record
from unlearn_core.store.store import Store

__all__ = ["Failure", "Lease", "MissingArtifact", "Record", "Store"]
