"""Linear CKA of the activations of two models, and what of it is stored.

Kornblith et al., "Similarity of Neural Network Representations Revisited" (arXiv:1905.00414), with the unbiased estimator of
HSIC (Song et al., "Feature Selection via Dependence Maximization", JMLR 2012, equation 5; used for CKA by Nguyen et al.,
arXiv:2010.15327): the plain one is the larger the fewer examples there are, and a forget set is small beside the retain set.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from unlearn_core.canonical import content_key
from unlearn_core.results.reader import Results
from unlearn_core.specs import MethodSpec, Scenario

REVISION = 1
MOST, FEWEST = 512, 10
"""So many examples of a group are looked at at most, drawn with the scenario's seed; a group with fewer than the least is left
out, because its numbers would be mostly noise."""
PARTS = ("forget", "undiscovered", "retain")
"""The forget set F, what is corrupted outside it (only where that is known), and all training examples outside F."""


def linear_cka(x: np.ndarray, y: np.ndarray) -> float:
    """Linear CKA of activations ``x`` (n, p) and ``y`` (n, q) of the same n ≥ 4 examples, unbiased: at most 1.

    1: the same up to a rotation, a shift and one scale; near 0, and as often below as above: unrelated. NaN where either is
    constant. With Gram matrices K = XXᵀ and L = YYᵀ without their diagonals, U-centred,
    CKA = ⟨K, L⟩ / √(⟨K, K⟩ ⟨L, L⟩); ⟨K, L⟩ / (n(n − 3)) is Song et al.'s HSIC₁.
    """
    if len(x) != len(y) or len(x) < 4:
        raise ValueError(f"{len(x)} and {len(y)} examples, where CKA needs the same 4 or more")
    ours, theirs = _centred_gram(x), _centred_gram(y)
    size = float((ours * ours).sum() * (theirs * theirs).sum()) ** 0.5
    return float((ours * theirs).sum()) / size if size > 0 else float("nan")


def _centred_gram(x: np.ndarray) -> np.ndarray:
    """XXᵀ without its diagonal, (n, n) of length about 1: the sum of every row and column is 0, and the diagonal is."""
    rows = x.astype(float) - x.mean(0, dtype=float)  # changes nothing but the rounding
    spread = float(np.abs(rows).max(initial=0))
    if spread <= 1e-9 * float(np.abs(x).max(initial=0)):  # constant but for rounding
        return np.zeros((len(x), len(x)))
    gram = (rows / spread) @ (rows / spread).T
    n = len(gram)
    np.fill_diagonal(gram, 0)
    sums = gram.sum(0)
    gram -= (sums[:, None] + sums) / (n - 2) - sums.sum() / ((n - 1) * (n - 2))
    np.fill_diagonal(gram, 0)
    return np.asarray(gram / max(float(np.linalg.norm(gram)), 1e-30))


def similarity_key(scenario: Scenario, spec: MethodSpec) -> str:
    """Key of the similarity of the original and the model after a run; it depends on F, as the run does."""
    return content_key("similarity", REVISION, scenario.run_key(spec))


def read_similarity(store: Results, key: str) -> pd.DataFrame:
    """One row for each layer and part: layer (name, in the order in which they run), part (of :data:`PARTS`), examples
    (looked at), cka (NaN where activations are constant). Raises LookupError where nothing is stored."""
    record = store.get(key)
    if record is None:
        raise LookupError(f"no similarity is stored under {key}")
    frame = pd.DataFrame(record.payload["rows"], columns=["layer", "part", "examples", "cka"])
    return frame.assign(cka=frame["cka"].astype(float))


def most_apart(frame: pd.DataFrame) -> tuple[str, float, float] | None:
    """The layer where the forget set's similarity lies furthest below the retain set's, and both; None where either is
    missing or it lies nowhere below."""
    forget, retain = (frame[frame["part"] == part].set_index("layer")["cka"] for part in ("forget", "retain"))
    gap = (retain - forget).reindex(forget.index).dropna()
    if gap.empty or gap.max() <= 0:
        return None
    place = int(gap.to_numpy().argmax())
    layer = str(gap.index[place])
    return layer, float(forget[layer]), float(retain[layer])
