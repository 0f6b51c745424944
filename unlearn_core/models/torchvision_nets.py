"""torchvision's classifiers, trained here or brought as a checkpoint, with adapters for what is redirected."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from pydantic import Field, field_validator
from torch import nn

from unlearn_core.component import ComponentParams
from unlearn_core.errors import UserError
from unlearn_core.models import ModelSource, RedirectNet, register
from unlearn_core.models.architectures import check_architecture, layers_of, make_network
from unlearn_core.models.checkpoints import checkpoint
from unlearn_core.models.checkpoints.class_names import compare_classes
from unlearn_core.models.checkpoints.form import Form, describe_taken, form_of
from unlearn_core.models.checkpoints.normalisation import IMAGENET, NONE, Triple, parse_normalise
from unlearn_core.models.checkpoints.unwrapping import Taken, take
from unlearn_core.models.redirect.adapter_net import AdapterNet
from unlearn_core.models.redirect.tracing import Layers
from unlearn_core.specs import Scalar

DEFAULT = "resnet18"
HALF = "0.5,0.5,0.5/0.5,0.5,0.5"


class TorchvisionNet(AdapterNet):
    """A torchvision classifier as it is.

    It sees pixels as it would elsewhere: from 0 to 1, resized to its input size, three channels, its own normalisation.
    """

    given_mean: torch.Tensor | None
    given_std: torch.Tensor | None
    mean: torch.Tensor
    std: torch.Tensor

    def __init__(
        self,
        architecture: str,
        net: nn.Module,
        found: Layers,
        size: tuple[int, int] | None,
        normalise: tuple[Triple, Triple],
    ) -> None:
        super().__init__(net, found)
        self.architecture, self.size = architecture, size
        if hasattr(net, "aux_logits"):
            net.aux_logits = False  # type: ignore[assignment]  # helpers of training; their weights stay, for the names
        # Not part of a state dict: what it says of pixels belongs to the data and to the parameters, not to the weights.
        self.register_buffer("given_mean", None, persistent=False)
        self.register_buffer("given_std", None, persistent=False)
        self.register_buffer("mean", torch.tensor(normalise[0]).view(-1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(normalise[1]).view(-1, 1, 1), persistent=False)

    def set_input_stats(self, mean: torch.Tensor, std: torch.Tensor) -> None:
        self.given_mean, self.given_std = (v.detach().clone().to(self.mean.device).view(-1, 1, 1) for v in (mean, std))

    def prepare_inputs(self, x: torch.Tensor) -> torch.Tensor:
        """From inputs as this project normalises them to what the network takes."""
        if self.given_mean is None or self.given_std is None:
            raise ValueError("this network has not been told how its inputs are normalised (set_input_stats)")
        pixels = x * self.given_std + self.given_mean
        whole = pixels.detach().round()
        # Back to the very same whole numbers, so that the network computes what it computes elsewhere; the gradient passes.
        pixels = torch.where((pixels - whole).abs() < 1e-3, pixels + (whole - pixels).detach(), pixels)
        return self.standardise(pixels)

    def standardise(self, pixels: torch.Tensor) -> torch.Tensor:
        """From pixels (B, 1 or 3, H, W), 0 to 255, to what the network takes."""
        x = pixels / 255
        if self.size is not None and tuple(x.shape[-2:]) != self.size:
            x = F.interpolate(x, self.size, mode="bilinear", align_corners=False, antialias=True)
        return (x.expand(-1, 3, -1, -1) - self.mean) / self.std

    def as_torchvision(self) -> tuple[str, dict[str, torch.Tensor]]:
        return self.architecture, self.base_state()


class TorchvisionParams(ComponentParams):
    """Which network, and the checkpoint that it starts from."""

    architecture: str = Field("", max_length=60, pattern=r"^\w*$", description="torchvision's name, such as resnet18")
    weights: str = Field("", max_length=4096, description="Checkpoint file; without one the network is trained here")
    content: str = Field(
        "",
        pattern=r"^(sha-[0-9a-f]{32})?$",
        description="What the checkpoint holds; filled in",
        json_schema_extra={"filled_in": True},
    )
    size: int = Field(0, ge=0, le=512, description="Side in pixels that the network takes; 0 for that of the images")
    normalise: str = Field(
        "", max_length=120, description="imagenet, none, or means/deviations of pixels from 0 to 1; empty: imagenet"
    )

    part: str = Field(
        "",
        max_length=200,
        description="Which weights of a file that holds several, such as model_ema; empty: the usual",
    )

    @field_validator("normalise", mode="before")
    @classmethod
    def _none_is_a_word(cls, value: Any) -> Any:
        return "none" if value is None else value  # --set reads the word as nothing


@register
class Torchvision(ModelSource[TorchvisionParams]):
    name, label = "torchvision", "A network of torchvision"
    summary = (
        "Any classifier of torchvision, trained here or brought as a checkpoint (safetensors, or a .pt of weights alone). "
        "Redirect channels are attached to it from outside and taken off again, so that it leaves in the form it came in."
    )
    offered = False

    @classmethod
    def full_params(cls, values: dict[str, Any] | None = None) -> dict[str, Scalar]:
        """Everything that depends on the checkpoint is filled in; raises :class:`UserError` where it cannot be used."""
        given = cls.params(values)
        place, content = given.weights, given.content
        noted: Mapping[str, str] = {}
        if place and not (content and given.architecture and given.normalise):
            path = checkpoint.find(place)
            seen = checkpoint.glance(path)
            place, noted = str(path), seen.noted
            if content and content != seen.content:
                raise UserError(f"The checkpoint {path.name!r} is not the one that was meant; it may have changed.")
            content = seen.content
        if content and not given.architecture and not noted.get("architecture"):
            raise UserError("A checkpoint needs the name of its architecture, such as resnet18.")
        size = given.size or (int(noted["size"]) if noted.get("size", "").isdecimal() else 0)
        filled = {
            "architecture": check_architecture(given.architecture or noted.get("architecture", "") or DEFAULT),
            "weights": place,
            "content": content,
            "size": size,
            "normalise": given.normalise or noted.get("normalise", "") or IMAGENET,
            "part": given.part,
        }
        parse_normalise(str(filled["normalise"]))
        complete = dict(cls.params(filled).model_dump(mode="json"))
        if not complete["part"]:
            del complete["part"]  # specs of before there was a choice keep their keys
        return complete

    @classmethod
    def build(cls, params: TorchvisionParams, shape: tuple[int, ...], classes: int) -> RedirectNet:
        if len(shape) != 3 or shape[0] not in (1, 3):
            raise UserError("The model 'torchvision' takes images, grey or in colour; choose 'mlp' for points in the plane.")
        size = (params.size, params.size) if params.size else (shape[1], shape[2])
        architecture = check_architecture(params.architecture or DEFAULT)
        found = layers_of(architecture, classes, size)
        net = make_network(architecture, classes, size)
        normalise = parse_normalise(params.normalise or IMAGENET)
        return TorchvisionNet(architecture, net, found, size if params.size else None, normalise)

    @classmethod
    def input_side(cls, params: TorchvisionParams) -> int:
        return int(params.size)

    @classmethod
    def check(cls, params: TorchvisionParams, shape: tuple[int, ...], class_names: tuple[str, ...]) -> None:
        with torch.device("meta"):
            model = cls.build(params, shape, len(class_names))
        if params.content and params.weights and os.path.isfile(params.weights):
            cls._state(params, model, class_names)

    @classmethod
    def brought(cls, params: TorchvisionParams) -> bool:
        return bool(params.content)

    @classmethod
    def give_weights(cls, params: TorchvisionParams, model: RedirectNet) -> bool:
        if not params.content:
            return False
        if not params.weights:
            raise UserError("The checkpoint that this model came from is not here; give its file with --checkpoint.")
        assert isinstance(model, TorchvisionNet)
        model.net.load_state_dict(cls._state(params, model, ()))
        return True

    @classmethod
    def weights_words(cls, params: TorchvisionParams, model: RedirectNet) -> list[str]:
        if not params.content:
            return []
        content, taken, path = cls._open_weights(params, model)
        words = describe_taken(content, taken)
        layer = checkpoint.glance(path)
        if layer.normalise_from and parse_normalise(layer.noted["normalise"]) == parse_normalise(params.normalise):
            words.append(f"The normalisation {params.normalise} was read from {layer.normalise_from} in the file.")
        elif layer.normalise_from:
            words.append(
                f"The file keeps the normalisation {layer.noted['normalise']} in {layer.normalise_from}; the one asked for, "
                f"{params.normalise}, is used."
            )
        return words

    @classmethod
    def variants(cls, params: TorchvisionParams) -> dict[str, TorchvisionParams]:
        tried = {f"--normalise {text}": text for text in (NONE, IMAGENET, HALF)}
        return {
            words: params.model_copy(update={"normalise": text})
            for words, text in tried.items()
            if parse_normalise(text) != parse_normalise(params.normalise)
        }

    @classmethod
    def weights_form(cls, params: TorchvisionParams, model: RedirectNet) -> Form | None:
        if not (params.content and params.weights and os.path.isfile(params.weights)):
            return None
        content, taken, _ = cls._open_weights(params, model)
        return form_of(content, taken)

    @classmethod
    def _open_weights(cls, params: TorchvisionParams, model: RedirectNet) -> tuple[checkpoint.Content, Taken, Path]:
        """The file, and where in it the weights for ``model`` lie."""
        assert isinstance(model, TorchvisionNet)
        path = checkpoint.find(params.weights)
        data = checkpoint.read(path)
        if checkpoint.content_of(data) != params.content:
            raise UserError(f"The checkpoint {path.name!r} has changed since this was planned; run it again.")
        content = checkpoint.open_checkpoint(data, path.name)
        expected = model.as_torchvision()[1]
        return content, take(content.tree, expected, model.head_name, params.part, path.name, params.architecture), path

    @classmethod
    def _state(cls, params: TorchvisionParams, model: RedirectNet, class_names: tuple[str, ...]) -> dict[str, torch.Tensor]:
        assert isinstance(model, TorchvisionNet)
        content, taken, path = cls._open_weights(params, model)
        expected, head = model.as_torchvision()[1], f"{model.head_name}.weight"
        there, here = (len(weights[head].shape) and weights[head].shape[0] for weights in (taken.weights, expected))
        if there != here:
            raise UserError(f"The checkpoint {path.name!r} tells {there} classes apart, but the data have {here}.")
        if class_names and content.classes and (wrong := compare_classes(content.classes, class_names)):
            raise UserError(f"The checkpoint {path.name!r} {wrong}.")
        return checkpoint.fit_weights(content, taken, expected, path.name, params.architecture)
