"""Names, labels and explanations from the registries, in the form that widgets want."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unlearn_core import view_state as vs
from unlearn_core.figures import MethodRegion

REFERENCES = ("retrain", "oracle_retrain")


def methods() -> dict[str, Any]:
    """Every registered method by name."""
    from unlearn_core.methods import registry

    return {method.name: method for method in registry}


def method_label(name: str) -> str:
    """A method's label; oracles are marked."""
    method = methods()[name]
    return f"{method.label} (sees the truth)" if method.oracle and "racle" not in method.label else str(method.label)


def dataset_names() -> list[str]:
    from unlearn_core.datasets import registry

    return list(registry.names())


def dataset_label(name: str) -> str:
    from unlearn_core.datasets import registry

    return str(registry.get(name).label)


def dataset_summary(name: str) -> str:
    from unlearn_core.datasets import registry

    return str(registry.get(name).summary)


def model_label(name: str) -> str:
    from unlearn_core.models import registry

    return str(registry.get(name).label)


def metrics() -> dict[str, Any]:
    """Every registered metric by name."""
    from unlearn_core.evaluation import registry

    return {metric.name: metric for metric in registry}


def metric_label(name: str) -> str:
    return str(metrics()[name].label)


def regions(names: Sequence[str]) -> list[MethodRegion]:
    """Where on the plane these methods aim."""
    known = methods()
    return [
        MethodRegion(name, known[name].label, known[name].designed_for.regularity, known[name].designed_for.discovery)
        for name in names
        if not known[name].oracle
    ]


def split_by_need(state: vs.State) -> tuple[list[str], list[str]]:
    """The chosen methods with the references, and those of them that cannot run without a forget set."""
    wanted = [*state["methods"], *(name for name in REFERENCES if name not in state["methods"])]
    blocked = [name for name in wanted if methods()[name].needs_forget and state["discovery"] == 0]
    return [name for name in wanted if name not in blocked], blocked
