"""Keeping a store in order: what it holds, what may go, moving it elsewhere as one archive, and whether it is sound."""

from unlearn_core.store.upkeep.contents import Contents, count
from unlearn_core.store.upkeep.export import Exported, export_store
from unlearn_core.store.upkeep.importing import Imported, import_archive
from unlearn_core.store.upkeep.prune import Plan, Pruned, Rule, plan_prune, prune
from unlearn_core.store.upkeep.verify import Finding, Verified, verify

__all__ = [
    "Contents",
    "Exported",
    "Finding",
    "Imported",
    "Plan",
    "Pruned",
    "Rule",
    "Verified",
    "count",
    "export_store",
    "import_archive",
    "plan_prune",
    "prune",
    "verify",
]
