"""Whether this process has the components that a stage names, in the version that it was planned with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from unlearn_core import plugins
from unlearn_core.corruption import registry as corruptions
from unlearn_core.datasets import registry as datasets
from unlearn_core.discovery import registry as scores
from unlearn_core.errors import UserError
from unlearn_core.evaluation import registry as metrics
from unlearn_core.methods import registry as methods
from unlearn_core.models import registry as models
from unlearn_core.registry import Registry
from unlearn_core.specs import MethodSpec, Scenario

HELP = "install it where the worker runs, or name its file in UNLEARN_PLUGINS when the worker is started"
ADDED: Final = "added"
"""The field of a stage's payload with what :func:`list_added` found."""


def list_added(registry: Registry[Any], names: Iterable[str]) -> list[dict[str, str]]:
    """Those of these components that plug-ins add, each with its plug-in's name and version.

    A run measures with every metric and ranks by every score that is there, and names none of them: a worker without one would
    go on without it, and the result would lie under the key of one that has it.
    """
    found = ((name, registry.plugin_of(name)) for name in names)
    return [
        {"noun": registry.noun, "name": name, "plugin": plugin.name, "version": plugin.digest}
        for name, plugin in found
        if plugin is not None
    ]


def method_payload(scenario: Scenario, spec: MethodSpec) -> dict[str, Any]:
    """What a stage takes along that is about one method on one scenario: both specs, and the scores that plug-ins add, where
    the method ranks by every one that is there."""
    added = list_added(scores, scores.names()) if methods.get(spec.name).ranks else []
    plain = {"scenario": scenario.model_dump(mode="json"), "method": spec.model_dump(mode="json")}
    return plain | ({ADDED: added} if added else {})


def check_components(scenario: Scenario, payload: Mapping[str, Any]) -> None:
    """Raise :class:`UserError` where a component that the scenario or the method names, or the payload takes along, is not
    here, or comes from another version of its plug-in: a worker may have been started where no plug-in, or an older one, is."""
    _check(datasets, scenario.dataset.name)
    _check(models, scenario.model.name)
    if scenario.corruption.kind:
        _check(corruptions, scenario.corruption.kind)
    for part in payload.get(ADDED, ()):
        _check_added(part)
    if (given := payload.get("method")) is not None:
        spec = MethodSpec.parse(given)
        _check(methods, spec.name)
        _check_version(spec)
        _check_scores(spec, payload.get(ADDED, ()))


def _check(registry: Registry[Any], name: str) -> None:
    if name not in registry and not (plugins.refresh() and name in registry):
        why = registry.disabled.get(name) or "; ".join(f"{file} is disabled: {text}" for file, text in plugins.failed().items())
        raise UserError(
            f"The worker has no {registry.noun} {name!r}, so the plug-in that adds it is missing there: {HELP}"
            + (f" ({why})." if why else ".")
        )


def _check_version(spec: MethodSpec) -> None:
    if methods.plugin_of(spec.name) is None or methods.get(spec.name).todays_revision() == spec.revision:
        return
    plugins.refresh()
    plugin = methods.plugin_of(spec.name)
    if plugin is not None and methods.get(spec.name).todays_revision() != spec.revision:
        raise UserError(
            f"The method {spec.name!r} comes from the plug-in {plugin.name}, and the worker has another version of it than "
            "this run was planned with: give it the same file, and start it again."
        )


def _check_added(part: Mapping[str, str]) -> None:
    registry: Registry[Any] = {registry.noun: registry for registry in (metrics, scores)}[part["noun"]]
    name = part["name"]
    if list_added(registry, [name]) == [part] or (plugins.refresh() and list_added(registry, [name]) == [part]):
        return
    if registry.plugin_of(name) is None:
        raise UserError(
            f"The worker has no {registry.noun} {name!r}, so the plug-in {part['plugin']} that adds it is missing there: "
            f"{HELP}."
        )
    raise UserError(
        f"The {registry.noun} {name!r} comes from the plug-in {part['plugin']}, and the worker has another version of it than "
        "this run was planned with: give it the same file, and start it again."
    )


def _check_scores(spec: MethodSpec, added: Iterable[Mapping[str, str]]) -> None:
    """A method that ranks must do so by the scores of its plan, and by no others that the worker happens to have."""
    known = {part["name"] for part in added}
    more = [part for part in list_added(scores, scores.names()) if part["name"] not in known]
    if more and methods.get(spec.name).ranks:
        plugin, name = more[0]["plugin"], more[0]["name"]
        raise UserError(
            f"The worker has the score {name!r} of the plug-in {plugin}, and this run was planned without it: use the plug-in "
            "here too, or start the worker without it."
        )
