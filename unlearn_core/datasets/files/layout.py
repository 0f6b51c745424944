"""Which class and which half every image of a folder or an archive belongs to, from the folders that it lies in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from unlearn_core.datasets.files.listing import HELD_OUT, SPLIT_NAMES, TRAIN, UNSPLIT, Listing, make_listing
from unlearn_core.datasets.files.names import are, compose_name, judge_class_names, some
from unlearn_core.datasets.files.reading import reading_of
from unlearn_core.datasets.files.splits import is_filler, role_of
from unlearn_core.errors import UserError

EXPECTED: Final = "expected train/<class>/… and test/<class>/…, or <class>/…"

Parts = tuple[str, ...]
"""A path as its parts."""


class Tree:
    """The folders that have images in them (``direct``) or below them (``children``: folder → names)."""

    def __init__(self, paths: Iterable[Parts]) -> None:
        self.direct = {path[:-1] for path in paths}
        self.children: dict[Parts, set[str]] = {}
        for folder in self.direct:
            for depth, name in enumerate(folder):
                self.children.setdefault(folder[:depth], set()).add(name)

    def below(self, folder: Parts) -> set[str]:
        """Names of the folders directly below ``folder``."""
        return self.children.get(folder, set())


@dataclass
class Layout:
    """Where the class folders lie: ``roots``, a folder and the half of all below it. ``beside``: top folders that are left
    out. ``said``: what was guessed and left out."""

    roots: dict[Parts, int]
    beside: set[Parts] = field(default_factory=set)
    said: list[str] = field(default_factory=list)


def arrange(
    paths: Sequence[str],
    where: str,
    problems: Iterable[str] = (),
    folders: Iterable[str] = (),
    shut: Iterable[str] = (),
    before: Sequence[str] | None = None,
) -> Listing:
    """Class and half of every path, from its folders.

    ``folders``: all folders, so that empty classes can be said; ``shut``: those that cannot be entered. ``before``: what the
    first version took for images, where that differs from ``paths``. Raises :class:`UserError` in one sentence where there is
    nothing to learn from, or where it is not clear what is a class and what is a half.
    """
    found = list(problems)
    if not paths:
        raise UserError(" ".join([f"{where} has no images in it; {EXPECTED}.", *found]))
    parts = [tuple(path.split("/")) for path in paths]
    tree, folders = Tree(parts), list(folders)
    layout = find_layout(tree, where, [tuple(folder.split("/")) for folder in (*folders, *shut)])
    placed, left_out = _place(paths, parts, layout)
    found += [*layout.said, *left_out]
    if not placed:
        raise UserError(" ".join([f"{where} has images but no class folders; {EXPECTED}.", *found]))
    found += judge_class_names(name for _, name, _ in placed)
    found += _empty_classes(folders, tree, layout)
    listing = make_listing(
        [path for path, _, _ in placed],
        [compose_name(name) for _, name, _ in placed],
        [half for _, _, half in placed],
        where=where,
        problems=found,
    )
    return reading_of(listing, paths if before is None else before)


def _place(paths: Sequence[str], parts: Sequence[Parts], layout: Layout) -> tuple[list[tuple[str, str, int]], list[str]]:
    """(path, class folder, half) of every image that has them, and sentences about the others."""
    placed, loose, aside = [], [], 0
    for path, part in zip(paths, parts, strict=True):
        root = next((part[:depth] for depth in range(len(part)) if part[:depth] in layout.roots), None)
        if root is not None and len(part) > len(root) + 1:
            placed.append((path, part[len(root)], layout.roots[root]))
        elif any(part[:depth] in layout.beside for depth in range(len(part))):
            aside += 1
        else:
            loose.append(path)
    said = []
    if aside:
        others = [name for *_, name in sorted(layout.beside)]
        images = "1 image" if aside == 1 else f"{aside:,} images"
        said.append(f"{some(others)} beside the folders of the halves {are(others)} left out ({images}).")
    if loose:
        lie = "lies" if len(loose) == 1 else "lie"
        said.append(f"{some(loose)} {lie} outside of the class folders and {are(loose)} left out.")
    return placed, said


def find_layout(tree: Tree, where: str, folders: Iterable[Parts] = ()) -> Layout:
    """The halves by the names of the top folders, or a tree of classes; raises :class:`UserError` where that is not clear."""
    base = _unwrap_folders(tree)
    tops = tree.below(base)
    roles = _roles(tops)
    split = {name: role for name, role in roles.items() if tree.below((*base, name))}
    flat = roles.keys() - split.keys()
    if not split:
        halves = {roles[name] for name in flat}
        if len(halves) > 1 and (TRAIN in halves or flat == tops):
            raise UserError(f"{where} has images directly in {some(sorted(flat))}, not in class folders there; {EXPECTED}.")
        return _classes(tree, base, where)
    if len(tops) == 1 and TRAIN not in split.values():
        if gone := sorted({part[-1] for part in folders if part[:-1] == base} - tops):
            raise UserError(
                f"{where} has images in {some(list(tops))} alone; {some(gone)} {are(gone)} empty or cannot be read."
            )
        layout = _classes(tree, (*base, *tops), where)
        layout.said.append(f"All images lie in the folder {some(list(tops))}, which is taken for the one around the classes.")
        return layout
    others = sorted(tops - split.keys())
    _check_halves(split, others, where, halved=bool(flat))
    layout = Layout({_inner(tree, (*base, name)): role for name, role in split.items()})
    layout.beside = {(*base, name) for name in others}
    layout.said += _describe_guesses(layout, base)
    return layout


def _describe_guesses(layout: Layout, base: Parts) -> list[str]:
    """One sentence where a half is not called by a plain word for it, or lies below another folder."""
    read = []
    for root, role in layout.roots.items():
        if root[:-1] != base or root[-1].lower() not in SPLIT_NAMES:
            read.append(f"{some(['/'.join(root[len(base) :])])} as the {HELD_OUT.get(role, 'training')} half")
    return [f"Read by the names of the folders: {', '.join(sorted(read))}."] if read else []


def _check_halves(split: dict[str, int], others: Sequence[str], where: str, *, halved: bool) -> None:
    """Raise :class:`UserError` for halves that contradict each other, are incomplete, or may be classes.

    ``halved``: whether another half is there, without class folders.
    """
    for half in (TRAIN, *HELD_OUT):
        if len(same := sorted(name for name, role in split.items() if role == half)) > 1:
            raise UserError(f"{where} has {some(same)}, which all mean the {HELD_OUT.get(half, 'training')} half; keep one.")
    named = some(sorted(split), 6)
    if TRAIN not in split.values():
        raise UserError(
            f"{where} has {named} but no folder for training: call that one train, or give the path of one folder alone, of "
            "which a part is then held out; where it is a class, give it another name."
        )
    if len(split) == 1 and others and not halved:
        raise UserError(
            f"{where} has {named} beside {some(others)}: where {named} holds the training images, move the others away or call "
            "the test images test; where it is a class, give it another name."
        )


def _classes(tree: Tree, base: Parts, where: str) -> Layout:
    """Every top folder is a class; refused where halves lie below them, said where all have the same sub-folders."""
    tops = sorted(tree.below(base))
    below = {name: tree.below((*base, name)) for name in tops}
    halves = {name: _roles(inner) for name, inner in below.items()}
    if divided := [name for name in tops if TRAIN in halves[name].values() and len(set(halves[name].values())) > 1]:
        raise UserError(
            f"{where} has {some(sorted(halves[divided[0]]))} below {some(divided)} and not at the top: give the path of one "
            "such folder, or put them at the top, as train/<class>/… and test/<class>/…."
        )
    layout = Layout({base: UNSPLIT})
    shared = below[tops[0]] if tops else set()
    if len(tops) > 1 and len(shared) > 1 and all(below[name] == shared for name in tops):
        layout.said.append(
            f"The same sub-folders ({some(sorted(shared))}) lie below each of {some(tops)}, which are taken for the "
            "classes; where the sub-folders are the classes, call the folders around them train and test."
        )
    return layout


def _roles(names: Iterable[str]) -> dict[str, int]:
    """Those of the folders that are called like a half. Other words beside it must be the same in two halves:
    ``seg_train`` and ``seg_test`` are halves, ``test_tube`` is not."""
    told = {name: role_of(name) for name in names}
    with_words: dict[Parts, set[int]] = {}
    for role, words in told.values():
        if role is not None:
            with_words.setdefault(words, set()).add(role)
    return {
        name: role for name, (role, words) in told.items() if role is not None and (not words or len(with_words[words]) > 1)
    }


def _unwrap_folders(tree: Tree) -> Parts:
    """The folder that holds more than one folder: archives often have one around everything, sometimes twice."""
    base: Parts = ()
    while len(tops := tree.below(base)) == 1:
        inside = (*base, *tops)
        inner = tree.below(inside)
        if not inner or (_roles(tops) and len(_roles(inner)) < 2):
            break
        base = inside
    return base


def _inner(tree: Tree, top: Parts) -> Parts:
    """``train/train`` and ``train/images`` hold the classes where no other folder lies beside them."""
    while len(inner := tree.below(top)) == 1:
        (name,) = inner
        role = role_of(name)[0]
        same = name.casefold() == top[-1].casefold() or (role is not None and role == role_of(top[-1])[0])
        if not (same or is_filler(name)) or not tree.below((*top, name)):
            break
        top = (*top, name)
    return top


def _empty_classes(folders: Iterable[str], tree: Tree, layout: Layout) -> list[str]:
    """One sentence for folders on the level of the classes that have no images."""
    split = [tuple(folder.split("/")) for folder in folders]
    empty = sorted("/".join(part) for part in split if part[:-1] in layout.roots and part[-1] not in tree.below(part[:-1]))
    return [f"{some(empty)} {are(empty)} empty: no images are in there."] if empty else []
