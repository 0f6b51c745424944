"""Every training example of a scenario: its labels and group, and what each stored model makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from unlearn_core.corruption import FOUND, KINDS, UNKNOWN
from unlearn_core.results.reader import CORRUPTED, GROUPS, Results, clean_of, groups_of, label_words, model_of, scenario_data
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.views.craft.data import as_picture
from unlearn_core.views.embedding.data import Embedding

ORIGINAL = "original"

MODES = {
    "healed": "Corrupted examples that the original predicts wrong and {method} predicts right, by their clean label.",
    "still wrong": "Corrupted examples that the original predicts wrong and {method} still predicts wrong.",
    "broken": "Clean examples that the original predicts right and {method} predicts wrong: what unlearning cost.",
    "missed": "Corrupted examples that nobody discovered and that {method} still predicts as the wrong label they were given.",
}
"""Highlight modes and what they mean. A missed example may be one that is still wrong as well."""
PARTS = {
    "discovered": "Corrupted examples that are known: the forget set.",
    "undiscovered": "Corrupted examples that nobody discovered, and that the retain set hides.",
}
"""What can be highlighted beside :data:`MODES`, whatever a method makes of it."""


@dataclass(frozen=True)
class Examples:
    """Training examples (N of them) and the outputs of models; labels are indices into ``names``.

    ``groups``: int8 (N,), indices into GROUPS. ``kinds``: (N,) text, "clean", the kind of corruption or "not known".
    ``clean`` and ``given``: int64 (N,); an unknown clean label is -1. ``probabilities``: model → float32 (N, K), of
    "original" and of methods by name.
    """

    groups: np.ndarray
    kinds: np.ndarray
    clean: np.ndarray
    given: np.ndarray
    names: tuple[str, ...]
    probabilities: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.given)

    @property
    def truth_known(self) -> bool:
        """Whether it is known of every example if it is corrupted."""
        return not (self.groups == GROUPS.index("unknown")).any()

    def predicted(self, model: str) -> np.ndarray:
        """The most probable class of every example, int64 (N,)."""
        return np.asarray(self.probabilities[model].argmax(1))

    def loss(self, model: str) -> np.ndarray:
        """Cross entropy −ln p(given label) of every example, float64 (N,), in nats: large where the model disagrees with the
        label it was given, which is right for a corrupted example."""
        p = self.probabilities[model][np.arange(len(self)), self.given]
        return np.asarray(-np.log(np.maximum(p.astype(float), 1e-12)))

    @cached_property
    def group_names(self) -> np.ndarray:
        """The group of every example as text (N,)."""
        return np.asarray(np.array(GROUPS)[self.groups])

    def words(self, labels: np.ndarray) -> np.ndarray:
        """Class indices as names, (N,)."""
        return np.asarray(label_words(self.names)[labels])

    def word(self, label: int) -> str:
        """One class index as its name."""
        return str(label_words(self.names)[label])


def examples(store: Results, scenario: Scenario, specs: Sequence[MethodSpec]) -> Examples:
    """The training examples of ``scenario`` with the outputs of the original and of those ``specs`` that are stored.

    Raises LookupError where the original is not stored.
    """
    corrupted = scenario_data(scenario).corrupted
    truth, given = corrupted.truth, corrupted.train.labels.numpy()
    groups = groups_of(scenario)
    kinds = np.full(len(given), "clean" if truth.known else UNKNOWN, dtype=object)
    if not truth.known:
        kinds[np.isin(groups, CORRUPTED)] = KINDS[FOUND]
    kinds[truth.corrupted.numpy()] = np.array(KINDS, dtype=object)[truth.kinds.numpy()]
    probabilities = {ORIGINAL: _softmax(store.arrays(scenario.original_key, "logits")["train"])}
    for spec in specs:
        key = scenario.run_key(spec)
        if store.get(key) is not None:
            probabilities[spec.name] = _softmax(store.arrays(key, "logits")["train"])
    names = tuple(corrupted.train.class_names)
    return Examples(groups, kinds, clean_of(scenario), given, names, probabilities)


def modes(shown: Examples, method: str) -> dict[str, np.ndarray]:
    """Which examples each of :data:`MODES` highlights for this method, bool (N,) each.

    Where it is unknown what is corrupted, only the modes are there that listed examples with their right labels can tell.
    """
    before, after = shown.predicted(ORIGINAL), shown.predicted(method)
    told = shown.clean >= 0  # of the others it is unknown whether a prediction is right
    corrupted, clean = np.isin(shown.groups, CORRUPTED) & told, (shown.groups == GROUPS.index("clean")) & told
    undiscovered = shown.groups == GROUPS.index("undiscovered")
    was_right, is_right = before == shown.clean, after == shown.clean
    listed = {"healed": corrupted & ~was_right & is_right, "still wrong": corrupted & ~was_right & ~is_right}
    if not shown.truth_known:
        return listed if corrupted.any() else {}
    wrong = shown.given != shown.clean  # an image of a trigger's own target class has its right label
    return listed | {"broken": clean & was_right & ~is_right, "missed": undiscovered & wrong & (after == shown.given)}


def parts(shown: Examples) -> dict[str, np.ndarray]:
    """The examples of each of :data:`PARTS`, bool (N,); without the undiscovered where it is unknown what is corrupted."""
    found = {name: shown.groups == GROUPS.index(name) for name in PARTS}
    if not shown.truth_known:
        del found["undiscovered"]
    return found


def corrupted(shown: Examples) -> tuple[str, np.ndarray]:
    """The corrupted set by name and as bool (N,), or what is known of it where the truth is unknown."""
    found = parts(shown)
    return "corrupted" if shown.truth_known else "discovered", np.logical_or.reduce([*found.values()])


def together(picked: np.ndarray | None, marked: np.ndarray | None) -> np.ndarray | None:
    """Selected and highlighted examples, bool (N,): those that are both; None where neither narrows anything."""
    if picked is None or marked is None:
        return marked if picked is None else picked
    return np.asarray(picked & marked)


def in_focus(total: int, picked: np.ndarray | None, marked: np.ndarray | None, mode: str) -> str:
    """How many examples are in focus, and why, as one sentence in Markdown."""
    focus = together(picked, marked)
    if focus is None:
        return f"**All {total:,}** examples. Select points to narrow what is shown below."
    causes = [f"{int(picked.sum()):,} selected"] if picked is not None else []
    causes += [f"{int(marked.sum()):,} {mode}"] if marked is not None else []
    return f"**{int(focus.sum()):,} of {total:,}** examples in focus ({' ∩ '.join(causes)})."


def table(shown: Examples, method: str | None = None) -> pd.DataFrame:
    """One row per training example: index, group, kind, class (the clean label), given, before (the original's prediction),
    loss before (nats, against the given label); with a method also after, loss after and highlight (its modes, or "")."""
    columns: dict[str, np.ndarray] = {
        "before": shown.words(shown.predicted(ORIGINAL)),
        "loss before": shown.loss(ORIGINAL),
    }
    if method is not None:
        columns |= {"after": shown.words(shown.predicted(method)), "loss after": shown.loss(method)}
        marks = modes(shown, method)
        hits = np.stack(list(marks.values()), axis=1) if marks else np.zeros((len(shown), 0), bool)
        words = {bits: ", ".join(n for n, bit in zip(marks, bits, strict=True) if bit) for bits in {*map(tuple, hits.tolist())}}
        columns["highlight"] = np.array([words[tuple(bits)] for bits in hits.tolist()], dtype=object)
    return about(shown).assign(**columns)


def about(shown: Examples) -> pd.DataFrame:
    """What no model has a say in: one row per training example with index, group, kind, class and given."""
    return pd.DataFrame(
        {
            "index": np.arange(len(shown)),
            "group": shown.group_names,
            "kind": shown.kinds,
            "class": shown.words(shown.clean),
            "given": shown.words(shown.given),
        }
    )


@dataclass(frozen=True)
class Sample:
    """Everything about one training example.

    ``before`` and ``after``: the input before and as corrupted, uint8 (H, W) or (H, W, 3), or float (2,). ``probabilities``:
    one row per class, one column per model. ``neighbours``: model → training indices, nearest first in that model's features
    (empty where the example is not in the embedding's subsample). ``redirect``: one row per method with redirect channels and
    layer: columns method, layer, redirect, base, the mean activations of the channels (no unit).
    """

    index: int
    group: str
    kind: str
    given: str
    clean: str
    before: np.ndarray
    after: np.ndarray
    probabilities: pd.DataFrame
    neighbours: dict[str, list[int]]
    redirect: pd.DataFrame


def inspect(
    store: Results, scenario: Scenario, specs: Sequence[MethodSpec], shown: Examples, embedding: Embedding | None, index: int
) -> Sample:
    """The numbers of one example. Raises IndexError for an index that is not in the training set."""
    if not 0 <= index < len(shown):
        raise IndexError(f"there is no training example {index}")
    probabilities = pd.DataFrame({"class": shown.names} | {m: p[index] for m, p in shown.probabilities.items()})
    return Sample(
        index,
        str(shown.group_names[index]),
        str(shown.kinds[index]),
        shown.names[shown.given[index]],
        shown.word(int(shown.clean[index])),
        pictures(scenario, [index], clean=True)[0],
        pictures(scenario, [index])[0],
        probabilities,
        _neighbours(embedding, index),
        _redirect(store, scenario, [spec for spec in specs if spec.name in shown.probabilities], index),
    )


def pictures(scenario: Scenario, indices: Sequence[int], clean: bool = False) -> list[np.ndarray]:
    """Training inputs as the model gets them, or before corruption: uint8 (H, W) or (H, W, 3), or float (2,) for points."""
    from unlearn_core.datasets import load_dataset

    source = load_dataset(scenario.dataset, scenario.seed) if clean else scenario_data(scenario).corrupted
    return [as_picture(source.train.inputs[index].numpy()) for index in indices]


def coordinates(scenario: Scenario) -> np.ndarray:
    """2-D training data as given, float32 (N, 2)."""
    return scenario_data(scenario).corrupted.train.inputs.numpy()


def _neighbours(embedding: Embedding | None, index: int) -> dict[str, list[int]]:
    if embedding is None:
        return {}
    row = int(np.searchsorted(embedding.points, index))
    if row >= len(embedding.points) or embedding.points[row] != index:
        return {}
    return {model: embedding.neighbours[k, row].tolist() for k, model in enumerate(embedding.models)}


def _redirect(store: Results, scenario: Scenario, specs: Sequence[MethodSpec], index: int) -> pd.DataFrame:
    import torch

    from unlearn_core.views.channels.data import activations

    rows = []
    for spec in specs:
        model = model_of(store, scenario, spec)
        if not model.redirect_layers:
            continue
        for layer in activations(model, scenario_data(scenario).train.batch(torch.tensor([index]))):
            base, redirect = layer.mean[0, : layer.base], layer.mean[0, layer.base :]
            rows.append(
                {"method": spec.name, "layer": layer.number, "redirect": float(redirect.mean()), "base": float(base.mean())}
            )
    return pd.DataFrame(rows, columns=["method", "layer", "redirect", "base"])


def _softmax(logits: np.ndarray) -> np.ndarray:
    shifted = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(shifted / shifted.sum(1, keepdims=True))
