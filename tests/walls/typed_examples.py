"""What mypy must accept in a component of one's own, and the slips that it must refuse; nothing of this is ever run.

Under ``strict`` an ignore that hides no error is an error itself: were a misspelt parameter no longer refused, ``mypy`` would
fail at the line that ignores it.
"""

from __future__ import annotations

from pydantic import Field
from torch import nn

from unlearn_core.component import ComponentParams
from unlearn_core.datasets.toy import Blobs, ToyParams
from unlearn_core.methods import Method, MethodParams, UnlearningTask
from unlearn_core.methods.redirection.rem import Rem
from unlearn_core.models import ModelSource, RedirectNet
from unlearn_core.models.mlp import MlpNet
from unlearn_core.training import Reporter


class RemOfMine(Rem):
    """A method that inherits its parameters."""

    def sharpness(self) -> float:
        return self.p.beta

    def misspelt(self) -> float:
        return self.p.betta  # type: ignore[attr-defined, no-any-return]


class MineParams(MethodParams):
    """A method's own parameters."""

    strength: float = Field(0.5, ge=0, le=1, description="Of mine")


class Mine(Method[MineParams]):
    """A method that names them."""

    name, label, family = "mine", "Mine", "ascent"

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        factor: float = self.p.strength
        mistaken: str = self.p.strength  # type: ignore[assignment]
        del factor, mistaken
        return task.original.eval()


class BlobsOfMine(Blobs):
    """A dataset that inherits its parameters."""

    @classmethod
    def spread(cls, params: ToyParams) -> float:
        return params.noise

    @classmethod
    def misspelt(cls, params: ToyParams) -> float:
        return params.nose  # type: ignore[attr-defined, no-any-return]


def spread_of(values: dict[str, float]) -> float:
    """Read through the class."""
    return Blobs.params(values).noise


def misspelt_of(values: dict[str, float]) -> float:
    """The same with a slip."""
    return Blobs.params(values).nose  # type: ignore[attr-defined, no-any-return]


class NetworkParams(ComponentParams):
    """A network's own parameters."""

    width: int = Field(8, ge=1, le=99, description="Neurons")


class Network(ModelSource[NetworkParams]):
    """A network that names them."""

    name, label = "mine", "Mine"

    @classmethod
    def build(cls, params: NetworkParams, shape: tuple[int, ...], classes: int) -> RedirectNet:
        return MlpNet(shape[0], params.width, 1, classes)


class MisspeltNetwork(Network):
    """The same with a slip."""

    @classmethod
    def build(cls, params: NetworkParams, shape: tuple[int, ...], classes: int) -> RedirectNet:
        return MlpNet(shape[0], params.widht, 1, classes)  # type: ignore[attr-defined]


class NetworkOfOthers(Network):
    """It takes what the base does not give."""

    @classmethod
    def build(cls, params: str, shape: tuple[int, ...], classes: int) -> RedirectNet:  # type: ignore[override]
        return MlpNet(shape[0], len(params), 1, classes)
