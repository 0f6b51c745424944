"""Fixed seeds, threads and kernels for as long as a computation runs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Torch's global generators start from ``seed`` in here, and from where they were afterwards: dropout draws from them."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        yield


@contextlib.contextmanager
def deterministic(threads: int | None = 1) -> Iterator[None]:
    """Fixed thread count (CPU sums depend on it) and deterministic kernels, restored afterwards."""
    before = torch.get_num_threads()
    cudnn = torch.backends.cudnn.benchmark
    try:
        if threads:
            torch.set_num_threads(threads)
        torch.backends.cudnn.benchmark = False
        yield
    finally:
        torch.set_num_threads(before)
        torch.backends.cudnn.benchmark = cudnn
