"""What ``discover`` hands back: the suspects, those accepted, and the scenario that knows them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from unlearn_core.errors import UserError
from unlearn_core.front_door.scenario import Scenario
from unlearn_core.front_door.text_table import render_html, render_text
from unlearn_core.specs import MethodSpec

if TYPE_CHECKING:
    from unlearn_core.store import Store
    from unlearn_core.views.picture import Figure

_SHOWN = 10


class Found:
    """The outcome of :func:`unlearn_core.discover`.

    ``suspects`` has everything that the page Forget set shows: table, weights, expected and, where the corruption is made
    here, true precision and recall.
    """

    def __init__(self, store: Store, scenario: Scenario, spec: MethodSpec, precision: float) -> None:
        from unlearn_core.views.suspects.data import open_suspects

        self.store, self.scenario, self.precision = store, scenario, precision
        self.suspects = open_suspects(store, scenario, spec)
        self._count = self.suspects.accept_count(precision)

    @property
    def frame(self) -> pd.DataFrame:
        """Every suspect, the most suspect first: index (training example), given_label, score (no unit), probability (of being
        corrupted; NaN where there is only a ranking), says (the healed network's prediction), accepted; and path for files."""
        from unlearn_core.datasets import load_dataset

        table = self.suspects.table.rename(columns={"given": "given_label"})
        table = table.assign(accepted=table["rank"] <= self._count)
        columns = ["index", "given_label", "score", "probability", "says", "accepted"]
        paths = load_dataset(self.scenario.dataset, self.scenario.seed).names
        return table.assign(path=[paths[k] for k in table["index"]])[[*columns, "path"]] if paths else table[columns]

    @property
    def accepted(self) -> list[int]:
        """Training indices of the suspects that pass the precision asked for, the most suspect first."""
        return [int(index) for index in self.suspects.table["index"].head(self._count)]

    @property
    def expected(self) -> dict[str, float]:
        """What is expected of the accepted: precision and recall, each with an interval of 90 %; NaN where nothing can be
        said. Where the corruption is made here also true_precision and true_recall."""
        return self.suspects.at(self._count)

    @property
    def sentence(self) -> str:
        """What the search says of itself."""
        return self.suspects.sentence

    @property
    def scenario_with_accepted(self) -> Scenario:
        """The scenario whose forget set is what was known together with what is accepted."""
        known = dict(self.scenario.relabelled)
        return self.scenario.knowing(sorted({*self.suspects.forget, *self.accepted}), known)

    def figure(self) -> Figure:
        """Expected precision and recall by the number of suspects taken, as a Plotly figure; raises :class:`UserError` where
        there is only a ranking."""
        from unlearn_core.views.suspects.figure import expectation

        if self.suspects.curve.empty:
            raise UserError("There is only a ranking here: too little is known for an expected precision.")
        truth = None if self.suspects.truth.empty else self.suspects.truth
        return expectation(self.suspects.curve, truth, self._count).figure

    def __len__(self) -> int:
        return len(self.suspects)

    def __repr__(self) -> str:
        return "\n".join([self.sentence, self._accepted(), render_text(*self._table())])

    def _repr_html_(self) -> str:
        from unlearn_core.views.picture import escape_html

        return f"<div><p>{escape_html(self.sentence)}</p><p>{self._accepted()}</p>{render_html(*self._table())}</div>"

    def _accepted(self) -> str:
        return f"{self._count} of {len(self):,} suspects are accepted at an expected precision of {self.precision:g}."

    def _table(self) -> tuple[list[str], list[list[str]]]:
        rows = self.frame.head(_SHOWN)
        return [str(name) for name in rows.columns], [[_word(value) for value in row] for row in rows.to_numpy(object)]


def _word(value: Any) -> str:
    if isinstance(value, float):
        return "–" if math.isnan(value) else f"{value:.3f}"
    return ("accepted" if value else "") if isinstance(value, bool) else str(value)
