"""A comparison as a report: what came out, in pictures and numbers, with which settings, and what repeats it."""

from __future__ import annotations

import datetime as dt
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from unlearn_core.errors import UserError
from unlearn_core.front_door.answer import SHOWN, SHOWN_UNKNOWN
from unlearn_core.front_door.pictures import PICTURES, draw
from unlearn_core.specs import MethodSpec, Scenario

if TYPE_CHECKING:
    from unlearn_core.store import Store
    from unlearn_core.views.picture import Picture
    from unlearn_core.views.report import Section

TITLES = {
    "healed_utility": "Healed against utility",
    "trajectories": "Over time",
    "classes": "Class by class",
    "cost": "What it costs",
    "difference": "Difference to retraining",
}
PACKAGES = ("torch", "numpy", "scikit-learn")


def comparison_report(
    store: Store,
    scenario: Scenario,
    specs: Sequence[MethodSpec],
    frame: pd.DataFrame,
    repeat: Mapping[str, str],
    origin: str = "",
) -> str:
    """One self-contained HTML page.

    ``frame``: as ``tables.comparison`` gives it, a row a model; ``repeat``: title → commands or code that compute the same;
    ``origin``: where the numbers come from, if they were not computed here.
    """
    from unlearn_core.corruption import truth_known
    from unlearn_core.datasets import registry as datasets
    from unlearn_core.views.report import Section, page
    from unlearn_core.views.text.sentences import outcome, reference_note, scenario_line

    plain, known = scenario.model_dump(mode="json"), truth_known(scenario)
    edited = len(scenario.forget or ())
    line = scenario_line(plain, datasets.get(scenario.dataset.name).label)
    sections = [
        Section("What came out", [_words(line), _words(outcome(frame, scenario.discovery, edited)), origin], _headlines(frame)),
        *_pictures(store, scenario, specs, frame),
        Section(
            "Every number",
            [_words(reference_note(scenario.discovery, edited, known))],
            _numbers(frame).T.rename_axis("Number").rename_axis(None, axis=1),
        ),
        Section("What the numbers mean", (), _meanings(frame), prose=True, folded=True),
        Section("Settings", (), _settings(plain, specs), prose=True, folded=True),
        Section("To repeat it", code=repeat),
    ]
    return page("Unlearning corrupted data: a comparison", sections, made_with())


def write_report(path: Path, text: str) -> None:
    """Write a report; raises :class:`UserError` with the reason where the disk refuses."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"The report {str(path)!r} cannot be written: {error.strerror or error}.") from None


def _words(markdown: str) -> str:
    return markdown.replace("**", "").replace("`", "")


def _shown(frame: pd.DataFrame) -> dict[str, Any]:
    """The metrics that have a value for some model."""
    from unlearn_core.evaluation import registry

    return {metric.name: metric for metric in registry if metric.name in frame and frame[metric.name].notna().any()}


def _headlines(frame: pd.DataFrame) -> pd.DataFrame:
    from unlearn_core.views.table import plain_table

    names = SHOWN if frame["healed"].notna().any() else SHOWN_UNKNOWN
    every = _shown(frame)
    return plain_table(frame, {name: every[name] for name in names if name in every})


def _numbers(frame: pd.DataFrame) -> pd.DataFrame:
    from unlearn_core.views.table import plain_table

    return plain_table(frame, _shown(frame))


def _meanings(frame: pd.DataFrame) -> pd.DataFrame:
    from unlearn_core.views.table import explanation

    rows = [(metric.label, explanation(metric)) for metric in _shown(frame).values()]
    return pd.DataFrame(rows, columns=["Number", "Meaning"]).set_index("Number")


def _pictures(store: Store, scenario: Scenario, specs: Sequence[MethodSpec], frame: pd.DataFrame) -> list[Section]:
    from unlearn_core.views.report import Section

    metric = "healed" if frame["healed"].notna().any() else "utility"
    found: dict[str, Picture] = {}
    for name in PICTURES:
        try:
            found[name] = draw(name, store, scenario, specs, frame, metric)
        except UserError:  # there is nothing to draw of it here
            continue
    return [Section(TITLES[name], pictures=[picture]) for name, picture in found.items()]


def _settings(plain: Mapping[str, Any], specs: Sequence[MethodSpec]) -> pd.DataFrame:
    rows = [*_flat("", plain), *(row for spec in specs for row in _flat(spec.name, spec.params))]
    return pd.DataFrame(rows, columns=["Setting", "Value"]).set_index("Setting")


def _flat(name: str, value: Any) -> list[tuple[str, str]]:
    """Each value under its dotted name."""
    if isinstance(value, Mapping):
        return [row for key, inner in value.items() for row in _flat(f"{name}.{key}" if name else str(key), inner)]
    return [(name, str(value))]


def made_with() -> str:
    """When and with what a report was made."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES)
    date = dt.datetime.now(dt.UTC).date().isoformat()
    return f"Made with Eunoe on {date}, Python {platform.python_version()}, {versions}."
