"""Choices that the registries know; they are imported when asked for, because that takes a second."""

from __future__ import annotations

from typing import Final

from unlearn_core.view_state import lesson_files

CORRUPTIONS: Final = ("dial", "found")
"""What a corruption can be beside those of the registry: made by the regularity dial, or none."""
PATCH: Final = "patch"
"""The kind of trigger that has controls of its own; the others have generated parameters."""


def dataset_names() -> tuple[str, ...]:
    from unlearn_core.datasets import registry

    return tuple(registry.names())


def corruption_names() -> tuple[str, ...]:
    from unlearn_core.corruption import registry

    return (*CORRUPTIONS, *registry.names())


def trigger_names() -> tuple[str, ...]:
    from unlearn_core.corruption import trigger_kinds

    return tuple(trigger_kinds.names())


def model_names() -> tuple[str, ...]:
    from unlearn_core.models import registry

    return tuple(registry.names())


def method_names() -> tuple[str, ...]:
    from unlearn_core.methods import registry

    return tuple(registry.names())


def knowledge() -> tuple[str, ...]:
    """What methods are told beside the model and the data that are left, each once: "F-given", for instance."""
    from unlearn_core.methods import registry

    return tuple(sorted({told(method.knows()) for method in registry}, key=lambda words: (words.count("-"), words)))


def told(words: tuple[str, ...]) -> str:
    """What a method is told (:meth:`~unlearn_core.methods.Method.knows`) as one word of a link."""
    return "-".join(word.removesuffix(" labels") for word in words) or "nothing"


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
