"""The keys of stored coordinates, by which the gallery finds them without computing any."""

from __future__ import annotations

from collections.abc import Sequence

from unlearn_core.canonical import content_key
from unlearn_core.specs import MethodSpec, Scenario

VERSION = 1
"""Part of every key: to be raised when the same models are to be drawn differently."""


def ordered(specs: Sequence[MethodSpec]) -> list[MethodSpec]:
    """The methods in the order in which they are embedded, so that asking for A and B or for B and A is the same."""
    return sorted(specs, key=lambda spec: spec.name)


def embedding_key(scenario: Scenario, specs: Sequence[MethodSpec], way: str) -> str:
    """Key of the stored coordinates of the original and these runs."""
    return content_key("embedding", VERSION, way, scenario.original_key, [scenario.run_key(spec) for spec in ordered(specs)])
