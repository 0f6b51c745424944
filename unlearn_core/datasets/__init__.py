"""Where labelled examples come from: one in-memory type, one registry, one file per source."""

from unlearn_core.datasets.base import (
    HELD_OUT,
    OUTSIDE,
    TESTED,
    UNREADABLE,
    DatasetSource,
    LabelledData,
    Preset,
    Recipe,
    Roster,
    Split,
    forget_datasets,
    load_dataset,
    registry,
    stratified_split,
)

register = registry.register

__all__ = [
    "HELD_OUT",
    "OUTSIDE",
    "TESTED",
    "UNREADABLE",
    "DatasetSource",
    "LabelledData",
    "Preset",
    "Recipe",
    "Roster",
    "Split",
    "forget_datasets",
    "load_dataset",
    "register",
    "registry",
    "stratified_split",
]
