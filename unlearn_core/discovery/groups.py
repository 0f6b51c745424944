"""Groups of suspects that belong together, so that one look at some of them says something of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch

from unlearn_core.discovery.activation import ClassSplit
from unlearn_core.discovery.base import ModelOutputs
from unlearn_core.discovery.patches import SharedPatches

Kind = Literal["together", "pair", "patch", "doubted", "suspects", "part", "sample", "like"]
KINDS: tuple[Kind, ...] = ("together", "pair", "patch", "doubted", "suspects", "part", "sample", "like")

LEAST = 4
"""Fewer examples are no group."""
ONE_CLASS = 0.6
"""Share of a group that is said to be the same other class, from which on it is called a pair."""
TELLING = 30.0
"""Nats of evidence from which on a shared patch makes a group."""
TRUSTED, SHARPNESS = 0.3, 3
"""Groups that are doubted less on average are none; and how fast trust falls with that. Found on development seeds, where
corrupt groups had 0.87 to 0.99 and natural ones up to 0.7."""
AGREED = 0.5
"""Trust in suspects whose given label the network that was trained without them predicts."""
DOUBTED = 160
"""How many of the most doubted examples are lined up."""


@dataclass(frozen=True)
class Group:
    """``members`` int64 (n,): training indices, the most telling first. ``given`` and ``says``: the given label they share and
    what is said of most of them instead, None where they differ. ``place``: (row, column, side) of a square that they share.
    ``trust``: from 0 to 1, by how much suspicion of a member counts.
    """

    kind: Kind
    members: np.ndarray
    given: int | None = None
    says: int | None = None
    place: tuple[int, int, int] | None = None
    trust: float = 1.0

    def __len__(self) -> int:
        return len(self.members)


@dataclass(frozen=True)
class Doubt:
    """What says of every example (N,) each that its label is wrong: ``apart`` and ``watched``, from 0 to 1, by a network that
    was trained without its group and by one that was watched; ``says``: the label that the first prefers; ``instead``: that
    which the second prefers to all but the given one."""

    apart: np.ndarray
    watched: np.ndarray
    says: np.ndarray
    instead: np.ndarray


def left_out_parts(splits: Sequence[ClassSplit], patches: SharedPatches | None, labels: torch.Tensor) -> torch.Tensor:
    """int64 (N,): 0 for what a network is to be trained without, −1 for the rest: the smaller group of every given class, and
    what shares a patch. At least half of every class stays."""
    parts = torch.full_like(labels, -1)
    for split in splits:
        parts[split.ids[split.smaller]] = 0
    if patches is not None:
        for label in labels.unique():
            telling = (labels == label) & (patches.evidence >= TELLING)
            if ((parts == 0) | telling)[labels == label].float().mean() <= 0.5:
                parts[telling] = 0
    return parts


def find_groups(view: ModelOutputs, splits: Sequence[ClassSplit], patches: SharedPatches | None, doubt: Doubt) -> list[Group]:
    """Disjoint groups of what shares a patch, or lies together in feature space, and is doubted by a network that never saw
    it; and, without regard to these, a sample of every class and lines of what the watched run doubts most.

    A natural group, such as a way of writing a digit, is doubted here and there when it is left out, corruption as a whole.
    So a group is trusted as far as all that was left out with it is doubted on average, to the power of SHARPNESS.
    """
    labels = view.labels.cpu().numpy()
    free = np.ones(len(labels), bool)
    found = [] if patches is None else _patch_groups(patches, labels, doubt)
    found += [group for split in splits for group in _cluster_groups(split, labels, doubt)]
    groups: list[Group] = []
    for group in sorted(found, key=lambda group: -group.trust):
        members = group.members[free[group.members]]
        if len(members) >= LEAST and group.trust >= TRUSTED:
            groups.append(replace(group, members=members, trust=group.trust**SHARPNESS))
            free[members] = False
    samples = [_sample(split, labels, doubt) for split in splits]
    return [*groups, *samples, *_doubted_lines(labels, doubt)]


def _patch_groups(patches: SharedPatches, labels: np.ndarray, doubt: Doubt) -> list[Group]:
    content, evidence = patches.content.cpu().numpy(), patches.evidence.cpu().numpy()
    groups = []
    for kind in np.unique(content[evidence >= TELLING]):
        members = (content == kind).nonzero()[0]
        for label in np.unique(labels[members]):
            mine = members[labels[members] == label]
            row, column, side = (int(value) for value in patches.place[int(mine[0])])
            trust = float(doubt.apart[mine].mean())
            groups.append(Group("patch", _order(mine, doubt.apart), int(label), None, (row, column, side), trust))
    return groups


def _cluster_groups(split: ClassSplit, labels: np.ndarray, doubt: Doubt) -> list[Group]:
    """The doubted part of a class's smaller group, by what is said of it instead."""
    cluster = split.ids[split.smaller].cpu().numpy()
    members = cluster[doubt.says[cluster] != labels[cluster]]
    if len(members) < LEAST:
        return []
    given, trust = int(labels[members[0]]), float(doubt.apart[cluster].mean())
    counts = np.bincount(doubt.says[members])
    most = int(counts.argmax())
    pair = doubt.says[members] == most
    if pair.sum() < max(LEAST, ONE_CLASS * len(members)):
        return [Group("together", _order(members, doubt.apart), given, trust=trust)]
    first = Group("pair", _order(members[pair], doubt.apart), given, most, trust=trust)
    return [first, Group("together", _order(members[~pair], doubt.apart), given, trust=trust)]


def _doubted_lines(labels: np.ndarray, doubt: Doubt) -> list[Group]:
    """What the watched run doubts most: by pair of given label and the one it might be instead where there are many, else in
    one line."""
    rest = _order(np.arange(len(labels)), doubt.watched)[:DOUBTED]
    lines = []
    for given, other in np.unique(np.stack([labels[rest], doubt.instead[rest]], 1), axis=0):
        pair = (labels[rest] == given) & (doubt.instead[rest] == other)
        if pair.sum() >= 2 * LEAST:
            lines.append(Group("doubted", rest[pair], int(given), int(other)))
            rest = rest[~pair]
    return [*lines, Group("doubted", rest)]


def _sample(split: ClassSplit, labels: np.ndarray, doubt: Doubt) -> Group:
    """All of a class's smaller group, to be looked at where nothing else is worth a look."""
    cluster = split.ids[split.smaller].cpu().numpy()
    return Group("sample", _order(cluster, doubt.apart), int(labels[cluster[0]]), trust=float(doubt.apart[cluster].mean()))


def _order(members: np.ndarray, suspicion: np.ndarray) -> np.ndarray:
    ordered: np.ndarray = members[np.argsort(-suspicion[members], kind="stable")]
    return ordered


def suspect_groups(labels: np.ndarray, says: np.ndarray, probability: np.ndarray, least: float) -> list[Group]:
    """What discovery suspects, as groups: by pair of given label and what is said instead, the rest in one line.

    ``probability`` (N,): NaN or below ``least`` for what is no suspect.
    """
    suspects = np.nan_to_num(probability, nan=0.0) >= least
    groups = []
    for given in np.unique(labels[suspects]):
        for other in np.unique(says[suspects & (labels == given)]):
            members = (suspects & (labels == given) & (says == other)).nonzero()[0]
            if given != other and len(members) >= 2 * LEAST:
                groups.append(Group("suspects", _order(members, probability), int(given), int(other)))
                suspects[members] = False
    lines = [
        Group("suspects", _order((suspects & (says != labels)).nonzero()[0], probability)),
        # A network that never saw the group agrees with the label: a trigger on what is right anyway, or a doubtful case.
        Group("suspects", _order((suspects & (says == labels)).nonzero()[0], probability), trust=AGREED),
    ]
    return [*groups, *(line for line in lines if len(line))]
