"""torchvision's sets from small files of the real formats; nothing here needs the internet."""

from __future__ import annotations

import hashlib
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from picturetools import forget
from scipy.io import savemat

from unlearn_core.datasets import Split, load_dataset
from unlearn_core.datasets.files.fetching import Remote
from unlearn_core.datasets.torchvision_sets import Cifar10, TorchvisionArrays
from unlearn_core.errors import UserError
from unlearn_core.presets import make_scenario
from unlearn_core.specs import Scalar
from unlearn_core.support.torchvision_compat import torchvision


def load(name: str, root: Path, **params: Scalar) -> Split:
    overrides: dict[str, Scalar] = {f"dataset.{key}": value for key, value in params.items()}
    return load_dataset(make_scenario(name, overrides=overrides | {"dataset.data": str(root)}).dataset, 0)


def pixels(count: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, *shape), dtype=np.uint8)


def write_mnist(folder: Path) -> None:
    folder.mkdir(parents=True)
    for half, count in (("train", 30), ("t10k", 10)):
        images, labels = pixels(count, 28, 28), (np.arange(count) % 10).astype(np.uint8)
        (folder / f"{half}-images-idx3-ubyte").write_bytes(struct.pack(">4L", 2051, count, 28, 28) + images.tobytes())
        (folder / f"{half}-labels-idx1-ubyte").write_bytes(struct.pack(">2L", 2049, count) + labels.tobytes())


@pytest.mark.parametrize(("name", "folder"), [("mnist", "MNIST"), ("fashion_mnist", "FashionMNIST")])
def test_mnist_and_its_fashion(tmp_path: Path, name: str, folder: str) -> None:
    write_mnist(tmp_path / folder / "raw")
    split = load(name, tmp_path)
    assert np.array_equal(split.train.inputs[:, 0].numpy(), pixels(30, 28, 28))
    assert (len(split.train), len(split.test), split.train.classes) == (30, 10, 10)
    assert load(name, tmp_path / folder / "raw").train.inputs.equal(split.train.inputs)
    scenario = make_scenario(name, overrides={"dataset.data": str(tmp_path)})
    assert scenario.dataset.params["flip"] == (name != "mnist")
    assert scenario.model.name == "cnn"


@pytest.fixture
def cifar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files of CIFAR-10's format, with the sums that torchvision is to find."""
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    kind = torchvision().datasets.CIFAR10

    def write(name: str, value: Any) -> list[str]:
        data = pickle.dumps(value)
        (folder / name).write_bytes(data)
        return [name, hashlib.md5(data).hexdigest()]

    def batch(seed: int) -> dict[str, Any]:
        return {"data": pixels(10 + seed, 3072)[:10], "labels": list(range(10))}

    names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    monkeypatch.setattr(kind, "train_list", [write(f"data_batch_{k}", batch(k)) for k in range(1, 6)])
    monkeypatch.setattr(kind, "test_list", [write("test_batch", batch(6))])
    name, md5 = write("batches.meta", {"label_names": names})
    monkeypatch.setattr(kind, "meta", {"filename": name, "key": "label_names", "md5": md5})
    return tmp_path


def test_cifar10(cifar: Path) -> None:
    split = load("cifar10", cifar)
    assert split.train.class_names[3] == "cat"
    assert split.train.shape == (3, 32, 32)
    assert (len(split.train), len(split.test)) == (50, 10)
    assert np.array_equal(split.train.inputs[:10].flatten(1).numpy(), pixels(11, 3072)[:10])
    assert len(load("cifar10", cifar, limit=20, test_limit=10).train) == 20


def test_cifar100(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, kind = tmp_path / "cifar-100-python", torchvision().datasets.CIFAR100
    folder.mkdir()
    sums = {}
    for name, value in (
        ("train", {"data": pixels(200, 3072), "fine_labels": [k % 100 for k in range(200)]}),
        ("test", {"data": pixels(100, 3072), "fine_labels": list(range(100))}),
        ("meta", {"fine_label_names": [f"kind {k}" for k in range(100)]}),
    ):
        (folder / name).write_bytes(pickle.dumps(value))
        sums[name] = hashlib.md5((folder / name).read_bytes()).hexdigest()
    monkeypatch.setattr(kind, "train_list", [["train", sums["train"]]])
    monkeypatch.setattr(kind, "test_list", [["test", sums["test"]]])
    monkeypatch.setattr(kind, "meta", {"filename": "meta", "key": "fine_label_names", "md5": sums["meta"]})
    split = load("cifar100", tmp_path)
    assert (len(split.train), len(split.test), split.train.classes) == (200, 100, 100)
    assert split.train.class_names[int(split.train.labels[42])] == "kind 42"
    assert np.array_equal(split.train.inputs.flatten(1).numpy(), pixels(200, 3072))


def test_a_file_that_is_not_the_published_one_is_never_opened(cifar: Path, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "hacked",))

    (cifar / "cifar-10-batches-py" / "data_batch_3").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(UserError, match="cannot be read: Dataset not found or corrupted"):
        load("cifar10", cifar)
    assert not (tmp_path / "hacked").exists()


def test_svhn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sums = {}
    for half, count in (("train", 30), ("test", 20)):
        path = tmp_path / f"{half}_32x32.mat"
        savemat(path, {"X": np.moveaxis(pixels(count, 32, 32, 3), 0, -1), "y": (np.arange(count) % 10 + 1)[:, None]})
        sums[half] = ["", path.name, hashlib.md5(path.read_bytes()).hexdigest()]
    monkeypatch.setattr(torchvision().datasets.SVHN, "split_list", sums)
    split = load("svhn", tmp_path)
    assert np.array_equal(split.train.inputs.permute(0, 2, 3, 1).numpy(), pixels(30, 32, 32, 3))
    assert split.train.labels[:10].tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]


def test_a_missing_set_says_where_to_get_it(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(UserError, match=r"CIFAR-100 is not in .* \(missing: train, test, meta\); give the folder"):
        make_scenario("cifar100", overrides={"dataset.data": str(tmp_path)})
    with pytest.raises(UserError, match="MNIST is not in"):
        make_scenario("mnist")
    assert list(tmp_path.iterdir()) == []


def test_without_internet_a_download_fails_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = Remote("set.tar.gz", ("http://127.0.0.1:9/set.tar.gz",), "")
    monkeypatch.setattr(Cifar10, "remotes", classmethod(lambda cls: (nowhere,)))
    with pytest.raises(UserError, match=r"CIFAR-10 cannot be downloaded: set\.tar\.gz: .*refused") as caught:
        make_scenario("cifar10", overrides={"dataset.data": str(tmp_path), "dataset.download": True})
    assert "\n" not in str(caught.value)


def test_a_download_happens_only_on_request_and_does_not_change_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TorchvisionArrays, "download", lambda self: write_mnist(self.path))
    where: dict[str, Scalar] = {"dataset.data": str(tmp_path)}
    with pytest.raises(UserError, match=r"dataset\.download=true"):
        make_scenario("mnist", overrides=where)
    fetched = make_scenario("mnist", overrides=where | {"dataset.download": True})
    forget()
    assert make_scenario("mnist", overrides=where).key == fetched.key


@pytest.mark.parametrize("damage", [b"", b"\0\0\x08\x03\0\0\0\x1e", b"no idx file at all"])
def test_damaged_files_are_said_in_one_sentence(tmp_path: Path, damage: bytes) -> None:
    write_mnist(tmp_path / "MNIST" / "raw")
    (tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte").write_bytes(damage)
    with pytest.raises(UserError, match="The files of MNIST in") as caught:
        load("mnist", tmp_path)
    assert "\n" not in str(caught.value)
