"""From clean data and a spec to corrupted data with their ground truth."""

from __future__ import annotations

import numpy as np
import torch

from unlearn_core.corruption.base import check_change, registry
from unlearn_core.corruption.counts import corrupted_count
from unlearn_core.corruption.dial import check_confusion, choose_wrong_labels, draw_slots
from unlearn_core.corruption.kinds import ADDED, CONFUSION, FOUND, TRIGGER
from unlearn_core.corruption.triggers import apply_trigger
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
    train = data.train
    if spec.kind:
        return _change_otherwise(data, spec, seed)
    _check_classes(spec, train.class_names)
    displacement = datasets.get(dataset.name).displacement
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


def _change_otherwise(data: Split, spec: CorruptionSpec, seed: int) -> Corrupted:
    """What a plug-in's corruption makes of the data; it has no trigger that could be put on test examples."""
    train, source = data.train, registry.get(spec.kind)
    count = corrupted_count(spec.amount, len(train))
    made = source.change(source.params(dict(spec.options)), train, count, seed)
    check_change(spec.kind, made, train, count)
    inputs, labels = train.inputs.clone(), train.labels.clone()
    labels[made.indices] = made.labels
    if made.inputs is not None:
        inputs[made.indices] = made.inputs
    truth = GroundTruth(made.indices, torch.full((len(made.indices),), ADDED, dtype=torch.int8), train.labels.clone())
    return Corrupted(LabelledData(inputs, labels, train.class_names), data.test, data.test, truth)


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
