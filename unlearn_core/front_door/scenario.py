"""``Scenario`` with its two makers, and ``load_images``: what to corrupt, train and unlearn, from few words or from a link."""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from unlearn_core import specs
from unlearn_core.errors import UserError
from unlearn_core.specs import Scalar

if TYPE_CHECKING:
    from unlearn_core.datasets import Recipe
    from unlearn_core.store import Store
    from unlearn_core.view_state import State

LISTS = (".csv", ".tsv", ".txt")
"""Endings of a list's name; any other text is the name or the key of a stored set."""


class Scenario(specs.Scenario):
    """Everything up to the unlearning method: data, corruption, what is known of it, network, training, seed.

    Immutable; equal scenarios have equal keys, and what is stored under a key is never computed again. :meth:`make` and
    :meth:`from_url` fill in what is not said from the dataset's preset; :func:`unlearn_core.load_images` makes one of files.
    """

    @classmethod
    def make(
        cls,
        dataset: str = "digits",
        *,
        regularity: float = 1.0,
        amount: float | str | None = None,
        discovery: float = 0.3,
        model: str | None = None,
        seed: int = 0,
        overrides: Mapping[str, Scalar] | None = None,
        recipe: Recipe | None = None,
    ) -> Self:
        """A complete scenario; what is not given comes from the dataset's preset.

        Args:
            dataset: a name that :func:`unlearn_core.datasets` lists.
            regularity: how much the corrupted examples share: 0 random labels, 0.5 two confused classes, 1 a trigger.
            amount: corrupted training examples, a count or a fraction up to 0.5; None: 6 %.
            discovery: the share of the corrupted examples that is known, 0 to 1. The known ones are the forget set.
            model: a network's name; None: the dataset's usual one.
            seed: of everything random: split, corruption, initial weights, order of the examples.
            overrides: "section.field" → value, with the sections dataset, corruption, trigger, model and training. With
                "corruption.found" the labels are taken as they come, and the dial has no meaning.
            recipe: which of a dataset's recipes, "memorising", "accurate" or "quick", where it has several.

        Raises:
            UserError: in one sentence, for what cannot be.

        Source: regularity and discovery are the axes of arXiv:2505.17730.

        Example:
            >>> from unlearn_core import Scenario
            >>> scenario = Scenario.make("waves", regularity=0.0, overrides={"training.epochs": 3})
            >>> scenario.dataset.name, scenario.training.epochs, scenario.discovery
            ('waves', 3, 0.3)
        """
        from unlearn_core.presets import SECTIONS, check_overrides, make_scenario

        check_overrides(overrides or {}, [])
        made = make_scenario(
            dataset,
            regularity=regularity,
            amount=amount,
            discovery=discovery,
            model=model,
            seed=seed,
            overrides={key: value for key, value in (overrides or {}).items() if key.partition(".")[0] in SECTIONS},
            recipe=recipe,
        )
        return cls.of(made)

    @classmethod
    def of(cls, scenario: specs.Scenario) -> Self:
        """The same scenario as an object of this class."""
        return cls.parse(scenario.model_dump(mode="json"))

    @classmethod
    def from_url(cls, url: str, *, store: Store | str | Path | None = None, open_files: bool = False) -> Self:
        """The scenario of a link of the app, of this version or an older one.

        Args:
            url: the whole address, or what stands behind its "?".
            store: where a link's edited forget set is looked up by its key; None: as for :func:`unlearn_core.run`.
            open_files: links come from strangers: files outside of the user's own folders (``UNLEARN_DATA_ROOTS``) are
                opened only where this is True.

        What had to be changed to make the link fit is said by a :class:`UserWarning` each.

        Raises:
            UserError: where the link names a forget set that is not in the store, or files that must not be opened.

        Example:
            >>> from unlearn_core import Scenario
            >>> Scenario.from_url("http://localhost:8501/compare?dataset=waves&regularity=0&seed=2").seed
            2
        """
        from unlearn_core import view_state as vs

        state = read_link(url, open_files)
        if state["forget"]:
            state = _with_set(state, store)
        return cls.of(vs.to_scenario(state))


def read_link(url: str, open_files: bool = False) -> State:
    """The state of a link; notices become warnings. Raises :class:`UserError` for files that it must not open."""
    from unlearn_core import view_state as vs

    parts = urlsplit(url)
    query = parts.query or ("" if parts.scheme or parts.path.startswith("/") else parts.path)
    state, notices, asked = vs.decode_asking(query)
    if asked.paths and open_files:
        state, notices, asked = vs.decode_asking(query, opened=asked.paths)
    if asked:
        what = (
            f"opens {', '.join(map(repr, asked.paths))}" if asked.paths else f"needs {asked.download!r} to be downloaded first"
        )
        more = "; open_files=True allows it." if asked.paths else "; set dataset.download=True does it in Scenario.make."
        raise UserError(f"This link {what}{more}")
    for notice in notices:
        warnings.warn(notice, UserWarning, stacklevel=4)
    return state


def _with_set(state: State, store: Store | str | Path | None) -> State:
    """The state with the examples that its forget set's key stands for."""
    from unlearn_core import view_state as vs
    from unlearn_core.forget_sets import in_use as lists
    from unlearn_core.front_door.places import open_store

    scenario = vs.to_scenario(state | {"forget": ""})
    content = lists.sets_of(open_store(store), scenario).content(state["forget"])
    if content is None or not content.indices:
        raise UserError(f"The link's forget set {state['forget']!r} is not in this store, or belongs to other data.")
    used = lists.use_set(scenario, content)
    _say(used.said)
    listed = str(used.scenario.dataset.params.get("listed", ""))
    held = used.content
    return state | {"indices": held.indices, "relabelled": held.labels, "trusted": held.checked, "listed": listed}


def load_images(
    path: str | Path,
    forget: str | Path | Iterable[int | str] | Mapping[Any, str] | None = None,
    *,
    trusted: str | Path | Iterable[int | str] | None = None,
    found: bool = True,
    checkpoint: str | Path | None = None,
    architecture: str | None = None,
    dataset: str = "images",
    overrides: Mapping[str, Scalar] | None = None,
    store: Store | str | Path | None = None,
    **options: Any,
) -> Scenario:
    """The user's own images as a scenario for :func:`unlearn_core.run` and :func:`unlearn_core.discover`.

    Args:
        path: a folder with ``train/<class>/…`` and ``test/<class>/…`` or ``<class>/…``, a zip of one, a table of paths and
            labels (CSV, Parquet), or an ``.npz`` of arrays; docs/data.md has the details.
        forget: what turned out to be wrong: a CSV file (columns path or index, and perhaps clean_label), paths below
            ``path``, numbers of the images as they are stored, from 0, a mapping of either to the right label, or the name of
            a set in the store. Images that were held out join the training part.
        trusted: what was looked at and is right, for methods that need such examples: a CSV file, paths or numbers as above.
        found: take the labels as they come. False corrupts them in addition, with the dial of :meth:`Scenario.make`.
        checkpoint: a trained classifier of torchvision, as safetensors or a ``.pt`` of weights, in place of training one.
        architecture: torchvision's name of the network, such as "resnet18".
        dataset: another source of files than "images", such as "cifar10".
        overrides: as for :meth:`Scenario.make`.
        store: where a named set is looked up; None: as for :func:`unlearn_core.run`.
        **options: the other arguments of :meth:`Scenario.make`, such as ``seed``, ``model`` and ``recipe``.

    What was left out, guessed or moved is said by a :class:`UserWarning` each.

    Raises:
        UserError: in one sentence, for files or a list that cannot be used.

    Example:
        >>> import numpy, tempfile, pathlib
        >>> from unlearn_core import load_images
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "mine.npz"
        >>> pixels = numpy.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=numpy.uint8)
        >>> numpy.savez(file, images=pixels, labels=numpy.arange(40) % 2)
        >>> scenario = load_images(file, forget=[3, 5])
        >>> len(scenario.forget), scenario.corruption.found
        (2, True)
    """
    from unlearn_core.datasets import load_dataset, registry

    network: dict[str, Scalar] = {"model.weights": str(checkpoint)} if checkpoint is not None else {}
    network |= {"model.architecture": architecture} if architecture is not None else {}
    if network:
        options.setdefault("model", "torchvision")
    told: dict[str, Scalar] = {"corruption.found": True} if found else {}
    scenario = Scenario.make(dataset, overrides={"dataset.data": str(path)} | told | network | dict(overrides or {}), **options)
    source = registry.get(scenario.dataset.name)
    split = load_dataset(scenario.dataset, scenario.seed)
    _say([split.note, *source.problems(source.params(scenario.dataset.params)), *split.problems])
    known = scenario if forget is None else _using(scenario, forget, store)
    return known if trusted is None else _trusting(known, trusted)


def _using(scenario: Scenario, forget: Any, store: Store | str | Path | None) -> Scenario:
    """The scenario with a forget set from a file, from the store or from the caller's own list."""
    from unlearn_core.datasets import load_dataset
    from unlearn_core.forget_sets import in_use as lists
    from unlearn_core.forget_sets import read_list
    from unlearn_core.front_door.places import open_store

    classes = load_dataset(scenario.dataset, scenario.seed).train.class_names
    if not isinstance(forget, str | Path):
        listed = read_list(_as_csv(forget), lists.roster_of(scenario), classes, "The forget list")
        used = lists.use(scenario, listed)
    elif Path(forget).is_file() or Path(forget).suffix.lower() in LISTS:
        used = lists.use(
            scenario, read_list(_read(Path(forget)), lists.roster_of(scenario), classes, f"The file {str(forget)!r}")
        )
    else:
        sets = lists.sets_of(open_store(store), scenario)
        used = lists.use_set(scenario, sets.content(str(forget)) or sets.now(sets.get(str(forget))))
    _say(used.said)
    return Scenario.of(used.scenario)


def _trusting(scenario: Scenario, trusted: Any) -> Scenario:
    """The scenario with checked examples from a file or from the caller's own list."""
    from unlearn_core.datasets import load_dataset
    from unlearn_core.forget_sets import in_use as lists
    from unlearn_core.forget_sets import read_list

    data = _read(Path(trusted)) if isinstance(trusted, str | Path) else _as_csv(trusted)
    classes = load_dataset(scenario.dataset, scenario.seed).train.class_names
    found, said = lists.trusting(scenario, read_list(data, lists.roster_of(scenario), classes, "The list of checked examples"))
    _say(said)
    return Scenario.of(found)


def _read(path: Path) -> bytes:
    from unlearn_core.forget_sets import MAX_BYTES

    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UserError(f"The file {str(path)!r} cannot be read: {error.strerror or error}.") from None


def _as_csv(forget: Iterable[int | str] | Mapping[Any, str]) -> bytes:
    """The caller's own list in the form that files have, so that both are read alike."""
    told = isinstance(forget, Mapping)
    entries = list(forget)
    if not entries:
        raise UserError("The forget list is empty: there is nothing to unlearn.")
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["path" if isinstance(entries[0], str) else "index", *(["clean_label"] if told else [])])
    writer.writerows([entry, *([forget[entry]] if isinstance(forget, Mapping) else [])] for entry in entries)
    return text.getvalue().encode()


def _say(sentences: Iterable[str]) -> None:
    for sentence in filter(None, sentences):
        warnings.warn(sentence, UserWarning, stacklevel=4)
