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
from unlearn_core.cli.engine_options import EngineOptions
from unlearn_core.cli.follow import failure, follow
from unlearn_core.cli.option_groups import After, expand_groups
from unlearn_core.cli.options import FAILED, JsonOption, ValuesOption, chosen_values, fail, print_json, say_stopped
from unlearn_core.cli.scenario_options import ScenarioOptions
from unlearn_core.errors import UserError
from unlearn_core.support.typed_paths import typed_target


@expand_groups()
def export(
    *,
    out: Annotated[Path, typer.Option(help="File to write: .safetensors or .pt (torchvision's networks), or .pt2 (any).")],
    options: ScenarioOptions,
    method: Annotated[
        str, typer.Option(help="The method whose model is written; `methods` lists them."), After("found")
    ] = "rem",
    values: ValuesOption = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    compute: EngineOptions,
    json: JsonOption = False,
) -> int:
    """Write the model that a method leaves, in the form it came in. The run is computed if it is not stored yet."""
    from unlearn_core.stages.unlearn import plan_runs

    options.parse()
    target = typed_target(out, "--out")
    beside = target.with_name(f"{target.name}.json")  # of its own: healed.pt and healed.safetensors lie side by side
    _check_free(target, beside, force)
    try:
        with compute.open() as (store, machine):
            from unlearn_core.cli.run import check_counts, say_data
            from unlearn_core.presets import make_method, method_overrides
            from unlearn_core.results.export import check_form
            from unlearn_core.results.export import export as export_run

            scenario = options.to_scenario(store, [method])
            changes = method_overrides(options.parse().overrides, method)
            spec = make_method(method, scenario, changes, chosen_values(values))
            check_counts(scenario)
            say_data(scenario)
            check_form(scenario, target.suffix)
            fit = say_fit(machine, store, scenario)
            view = follow(machine, machine.submit(plan_runs(scenario, [spec]), "export"), details=True)
    except KeyboardInterrupt:
        return say_stopped()
    if why := failure(view):
        return fail(why, FAILED)
    made = export_run(store, scenario, spec, target.suffix)
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
