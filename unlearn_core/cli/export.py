"""``export``: the model after unlearning, without redirect channels, for use without this project."""

from __future__ import annotations

import contextlib
import json as json_module
import os
import uuid
from pathlib import Path
from typing import Annotated, Any

import typer

from unlearn_core.cli.checkpoint_fit import say_fit
from unlearn_core.cli.follow import follow
from unlearn_core.cli.forget_option import ForgetOption, FoundOption, with_forget, with_found
from unlearn_core.cli.options import (
    FAILED,
    ArchitectureOption,
    CheckpointOption,
    DataOption,
    DatasetOption,
    Device,
    DeviceOption,
    EngineOption,
    InputSizeOption,
    JsonOption,
    NormaliseOption,
    RecipeOption,
    StoreOption,
    ValuesOption,
    WorkersOption,
    chosen_recipe,
    chosen_values,
    fail,
    parse_overrides,
    print_json,
    stopped,
    with_data,
    with_network,
)
from unlearn_core.engine import Engine
from unlearn_core.errors import UserError
from unlearn_core.store import Store
from unlearn_core.support.typed_paths import typed_target


def export(
    out: Annotated[Path, typer.Option(help="File to write: .safetensors or .pt (torchvision's networks), or .pt2 (any).")],
    dataset: DatasetOption = None,
    data: DataOption = None,
    regularity: Annotated[float, typer.Option(help="0 random labels, 0.5 class confusion, 1 trigger.")] = 1.0,
    discovery: Annotated[float, typer.Option(help="Share of the corruption that is known, 0 to 1.")] = 0.3,
    forget: ForgetOption = None,
    found: FoundOption = False,
    method: Annotated[str, typer.Option(help="The method whose model is written; `methods` lists them.")] = "rem",
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    amount: Annotated[str | None, typer.Option(help="Corrupted examples: a count or a fraction up to 0.5.")] = None,
    model: Annotated[str | None, typer.Option(help="Network; `models` lists them.")] = None,
    checkpoint: CheckpointOption = None,
    architecture: ArchitectureOption = None,
    input_size: InputSizeOption = None,
    normalise: NormaliseOption = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Override, such as rem.epochs=5 or trigger.size=3.")] = None,
    recipe: RecipeOption = None,
    values: ValuesOption = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    engine: EngineOption = "local",
    workers: WorkersOption = None,
    store: StoreOption = None,
    device: DeviceOption = Device.auto,
    json: JsonOption = False,
) -> int:
    """Write the model that a method leaves, in the form it came in. The run is computed if it is not stored yet."""
    from unlearn_core.stages.unlearn import plan_runs

    overrides = parse_overrides(set_ or [])
    chosen = with_data(dataset, data, overrides)
    with_found(overrides, found, amount)
    model = with_network(model, overrides, checkpoint, architecture, input_size, normalise)
    target = typed_target(out, "--out")
    beside = target.with_name(f"{target.name}.json")  # of its own: healed.pt and healed.safetensors lie side by side
    _check_free(target, beside, force)
    place = Store.open(store)
    machine = Engine(place, address=engine, workers=workers, device=device.value)
    try:
        from unlearn_core.cli.run import check_counts, say_data
        from unlearn_core.presets import check_overrides, make_method, make_scenario, method_overrides
        from unlearn_core.results.export import check_form
        from unlearn_core.results.export import export as exported

        check_overrides(overrides, [method])
        scenario = make_scenario(
            chosen, regularity=regularity, amount=amount, discovery=discovery, model=model, seed=seed, overrides=overrides,
            recipe=chosen_recipe(recipe),
        )  # fmt: skip
        scenario = with_forget(place, scenario, forget)
        spec = make_method(method, scenario, method_overrides(overrides, method), chosen_values(values))
        check_counts(scenario)
        say_data(scenario)
        check_form(scenario, target.suffix)
        fit = say_fit(machine, place, scenario)
        view = follow(machine, machine.submit(plan_runs(scenario, [spec]), "export"), details=True)
    except KeyboardInterrupt:
        return stopped()
    finally:
        machine.close()
    if view.state != "done":
        broken = next((stage for stage in view.stages if stage.state == "failed"), None)
        return fail(broken.message if broken else "The run was cancelled.", FAILED)
    made = exported(place, scenario, spec, target.suffix)
    _check_free(target, beside, force)
    _write(beside, json_module.dumps(made.about, indent=2, ensure_ascii=False).encode() + b"\n")
    _write(target, made.data)
    if json:
        print_json(made.about | {"files": [str(target), str(beside)], "checkpoint": fit})
    else:
        print(f"Wrote {target} ({len(made.data) / 2**20:.1f} MB) and {beside}.")
        for sentence in (made.about.get("as_it_came"), _left_out(made.about), made.about["training_on"]):
            if sentence:
                print(sentence)
    return 0


def _left_out(about: dict[str, Any]) -> str:
    """What the checkpoint's file held beside the weights and the new one does not."""
    left = about.get("left_out")
    return f"Not written again: {', '.join(left)}." if left else ""


def _check_free(target: Path, beside: Path, force: bool) -> None:
    if os.path.isdir(target) or os.path.isdir(beside):
        raise UserError(f"--out {str(target)!r} is in the way of a folder.")
    taken = next((path for path in (target, beside) if os.path.exists(path)), None)
    if taken is not None and not force:
        raise UserError(f"The file {str(taken)!r} is there already; --force replaces it.")


def _write(path: Path, data: bytes) -> None:
    """All of it or nothing: a temporary file beside it, synced, renamed."""
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise UserError(f"The file {str(path)!r} cannot be written: {error.strerror or error}.") from None
