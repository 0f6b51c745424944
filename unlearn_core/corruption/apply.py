"""From clean data and a spec to corrupted data with their ground truth."""

from __future__ import annotations

import numpy as np
import torch

from unlearn_core.corruption.base import Asked, Mark, check_change, registry
from unlearn_core.corruption.counts import corrupted_count
from unlearn_core.corruption.dial import check_confusion, choose_wrong_labels, draw_slots
from unlearn_core.corruption.kinds import ADDED, CONFUSION, FOUND, NOISE, TRIGGER
from unlearn_core.corruption.triggers import Part, apply_trigger, patch_slices
from unlearn_core.corruption.truth import Corrupted, GroundTruth
from unlearn_core.datasets import LabelledData, Split
from unlearn_core.datasets import registry as datasets
from unlearn_core.errors import UserError
from unlearn_core.specs import CorruptionSpec, DatasetSpec


def corrupt(data: Split, dataset: DatasetSpec, spec: CorruptionSpec, seed: int) -> Corrupted:
    """Corrupt the training half of ``data``; equal arguments give equal results.

    Raises :class:`UserError` when a class does not exist, the amount does not fit, or confusion would take more than
    ``MAX_CONFUSED`` of either class. With ``spec.found`` the data stay as they are.
    """
    if spec.found:
        return _keep_as_found(data, seed)
    train, displacement = data.train, datasets.get(dataset.name).displacement
    if spec.kind:
        return _change_otherwise(data, spec, seed, displacement)
    _check_classes(spec, train.class_names)
    rng = np.random.default_rng([20_250_523, seed])
    slots = draw_slots(train, spec, corrupted_count(spec.amount, len(train)), rng)
    kinds = slots.kinds(spec.regularity)
    check_confusion(spec, slots, kinds)
    chosen = np.where(kinds == CONFUSION, slots.confusable, slots.anywhere)

    clean = train.labels.numpy()
    labels = clean.copy()
    labels[chosen] = choose_wrong_labels(clean[chosen], kinds, slots.wrong, spec, train.classes)
    inputs = train.inputs.clone()
    hit = torch.from_numpy(chosen[kinds == TRIGGER])
    inputs[hit] = apply_trigger(train.inputs[hit], spec.trigger, displacement, train.places_of(hit))

    order = torch.from_numpy(slots.discovery)
    truth = GroundTruth(
        torch.from_numpy(chosen)[order], torch.from_numpy(kinds.astype(np.int8))[order], torch.from_numpy(clean.copy())
    )
    marked = apply_trigger(data.test.inputs, spec.trigger, displacement, data.test.places)
    triggered = LabelledData(marked, data.test.labels, train.class_names)
    return Corrupted(LabelledData(inputs, torch.from_numpy(labels), train.class_names), data.test, triggered, truth)


def still_parts(spec: CorruptionSpec, shape: tuple[int, ...], classes: int) -> tuple[Part, ...]:
    """Parts of images of this shape (C, H, W) that crops and flips leave where they are: those of patches."""
    if spec.found:
        return ()
    triggers = [spec.trigger]
    # A corruption from a plug-in has no mark, but what lies under the scenario's patch has always stayed there.
    if spec.kind and registry.plugin_of(spec.kind) is None:
        source = registry.get(spec.kind)
        triggers = [mark.trigger for mark in source.marks(source.params(dict(spec.options)), spec, classes)]
    parts = (patch_slices(trigger, *shape[-2:]) for trigger in triggers)
    return tuple(part for part in parts if part is not None)


def _change_otherwise(data: Split, spec: CorruptionSpec, seed: int, displacement: tuple[float, float] | None) -> Corrupted:
    """What a corruption in the dial's place makes of the data, and the test data with its marks on."""
    train, source = data.train, registry.get(spec.kind)
    if source.images_only and not train.is_image:
        raise UserError(f"{source.label} is for images; points in the plane have no pixels.")
    params = source.params(dict(spec.options))
    count = 0 if source.own_amount else corrupted_count(spec.amount, len(train))
    asked = Asked(train, count, seed, spec, displacement)
    made = source.make(params, asked)
    check_change(source, made, asked)
    inputs, labels = train.inputs.clone(), train.labels.clone()
    labels[made.indices] = made.labels
    if made.inputs is not None:
        inputs[made.indices] = made.inputs
    if made.beside is not None:
        inputs[made.beside[0]] = made.beside[1]
    usual = NOISE if registry.plugin_of(spec.kind) is None else ADDED
    kinds = torch.full((len(made.indices),), usual, dtype=torch.int8) if made.kinds is None else made.kinds
    truth = GroundTruth(made.indices, kinds, train.labels.clone())
    marks = source.marks(params, spec, train.classes)
    tested = _put_on(data.test, marks, displacement)
    if source.labels_right and marks:
        before = LabelledData(train.inputs[made.indices], train.labels[made.indices], train.class_names)
        tested = _joined([tested, before])
    as_given = LabelledData(inputs, labels, train.class_names)
    return Corrupted(as_given, data.test, tested, truth, marks, source.labels_right)


def _put_on(test: LabelledData, marks: tuple[Mark, ...], displacement: tuple[float, float] | None) -> LabelledData:
    """The test data with each mark on, one after the other; as they are where there is none."""
    if not marks:
        return test
    marked = [apply_trigger(test.inputs, mark.trigger, displacement, test.places) for mark in marks]
    return _joined([LabelledData(inputs, test.labels, test.class_names) for inputs in marked])


def _joined(parts: list[LabelledData]) -> LabelledData:
    inputs, labels = torch.cat([part.inputs for part in parts]), torch.cat([part.labels for part in parts])
    return LabelledData(inputs, labels, parts[0].class_names)


def _keep_as_found(data: Split, seed: int) -> Corrupted:
    """The data untouched. C is known only where the true label of every training example is: wherever it is not the given one.

    A few clean labels among many unknown ones are no sample of C, so C then counts as unknown.
    """
    given, train = data.train.labels, data.train
    clean = torch.full_like(given, -1) if data.clean is None else data.clean
    known = bool((clean >= 0).all())
    wrong = (clean != given).nonzero()[:, 0] if known else torch.empty(0, dtype=torch.int64)
    order = np.random.default_rng([20_261_121, seed]).permutation(len(wrong))
    truth = GroundTruth(
        wrong[torch.from_numpy(order)], torch.full((len(wrong),), FOUND, dtype=torch.int8), clean.clone(), known
    )
    return Corrupted(train, data.test, data.test, truth)


def _check_classes(spec: CorruptionSpec, names: tuple[str, ...]) -> None:
    for field in ("class_a", "class_b", "target_class"):
        value = getattr(spec, field)
        if value >= len(names):
            raise UserError(f"{field} must be below {len(names)}, the number of classes (got {value}).")
