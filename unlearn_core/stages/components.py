"""Whether this process has the components that a stage names, in the version that it was planned with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unlearn_core import plugins
from unlearn_core.corruption import registry as corruptions
from unlearn_core.datasets import registry as datasets
from unlearn_core.errors import UserError
from unlearn_core.methods import registry as methods
from unlearn_core.models import registry as models
from unlearn_core.registry import Registry
from unlearn_core.specs import MethodSpec, Scenario

HELP = "install it where the worker runs, or name its file in UNLEARN_PLUGINS when the worker is started"


def check_components(scenario: Scenario, payload: Mapping[str, Any]) -> None:
    """Raise :class:`UserError` where a component that the scenario or the method names is not here, or comes from another
    version of its plug-in: a worker may have been started where no plug-in, or an older one, is."""
    _check(datasets, scenario.dataset.name)
    _check(models, scenario.model.name)
    if scenario.corruption.kind:
        _check(corruptions, scenario.corruption.kind)
    if (given := payload.get("method")) is not None:
        spec = MethodSpec.parse(given)
        _check(methods, spec.name)
        _check_version(spec)


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
