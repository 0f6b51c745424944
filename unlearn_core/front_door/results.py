"""What ``run`` hands back: rows, frames, pictures and models of one scenario, under one seed or several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from unlearn_core.errors import UserError
from unlearn_core.front_door.answer import SHOWN, SHOWN_UNKNOWN, number, title_of
from unlearn_core.front_door.pictures import PICTURES, draw
from unlearn_core.front_door.scenario import Scenario
from unlearn_core.front_door.text_table import render_html, render_text
from unlearn_core.results.table_export import marked
from unlearn_core.specs import MethodSpec
from unlearn_core.support.typed_paths import typed_target

if TYPE_CHECKING:
    import torch

    from unlearn_core.models import RedirectNet
    from unlearn_core.store import Store
    from unlearn_core.views.picture import Figure

ORIGINAL = "original"


@dataclass(frozen=True)
class Part:
    """One seed's scenario, its methods, and the answer of ``run --json``."""

    scenario: Scenario
    specs: list[MethodSpec]
    answer: dict[str, Any]


class Results:
    """The outcome of :func:`unlearn_core.run`.

    Nothing is computed here: everything is read from the store, which must stay where it is.

    Example:
        >>> import unlearn_core as eunoe
        >>> scenario = eunoe.Scenario.make("blobs", overrides={"training.epochs": 10})
        >>> results = eunoe.run(scenario, ["finetune", "rem"])
        >>> inputs, labels = results.examples("test")
        >>> accuracy = (results.model("rem")(inputs).argmax(1) == labels).float().mean().item()
        >>> abs(accuracy - results.rows[1]["metrics"]["utility"]) < 1e-6
        True
        >>> results.figure("healed_utility").layout.xaxis.title.text
        'utility (% of clean test data)'
    """

    def __init__(self, store: Store, parts: Sequence[Part]) -> None:
        self.store = store
        self._parts = list(parts)

    @property
    def scenario(self) -> Scenario:
        """The scenario; of several seeds the first."""
        return self._parts[0].scenario

    @property
    def seeds(self) -> list[int]:
        """The seeds, in the order asked for."""
        return [part.scenario.seed for part in self._parts]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One plain dictionary for each method and seed, as in the ``results`` of ``run --json``, and its ``seed``: method,
        label, oracle, params, variant, metrics (name → number or None), seconds, device, cached."""
        return [row | {"seed": part.scenario.seed} for part in self._parts for row in part.answer["results"]]

    @property
    def failed(self) -> list[dict[str, Any]]:
        """What did not come to an end: seed, method and cause."""
        return [entry | {"seed": part.scenario.seed} for part in self._parts for entry in part.answer["failed"]]

    @property
    def frame(self) -> pd.DataFrame:
        """One row for the original and one for each method, for every seed: columns seed, method, label, oracle, every metric
        (shares 0 to 1, seconds; NaN where it has no meaning), device, key."""
        from unlearn_core.results import tables

        frames = [
            tables.comparison(self.store, part.scenario, part.specs).assign(seed=part.scenario.seed) for part in self._parts
        ]
        whole = pd.concat(frames, ignore_index=True)
        return whole[["seed", *(name for name in whole.columns if name != "seed")]]

    @property
    def means(self) -> pd.DataFrame:
        """The same with the mean of every metric over the seeds, one row for each model; ``n`` counts the seeds."""
        whole = self.frame
        who = ["method", "label", "oracle"]
        numbers = [name for name in whole.columns if name not in (*who, "seed", "device", "key")]
        groups = whole.groupby(who, sort=False, dropna=False)
        return groups[numbers].mean().join(groups.size().rename("n")).reset_index()

    @property
    def original(self) -> RedirectNet:
        """The original network, trained on everything as given, in eval mode."""
        return self.model(ORIGINAL)

    def model(self, method: str, seed: int | None = None) -> RedirectNet:
        """The network after a method, in eval mode on the CPU, without redirect channels; "original" for that.

        It takes normalised inputs, as :meth:`examples` gives them, and returns logits (B, classes).
        Raises :class:`UserError` for a method that is not among these results.
        """
        from unlearn_core.results.reader import model_of

        part = self._part(seed)
        spec = next((spec for spec in part.specs if spec.name == method), None)
        if spec is None and method != ORIGINAL:
            known = ", ".join([ORIGINAL, *(one.name for one in part.specs)])
            raise UserError(f"There is no model of {method!r} among these results; there are: {known}.")
        try:
            model = model_of(self.store, part.scenario, spec)
        except LookupError:
            raise UserError(f"The model of {method!r} is not in the store: it failed, or was removed since.") from None
        model.narrow()
        return model

    def examples(self, part: Literal["train", "test"] = "test", seed: int | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """(inputs float32 (N, …), normalised as the networks take them, labels int64 (N,)): the training examples with the
        labels as given, or the clean test examples."""
        import torch

        from unlearn_core.results.reader import scenario_data

        if part not in ("train", "test"):
            raise UserError(f"The examples are those of train or of test (got {part!r}).")
        data = getattr(scenario_data(self._part(seed).scenario), part)
        return data.batch(torch.arange(len(data))), data.labels

    def figure(self, name: str = "healed_utility", *, metric: str = "healed", seed: int | None = None) -> Figure:
        """A picture of the page Compare as a Plotly figure: "healed_utility", "trajectories" and "classes" (of ``metric``),
        "cost", or "difference" (to retraining).

        Several seeds are drawn as their means where that is possible; trajectories and classes are those of ``seed``, by
        default the first. Raises :class:`UserError` for an unknown name, or where there is nothing to draw.
        """
        part = self._part(seed)
        frame = self.means if seed is None and len(self._parts) > 1 else self.frame.query("seed == @part.scenario.seed")
        return draw(name, self.store, part.scenario, part.specs, frame.reset_index(drop=True), metric).figure

    @property
    def figures(self) -> tuple[str, ...]:
        """The names that :meth:`figure` knows."""
        return tuple(PICTURES)

    def report(self, path: str | Path, seed: int | None = None) -> Path:
        """Write one self-contained HTML file for others: pictures, tables, settings, and the Python that repeats it.

        Of several seeds the table has the means; trajectories and classes are those of ``seed``, by default the first.
        Returns the path. Raises :class:`UserError` where it cannot be written.
        """
        from unlearn_core.front_door.report import comparison_report, write_report

        target = typed_target(path, "the report")
        part = self._part(seed)
        names = [spec.name for spec in part.specs]
        code = f"scenario = eunoe.Scenario.parse({part.scenario.model_dump(mode='json')!r})"
        again = f"import unlearn_core as eunoe\n\n{code}\nprint(eunoe.run(scenario, {names!r}, seeds={self.seeds!r}))"
        frame = self.means if len(self._parts) > 1 else self.frame
        write_report(target, comparison_report(self.store, part.scenario, part.specs, frame, {"Python": again}))
        return target

    @property
    def sentences(self) -> list[str]:
        """What runs settled by themselves, and how much the original had memorised."""
        said = [
            sentence for part in self._parts for sentence in [*part.answer["choices"], part.answer["memorised"]] if sentence
        ]
        return list(dict.fromkeys(said))

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        headers, cells = self._table()
        return "\n".join([self._title(), render_text(headers, cells), *(line.replace("`", "") for line in self.sentences)])

    def _repr_html_(self) -> str:
        from unlearn_core.views.compare.sketch import healed_utility_sketch
        from unlearn_core.views.picture import escape_html

        said = "".join(f"<p>{escape_html(sentence.replace('`', ''))}</p>" for sentence in self.sentences)
        title = f"<p><b>{escape_html(self._title())}</b></p>"
        return f"<div>{title}{render_html(*self._table())}{healed_utility_sketch(self.means)}{said}</div>"

    def _part(self, seed: int | None) -> Part:
        found = self._parts[0] if seed is None else next((p for p in self._parts if p.scenario.seed == seed), None)
        if found is None:
            raise UserError(f"There are no results of seed {seed}; there are: {', '.join(map(str, self.seeds))}.")
        return found

    def _title(self) -> str:
        one = title_of(self._parts[0].answer["scenario"])
        seeds = ", ".join(map(str, self.seeds))
        return one if len(self._parts) == 1 else f"{one.rpartition(' · ')[0]} · mean of seeds {seeds}"

    def _table(self) -> tuple[list[str], list[list[str]]]:
        """Headers and cells: the original and every method, the metrics that the command line shows."""
        from unlearn_core.evaluation import registry

        means = self.means
        names = SHOWN if means["healed"].notna().any() else SHOWN_UNKNOWN
        metrics = [registry.get(name) for name in names if name in registry]
        cells = [
            [marked(row["label"], row["oracle"]), *(number(_known(row[m.name]), m.unit) for m in metrics)]
            for _, row in means.iterrows()
        ]
        return ["Method", *(metric.label for metric in metrics)], cells


def _known(value: float) -> float | None:
    return None if pd.isna(value) else float(value)
