"""REM's parameters, where they start from on each kind of data, and what is worth trying."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from unlearn_core.methods.base import MethodParams


class RemParams(MethodParams):
    """REM's parameters; the docstring of ``Rem`` says which symbol each stands for. The defaults are the paper's, for 32×32
    photographs, but for those of :data:`LATER`: what the public program does there is in :data:`PUBLISHED`."""

    epochs: int = Field(10, ge=1, le=100, description="Rounds of flushing, then redirecting over all data")
    learning_rate: float = Field(
        0.005, gt=0, le=1, description="Constant learning rate of SGD; a hundredth of it for AdamW, which moves transformers"
    )
    final_rate: float = Field(
        1.0, ge=0, le=1, description="The rate falls linearly to this share of it, over all rounds; 1: as in the paper"
    )
    batch_size: int = Field(512, ge=2, le=8192, description="Examples in a step of redirection")
    steps: int = Field(
        0,
        ge=0,
        le=1_000_000,
        description="So many steps of redirection in all, in as many rounds as that takes, in place of so many epochs; "
        "0: epochs. Published: 980, whatever the size of the set",
    )
    round_steps: int = Field(
        0,
        ge=0,
        le=100_000,
        description="At most so many steps of redirection in a round; 0: once over all data, as in the paper",
    )
    most_work: float = Field(
        0.0,
        ge=0,
        le=100,
        description="Rounds are cut short where all would take more than so many times the arithmetic of training from "
        "scratch; 0: however much it takes, as in the paper",
    )
    fit_rate: bool = Field(
        False,
        description="First try smaller learning rates for a round, and take the one that does best on a held-out half of F",
    )
    momentum: float = Field(0.9, ge=0, lt=1, description="Momentum of SGD")
    weight_decay: float = Field(5e-4, ge=0, le=0.1, description="Weight decay in every step")
    beta: float = Field(1.0, gt=0, le=20, description="Sharpness of the bounded loss on the forget set")
    repair_beta: float = Field(
        1.0,
        gt=0,
        le=20,
        description="Sharpness of the bounded loss on the rest; the higher, the less is relearned of what was lost most",
    )
    redirect_ratio: float = Field(1.0, gt=0, le=4, description="Redirect channels for each base channel")
    mask_share: float = Field(0.2, gt=0, le=1, description="Share of the redirect channels that one example may use")
    forget_share: float = Field(0.2, gt=0, le=1, description="Share of the redirect channels given to the forget set")
    forget_per_batch: int = Field(0, ge=0, le=1024, description="Extra forget examples added to every batch")
    forget_weight: float = Field(
        0.0,
        ge=0,
        le=10,
        description="Weight of the removal's mean over the forget examples of a batch; 0 counts every example alike",
    )
    redirect_rate: float = Field(1.0, gt=0, le=20, description="Learning rate of the redirect channels relative to the base")
    flush_rate: float = Field(1.0, gt=0, le=20, description="Learning rate of a flush relative to that of redirection")
    removal_cap: float = Field(
        100.0,
        ge=0,
        le=100,
        description="Starting losses count at most this much in the removal: where they are above, the wrong label was never "
        "learned, and there is less to remove; 100 counts them as they are, as in the paper",
    )
    removal_reference: Literal["masked", "dropped"] = Field(
        "dropped",
        description="Whose loss a removal starts from: the network's at the start with the forget set's mask, as in the public "
        "program, or with redirect off",
    )
    flush_threshold: float = Field(0.2, ge=0, le=1, description="Flush until the forget accuracy is at most this")
    flush_loss: float = Field(
        0.0,
        ge=0,
        le=100,
        description="Flush also until the forget set's median loss is at least this: of a handful of examples the accuracy is "
        "soon low, with the corruption that resembles them still in place",
    )
    flush_passes: int = Field(100, ge=0, le=1000, description="At most so many passes of one flush")
    flush_clip: float = Field(0.0, ge=0, le=100, description="Largest gradient norm of a flush; 0 leaves gradients alone")
    flush_momentum: bool = Field(
        False,
        description="Flushes go on with redirection's momentum and at its rate, as in the public program (flush_rate has no "
        "say then); else each starts with its own",
    )
    statistics: Literal["mixed", "retain"] = Field(
        "retain",
        description="What batch norm normalises by: the running means of all passes, with redirect and without, as in the "
        "public program, or the retain set's, measured after every round",
    )
    repeat: bool = Field(
        True, description="A run that lost a whole class is made once more with a softer flush, and the better one kept"
    )
    spare_classes: bool = Field(
        False,
        description="Where a round lost a whole class, the rounds that follow remove nothing and repair with the paper's loss",
    )
    take_back: int = Field(
        0,
        ge=0,
        le=10,
        description="A round that lost a whole class is undone and done anew with half the flush's clip, at most so many times",
    )
    keep_best: bool = Field(True, description="Return the round that is best by the paper's proxy, else the last")


def total_steps(params: RemParams, examples: int) -> int:
    """Optimiser steps of redirection in a whole run, where no limit of work cuts it short."""
    return params.steps or params.epochs * steps_per_round(examples, params.batch_size, params.round_steps)


def count_rounds(params: RemParams, examples: int) -> int:
    """Rounds of a whole run; the last may be a part of one."""
    return -(-total_steps(params, examples) // steps_per_round(examples, params.batch_size, params.round_steps))


def steps_per_round(examples: int, batch_size: int, round_steps: int) -> int:
    """Optimiser steps of redirection in one round; ``round_steps`` 0 is a whole epoch."""
    epoch = -(-examples // batch_size)
    return min(epoch, round_steps) if round_steps else epoch


# Where to start from on small data; `tune` refines it by the held-out-F rule (unlearn_core/tuned).
_SMALL: dict[str, float | bool] = {
    "epochs": 4,
    "batch_size": 256,
    "learning_rate": 0.1,
    "forget_share": 1.0,
    "forget_weight": 0.3,
    "flush_clip": 0.5,
    "weight_decay": 5e-3,
    "repair_beta": 2.0,
    "mask_share": 0.1,
    "keep_best": False,
}
PRESETS: dict[str, dict[str, float | bool]] = {
    "digits": _SMALL | {"repeat": False, "take_back": 3},
    "points": _SMALL | {"batch_size": 64},
    # Channels cost: as many again as the base has make a masked pass four times the arithmetic of one without. A quarter of
    # them heals as much (1,200 JPEGs), and no run may take longer than retraining. What was known by heart is given up and
    # relearned, so the rate falls, as in training; the sharper loss leaves aside what contradicts its class, and lets less
    # removal do, which takes whole classes otherwise (5,000 JPEGs known by heart, benchmarks run rem_photos).
    "photos": _SMALL
    | {
        "redirect_ratio": 0.25,
        "most_work": 0.6,
        "epochs": 3,
        "batch_size": 64,
        "final_rate": 0.0,
        "forget_weight": 0.1,
        "repair_beta": 4.0,
        "repeat": False,
        "spare_classes": True,
    },
    # Where crops and flips keep a network from learning by heart, the same rule finds a lower rate. What redirection does grows
    # with its steps, and with what it tries to remove: with 10,000 images, an epoch a round and the full force against labels
    # that were never learned broke the network (benchmarks run rem_photos).
    "photos, augmented": {
        "learning_rate": 0.02,
        "final_rate": 1.0,
        "epochs": 5,
        "batch_size": 256,
        "repair_beta": 1.0,
        "forget_weight": 0.3,
        "round_steps": 8,
        "removal_cap": 0.0,
        "repeat": True,
        "spare_classes": False,
    },
}
LATER = frozenset(
    {
        "steps",
        "final_rate",
        "removal_reference",
        "flush_loss",
        "flush_momentum",
        "statistics",
        "repeat",
        "spare_classes",
        "take_back",
    }
)
PUBLISHED: dict[str, dict[str, float | bool | str]] = {
    "": {"steps": 980, "removal_reference": "masked", "flush_momentum": True, "statistics": "mixed", "repeat": False}
}
SEARCH_SPACE: dict[str, list[object]] = {
    "epochs": [3, 4, 5],
    "learning_rate": [0.05, 0.1],
    "final_rate": [0.0, 1.0],
    "flush_clip": [0.5, 1.0],
    "repair_beta": [1.0, 2.0, 4.0],
    "forget_weight": [0.1, 0.3],
}
