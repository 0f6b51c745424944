"""``bench``: how fast this is on this machine, as ratios against named baselines."""

from __future__ import annotations

import json as jsonlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unlearn_core.cli.options import Device, DeviceOption, JsonOption, print_json, say
from unlearn_core.errors import UserError
from unlearn_core.support.typed_paths import typed_target

if TYPE_CHECKING:
    from unlearn_core.bench import Measurement


def bench(
    sections: Annotated[
        str,
        typer.Option(
            help="Which, separated by commas: floor, usual, halved, methods, masks, reopen, sweep, growth. [default: all]"
        ),
    ] = "",
    repeats: Annotated[int, typer.Option(min=1, max=100, help="Repeats; their median counts.")] = 5,
    out: Annotated[Path | None, typer.Option(help="File to write the JSON to as well.")] = None,
    device: DeviceOption = Device.auto,
    json: JsonOption = False,
) -> int:
    """Ratios against baselines, measured side by side in this process. Run it with nothing else going on."""
    from unlearn_core.bench import SECTIONS, run_sections
    from unlearn_core.stages.execution import environment, resolve_device

    target = typed_target(out, "--out") if out is not None else None
    names = [name.strip() for name in sections.split(",") if name.strip()] or list(SECTIONS)
    for name in names:
        if name not in SECTIONS:
            raise UserError(f"There is no section {name!r}; there are {', '.join(SECTIONS)}.")
    where = resolve_device(device.value)
    rows = run_sections(names, repeats, where, lambda row: say(_line(row)))
    content = {"measurements": [row.plain() for row in rows], "repeats": repeats, "environment": environment(where)}
    if target is not None:
        target.write_text(jsonlib.dumps(content, indent=1, ensure_ascii=False) + "\n")
    if json:
        print_json(content)
    return 0


def _line(row: Measurement) -> str:
    verdict = {True: "ok", False: "MISSED", None: ""}[row.met]
    sign = "≥" if row.least else "≤"
    asked = f"(asked {sign} {row.target:g}: {verdict})" if row.target is not None else ""
    took = f"{row.seconds:.2f} s" if row.seconds is not None else ""
    spread = f"[{row.low:.3g} to {row.high:.3g}]" if row.high > row.low else ""
    return f"{row.section:8s} {row.name:26s} {row.value:9.3g} {row.unit} {spread} {asked} {took}{row.note}".rstrip()
