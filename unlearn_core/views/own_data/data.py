"""What the user's own files hold, judged before anything runs: counts, problems, what a forget list says, what it will cost."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from unlearn_core.corruption import check_forget
from unlearn_core.datasets import LabelledData, Split, load_dataset
from unlearn_core.datasets import registry as datasets
from unlearn_core.forget_sets import ForgetSet
from unlearn_core.specs import DatasetSpec, Scalar, Scenario
from unlearn_core.views.craft.data import as_picture

TINY = 10
"""A class with fewer training images is hardly learnt."""
UNBALANCED = 10.0
"""The largest class may have this many times the images of the smallest before it is said."""
SHOWN = 24
_STEPS = 3


@dataclass(frozen=True)
class Reading:
    """What was read. ``dataset``: its spec, every parameter filled in. ``note``: what was taken of how much. ``classes``: one
    row per class with columns class, train and test (numbers of images). ``problems``: one sentence each. ``clean_known``:
    training images whose right label the data give; ``clean_differs``: those of them that carry another. ``nbytes``: memory
    that the decoded images take. ``preprocessing``: what was done to every image.
    """

    dataset: DatasetSpec
    seed: int
    note: str
    classes: pd.DataFrame
    problems: tuple[str, ...]
    clean_known: int
    clean_differs: int
    train: int
    test: int
    nbytes: int
    preprocessing: Mapping[str, Any] = field(default_factory=dict)

    @property
    def right_labels(self) -> str:
        """What the data say of right labels, one sentence; "" where they say nothing."""
        if not self.clean_known:
            return ""
        wrong = self.clean_differs
        differ = f"{wrong:,} of them carr{'ies' if wrong == 1 else 'y'} another" if wrong else "no label differs"
        return f"The right label of {self.clean_known:,} of {self.train:,} training images is given; {differ}."


@dataclass(frozen=True)
class Cost:
    """Expected cost of training the original: ``seconds`` on one core of this machine's processor, from a few steps that were
    timed; ``epochs`` and ``steps`` in all; ``parameters`` of the network; ``nbytes``: memory of the images in a worker, which
    holds them twice."""

    seconds: float
    epochs: int
    steps: int
    parameters: int
    nbytes: int


def read(name: str, params: Mapping[str, Scalar], seed: int, side: int = 0, *, anew: bool = True) -> Reading:
    """Read the files that a dataset's parameters name, and judge them. Slow the first time: every file is read once.

    ``side``: the pixels that the network takes, 0 where it takes the images as they are. ``anew``: look at the files even if
    that was done a moment ago. Raises :class:`UserError` where there
    is nothing to learn from.
    """
    source = datasets.get(name)
    if anew:
        source.look_again(source.params(dict(params)))
    spec = DatasetSpec(name=source.name, params=source.full_params(source.for_input(dict(params), side)))
    split = load_dataset(spec, seed)
    classes = count(split)
    known = np.zeros(len(split.train), dtype=bool) if split.clean is None else np.asarray(split.clean) >= 0
    differ = 0 if split.clean is None else int((np.asarray(split.clean) != split.train.labels.numpy())[known].sum())
    problems = (*source.problems(source.params(spec.params)), *split.problems, *judged(classes))
    return Reading(
        spec, seed, split.note, classes, problems, int(known.sum()), differ, len(split.train), len(split.test),
        split.nbytes, split.preprocessing,
    )  # fmt: skip


def count(split: Split) -> pd.DataFrame:
    """Images per class: columns class, train, test."""
    names = split.train.class_names
    counts = [np.bincount(half.labels.numpy(), minlength=len(names)) for half in (split.train, split.test)]
    return pd.DataFrame({"class": list(names), "train": counts[0], "test": counts[1]})


def judged(classes: pd.DataFrame) -> list[str]:
    """What the counts alone say: classes without training images, tiny ones, and imbalance."""
    found, learnt = [], classes[classes["train"] > 0]
    if nothing := classes.loc[classes["train"] == 0, "class"].tolist():
        found.append(f"{_named(nothing)} {_has(nothing)} no training images.")
    if tiny := learnt.loc[learnt["train"] < TINY, "class"].tolist():
        found.append(f"{_named(tiny)} {_has(tiny)} fewer than {TINY} training images and will hardly be learnt.")
    ordered = learnt.sort_values("train", kind="stable")
    if len(ordered) and ordered["train"].max() >= UNBALANCED * ordered["train"].min():
        small, large = ordered.iloc[0], ordered.iloc[-1]
        found.append(
            f"The classes are unequal: {large['class']!r} has {large['train']:,} training images, {small['class']!r} "
            f"{small['train']:,}; an accuracy over all images then says little about the small ones."
        )
    return found


def judged_list(split: Split, listed: ForgetSet) -> list[str]:
    """What is worth saying about a forget list. Raises :class:`UserError` for one that cannot be used."""
    check_forget(listed.indices, len(split.train))
    names, given = split.train.class_names, split.train.labels.numpy()
    indices = np.array(listed.indices)
    found = []
    agreed = [index for index, label in listed.labels.items() if names[given[index]] == label]
    if agreed:
        found.append(
            f"For {len(agreed):,} of the listed images the right label is the given one, so nothing is wrong with their label."
        )
    gone = np.bincount(given[indices], minlength=len(names)), np.bincount(given, minlength=len(names))
    emptied = [names[k] for k in range(len(names)) if gone[1][k] and gone[0][k] == gone[1][k]]
    if emptied:
        found.append(f"The list names every training image of {_named(emptied)}: retraining would not know the class.")
    if len(listed) < 5:
        found.append(
            f"{len(listed):,} listed image{'s are' if len(listed) != 1 else ' is'} very few: searches and estimates need more."
        )
    return found


def samples(split: Split, seed: int, most: int = SHOWN) -> list[tuple[int, str, np.ndarray]]:
    """Training images to look at, (index, given label, pixels as (H, W) or (H, W, 3)): classes take turns, and within a class
    the seed decides."""
    order = np.random.default_rng(seed).permutation(len(split.train))
    given = split.train.labels.numpy()
    turn = pd.Series(given[order]).groupby(given[order]).cumcount().to_numpy()
    chosen = order[np.lexsort((given[order], turn))][:most]
    names = split.train.class_names
    return [(int(k), names[given[k]], as_picture(split.train.inputs[int(k)].numpy())) for k in chosen]


def cost(scenario: Scenario) -> Cost:
    """What training the original model of ``scenario`` will cost, from a few steps on its own data, which take a moment."""
    import torch
    import torch.nn.functional as F

    from unlearn_core.models import build_model
    from unlearn_core.training import DeviceData

    split, recipe = load_dataset(scenario.dataset, scenario.seed), scenario.training
    rows = torch.arange(min(recipe.batch_size, len(split.train)))
    train = split.train
    few = LabelledData(train.inputs[: len(rows)], train.labels[: len(rows)], train.class_names)
    data = DeviceData.place(few, torch.device("cpu"))
    model = build_model(scenario.model, train.shape, train.classes, scenario.seed, data.mean_std).train()
    # A worker has one core, so processor time counts; where torch uses one thread, that of this thread alone.
    clock = time.thread_time if torch.get_num_threads() == 1 else time.process_time
    seconds = []
    for _ in range(_STEPS):
        start = clock()
        F.cross_entropy(model(data.batch(rows)), data.labels[rows]).backward()
        seconds.append(clock() - start)
    steps = recipe.epochs * -(-len(split.train) // recipe.batch_size)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return Cost(min(seconds) * steps, recipe.epochs, steps, parameters, 2 * split.nbytes)


def _has(names: Sequence[str]) -> str:
    return "has" if len(names) == 1 else "have"


def _named(names: Sequence[str]) -> str:
    shown = [f"'{name[:60]}'" for name in list(names)[:3]]
    return ", ".join(shown) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")
