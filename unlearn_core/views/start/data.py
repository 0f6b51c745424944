"""Films of models in the plane: what each says all over it, and which corrupted examples it has right, from step to step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from unlearn_core.canonical import content_key
from unlearn_core.results.reader import Results, clean_of, scenario_data
from unlearn_core.specs import MethodSpec, Scenario

REVISION: Final = 1
"""Part of every key of a film: to be raised when the same models are to be filmed differently."""
GRID: Final = 64
"""Cells along each side of the plane."""
FRAMES: Final = 40
"""Frames of a finished film, at equal distances from its first to its last step."""
LEVELS: Final = 16
"""Steps of the margin between the most probable class and the next; with the class they fit into one byte."""
REACH: Final = 8.0
"""The margin, in logits, from which on a cell counts as sure."""
MAX_CLASSES: Final = 256 // LEVELS
MODELS: Final = ("original", "retrain", "rem")
"""The three planes, from left to right."""


@dataclass(frozen=True)
class Film:
    """A model over its steps.

    ``ground`` uint8 (F, GRID, GRID), rows from the lowest y: class · LEVELS + level of the margin. ``right`` bool (F, n):
    whether each corrupted example, in order of discovery, is predicted as its clean label. ``utility`` float32 (F,), the
    accuracy on the clean test set. ``rounds`` int32 (F,): rounds (of training: epochs) that were finished.
    """

    ground: np.ndarray
    right: np.ndarray
    utility: np.ndarray
    rounds: np.ndarray

    def __len__(self) -> int:
        return len(self.ground)

    @property
    def healed(self) -> np.ndarray:
        """How many corrupted examples are predicted right, int (F,)."""
        counted: np.ndarray = self.right.sum(1)
        return counted

    def at(self, frames: Sequence[int]) -> Film:
        """Some of the frames, in this order."""
        chosen = list(frames)
        return Film(self.ground[chosen], self.right[chosen], self.utility[chosen], self.rounds[chosen])

    def spread(self, frames: int = FRAMES) -> Film:
        """At most so many frames at equal distances, the first and the last among them."""
        if len(self) <= frames:
            return self
        return self.at([round(k * (len(self) - 1) / (frames - 1)) for k in range(frames)])


@dataclass(frozen=True)
class Scene:
    """One scenario in the plane: its points, and the films of its models as far as they are there.

    ``window``: lowest and highest x and y. ``points`` float32 (N, 2) as given, ``clean`` int (N,) the clean labels;
    ``corrupted`` int (n,) indices in order of discovery, the first ``known`` of which are discovered. ``memorised``: the share
    of them whose given label the original predicts; None where its film is not there yet. ``shares``: how far the films that
    are not finished have come, 0 to 1.
    """

    scenario: Scenario
    classes: tuple[str, ...]
    window: tuple[float, float, float, float]
    points: np.ndarray
    clean: np.ndarray
    corrupted: np.ndarray
    known: int
    films: dict[str, Film]
    memorised: float | None
    shares: dict[str, float]

    @property
    def done(self) -> bool:
        """Whether all films are finished."""
        return set(self.films) == set(MODELS) and not self.shares


def join(films: Sequence[Film]) -> Film:
    """Films one after the other."""
    return Film(*(np.concatenate([getattr(film, name) for film in films]) for name in ("ground", "right", "utility", "rounds")))


def film_key(scenario: Scenario, spec: MethodSpec | None) -> str:
    """Key of the stored film of a method (None: the original) on this scenario."""
    return content_key("film", REVISION, scenario.original_key if spec is None else scenario.run_key(spec))


def part_key(film: str, number: int) -> str:
    """Key of part ``number``, from 0, of a film (by its key) that is still being made."""
    return content_key("film part", film, number)


def pack_ground(logits: np.ndarray) -> np.ndarray:
    """Logits (GRID², classes) as one frame of :attr:`Film.ground`. The level grows with the root of the margin: fine where a
    border may pass, coarse where the model is sure."""
    ranked = np.sort(logits, axis=1)
    margin = np.clip((ranked[:, -1] - ranked[:, -2]) / REACH, 0, 1)
    level = np.minimum(LEVELS - 1, (LEVELS * np.sqrt(margin)).astype(int))
    packed: np.ndarray = (logits.argmax(1) * LEVELS + level).astype(np.uint8)
    return packed.reshape(GRID, GRID)


def film_arrays(film: Film) -> dict[str, np.ndarray]:
    """A film as the store takes it."""
    return {"ground": film.ground, "right": film.right, "utility": film.utility, "rounds": film.rounds}


def stored_film(store: Results, key: str) -> Film | None:
    """The finished film under this key, or None."""
    try:
        return Film(**store.arrays(key, "film"))
    except LookupError:
        return None


def film_so_far(store: Results, key: str) -> tuple[Film | None, float]:
    """What the parts of an unfinished film show, and its share of the work; (None, 0.0) where there is nothing yet."""
    films: list[Film] = []
    share = 0.0
    while (record := store.get(part_key(key, len(films)))) is not None:
        try:
            films.append(Film(**store.arrays(record.key, "film")))
        except LookupError:  # the film was finished while its parts were read
            break
        share = float(record.payload["share"])
    if not films:
        return None, 0.0
    return join(films), share


def scene_of(store: Results, scenario: Scenario, specs: dict[str, MethodSpec | None], unfinished: bool = False) -> Scene:
    """The scene of ``scenario`` as the store has it; ``specs``: model → its method. ``unfinished``: also what there is of
    films that are still being made."""
    from unlearn_core.views.boundary.plane import plane_of

    corrupted = scenario_data(scenario).corrupted
    plane, rows = plane_of(scenario), corrupted.truth.corrupted.numpy()
    films: dict[str, Film] = {}
    shares: dict[str, float] = {}
    memorised = None
    for name, spec in specs.items():
        key = film_key(scenario, spec)
        record = store.get(key)
        film = stored_film(store, key) if record is not None else None
        if film is None and unfinished:
            film, shares[name] = film_so_far(store, key)
        elif record is not None and spec is None:
            memorised = record.payload["memorised"]
        if film is not None:
            films[name] = film
    return Scene(
        scenario,
        tuple(corrupted.train.class_names),
        (*plane.x, *plane.y),
        corrupted.train.inputs.numpy(),
        clean_of(scenario),
        rows,
        len(corrupted.truth.forget_of(scenario)),
        films,
        memorised,
        shares,
    )
