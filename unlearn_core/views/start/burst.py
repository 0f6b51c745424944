"""The star-burst of the start page: signs with a sticker, among which signs they lie in the original and under each method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from unlearn_core.canonical import content_key
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results.embedding_keys import embedding_key
from unlearn_core.results.reader import Results, clean_of, scenario_data
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.views.embedding.burst import at_home
from unlearn_core.views.embedding.data import embed, features_of, layout, standardised
from unlearn_core.views.embedding.examples import ORIGINAL, examples, pictures

REVISION: Final = 1
"""Part of the digest: to be raised when the same embedding is to be shown differently."""
DATASET: Final = "signs"
DISCOVERY: Final = 0.1
SEED: Final = 0
METHODS: Final = ("retrain", "finetune", "rem", "oracle_retrain")
"""The first one is always shown; the others take turns beside it."""
FIRST: Final = "rem"
"""The one that the picture opens with."""


@dataclass(frozen=True)
class SignBurst:
    """Where every training example lies in one plane, in the original and under each method.

    ``models``: "original", then the methods. ``places`` float32 (m, N, 2), no unit. ``clean`` int64 (N,) the clean labels.
    ``corrupted`` int64 (n,): training indices in order of discovery, the first ``known`` of which are discovered.
    ``home`` bool (m, n): whether they lie among clean examples of their right class (:func:`.embedding.burst.at_home`).
    ``pictures`` uint8 (n, H, W, 3): what the models see of them. ``memorised``: the share of them whose given label the
    original predicts.
    """

    scenario: Scenario
    models: tuple[str, ...]
    classes: tuple[str, ...]
    places: np.ndarray
    clean: np.ndarray
    corrupted: np.ndarray
    known: int
    home: np.ndarray
    pictures: np.ndarray
    memorised: float

    def arrived(self, model: str) -> tuple[int, int]:
        """How many are home under ``model``, and how many of those that nobody discovered."""
        found = self.home[self.models.index(model)]
        return int(found.sum()), int(found[self.known :].sum())


def make_burst_scenario() -> Scenario:
    """Road signs, some with a sticker, few of which are known."""
    return make_scenario(DATASET, regularity=1.0, discovery=DISCOVERY, seed=SEED)


def burst_methods(scenario: Scenario) -> list[MethodSpec]:
    """The methods with their values of today."""
    return [make_method(name, scenario) for name in METHODS]


def burst_digest() -> str:
    """Of what the picture is made of: it changes with every setting, value and revision that goes into it."""
    scenario = make_burst_scenario()
    return content_key("burst", REVISION, embedding_key(scenario, burst_methods(scenario), "umap"))


def burst_of(store: Results, scenario: Scenario, specs: Sequence[MethodSpec]) -> SignBurst:
    """The picture of these stored runs; raises LookupError where one is not stored.

    One UMAP of all models in which copies are tied to the original's alone: with every copy tied to every other one, as few
    models have it on the page Embedding, the many that stay where they are would hold back the few that move.
    """
    data, shown = scenario_data(scenario).corrupted, examples(store, scenario, specs)
    rows, everything = data.truth.corrupted.numpy(), np.arange(len(data.train))
    places = layout([standardised(features_of(store, scenario, spec, everything)) for spec in (None, *specs)], to_first=True)
    names = (ORIGINAL, *(spec.name for spec in specs))
    found = embed(store, scenario, specs, "pca")  # for the neighbours, which are those of the features
    home = at_home(shown, found, names)
    assert home is not None  # the corruption was made here
    return SignBurst(
        scenario,
        names,
        tuple(data.train.class_names),
        places.astype(np.float32),
        clean_of(scenario),
        rows,
        len(data.truth.forget_of(scenario)),
        home[:, rows],
        np.stack(pictures(scenario, rows.tolist())),
        float((shown.predicted(ORIGINAL)[rows] == shown.given[rows]).mean()),
    )
