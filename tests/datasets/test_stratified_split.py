"""The split of a dataset without halves, and the digits: what scikit-learn gives, without its import."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from unlearn_core.datasets import LabelledData, stratified_split
from unlearn_core.datasets.digits import read_scans


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("sizes", "test"), [((300, 300, 300), 300), ((7, 2, 31, 5), 9), ((2, 2), 2), ((3,) * 10, 11)])
def test_it_is_the_split_that_results_are_stored_under(sizes: tuple[int, ...], test: int, seed: int) -> None:
    from sklearn.model_selection import train_test_split

    order = torch.randperm(sum(sizes), generator=torch.Generator().manual_seed(seed))
    labels = torch.cat([torch.full((size,), k) for k, size in enumerate(sizes)])[order]
    split = stratified_split(LabelledData(torch.arange(len(labels))[:, None], labels, tuple(map(str, sizes))), test, seed)
    expected = train_test_split(np.arange(len(labels)), test_size=test, random_state=seed, stratify=labels.numpy())
    assert [part.inputs[:, 0].tolist() for part in (split.train, split.test)] == [sorted(part) for part in expected]
    assert torch.equal(split.test.labels, labels[split.test.inputs[:, 0]])


@pytest.mark.parametrize(("labels", "test"), [((0, 0, 0, 1), 2), ((0, 0, 1, 1), 1), ((0, 0, 1, 1), 3)])
def test_a_part_without_one_of_the_classes_is_refused(labels: tuple[int, ...], test: int) -> None:
    data = LabelledData(torch.zeros(4, 1), torch.tensor(labels), ("a", "b"))
    with pytest.raises(ValueError, match="cannot be split"):
        stratified_split(data, test, seed=0)


def test_the_digits_are_scikit_learn_s() -> None:
    from sklearn.datasets import load_digits

    known, table = load_digits(), read_scans()
    np.testing.assert_array_equal(table[:, :-1], known.data)
    np.testing.assert_array_equal(table[:, -1], known.target)
