"""``methods``, ``datasets``, ``models``, ``kinds``: what is registered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from unlearn_core.cli.options import Device, DeviceOption, JsonOption, StoreOption, print_json, say
from unlearn_core.registry import Registry
from unlearn_core.results.table_export import marked


def methods(
    dataset: Annotated[str, typer.Option(help="Data for which the tuned values are shown; `datasets` lists them.")] = "digits",
    store: StoreOption = None,
    device: DeviceOption = Device.auto,
    json: JsonOption = False,
) -> None:
    """List the unlearning methods with their papers and their values: tuned, and in brackets their papers' where these differ.
    ``--values paper`` of `run` and `sweep` takes the latter."""
    from unlearn_core.datasets import registry as sources
    from unlearn_core.methods import registry
    from unlearn_core.presets import usual_recipe, value_sets, values_of

    source = sources.get(dataset)
    augment = source.preset.recipe(usual_recipe(found=False)).augment
    found = [part.describe() | {"values": _by_family(part.name)} for part in registry]
    rows = []
    for part in registry:
        sets = value_sets(part.name, source.name, augment)
        tuned = part.all_params(values_of(part.name, source.name, augment))
        words = [f"{name}={value}" + (f" ({sets[name][1]})" if name in sets else "") for name, value in tuned.items()]
        rows.append((part.name, marked(part.label, part.oracle), part.paper, ", ".join(words)))
    _show(found, ("Name", "Method", "Paper", f"Values: tuned for {source.name} (paper)"), rows, json)
    _say_plugins(registry)


def _say_plugins(registry: Registry[Any]) -> None:
    """Where components come from that are not the product's own, and what cannot be used."""
    for name in registry.names():
        if (plugin := registry.plugin_of(name)) is not None:
            typer.echo(f"From a plug-in: {name} ({plugin.path}).", err=True)
    for name, reason in registry.disabled.items():
        typer.echo(f"Disabled: {name}. {reason}", err=True)


def _by_family(name: str) -> dict[str, dict[str, dict[str, Any]]]:
    """Kind of data → parameter → its tuned and its published value, where they differ."""
    from unlearn_core.datasets import registry as sources
    from unlearn_core.presets import value_sets

    kinds: dict[str, str] = {source.family: source.name for source in sources}
    sets = {kind: value_sets(name, of) for kind, of in kinds.items()}
    cropped = {f"{kind}, augmented": value_sets(name, of, augment=True) for kind, of in kinds.items()}
    sets |= {kind: values for kind, values in cropped.items() if values != sets[kind.partition(",")[0]]}
    return {
        kind: {field: {"tuned": tuned, "paper": paper} for field, (tuned, paper) in values.items()}
        for kind, values in sets.items()
    }


datasets_app = typer.Typer(invoke_without_command=True)


@datasets_app.callback()
def datasets(
    context: typer.Context, store: StoreOption = None, device: DeviceOption = Device.auto, json: JsonOption = False
) -> None:
    """List the datasets; `datasets get NAME` fetches a public one from the internet."""
    from unlearn_core.datasets import registry

    if context.invoked_subcommand is not None:
        return

    found = [part.describe() for part in registry]
    rows = [(d["name"], d["label"], _sizes(d["sizes"]), d["model"], d["summary"]) for d in found]
    _show(found, ("Name", "Dataset", "Train / test", "Network", "What it is"), rows, json)
    _say_plugins(registry)


@datasets_app.command("get")
def get_dataset(
    name: Annotated[str, typer.Argument(help="A public dataset, such as fashion_mnist, mnist or cifar10.")],
    json: JsonOption = False,
) -> None:
    """Fetch a public dataset from the internet into the cache folder. Interrupted, it goes on from there the next time."""
    from unlearn_core.datasets import registry
    from unlearn_core.datasets.files.fetching import tell_on_stderr

    source = registry.get(name)
    fresh = bool(source.missing()) or not source.download_bytes
    folder = source.fetch(tell_on_stderr(source.label, source.download_bytes))
    if json:
        print_json({"dataset": name, "folder": str(folder), "fetched": fresh})
    else:
        say(f"{source.label} {'is now' if fresh else 'was already'} in {folder}.")


def models(store: StoreOption = None, device: DeviceOption = Device.auto, json: JsonOption = False) -> None:
    """List the networks."""
    from unlearn_core.models import registry

    found = [part.describe() for part in registry]
    rows = [(m["name"], m["label"], m["summary"], _parameters(m)) for m in found]
    _show(found, ("Name", "Network", "What it is", "Parameters"), rows, json)
    _say_plugins(registry)


def kinds(store: StoreOption = None, device: DeviceOption = Device.auto, json: JsonOption = False) -> None:
    """List the kinds of corruption (``--set corruption.kind=NAME``) and of trigger (``--set trigger.kind=NAME``) with their
    parameters; without a kind of corruption the dial says what is made."""
    from unlearn_core.corruption import registry, trigger_kinds

    corruptions = [{"of": "corruption"} | part.describe() for part in registry]
    triggers = [{"of": "trigger"} | part.describe() for part in trigger_kinds]
    found = [*corruptions, *triggers]
    rows = [(one["of"], one["name"], one["label"], one["summary"], _parameters(one)) for one in found]
    _show(found, ("Of", "Name", "Kind", "What it is", "Parameters"), rows, json)
    _say_plugins(registry)


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
