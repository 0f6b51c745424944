"""What a run says as plain data: the answer of ``run --json``, and of :class:`~unlearn_core.front_door.results.Results`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unlearn_core.engine import JobView
    from unlearn_core.specs import MethodSpec, Scenario
    from unlearn_core.store import Store

SHOWN = ("healed", "utility", "healed_x_utility", "attack_success", "seconds")
SHOWN_UNKNOWN = ("healed_relabelled", "forget_accuracy", "retain_accuracy", "utility", "agreement_retrain", "seconds")
"""What is shown in place of healed where it is unknown what is wrong."""
OF_KINDS = ("attack_success_known", "attack_success_hidden", "worst_group", "with_attribute", "noise_trace", "noise_trace_z")
"""What is shown beside where a corruption has taken the dial's place, as far as it has a meaning there."""


def answer(store: Store, scenario: Scenario, specs: Sequence[MethodSpec], view: JobView) -> dict[str, Any]:
    """Scenario, original, results and failures of a job that has ended."""
    from unlearn_core.results import memorised, tables
    from unlearn_core.views.text.choices import choices

    stages = {stage.key: stage for stage in view.stages}
    results, failed = [], []
    for spec in specs:
        stage = stages[scenario.run_key(spec)]
        record = store.get(stage.key)
        if record is None:
            failed.append({"method": spec.name, "cause": stage.message or "This was cancelled."})
        else:
            results.append(_result(store, scenario, spec, record.payload) | {"cached": stage.state == "cached"})
    original = tables.original_metrics(store, scenario) if store.get(scenario.original_key) else None
    share = memorised.share_of(original or {})
    return {
        "scenario": scenario.model_dump(mode="json") | {"key": scenario.key},
        "original": original,
        "results": results,
        "failed": failed,
        "nothing_to_heal": memorised.nothing_to_heal(share),
        "memorised": memorised.sentence(share),
        "choices": choices(store, scenario, specs),
    }


def _result(store: Store, scenario: Scenario, spec: MethodSpec, payload: Mapping[str, Any]) -> dict[str, Any]:
    from unlearn_core.methods import registry
    from unlearn_core.presets import knows
    from unlearn_core.results import tables

    method = registry.get(spec.name)
    return {
        "method": spec.name,
        "label": method.label,
        "oracle": method.oracle,
        "knows": list(knows(spec)),
        "params": dict(spec.params),
        "variant": tables.variant(spec, scenario),
        "metrics": tables.run_metrics(store, scenario, spec, payload),
        "seconds": payload["seconds"],
        "device": payload["device"],
    }


def title_of(scenario: Mapping[str, Any]) -> str:
    """A scenario of an answer in one line."""
    corruption = scenario["corruption"]
    known = (
        f"{scenario['discovery']:.0%} discovered" if "discovery" in scenario else f"{len(scenario['forget'])} in the forget set"
    )
    if corruption.get("found"):
        dataset, model = scenario["dataset"]["name"], scenario["model"]["name"]
        return f"{dataset} · labels as found · {known} · {model} · seed {scenario['seed']}"
    how = f"corruption {corruption['kind']}" if corruption.get("kind") else f"regularity {corruption['regularity']:g}"
    return (
        f"{scenario['dataset']['name']} · {how} · amount {corruption['amount']:g} · "
        f"{known} · {scenario['model']['name']} · seed {scenario['seed']}"
    )


def number(value: float | None, unit: str) -> str:
    """A metric's value as text; a dash where it has none."""
    if value is None:
        return "–"
    return f"{value:.1f} s" if unit == "s" else f"{value:.3f}"
