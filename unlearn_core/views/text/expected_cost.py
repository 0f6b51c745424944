"""What methods will take beside training from scratch, said before anything runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from unlearn_core.datasets import load_dataset
from unlearn_core.methods import registry as methods
from unlearn_core.methods.redirection.work import Setting, widened_cost
from unlearn_core.models import build_model
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.views.picture import short
from unlearn_core.views.text.sentences import duration

DEAR = 1.05
"""From so many times training from scratch on, a method is said to be dearer: below, counting is not exact enough."""


def expected_work(scenario: Scenario, specs: Sequence[MethodSpec]) -> dict[str, float]:
    """Method → counted arithmetic of its run, relative to training a network from scratch on these data. Loads the data and
    builds the network, but runs neither."""
    found = {}
    train = load_dataset(scenario.dataset, scenario.seed).train
    for spec in specs:
        method = methods.get(spec.name)
        params = method.params(spec.params)
        masked, ratio = 1.0, getattr(params, "redirect_ratio", 0.0)
        if ratio:
            model = build_model(scenario.model, train.shape, train.classes, scenario.seed, (torch.zeros(1), torch.ones(1)))
            model.widen(ratio, scenario.seed)
            masked = widened_cost(model, torch.zeros(1, *train.shape))
        found[spec.name] = method.expected_work(params, Setting(scenario.training, len(train), masked))
    return found


def dear_sentences(work: dict[str, float]) -> list[str]:
    """One sentence for each method that is expected to take longer than training from scratch and is no retraining itself."""
    return [
        f"{methods.get(name).label} is expected to take about {value:.1f} times as long as training from scratch."
        for name, value in work.items()
        if value >= DEAR and methods.get(name).name not in ("retrain", "oracle_retrain")
    ]


def cost_line(work: Mapping[str, float], stored: Mapping[str, float], training: float | None) -> str:
    """What every method is expected to take. ``work``: from :func:`expected_work`; ``stored``: seconds of stored runs, for
    methods that have any; ``training``: seconds of training from scratch here, None where nothing has been trained."""
    known = {name: stored.get(name, None if training is None else value * training) for name, value in work.items()}
    parts = [
        f"{short(methods.get(name).label)} {duration(seconds)}{'' if name in stored else ' (counted)'}"
        for name, seconds in known.items()
        if seconds is not None
    ]
    times = [f"{short(methods.get(name).label)} {work[name]:.2g}" for name, seconds in known.items() if seconds is None]
    said = [f"Expected: {' · '.join(parts)}."] if parts else []
    return " ".join(said + ([f"Counted, with training from scratch as 1: {' · '.join(times)}."] if times else []))
