"""``check-plugin``: the contract tests on a plug-in file, one line for each check."""

from __future__ import annotations

from typing import Annotated

import typer

from unlearn_core.cli.options import FAILED, Device, DeviceOption, JsonOption, StoreOption, print_json, say


def check_plugin(
    file: Annotated[str, typer.Argument(help="The Python file.")],
    store: StoreOption = None,
    device: DeviceOption = Device.auto,
    json: JsonOption = False,
) -> int:
    """Check that a plug-in's components do what every component must. Runs the file's code, with your rights, on tiny data."""
    from unlearn_core.contracts.plugin import check_file

    outcomes = []
    for outcome in check_file(file):
        outcomes.append(outcome)
        if not json:
            print(outcome.line(), flush=True)
    failed = [outcome for outcome in outcomes if not outcome.passed]
    if json:
        print_json([{"component": o.component, "check": o.check, "passed": o.passed, "message": o.message} for o in outcomes])
    say(f"{len(failed)} of {len(outcomes)} checks failed." if failed else f"All {len(outcomes)} checks passed.")
    return FAILED if failed else 0
