"""The order of images in a folder: that of torchvision's ``ImageFolder``, so that a number means the same image in both."""

from __future__ import annotations

import posixpath
from dataclasses import replace

import numpy as np

from unlearn_core.datasets.files.listing import Listing

IMAGEFOLDER = "as torchvision's ImageFolder numbers them: classes by name, then files"


def as_imagefolder(listing: Listing) -> Listing:
    """The listing with classes in the order of their names, and in each half the images by class, then folder, then file.

    Source: ``torchvision.datasets.folder``: ``sorted`` classes, ``sorted(os.walk(class))``, ``sorted`` file names.
    """
    classes = sorted(range(len(listing.class_names)), key=listing.class_names.__getitem__)
    rank = np.empty(len(classes), np.int64)
    rank[classes] = np.arange(len(classes))
    labels = rank[listing.labels]
    names, halves = listing.names, listing.splits.tolist()
    order = sorted(range(len(listing)), key=lambda k: (halves[k], labels[k], posixpath.dirname(names[k]), names[k]))
    clean = listing.clean
    if clean is not None:
        clean = np.where(clean < 0, -1, rank[clean])[order]
    return replace(
        listing,
        names=tuple(names[k] for k in order),
        labels=labels[order],
        splits=listing.splits[order],
        class_names=tuple(listing.class_names[k] for k in classes),
        clean=clean,
    )


def order_of(listing: Listing) -> str:
    """What an order that differs from that of earlier versions (paths, and classes that are numbers by value) adds to the name
    of the data; "" where the two are the same."""
    by_class = listing.class_names == tuple(sorted(listing.class_names, key=_by_value))
    for half in np.unique(listing.splits):
        names = [listing.names[k] for k in np.flatnonzero(listing.splits == half)]
        by_class = by_class and names == sorted(names)
    return "" if by_class else "order of ImageFolder"


def _by_value(name: str) -> tuple[int, int, str]:
    return (0, int(name), name) if name.isdecimal() and len(name) < 10 else (1, 0, name)
