"""Where labelled examples come from: one in-memory type, one registry, one file per source."""

from unlearn_core.datasets._base import (
    DatasetSource,
    LabelledData,
    Preset,
    Split,
    load_dataset,
    registry,
    stratified_split,
)

register = registry.register

__all__ = [
    "DatasetSource",
    "LabelledData",
    "Preset",
    "Split",
    "load_dataset",
    "register",
    "registry",
    "stratified_split",
]
