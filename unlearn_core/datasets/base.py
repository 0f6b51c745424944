"""The in-memory data type, the base of every source, and the registry."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import torch
from typing_extensions import TypeVar

from unlearn_core.component import ComponentParams, ComponentRegistry, SourceComponent
from unlearn_core.errors import UserError
from unlearn_core.specs import DatasetSpec, TrainingSpec, TriggerSpec

if TYPE_CHECKING:
    from unlearn_core.datasets.files.originals import Original

Family = Literal["points", "digits", "photos"]
"""What kind of data it is; methods keep one set of defaults per family."""

Recipe = Literal["memorising", "accurate", "quick"]
"""One that learns wrong labels by heart, so that there is something to heal; one for the user's own data; half of its time."""

registry: ComponentRegistry[DatasetSource[Any]] = ComponentRegistry("dataset", "unlearn_core.datasets")


@dataclass(frozen=True)
class LabelledData:
    """Examples with one label each.

    ``inputs``: uint8 of shape (N, C, H, W) for images, float32 of shape (N, 2) for points in the plane.
    ``labels``: int64 of shape (N,). ``class_names``: one per class; class ``k`` is ``class_names[k]``.
    ``places``: float32 (N, 3), column, row and radius in pixels of the object that each image shows, where that is known.
    """

    inputs: torch.Tensor
    labels: torch.Tensor
    class_names: tuple[str, ...]
    places: torch.Tensor | None = None

    def __post_init__(self) -> None:
        if len(self.inputs) != len(self.labels):
            raise ValueError(f"{len(self.inputs)} inputs but {len(self.labels)} labels")

    def __len__(self) -> int:
        return len(self.labels)

    def places_of(self, ids: torch.Tensor) -> torch.Tensor | None:
        """The places of these examples."""
        return None if self.places is None else self.places[ids]

    @property
    def is_image(self) -> bool:
        return self.inputs.dim() == 4

    @property
    def classes(self) -> int:
        return len(self.class_names)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one example."""
        return tuple(self.inputs.shape[1:])


HELD_OUT, OUTSIDE, UNREADABLE, TESTED = -1, -2, -3, -4
"""Where an image is that is no training example: held out by the seed, left out by a limit, not readable, a test image."""


@dataclass(frozen=True)
class Roster:
    """Everything that a forget list may name: the training examples, and the other images of the files they come from.

    ``size``: N. ``names``: N paths in the order in which the images are numbered, or empty where there are no files.
    ``labels``: int64 (N,), given labels. ``tested``: bool (N,), whether the files call it a test image. ``place``: int64 (N,),
    the training index, or HELD_OUT, OUTSIDE, UNREADABLE or TESTED. ``numbering``: how a list without paths numbers those that
    are no test images, for a sentence.
    """

    size: int
    names: tuple[str, ...]
    labels: np.ndarray
    tested: np.ndarray
    place: np.ndarray
    numbering: str = ""

    @property
    def numbered(self) -> np.ndarray:
        """int64: the positions that a list without paths counts, from 0: everything but what the files call test images."""
        return np.flatnonzero(~self.tested)

    @property
    def positions(self) -> np.ndarray:
        """int64: the position of every training example."""
        inside = np.flatnonzero(self.place >= 0)
        return inside[np.argsort(self.place[inside])]


@dataclass(frozen=True)
class Split:
    """Training and test data of one dataset and seed, with the labels that the source gives.

    Data from files say more. ``names``: one per training example (a path). ``clean``: int64 (N,), the true labels of
    training examples as far as a manifest knows them, -1 elsewhere: ground truth, for evaluation alone. ``note``: what was
    taken of how much, ``problems``: what was left out when the images were decoded, in sentences (what was left out before
    says :meth:`DatasetSource.problems`). ``preprocessing``: what was done to every image, as plain data that a deployment can
    repeat (empty where the source has them as they are). ``files``: every image, those that are not trained on too.
    """

    train: LabelledData
    test: LabelledData
    names: tuple[str, ...] = ()
    clean: torch.Tensor | None = None
    note: str = ""
    problems: tuple[str, ...] = ()
    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    files: Roster | None = None

    @property
    def roster(self) -> Roster:
        """What a forget list may name: ``files``, or the training examples by their numbers."""
        if self.files is not None:
            return self.files
        count = len(self.train)
        return Roster(count, self.names, self.train.labels.numpy(), np.zeros(count, bool), np.arange(count))

    @property
    def nbytes(self) -> int:
        """Memory that the inputs take."""
        return self.train.inputs.nbytes + self.test.inputs.nbytes


@dataclass(frozen=True)
class Preset:
    """What a dataset gets when the user doesn't say otherwise.

    ``training``: a recipe that memorises wrong labels. ``accurate``: another one, where there is one, that is better on new
    data and learns fewer of them by heart; ``quick``: one of its kind that takes half of its time.
    """

    model: str
    training: TrainingSpec
    model_params: dict[str, Any]
    class_a: int
    class_b: int
    target_class: int = 0
    trigger: TriggerSpec = field(default_factory=TriggerSpec)
    accurate: TrainingSpec | None = None
    quick: TrainingSpec | None = None

    def recipe(self, name: Recipe) -> TrainingSpec:
        """The recipe of this name; where there is but one, that one."""
        return {"accurate": self.accurate, "quick": self.quick}.get(name) or self.training


P = TypeVar("P", bound=ComponentParams, default=ComponentParams)
T = TypeVar("T")


class DatasetSource(SourceComponent[P]):
    """One place where labelled data come from. Subclasses give ``load`` and a ``preset``, and name their parameters in the
    brackets, where they have any."""

    family: ClassVar[Family]
    preset: ClassVar[Preset]
    flip: ClassVar[bool] = False  # whether a mirror image keeps its class
    displacement: ClassVar[tuple[float, float] | None] = None  # the trigger of 2-D data
    sizes: ClassVar[tuple[int, int] | None] = None  # (train, test), where known before loading
    needs_data: ClassVar[bool] = False  # whether nothing can be loaded before the ``data`` parameter says from where
    known: ClassVar[bool] = False  # whether what the files hold is known without them, so that stored results have their keys
    own_values: ClassVar[bool] = False  # whether methods have values of their own for it, beside those of its family
    origin: ClassVar[str] = ""  # where such files are had, for a sentence
    download_bytes: ClassVar[int] = 0  # what :meth:`fetch` brings from the internet, about; 0: there is nothing to fetch

    @classmethod
    def preset_for(cls, params: Mapping[str, Any]) -> Preset:
        """The preset for complete parameters: what suits may depend on what the files hold."""
        return cls.preset

    @classmethod
    def for_input(cls, values: dict[str, Any], side: int) -> dict[str, Any]:
        """``values`` such that a network which takes ``side`` pixels sees what the files hold, not enlarged thumbnails; raises
        :class:`UserError` where they contradict that."""
        return values

    @classmethod
    def largest_side(cls, params: P) -> int:
        """The largest shorter side in pixels among the files' images, as far as they were looked at; 0 where unknown."""
        return 0

    @classmethod
    def load(cls, params: P, seed: int) -> Split:
        """Training and test data; the split depends on ``seed`` alone."""
        raise NotImplementedError

    @classmethod
    def originals(cls, params: P, split: Split, look: Callable[[Original], T]) -> list[T | None] | None:
        """What ``look`` says of every training image as its file holds it, None for one that cannot be read; None where there
        are no files. Raises :class:`UserError` where the files are gone or have changed."""
        return None

    @classmethod
    def missing(cls) -> str:
        """The files that are not in the cache folder, for a sentence; "" where they are there, or belong elsewhere."""
        return ""

    @classmethod
    def fetch(cls, tell: Callable[[int], None]) -> Path:
        """Bring what is missing into the cache folder, which is returned; only ever on request. ``tell`` hears how many bytes
        have arrived. Raises :class:`UserError` without internet, or where there is nothing to fetch."""
        raise UserError(f"There is nothing to fetch for {cls.label}: it comes with Eunoe, or from your own files.")

    @classmethod
    def look(cls, params: P) -> None:
        """Look through the files, where there are any, so that what they hold is remembered."""

    @classmethod
    def look_again(cls, params: P) -> None:
        """Whatever is remembered of the files may have changed since."""

    @classmethod
    def problems(cls, params: P) -> tuple[str, ...]:
        """What was left out or guessed when the files were listed, where they lie and as they are now; never stored with
        results. What decoding finds is in :class:`Split`."""
        return ()

    @classmethod
    def describe(cls) -> dict[str, Any]:
        about = {"family": cls.family, "sizes": cls.sizes, "model": cls.preset.model, "needs_data": cls.needs_data}
        return super().describe() | about


def stratified_split(data: LabelledData, test: int, seed: int) -> Split:
    """Split off ``test`` examples, each class keeping its share; the same seed gives the same split.

    The examples are those that scikit-learn's ``train_test_split`` takes: results are stored under them. It is not called,
    because its import takes a second of every start.

    Raises ``ValueError`` where a class has fewer than two examples, or a part has fewer examples than there are classes.
    """
    labels, rng = data.labels.numpy(), np.random.RandomState(seed)
    classes, counts = np.unique(labels, return_counts=True)
    if counts.min() < 2 or min(test, len(labels) - test) < len(classes):
        raise ValueError(f"{len(labels)} examples of {len(classes)} classes cannot be split so that {test} are held out.")
    taken = _share_out(counts, len(labels) - test, rng)
    ends = taken + _share_out(counts - taken, test, rng)
    train, held = list[np.ndarray](), list[np.ndarray]()
    for label, middle, end in zip(classes, taken, ends, strict=True):
        members = rng.permutation(np.flatnonzero(labels == label))
        train.append(members[:middle])
        held.append(members[middle:end])
    parts = [torch.from_numpy(np.sort(np.concatenate(part))) for part in (train, held)]
    first, second = (LabelledData(data.inputs[ids], data.labels[ids], data.class_names) for ids in parts)
    return Split(first, second)


def _share_out(counts: np.ndarray, total: int, rng: np.random.RandomState) -> np.ndarray:
    """``total`` seats for classes of these sizes: rounded down, what is left to the largest remainders, ties by lot."""
    exact = counts / counts.sum() * total
    seats: np.ndarray = np.floor(exact).astype(int)
    remainders = exact - seats
    for remainder in np.unique(remainders)[::-1]:
        if not (left := total - seats.sum()):
            break
        tied = np.flatnonzero(remainders == remainder)
        seats[rng.choice(tied, size=min(len(tied), left), replace=False)] += 1
    return seats


_MOST, _MOST_BYTES = 8, 2 * 2**30
_Key = tuple[str, tuple[tuple[str, Any], ...], int]
_recent: OrderedDict[_Key, Split] = OrderedDict()
_lock = threading.Lock()


def load_dataset(spec: DatasetSpec, seed: int) -> Split:
    """The data of ``spec``, split by ``seed``; the last few are kept in memory, at most 2 GB of them."""
    key = (spec.name, tuple(sorted(spec.params.items())), seed)
    with _lock:
        if (found := _recent.get(key)) is not None:
            _recent.move_to_end(key)
            return found
    source = registry.get(spec.name)
    loaded: Split = source.load(source.params(spec.params), seed)
    with _lock:
        _recent[key] = loaded
        while len(_recent) > 1 and (len(_recent) > _MOST or sum(split.nbytes for split in _recent.values()) > _MOST_BYTES):
            _recent.popitem(last=False)
    return loaded


def forget_datasets() -> None:
    """Drop what :func:`load_dataset` keeps in memory: the next reader loads anew, as in another process."""
    with _lock:
        _recent.clear()
