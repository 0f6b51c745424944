"""A healed model in a form that others load without this project: a torchvision state dict, or a ``torch.export`` archive."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from unlearn_core.errors import UserError
from unlearn_core.models import registry as models
from unlearn_core.results.reader import Results, model_of, scenario_data
from unlearn_core.specs import MethodSpec, Scenario

if TYPE_CHECKING:
    import torch

    from unlearn_core.models import Form, RedirectNet

ARCHIVE = ".pt2"
STATES = (".safetensors", ".pt", ".pth")
SUFFIXES = (*STATES, ARCHIVE)
_EXAMPLES = 3
TRAINING_ON = (
    "Training this model further on the same data undoes the healing: wrong labels that nobody has found yet teach it again "
    "(on the digits healed × utility fell from 0.90 to 0.35 in three epochs). Take out or correct what is wrong first."
)
"""Said beside every export; measured by ``python -m benchmarks run training_on``."""


@dataclass(frozen=True)
class Exported:
    """The bytes of the model's file, and what its user must know to load it, as plain data."""

    data: bytes
    about: dict[str, Any]


def check_form(scenario: Scenario, suffix: str) -> None:
    """Raise :class:`UserError` where this network has no such form; nothing is computed."""
    if suffix not in SUFFIXES:
        raise UserError(f"A model is written as {', '.join(SUFFIXES)} (got {suffix or 'no ending'!r}).")
    if suffix == ARCHIVE:
        return
    import torch

    from unlearn_core.datasets import load_dataset
    from unlearn_core.models import build_model

    train = load_dataset(scenario.dataset, scenario.seed).train
    with torch.device("meta"):
        model = build_model(scenario.model, train.shape, train.classes, 0)
    if model.as_torchvision() is None:
        raise UserError(
            f"The network {scenario.model.name} is none of torchvision's, so its weights alone would be of no use elsewhere; "
            f"write it as {ARCHIVE}, which plain torch runs."
        )


def export(store: Results, scenario: Scenario, spec: MethodSpec, suffix: str) -> Exported:
    """The stored model of a run without its redirect channels. Raises LookupError for a run that is not stored.

    A state dict has torchvision's names and shapes; the network takes pixels from 0 to 1, normalised as ``about`` says.
    An archive takes the pixels themselves, uint8 (B, C, H, W), and does the rest.
    """
    check_form(scenario, suffix)
    model, data = model_of(store, scenario, spec), scenario_data(scenario)
    model.narrow()
    train = data.corrupted.train
    found = model.as_torchvision()
    about: dict[str, Any] = {
        "architecture": found[0] if found else scenario.model.name,
        "classes": list(train.class_names),
        "image": list(train.shape),
        "method": spec.name,
        "method_params": dict(spec.params),
        "scenario": scenario.key,
        "run": scenario.run_key(spec),
        "preprocessing": _preprocessing(scenario, train.shape, data.train.mean_std),
        "training_on": TRAINING_ON,
    }
    if suffix == ARCHIVE:
        archived = _about_archive(scenario, train.shape)
        return Exported(_archive(model, train.inputs[:_EXAMPLES], data.train.mean_std), about | archived)
    assert found is not None
    architecture, state = found
    form = _about_state_dict(scenario, train.shape, data.train.mean_std)
    noted = {"architecture": architecture, "size": str(form["size"]), "normalise": form["normalise"]}
    noted |= {"classes": json.dumps(about["classes"]), "preprocessing": json.dumps(about["preprocessing"])}
    came = _came(scenario, model)
    if came is not None:
        form |= {"as_it_came": came.words, "left_out": list(came.left_out)}
    elif scenario.model.params.get("content"):
        form["as_it_came"] = "The checkpoint is not where it was, so the weights have torchvision's plain names, in float32."
    return Exported(_state(state, suffix, noted, came), about | form)


def _about_archive(scenario: Scenario, shape: tuple[int, ...]) -> dict[str, Any]:
    return {
        "form": "torch.export",
        "input": f"uint8 pixels (batch, {', '.join(map(str, shape))}), 0 to 255, as the data set gives them",
        "model_params": {k: v for k, v in scenario.model.params.items() if k != "weights"},
    }


def _about_state_dict(scenario: Scenario, shape: tuple[int, ...], moments: tuple[torch.Tensor, torch.Tensor]) -> dict[str, Any]:
    size, normalise = _input(scenario, shape, moments)
    return {
        "form": "state_dict",
        "size": size,
        "normalise": normalise,
        "input": f"pixels from 0 to 1, three channels, resized to {size}×{size}, then normalised",
    }


def _came(scenario: Scenario, model: RedirectNet) -> Form | None:
    """The form of the checkpoint that this scenario began with; None where there was none, or it is there no more."""
    source = models.get(scenario.model.name)
    try:
        form: Form | None = source.weights_form(source.params(scenario.model.params), model)
    except UserError:  # another file lies there now
        return None
    return form


def _preprocessing(scenario: Scenario, shape: tuple[int, ...], moments: tuple[torch.Tensor, torch.Tensor]) -> dict[str, Any]:
    """Every step from a file to the network, so that a deployment can repeat them."""
    from unlearn_core.datasets import load_dataset
    from unlearn_core.results.preprocessing import for_deployment

    read = load_dataset(scenario.dataset, scenario.seed).preprocessing
    return for_deployment(scenario, read, shape, moments)


def _input(scenario: Scenario, shape: tuple[int, ...], moments: tuple[torch.Tensor, torch.Tensor]) -> tuple[int, str]:
    """Side and normalisation of what a state dict's network takes, the latter for pixels from 0 to 1."""
    from unlearn_core.models import write_normalise

    params = scenario.model.params
    if "normalise" in params:
        return int(params["size"] or shape[1]), str(params["normalise"])
    mean, std = (tuple((value / 255).tolist()) for value in moments)
    return shape[1], write_normalise(mean, std)


def _state(state: dict[str, torch.Tensor], suffix: str, noted: dict[str, str], came: Form | None) -> bytes:
    import torch
    from safetensors.torch import save

    plain = {name: value.detach().contiguous() for name, value in state.items()} if came is None else came.rename_state(state)
    if suffix == ".safetensors":
        return save(plain, metadata={"format": "pt"} | noted)
    file = io.BytesIO()
    old = came is not None and came.old
    torch.save(plain if came is None else came.nest_state(plain), file, _use_new_zipfile_serialization=not old)
    return file.getvalue()


def _archive(model: RedirectNet, examples: torch.Tensor, moments: tuple[torch.Tensor, torch.Tensor]) -> bytes:
    import torch
    from torch import nn

    class Pixels(nn.Module):
        """What a loaded archive computes: the project's normalisation, then the network."""

        mean: torch.Tensor
        std: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            self.net = model
            self.register_buffer("mean", moments[0].view(-1, *[1] * (examples.dim() - 2)))
            self.register_buffer("std", moments[1].view(-1, *[1] * (examples.dim() - 2)))

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            x = (pixels.float() - self.mean) / self.std
            if x.dim() == 4:  # the layout that the project computes in, so that sums are taken in the same order
                x = x.permute(0, 2, 3, 1).clone(memory_format=torch.contiguous_format).permute(0, 3, 1, 2)
            logits: torch.Tensor = self.net(x)
            return logits

    file = io.BytesIO()
    batch = torch.export.Dim("batch", min=1, max=2**16)
    with torch.no_grad():
        program = torch.export.export(Pixels().eval(), (examples,), dynamic_shapes={"pixels": {0: batch}})
    torch.export.save(program, file)
    return file.getvalue()
