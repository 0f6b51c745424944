"""What the embedding page reads: examples and coordinates of the stored models, kept between reruns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from pages.session.services import store
from unlearn_core import view_state as vs
from unlearn_core.views.embedding.figure import Cloud

if TYPE_CHECKING:
    import numpy as np

    from unlearn_core.specs import MethodSpec, Scenario
    from unlearn_core.views.embedding.data import Embedding
    from unlearn_core.views.embedding.examples import Examples, Sample


def split_by_need(state: vs.State) -> tuple[list[str], list[str]]:
    """The methods to be shown, and those of the chosen ones that cannot run without a forget set."""
    from pages.cache import catalog

    wanted = state["embedded"][: vs.MAX_EMBEDDED]
    blocked = catalog.blocked_by(state, wanted)
    return [name for name in wanted if name not in blocked], blocked


def examples(scenario: Scenario, specs: Sequence[MethodSpec]) -> Examples:
    """Every training example with the outputs of these stored models."""
    return _examples(store().location, scenario.model_dump_json(), tuple(spec.model_dump_json() for spec in specs))


@st.cache_resource(max_entries=6, show_spinner=False)
def _examples(location: str, scenario: str, specs: tuple[str, ...]) -> Examples:
    from unlearn_core.views.embedding.examples import examples as computed

    return computed(store(), *_parsed(scenario, specs))


def embedding(scenario: Scenario, specs: Sequence[MethodSpec], way: str) -> Embedding | None:
    """Coordinates as stored; for PCA of small data they are computed on the spot. None where that would take long."""
    arguments = store().location, scenario.model_dump_json(), tuple(spec.model_dump_json() for spec in specs), way
    found = _embedding(*arguments)
    if found is None:
        _embedding.clear(*arguments)  # not there yet: asked again next time
    return found


@st.cache_resource(max_entries=12, show_spinner=False)
def _embedding(location: str, scenario: str, specs: tuple[str, ...], way: str) -> Embedding | None:
    from unlearn_core.views.embedding.data import embed, is_small, stored_embedding

    one, several = _parsed(scenario, specs)
    found = stored_embedding(store(), one, several, way)
    return embed(store(), one, several, way) if found is None and way == "pca" and is_small(one) else found


def _parsed(scenario: str, specs: Sequence[str]) -> tuple[Scenario, list[MethodSpec]]:
    from unlearn_core.specs import MethodSpec, Scenario

    return Scenario.model_validate_json(scenario), [MethodSpec.model_validate_json(spec) for spec in specs]


def suspicion(state: vs.State, scenario: Scenario) -> tuple[np.ndarray, str] | None:
    """What the stored search of the page Forget set says about every example; None where no search was run."""
    from pages.cache import suspects

    spec = vs.to_search(state)
    if vs.nothing_known(state) or not store().has([scenario.run_key(spec)]):
        return None
    try:
        return suspects.open_suspects_of(scenario, spec).suspicion
    except LookupError:
        return None


def cloud(
    shown: Examples, found: Embedding, names: Sequence[str], labels: Sequence[str],
    doubt: tuple[np.ndarray, str] | None = None,
) -> Cloud:  # fmt: skip
    """The panels in the order of ``names`` (models, "original" first) under their ``labels``."""
    from unlearn_core.views.embedding.examples import about

    rows = found.points
    return Cloud(
        found.way,
        tuple(labels),
        found.places[[found.models.index(name) for name in names]],
        about(shown).iloc[rows],
        [shown.words(shown.predicted(name))[rows] for name in names],
        [shown.loss(name)[rows] for name in names],
        shown.names,
        *((doubt[0][rows], doubt[1]) if doubt is not None else ()),
    )


def data_cloud(scenario: Scenario, shown: Examples, model: str, doubt: tuple[np.ndarray, str] | None = None) -> Cloud:
    """2-D data themselves, with the predictions of ``model``."""
    from unlearn_core.views.embedding.examples import about, coordinates

    places, predictions = coordinates(scenario)[None], shown.words(shown.predicted(model))
    losses, more = [shown.loss(model)], doubt if doubt is not None else ()
    return Cloud("data", ("the data as given",), places, about(shown), [predictions], losses, shown.names, *more)


def sample(scenario: Scenario, specs: Sequence[MethodSpec], shown: Examples, found: Embedding | None, index: int) -> Sample:
    """Everything about one example."""
    from unlearn_core.views.embedding.examples import inspect

    return inspect(store(), scenario, specs, shown, found, index)
