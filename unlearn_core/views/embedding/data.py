"""Penultimate features of several models in one plane, so that an example's movement between the panels means something.

UMAP is run as *one* layout: each model has its own neighbour graph, the graphs are put side by side, and the copies of an
example in all models are tied by an edge of weight 1. A plain UMAP of the concatenated features puts a retrained network,
whose features have another basis, on an island of its own; ``docs/embedding.md`` compares the tied layout with UMAP's own
two ways. What it costs: small movements are pulled in.

PCA takes milliseconds: features are rotated onto the original's (orthogonal Procrustes, which leaves distances within a
model as they are), then one PCA is fitted to all models together. It is drawn while UMAP computes, and is where UMAP starts.
"""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from unlearn_core.errors import UserError
from unlearn_core.results.embedding_keys import embedding_key, ordered
from unlearn_core.results.reader import Results, model_of, scenario_data
from unlearn_core.specs import MethodSpec, Scenario

WAYS = ("umap", "pca")
MAX_POINTS = 5000
"""UMAP is drawn for at most so many examples, drawn at random; neighbours are searched among the same."""
NEIGHBOURS = 15
LISTED = 8
"""How many nearest neighbours of each example are kept."""
TIE = 1.0
EPOCHS = 200
SMALL = 2_000_000
"""Up to so many input values (examples × pixels), features of one model take a fraction of a second on a CPU core."""

_LAYOUT_STEPS = 10
"""A model's layout takes about so many times as long as its features, and counts so much in the progress."""

Step = Callable[[int, int], None]


@dataclass(frozen=True)
class Embedding:
    """Examples in the plane, the same ones for every model; axis 0 of all arrays follows ``models``.

    ``models``: "original", then names of methods. ``points``: int64 (n,), training indices, ascending. ``places``: float32
    (m, n, 2), no unit. ``neighbours``: int64 (m, n, k), training indices of the nearest in feature space, nearest first.
    ``total``: training examples there are.
    """

    way: str
    models: tuple[str, ...]
    points: np.ndarray
    places: np.ndarray
    neighbours: np.ndarray
    total: int


def is_small(scenario: Scenario) -> bool:
    """Whether features of the whole training set are computed in a fraction of a second, fit for a page to wait for."""
    return scenario_data(scenario).train.inputs.numel() <= SMALL


def subsample(count: int, limit: int = MAX_POINTS) -> np.ndarray:
    """Ascending indices of ``limit`` of ``count`` examples drawn at random with a fixed seed; all, where they are fewer."""
    if count <= limit:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, limit, replace=False))


def embed(store: Results, scenario: Scenario, specs: Sequence[MethodSpec], way: str, step: Step | None = None) -> Embedding:
    """Compute the coordinates of the original and these stored runs; equal arguments give equal bits.

    ``way``: "pca" (all training examples) or "umap" (at most :data:`MAX_POINTS`). ``step``: told (done, total). Raises
    LookupError where a model is not stored, :class:`UserError` where its features are not finite.
    """
    specs, total = ordered(specs), len(scenario_data(scenario).train)
    models = 1 + len(specs)
    steps, tell = models * (2 + (_LAYOUT_STEPS if way == "umap" else 0)), step or (lambda done, total: None)
    sample = subsample(total)
    points = sample if way == "umap" else np.arange(total)
    features: list[np.ndarray] = []
    for spec in (None, *specs):
        tell(len(features), steps)
        features.append(standardised(features_of(store, scenario, spec, points)))
    kept = np.searchsorted(points, sample)
    near = []
    for number, one in enumerate(features):
        tell(len(features) + number, steps)
        near.append(points[kept[nearest(one[kept], one, LISTED + 1)[0]]])
    tell(2 * models, steps)
    places = pca(features) if way == "pca" else layout(features)
    tell(steps, steps)
    neighbours = np.stack([_others(found, points) for found in near])
    names = ("original", *(spec.name for spec in specs))
    return Embedding(way, names, points, places.astype(np.float32), neighbours, total)


def stored_embedding(store: Results, scenario: Scenario, specs: Sequence[MethodSpec], way: str) -> Embedding | None:
    """What :func:`embed` gave when it was computed and stored; None where it was not."""
    key = embedding_key(scenario, specs, way)
    record = store.get(key)
    if record is None:
        return None
    try:
        arrays = store.arrays(key, "embedding")
    except LookupError:
        return None
    models = tuple(record.payload["models"])
    return Embedding(way, models, arrays["points"], arrays["places"], arrays["neighbours"], record.payload["total"])


def features_of(store: Results, scenario: Scenario, spec: MethodSpec | None, indices: np.ndarray) -> np.ndarray:
    """Penultimate features of a stored model on training examples as given, redirect off, float32 (len(indices), D)."""
    import torch

    from unlearn_core.training import deterministic

    model, data = model_of(store, scenario, spec), scenario_data(scenario).train
    with torch.no_grad(), deterministic():
        pieces = [model.features(data.batch(piece)).float() for piece in data.eval_batches(torch.from_numpy(indices))]
    found = torch.cat(pieces).numpy()
    if not np.isfinite(found).all():
        name = "the original" if spec is None else spec.name
        raise UserError(f"The features of {name} are not finite numbers, so there is nothing to draw: the model diverged.")
    return found


def standardised(features: np.ndarray) -> np.ndarray:
    """Every feature with mean 0 and standard deviation 1; one that never changes stays 0."""
    centred = features - features.mean(0)
    return np.asarray(centred / np.maximum(centred.std(0), 1e-6))


def nearest(among: np.ndarray, wanted: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(indices into ``among``, Euclidean distances) of the ``count`` nearest rows to each row of ``wanted``."""
    from sklearn.neighbors import NearestNeighbors

    distances, indices = NearestNeighbors(n_neighbors=min(count, len(among))).fit(among).kneighbors(wanted)
    return indices, distances


def pca(features: Sequence[np.ndarray]) -> np.ndarray:
    """Two principal components of all models together, float64 (m, n, 2); each model rotated onto the first one before."""
    first = features[0].astype(float)
    turned = [first, *(_rotated(one.astype(float), first) for one in features[1:])]
    stacked = np.concatenate(turned)
    stacked -= stacked.mean(0)
    _, vectors = np.linalg.eigh(stacked.T @ stacked)
    axes = vectors[:, ::-1][:, :2]
    axes = axes * np.sign(axes[np.abs(axes).argmax(0), [0, 1]])  # eigenvectors have no sign of their own
    return np.asarray(stacked @ axes).reshape(len(features), -1, 2)


def layout(features: Sequence[np.ndarray], to_first: bool = False) -> np.ndarray:
    """One UMAP layout of all models with the copies of each example tied, float32 (m, n, 2); see the module's text.

    ``to_first``: only to the first model's copy. Then no model is held back by the others, however many they are.
    """
    import scipy.sparse
    import umap.umap_

    _keep_compiled()
    random = np.random.RandomState(0)
    count = min(NEIGHBOURS, len(features[0]) - 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # UMAP warns that a fixed seed means one thread: that is what we want
        graphs = []
        for one in features:
            # Exact neighbours: as fast as the approximate ones at this size, and nothing of them has to be compiled.
            indices, distances = nearest(one, one, count)
            graph, _, _ = umap.umap_.fuzzy_simplicial_set(
                one, count, random, "euclidean",
                knn_indices=indices.astype(np.int32), knn_dists=distances.astype(np.float32),
            )  # fmt: skip
            graphs.append(graph)
        tie = scipy.sparse.identity(len(features[0]), dtype=np.float32) * TIE
        m = len(features)
        tied = [[not to_first or 0 in (a, b) for b in range(m)] for a in range(m)]
        union = scipy.sparse.bmat([[graphs[a] if a == b else tie if tied[a][b] else None for b in range(m)] for a in range(m)])
        start = pca(features[:1])[0]
        start = np.tile(start / np.abs(start).max() * 10, (m, 1)) + random.normal(scale=1e-3, size=(m * len(start), 2))
        a, b = umap.umap_.find_ab_params(1.0, 0.1)
        places, _ = umap.umap_.simplicial_set_embedding(
            data=None, graph=union.astype(np.float32), n_components=2, initial_alpha=1.0, a=a, b=b, gamma=1.0,
            negative_sample_rate=5, n_epochs=EPOCHS, init=start.astype(np.float32), random_state=random,
            metric="euclidean", metric_kwds={}, densmap=False, densmap_kwds={}, output_dens=False,
        )  # fmt: skip
    return np.asarray(places).reshape(m, -1, 2)


@functools.cache
def _keep_compiled() -> None:
    """Have Numba keep on disk what :func:`layout` lets it compile: the next process loads it instead.

    UMAP asks for this at some of its functions only. Where nothing can be written each process compiles for itself.
    """
    import umap.layouts
    import umap.umap_

    names = ("smooth_knn_dist", "compute_membership_strengths"), ("_nb_optimize_layout_euclidean_single_epoch",)
    for module, functions in zip((umap.umap_, umap.layouts), names, strict=True):
        for function in filter(None, (getattr(module, name, None) for name in functions)):
            with contextlib.suppress(RuntimeError):  # there is no folder for it
                function.enable_caching()


def warm_up() -> None:
    """Import UMAP and let it compile what :func:`layout` needs (5 to 10 seconds, once on a machine)."""
    layout([np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32)] * 2)


def _rotated(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """``ours`` (n, D) rotated or mirrored so that it lies as close to ``theirs`` as possible."""
    left, _, right = np.linalg.svd(ours.T @ theirs)
    return np.asarray(ours @ (left @ right))


def _others(found: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The first :data:`LISTED` neighbours of each point without the point itself."""
    itself = found == points[:, None]
    itself[~itself.any(1), -1] = True  # an identical twin may have taken its place: the farthest goes instead
    return np.asarray(found[~itself]).reshape(len(points), -1)[:, :LISTED]
