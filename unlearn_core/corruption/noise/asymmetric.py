"""Asymmetric label noise: each class is mistaken for particular others, as often as a matrix says."""

from __future__ import annotations

import numpy as np
import torch
from pydantic import Field

from unlearn_core.component import ComponentParams
from unlearn_core.corruption.base import Change, Corruption, registry
from unlearn_core.corruption.dial import MAX_CONFUSED
from unlearn_core.corruption.kinds import NOISE
from unlearn_core.corruption.noise.matrix import Rates, parse_matrix, usual_rates
from unlearn_core.datasets import LabelledData
from unlearn_core.errors import UserError

_STREAM = 20_261_201


class AsymmetricParams(ComponentParams):
    matrix: str = Field(
        "",
        max_length=4000,
        description="Pairs such as truck>automobile 0.4; cat<>dog 0.2: right class, given class, rate; empty: the usual pairs",
    )


@registry.register
class Asymmetric(Corruption[AsymmetricParams]):
    """n(y → z) ∝ |class y| · T(y, z): the amount says how many examples in all, the matrix T in which proportions."""

    name, label = "asymmetric", "Asymmetric label noise"
    summary = "Each class is mistaken for particular others, as often as a matrix says: trucks are called automobiles."
    paper = "arXiv:1609.03683"
    place = 0.5

    @classmethod
    def change(cls, params: AsymmetricParams, train: LabelledData, count: int, seed: int) -> Change:
        rates = parse_matrix(params.matrix, train.class_names) if params.matrix.strip() else usual_rates(train, seed)
        labels, rng = train.labels.numpy(), np.random.default_rng([_STREAM, seed])
        members = {y: rng.permutation(np.flatnonzero(labels == y)) for y in sorted({y for y, _ in rates})}
        shares = share_out(count, {pair: rate * len(members[pair[0]]) for pair, rate in rates.items()})
        _check_shares(shares, members, train.class_names)
        chosen, given = [], []
        for (y, z), n in shares.items():
            taken, members[y] = members[y][:n], members[y][n:]
            chosen.append(taken)
            given.append(np.full(n, z))
        order = rng.permutation(count)
        indices, wrong = (torch.from_numpy(np.concatenate(parts)[order]) for parts in (chosen, given))
        return Change(indices, wrong, kinds=torch.full((count,), NOISE, dtype=torch.int8))


def share_out(count: int, weights: Rates) -> dict[tuple[int, int], int]:
    """``count`` in whole numbers proportional to the weights, by largest remainders."""
    total = sum(weights.values())
    if not total:
        raise UserError("The classes that the matrix names have no training examples.")
    exact = {pair: count * weight / total for pair, weight in weights.items()}
    shares = {pair: int(value) for pair, value in exact.items()}
    behind = sorted(exact, key=lambda pair: shares[pair] - exact[pair])
    for pair in behind[: count - sum(shares.values())]:
        shares[pair] += 1
    return shares


def _check_shares(shares: dict[tuple[int, int], int], members: dict[int, np.ndarray], names: tuple[str, ...]) -> None:
    """Raise :class:`UserError` where a class would nearly change its meaning. As on the dial, of its examples that carry its
    own or one particular other label at most :data:`MAX_CONFUSED` may be wrong; wrong labels that spread over several classes
    may be more in all, because none of them comes near the right one."""
    taken = {y: sum(n for (right, _), n in shares.items() if right == y) for y in members}
    for (y, z), n in shares.items():
        kept = len(members[y]) - taken[y]
        if n > MAX_CONFUSED * (kept + n):
            raise UserError(
                f"The matrix would give {n} of the {len(members[y])} examples of {names[y]!r} the label {names[z]!r} and leave "
                f"{kept} right; of those two kinds at most {MAX_CONFUSED:.0%} may be wrong, or the class loses its meaning: "
                "corrupt fewer examples, or name more classes in the matrix."
            )
