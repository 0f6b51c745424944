"""What happens to an image between its file and the network, as a sentence and as plain data that a deployment can repeat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from unlearn_core.specs import Scenario

if TYPE_CHECKING:
    import torch


def how_read(about: Mapping[str, Any]) -> str:
    """A dataset's ``preprocessing`` (see :class:`unlearn_core.datasets.Split`) for people; "" where it is empty."""
    if not about:
        return ""
    counts: Mapping[str, int] = about.get("images", {})
    side = about["size"][0]
    kind = "in RGB" if about["channels"] == "RGB" else "in grey"
    told = [
        f"{counts['grey']:,} are grey and get three equal channels" if counts.get("grey") else "",
        f"the colours of {counts['colour']:,} are dropped" if counts.get("colour") else "",
        f"{counts['enlarged']:,} are enlarged" if counts.get("enlarged") else "",
    ]
    tail = "".join(f"; {text}" for text in told if text)
    return (
        f"Images are turned upright, cropped to the largest square around the middle and resized to {side}×{side} (Pillow, "
        f"bicubic, antialiased), {kind}, transparency on {about['background']}{tail}."
    )


def for_deployment(
    scenario: Scenario, read: Mapping[str, Any], shape: tuple[int, ...], moments: tuple[torch.Tensor, torch.Tensor]
) -> dict[str, Any]:
    """Every step from a file to the input of the network of ``scenario``. ``read``: the dataset's ``preprocessing``; ``shape``:
    of one example; ``moments``: mean and deviation per channel of the training data, pixels from 0 to 255.

    ``mean`` and ``std`` are for pixels from 0 to 1 (for points in the plane: as they are).
    """
    steps: dict[str, Any] = {"data": dict(read)}
    params = scenario.model.params
    if "normalise" not in params:
        scale = 255 if len(shape) == 3 else 1
        mean, std = ((value / scale).tolist() for value in moments)
        return steps | {"scale": f"pixel / {scale}" if scale > 1 else "none", "mean": mean, "std": std}
    from unlearn_core.models import parse_normalise

    side = int(params.get("size") or shape[1])
    mean_given, std_given = parse_normalise(str(params["normalise"]))
    if side != shape[1]:
        steps["resize"] = {"size": [side, side], "filter": "bilinear, antialiased (torch.nn.functional.interpolate)"}
    if shape[0] == 1:
        steps["channels"] = "the grey channel three times"
    return steps | {"scale": "pixel / 255", "mean": list(mean_given), "std": list(std_given)}
