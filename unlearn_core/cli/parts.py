"""``methods``, ``datasets``, ``models``: what is registered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unlearn_core.cli._common import Device, DeviceOption, JsonOption, StoreOption, print_json
from unlearn_core.insight.sheets import marked


def methods(store: StoreOption = None, device: DeviceOption = Device.auto, json: JsonOption = False) -> None:
    """List the unlearning methods with their papers and parameters."""
    from unlearn_core.methods import registry

    found = [part.describe() for part in registry]
    rows = [(m["name"], marked(m["label"], m["oracle"]), m["paper"], _parameters(m)) for m in found]
    _show(found, ("Name", "Method", "Paper", "Parameters"), rows, json)


def datasets(store: StoreOption = None, device: DeviceOption = Device.auto, json: JsonOption = False) -> None:
    """List the datasets."""
    from unlearn_core.datasets import registry

    found = [part.describe() for part in registry]
    rows = [(d["name"], d["label"], _sizes(d["sizes"]), d["model"], d["summary"]) for d in found]
    _show(found, ("Name", "Dataset", "Train / test", "Network", "What it is"), rows, json)


def models(store: StoreOption = None, device: DeviceOption = Device.auto, json: JsonOption = False) -> None:
    """List the networks."""
    from unlearn_core.models import registry

    found = [part.describe() for part in registry]
    rows = [(m["name"], m["label"], m["summary"], _parameters(m)) for m in found]
    _show(found, ("Name", "Network", "What it is", "Parameters"), rows, json)


def _parameters(part: dict[str, Any]) -> str:
    return ", ".join(f"{name}={field.get('default')}" for name, field in part["parameters"].items())


def _sizes(sizes: tuple[int, int] | None) -> str:
    return "" if sizes is None else f"{sizes[0]:,} / {sizes[1]:,}"


def _show(found: list[dict[str, Any]], headers: tuple[str, ...], rows: Sequence[tuple[str, ...]], json: bool) -> None:
    if json:
        print_json(found)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*headers, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*row)
    Console().print(table, markup=False)
