"""A small network of torchvision that knows some pictures by heart without a training, and what is read of its file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from unlearn_core.models import Form, RedirectNet, build_model
from unlearn_core.models import registry as models
from unlearn_core.specs import ModelSpec
from unlearn_core.support.torchvision_compat import torchvision

NAME = "shufflenet_v2_x0_5"
CLASSES = ("ant", "bee", "cow")
State = dict[str, torch.Tensor]


def network(classes: int = 3, name: str = NAME, seed: int = 3) -> torch.nn.Module:
    """A fresh network of torchvision's own code."""
    torch.manual_seed(seed)
    made: torch.nn.Module = torchvision().models.get_model(name, num_classes=classes)
    return made


def under(prefix: str, state: State) -> State:
    """The same weights with this before every name."""
    return {prefix + key: value for key, value in state.items()}


def pixels_of(folder: Path, classes: tuple[str, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    """The pictures of ``folder/<class>`` as pixels from 0 to 1, and the number of their class."""
    files = [(path, k) for k, name in enumerate(classes) for path in sorted((folder / name).iterdir())]
    pixels = np.stack([np.asarray(Image.open(path).convert("RGB")) for path, _ in files])
    return torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255, torch.tensor([k for _, k in files])


@torch.no_grad()
def solved(
    folder: Path, classes: tuple[str, ...] = CLASSES, mean: float = 0.0, std: float = 1.0, resized: int | None = None
) -> torch.nn.Module:
    """A network that is right on every picture of ``folder/<class>``: its last layer is the least-squares solution on random
    features of (pixels - ``mean``) / ``std``, ``resized`` as torchvision resizes. A second in place of a training."""
    net, (x, labels) = network(len(classes)).train(), pixels_of(folder, classes)
    if resized is not None:
        x = torch.nn.functional.interpolate(x, (resized, resized), mode="bilinear", antialias=True)
    x = (x - mean) / std
    for _ in range(20):
        net(x)  # running statistics of the batch norms
    net.eval()
    seen: list[torch.Tensor] = []
    head = net.get_submodule("fc")
    watch = head.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    net(x)
    watch.remove()
    features = torch.cat([seen[0], torch.ones(len(x), 1)], 1).double()
    wanted = torch.nn.functional.one_hot(labels, len(classes)).double()
    weights = torch.linalg.lstsq(features, wanted, driver="gelsd").solution.float()
    head.get_parameter("weight").copy_(weights[:-1].T)
    head.get_parameter("bias").copy_(weights[-1])
    return net


class Read:
    """What is read of a checkpoint file by the network ``torchvision``; raises UserError where it is refused."""

    def __init__(self, path: Path, names: tuple[str, ...] = CLASSES, **given: Any) -> None:
        self.source = models.get("torchvision")
        self.full = self.source.full_params({"weights": str(path), "architecture": NAME, **given})
        params = self.params = self.source.params(self.full)
        self.source.check(params, (3, 12, 12), names)
        self.model: RedirectNet = build_model(ModelSpec(name="torchvision", params=self.full), (3, 12, 12), len(names), 0)
        self.brought = self.source.give_weights(params, self.model)

    @property
    def words(self) -> str:
        """What is said of the file."""
        return " ".join(self.source.weights_words(self.params, self.model))

    @property
    def form(self) -> Form | None:
        """How the weights lay in it."""
        found: Form | None = self.source.weights_form(self.params, self.model)
        return found

    @property
    def state(self) -> State:
        """The network's weights under its own names."""
        found = self.model.as_torchvision()
        assert found is not None
        return found[1]


def same(one: State, two: State) -> bool:
    """Whether two state dicts have the same names, numbers and types; counts of batches aside."""
    keys = [key for key in two if not key.endswith("num_batches_tracked")]
    return set(one) >= set(keys) and all(torch.equal(one[key], two[key]) for key in keys)
