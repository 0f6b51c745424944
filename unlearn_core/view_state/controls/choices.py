"""Choices that the registries know; they are imported when asked for, because that takes a second."""

from __future__ import annotations

from typing import Final

from unlearn_core.view_state import lesson_files

CORRUPTIONS: Final = ("dial", "found")
"""What a corruption can be beside those of the registry: made by the regularity dial, or none."""


def dataset_names() -> tuple[str, ...]:
    from unlearn_core.datasets import registry

    return tuple(registry.names())


def corruption_names() -> tuple[str, ...]:
    from unlearn_core.corruption import registry

    return (*CORRUPTIONS, *registry.names())


def model_names() -> tuple[str, ...]:
    from unlearn_core.models import registry

    return tuple(registry.names())


def method_names() -> tuple[str, ...]:
    from unlearn_core.methods import registry

    return tuple(registry.names())


def metric_names() -> tuple[str, ...]:
    from unlearn_core.evaluation import registry

    return tuple(metric.name for metric in registry)


def family_names() -> tuple[str, ...]:
    from unlearn_core.methods import registry

    return tuple(sorted({method.family for method in registry}))


def lesson_names() -> tuple[str, ...]:
    return tuple(lesson_files.find_lessons())


def view_names() -> tuple[str, ...]:
    return ("original", *method_names())
