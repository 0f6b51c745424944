"""mypy knows the parameters of every method, dataset and network: a misspelt one is refused before anything runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SUBCLASS = """
from unlearn_core.methods.redirection.rem import Rem

class Mine(Rem):
    def sharpness(self) -> float:
        return self.p.{name}
"""
OWN = """
from pydantic import Field
from torch import nn

from unlearn_core.methods import Method, MethodParams, UnlearningTask
from unlearn_core.training import Reporter

class MineParams(MethodParams):
    strength: float = Field(0.5, ge=0, le=1, description="Of mine")

class Mine(Method[MineParams]):
    name, label, family = "mine", "Mine", "ascent"

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        factor: {type} = self.p.strength
        return task.original.eval()
"""
DATASET = """
import torch

from unlearn_core.datasets.toy import Blobs, ToyParams

class Mine(Blobs):
    @classmethod
    def spread(cls, params: ToyParams) -> float:
        return params.{name}

def spread_of(values: dict[str, float]) -> float:
    return Blobs.params(values).{name}
"""
NETWORK = """
from unlearn_core.component import ComponentParams
from unlearn_core.models import ModelSource, RedirectNet
from unlearn_core.models.mlp import MlpNet
from pydantic import Field

class MineParams(ComponentParams):
    width: int = Field(8, ge=1, le=99, description="Neurons")

class Mine(ModelSource[MineParams]):
    name, label = "mine", "Mine"

    @classmethod
    def build(cls, params: {params}, shape: tuple[int, ...], classes: int) -> RedirectNet:
        return MlpNet(shape[0], params.{name}, 1, classes)
"""
SOURCES = {
    "dataset": DATASET.format(name="noise"),
    "dataset_misspelt": DATASET.format(name="nose"),
    "network": NETWORK.format(params="MineParams", name="width"),
    "network_misspelt": NETWORK.format(params="MineParams", name="widht"),
    "network_of_other": NETWORK.format(params="str", name="width"),
    "accepted": SUBCLASS.format(name="beta"),
    "misspelt": SUBCLASS.format(name="betta"),
    "own": OWN.format(type="float"),
    "own_mistaken": OWN.format(type="str"),
}


@pytest.fixture(scope="module")
def errors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What mypy, with the project's settings, says of each of :data:`SOURCES`."""
    folder = tmp_path_factory.mktemp("typed")
    files = {name: folder / f"{name}.py" for name in SOURCES}
    for name, path in files.items():
        path.write_text(SOURCES[name])
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--follow-imports=silent", *map(str, files.values())]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr  # 2: mypy itself failed
    return {name: [line for line in done.stdout.splitlines() if f"/{path.name}:" in line] for name, path in files.items()}


def test_a_misspelt_parameter_of_a_method_is_refused(errors: dict[str, list[str]]) -> None:
    assert not errors["accepted"]
    [unknown] = [line for line in errors["misspelt"] if line.endswith("[attr-defined]")]  # strict: its type is Any besides
    assert '"RemParams" has no attribute "betta"' in unknown


def test_a_method_that_names_its_parameters_has_their_types(errors: dict[str, list[str]]) -> None:
    assert not errors["own"]
    assert len(errors["own_mistaken"]) == 1
    assert 'expression has type "float", variable has type "str"' in errors["own_mistaken"][0]


def test_a_misspelt_parameter_of_a_dataset_is_refused(errors: dict[str, list[str]]) -> None:
    assert not errors["dataset"]
    unknown = [line for line in errors["dataset_misspelt"] if line.endswith("[attr-defined]")]
    assert len(unknown) == 2
    assert all('"ToyParams" has no attribute "nose"' in line for line in unknown)


def test_a_misspelt_parameter_of_a_network_is_refused(errors: dict[str, list[str]]) -> None:
    assert not errors["network"]
    assert '"MineParams" has no attribute "widht"' in "".join(errors["network_misspelt"])
    assert "[override]" in "".join(errors["network_of_other"])
