"""Relearn time: how soon the forget set fits again. What is merely hidden comes back in a few steps."""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import nn

from unlearn_core.training import SGD, DeviceData, predict

MAX_STEPS, TARGET, BATCH = 100, 0.9, 128


def relearn_steps(model: nn.Module, data: DeviceData, forget: torch.Tensor, learning_rate: float, seed: int) -> int | None:
    """SGD steps (momentum 0.9) on F, given labels, until ``TARGET`` of it fits; ``MAX_STEPS`` if it doesn't before.

    The model is copied; batch norm keeps its running statistics, so that only the weights relearn. None without F.
    """
    if len(forget) == 0:
        return None
    student = copy.deepcopy(model).eval()
    optimizer = SGD([p for p in student.parameters() if p.requires_grad], lr=learning_rate, momentum=0.9)
    generator = torch.Generator().manual_seed(seed)
    for step in range(MAX_STEPS):
        fits = predict(student, data, forget).argmax(1) == data.labels[forget]
        if fits.float().mean().item() >= TARGET:
            return step
        ids = forget[torch.randperm(len(forget), generator=generator)[:BATCH].to(forget.device)]
        loss = F.cross_entropy(student(data.batch(ids)).float(), data.labels[ids])
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimizer.step()
    return MAX_STEPS
