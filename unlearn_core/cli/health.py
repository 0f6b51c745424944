"""Data health in ``check``: what was found, as text and JSON, and every group as a forget list."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unlearn_core.cli.options import say
from unlearn_core.errors import UserError
from unlearn_core.support.typed_paths import typed_target

if TYPE_CHECKING:
    from unlearn_core.discovery.health.findings import Health
    from unlearn_core.specs import Scenario

EXAMPLES = 3
"""Members of a group that are named on the screen."""


def check_folder(folder: Path | None) -> None:
    """Raise :class:`UserError` where the groups cannot be written there."""
    if folder is None:
        return
    typed_target(folder.parent / (folder.name + ".part"), "--groups")
    if folder.exists() and not folder.is_dir():
        raise UserError(f"--groups {str(folder)!r} is a file; the groups need a folder.")


def look(scenario: Scenario) -> Health:
    """Everything that can be found without training: outliers only where a checkpoint is given."""
    from unlearn_core.discovery.health.examine import examine
    from unlearn_core.discovery.health.findings import Health, together

    found = examine(scenario.dataset, scenario.seed, _tell)
    _tell(1, 1)
    remote = _outliers(scenario)
    why = "Outliers are not looked for: they need a network; give a checkpoint, or see the page Your own once one is trained."
    return together([found, Health((), (), (why,)) if remote is None else remote])


def _outliers(scenario: Scenario) -> Health | None:
    """By the features of the network that was brought, if one was."""
    from unlearn_core.evaluation import load_scenario_data
    from unlearn_core.models import registry as models
    from unlearn_core.stages.execution import resolve_device
    from unlearn_core.stages.inputs import fresh_model
    from unlearn_core.training import SilentReporter
    from unlearn_core.views.health.stage import remote_health

    source = models.get(scenario.model.name)
    params = source.params(scenario.model.params)
    if not source.brought(params):
        return None
    data = load_scenario_data(scenario, resolve_device("cpu"))
    model = fresh_model(scenario, data)(scenario.seed)
    source.give_weights(params, model)
    return remote_health(model.eval(), data.train, SilentReporter())


def _tell(done: int, total: int) -> None:
    if sys.stderr.isatty():
        end = "\r" if done < total else "\r\033[K"
        print(f"Looking at the data: {done / max(total, 1):.0%}", end=end, file=sys.stderr, flush=True)


def print_health(answer: dict[str, Any]) -> None:
    """What :func:`unlearn_core.views.health.data.as_json` gives, in sentences."""
    print(f"Data health: {answer['sentence']}")
    for finding in answer["findings"]:
        members = finding.get("files") or [f"#{index}" for index in finding["indices"]]
        shown = ", ".join(repr(name[:60]) for name in members[:EXAMPLES]) + (", …" if len(members) > EXAMPLES else "")
        print(f"- {finding['title']} ({finding['level']}): {finding['sentence']} For example {shown}.")
        print(f"  By {finding['rule']}.")
    for sentence in answer["not_examined"]:
        print(f"- {sentence}")


def write_groups(health: Health, names: Sequence[str], folder: Path) -> None:
    """A forget list for every finding, NAME.csv."""
    from unlearn_core.views.health.data import as_forget_list

    try:
        os.makedirs(folder, exist_ok=True)
        for finding in health.findings:
            (folder / f"{finding.name}.csv").write_text(as_forget_list(finding, names), encoding="utf-8")
    except OSError as error:
        raise UserError(f"The groups cannot be written to {str(folder)!r}: {error.strerror or error}.") from None
    count = len(health.findings)
    say(f"{count} group{'s are' if count != 1 else ' is'} in {str(folder)!r}, as a forget list for --forget each.")
