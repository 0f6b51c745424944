"""Which parameters a method changed, by layer and by output channel, measured against the original model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from unlearn_core.results.reader import Results, model_of
from unlearn_core.specs import MethodSpec, Scenario

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Changes:
    """``layers``: one row per module with parameters, in the order in which the network defines them: layer, what ("linear",
    "convolution", "norm"), parameters, relative (‖θ − θ₀‖₂ / ‖θ₀‖₂), changed (share of the parameters that differ, bit for
    bit).

    ``channels``: one row per output channel of those with a weight matrix: layer, channel, name, relative (of the channel's
    weights and bias), changed. Running statistics are no parameters and not counted.
    """

    layers: pd.DataFrame
    channels: pd.DataFrame


def changes(store: Results, scenario: Scenario, spec: MethodSpec) -> Changes:
    """The base parameters of a stored run against the stored original; redirect channels, which the original has not, are
    left out. Raises LookupError for what is not stored."""
    before, after = model_of(store, scenario), model_of(store, scenario, spec)
    start = {name: value.detach().double() for name, value in before.named_parameters()}
    modules: dict[str, dict[str, tuple[torch.Tensor, torch.Tensor]]] = {}
    for name, value in after.base_parameters():
        module, _, part = name.rpartition(".")
        modules.setdefault(module.removesuffix(".base"), {})[part] = (value.detach().double(), start[name])
    layers, channels = [], []
    for module, parts in modules.items():
        layers.append({"layer": module, "what": _what(parts)} | _moved(list(parts.values())))
        if parts["weight"][0].dim() > 1:
            channels += _by_channel(module, parts)
    return Changes(pd.DataFrame(layers), pd.DataFrame(channels))


def most_changed(found: Changes, limit: int = 20) -> pd.DataFrame:
    """The output channels that changed most relative to their size, highest first."""
    return found.channels.sort_values("relative", ascending=False, kind="stable").head(limit).reset_index(drop=True)


def _by_channel(module: str, parts: dict[str, tuple[torch.Tensor, torch.Tensor]]) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for channel in range(len(parts["weight"][0])):
        ours = [(now[channel], then[channel]) for now, then in parts.values()]
        moved = _moved(ours)
        rows.append(
            {"layer": module, "channel": channel, "name": f"{module} · {channel}"}
            | {name: moved[name] for name in ("relative", "changed")}
        )
    return rows


def _moved(pairs: list[tuple[torch.Tensor, torch.Tensor]]) -> dict[str, float]:
    step = sum(float((now - then).square().sum()) for now, then in pairs)
    size = sum(float(then.square().sum()) for _, then in pairs)
    count = sum(now.numel() for now, _ in pairs)
    differ = sum(int((now != then).sum()) for now, then in pairs)
    relative = (step / size) ** 0.5 if size else float("inf") if step else 0.0
    return {"parameters": count, "relative": relative, "changed": differ / count}


def _what(parts: dict[str, tuple[torch.Tensor, torch.Tensor]]) -> str:
    return {1: "norm", 2: "linear"}.get(parts["weight"][0].dim(), "convolution")
