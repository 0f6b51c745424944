"""Everything that data health looks for in a data set as it comes, whatever is made of it later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from unlearn_core.canonical import content_key
from unlearn_core.datasets import Split, load_dataset
from unlearn_core.datasets import registry as datasets
from unlearn_core.datasets.files import cache, twins
from unlearn_core.datasets.files.originals import Original
from unlearn_core.discovery.health.attributes import attributes_of, find_associations
from unlearn_core.discovery.health.classes import find_imbalance
from unlearn_core.discovery.health.copies import describe_copies, find_copies
from unlearn_core.discovery.health.findings import Finding, Health
from unlearn_core.discovery.health.measures import LEAST_SIDE, MEASURES, measure_grey, saturation_of, to_grey
from unlearn_core.discovery.health.odd import RULES, bound_tells, find_all_odd
from unlearn_core.errors import UserError
from unlearn_core.specs import DatasetSpec
from unlearn_core.support.deferring import report_reading

REVISION = 1
"""Raised when other things would be found in the same data."""
_TEXTS = ("suffix", "above", "below", "camera")
_EVERY = 64

Step = Callable[[int, int], None]


@dataclass(frozen=True)
class Measured:
    """What was measured of N training images: ``numbers`` by name, float64 (N,), NaN where nothing could be; ``texts`` by name;
    ``left_out``: what does not apply here, one sentence each."""

    numbers: dict[str, np.ndarray]
    texts: dict[str, list[str]] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


def examine(spec: DatasetSpec, seed: int, step: Step) -> Health:
    """Look for everything but outliers, which need a network. ``step(done, total)`` is told how far it is.

    Points have no images: then only the sizes of the classes are looked at, and what is left out is said.
    """
    step(0, 1)
    split = load_dataset(spec, seed)
    labels, names = split.train.labels.numpy(), split.train.class_names
    imbalance = find_imbalance(labels, names)
    if not split.train.is_image:
        why = "Points in the plane are no images: copies, quality and spurious attributes are not looked for."
        return Health(_there(imbalance), ("unequal classes",), (why,))
    count, tested = len(split.train), len(split.test)
    total = 2 * count + tested
    with report_reading(lambda done, _: step(done, total)):
        measured = measure_images(spec, split)
    copies, why = _find_copies(split, lambda done: step(count + done, total))
    odd = find_all_odd(measured.numbers)
    attributes = attributes_of(measured.numbers, measured.texts, labels)
    told = find_associations(attributes, labels, names)
    step(total, total)
    left_out = [*measured.left_out, *([f"Near copies are not looked for: {why}."] if why else [])]
    examined = ["exact copies", "training images among the test images", *([] if why else ["near copies"]), "unequal classes"]
    rules = [rule for rule in RULES if rule.measure in measured.numbers]
    silent = [rule for rule in rules if not bound_tells(rule, measured.numbers[rule.measure])]
    left_out += [
        f"{one.title} images are not looked for: the typical one is beyond the bound ({one.bound:g})." for one in silent
    ]
    examined += [rule.title.lower() for rule in rules if rule not in silent]
    examined += [f"{one.title.lower()} and class" for one in attributes]
    return Health((*odd, *copies, *_there(imbalance), *told), tuple(examined), tuple(left_out))


def _there(finding: Finding | None) -> tuple[Finding, ...]:
    return () if finding is None else (finding,)


def _find_copies(split: Split, step: Callable[[int], None]) -> tuple[list[Finding], str]:
    """Findings, and why near copies were not looked for."""
    pixels = np.concatenate([half.inputs.numpy() for half in (split.train, split.test)])
    labels = np.concatenate([half.labels.numpy() for half in (split.train, split.test)])
    hashes = np.zeros(len(pixels), np.uint64)
    if pixels.shape[-1] >= twins.LEAST_SIDE:
        for row, image in enumerate(pixels):
            if row % _EVERY == 0:
                step(row)
            hashes[row] = twins.hash_of(image)
    found = find_copies(pixels, labels, len(split.train), hashes)
    return describe_copies(found, labels), found.why


def measure_images(spec: DatasetSpec, split: Split) -> Measured:
    """What is measured of the training images: of their files, where there are some, else of the pixels that are trained on."""
    source = datasets.get(spec.name)
    key = f"health-{content_key('measured', REVISION, spec, split.roster.positions.tolist())}"
    stored = cache.read(key) if split.files is not None else None
    if stored is not None:
        return _from_arrays(stored, split)
    try:
        seen = source.originals(source.params(spec.params), split, _look)
    except UserError as error:
        return _of_pixels(split, f"The files cannot be read any more, so that sizes and sources are not known: {error}")
    if seen is None:
        return _of_pixels(split, "There are no files behind these images, so that sizes, shapes and sources are not looked at.")
    nothing = (np.full(len(MEASURES) + 2, np.nan), ("",) * len(_TEXTS))
    rows = [nothing if one is None else one for one in seen]
    arrays = {"numbers": np.stack([numbers for numbers, _ in rows])}
    arrays |= {name: np.array([texts[k] for _, texts in rows], dtype=np.str_) for k, name in enumerate(_TEXTS)}
    cache.write(key, arrays)
    return _from_arrays(arrays, split)


def _look(original: Original) -> tuple[np.ndarray, tuple[str, ...]]:
    """Everything that is measured of a file: MEASURES, side, shape; and where it comes from."""
    short, long = sorted((original.width, original.height))
    numbers = np.append(measure_grey(original.grey), [np.sqrt(short * long), short / long])
    return numbers, tuple(getattr(original, name) for name in _TEXTS)


def _from_arrays(arrays: dict[str, np.ndarray], split: Split) -> Measured:
    numbers = dict(zip((*MEASURES, "size", "shape"), arrays["numbers"].T, strict=True))
    left_out = _drop_blur(numbers, f"of the files are below {LEAST_SIDE} pixels")
    colours = split.train.inputs.numpy()
    if colours.shape[1] == 3:
        numbers["saturation"] = saturation_of(colours)
    texts = {name: arrays[name].tolist() for name in _TEXTS}
    if not any(texts["camera"]):
        del texts["camera"]
        left_out.append("No file says with which camera it was taken.")
    return Measured(numbers, texts, tuple(left_out))


def _drop_blur(numbers: dict[str, np.ndarray], words: str) -> list[str]:
    """Leave blur out where it could not be measured for most."""
    if np.isnan(numbers["blur"]).mean() <= 0.5:
        return []
    del numbers["blur"]
    return [f"Blur is not looked for: too many {words}, too few to tell sharp from blurred."]


def _of_pixels(split: Split, why: str) -> Measured:
    """The same of what is trained on."""
    pixels = split.train.inputs.numpy()
    values = np.stack([measure_grey(to_grey(image)) for image in pixels])
    numbers = dict(zip(MEASURES, values.T, strict=True))
    left_out = [why, *_drop_blur(numbers, f"of the images are below {LEAST_SIDE} pixels")]
    if pixels.shape[1] == 3:
        numbers["saturation"] = saturation_of(pixels)
    return Measured(numbers, {}, tuple(left_out))
