"""The regularity dial, triggers and the discovery rate. Ground truth (clean labels, what is corrupted) is made here."""

from unlearn_core.corruption.apply import corrupt, still_parts
from unlearn_core.corruption.base import Asked, Change, Corruption, Mark, registry
from unlearn_core.corruption.counts import (
    check_counts,
    check_forget,
    corrupted_count,
    count_for_amount,
    count_for_rate,
    discovered_count,
)
from unlearn_core.corruption.dial import MAX_CONFUSED, weights
from unlearn_core.corruption.kinds import (
    ADDED,
    ATTRIBUTE,
    CONFUSION,
    DAMAGED,
    DIAL,
    FIRST_TRIGGER,
    FOUND,
    KINDS,
    MARKED,
    NOISE,
    RANDOM,
    TRIGGER,
    UNKNOWN,
)
from unlearn_core.corruption.named import DIAL_KINDS, is_kind, kind_label, labels_right
from unlearn_core.corruption.simulated_person import check_examples, type_labels
from unlearn_core.corruption.summary import CorruptionSummary, summarize_corruption, truth_known
from unlearn_core.corruption.triggers import TriggerKind, apply_trigger, make_trigger, patch_slices, place_seen, spelled_out
from unlearn_core.corruption.triggers import registry as trigger_kinds
from unlearn_core.corruption.truth import NOTHING_WRONG, UNKNOWN_TRUTH, Corrupted, GroundTruth

register = registry.register

__all__ = [
    "ADDED",
    "ATTRIBUTE",
    "CONFUSION",
    "DAMAGED",
    "DIAL",
    "DIAL_KINDS",
    "FIRST_TRIGGER",
    "FOUND",
    "KINDS",
    "MARKED",
    "MAX_CONFUSED",
    "NOISE",
    "NOTHING_WRONG",
    "RANDOM",
    "TRIGGER",
    "UNKNOWN",
    "UNKNOWN_TRUTH",
    "Asked",
    "Change",
    "Corrupted",
    "Corruption",
    "CorruptionSummary",
    "GroundTruth",
    "Mark",
    "TriggerKind",
    "apply_trigger",
    "check_counts",
    "check_examples",
    "check_forget",
    "corrupt",
    "corrupted_count",
    "count_for_amount",
    "count_for_rate",
    "discovered_count",
    "is_kind",
    "kind_label",
    "labels_right",
    "make_trigger",
    "patch_slices",
    "place_seen",
    "register",
    "registry",
    "spelled_out",
    "still_parts",
    "summarize_corruption",
    "trigger_kinds",
    "truth_known",
    "type_labels",
    "weights",
]
