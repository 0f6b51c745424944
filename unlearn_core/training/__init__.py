"""Training: data on the device, the one loop, its precision and its reporter; import them from here."""

from unlearn_core.training.answers import Answers
from unlearn_core.training.augmentation import Augmentation, Draws, channels_last
from unlearn_core.training.device_data import DeviceData, batches
from unlearn_core.training.fresh import FreshTrainer
from unlearn_core.training.loop import Loss, Trainer, cross_entropy, predict
from unlearn_core.training.optimizer import SGD, AdamW, make_optimizer, rate_factor, rates_on_device, set_rate
from unlearn_core.training.precision import autocast, computing_in, full_precision, real
from unlearn_core.training.reporter import Reporter, SilentReporter
from unlearn_core.training.reproducible import deterministic, seeded

__all__ = [
    "SGD",
    "AdamW",
    "Answers",
    "Augmentation",
    "DeviceData",
    "Draws",
    "FreshTrainer",
    "Loss",
    "Reporter",
    "SilentReporter",
    "Trainer",
    "autocast",
    "batches",
    "channels_last",
    "computing_in",
    "cross_entropy",
    "deterministic",
    "full_precision",
    "make_optimizer",
    "predict",
    "rate_factor",
    "rates_on_device",
    "real",
    "seeded",
    "set_rate",
]
