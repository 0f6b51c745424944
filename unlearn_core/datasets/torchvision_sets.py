"""Public sets that torchvision reads: MNIST, FashionMNIST, CIFAR-10, CIFAR-100, SVHN, from a local folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from unlearn_core.datasets import register
from unlearn_core.datasets.files import cache, fetching
from unlearn_core.datasets.files.arrays import Arrays
from unlearn_core.datasets.files.fetching import Remote
from unlearn_core.datasets.files.folder import digest
from unlearn_core.datasets.files.listing import TEST, TRAIN, Collection
from unlearn_core.datasets.files.presets import preset_for
from unlearn_core.datasets.files.source import ImageParams, ImageSource
from unlearn_core.errors import UserError
from unlearn_core.support.public_mode import PUBLIC, is_public
from unlearn_core.support.torchvision_compat import torchvision
from unlearn_core.support.typed_paths import typed_path


class TorchvisionParams(ImageParams):
    """Where the files are, and whether they may be fetched."""

    data: str = Field("", max_length=4096, description="Folder that torchvision keeps the files in; empty: the cache folder")
    download: bool = Field(False, description="Fetch the files from the internet where they are missing")


class TorchvisionSource(ImageSource[TorchvisionParams]):
    """``torchvision_name``: the class in torchvision.datasets; ``folder``: where it keeps its files, below the root."""

    torchvision_name: ClassVar[str]
    folder: ClassVar[str] = ""
    files: ClassVar[tuple[str, ...]]

    @classmethod
    def missing(cls) -> str:
        return TorchvisionArrays(cls, cls._root("")).missing()

    @classmethod
    def fetch(cls, tell: Callable[[int], None]) -> Path:
        here = TorchvisionArrays(cls, cls._root(""))
        here.download(tell)
        return here.path

    @classmethod
    def remotes(cls) -> tuple[Remote, ...]:
        """What torchvision fetches, from where, and the sums that it has to have."""
        kind = getattr(torchvision().datasets, cls.torchvision_name)
        if hasattr(kind, "resources"):
            return tuple(Remote(name, tuple(f"{one}{name}" for one in kind.mirrors), md5) for name, md5 in kind.resources)
        if hasattr(kind, "split_list"):
            return tuple(Remote(name, (url,), md5) for url, name, md5 in (kind.split_list[half] for half in ("train", "test")))
        return (Remote(kind.filename, (kind.url,), kind.tgz_md5),)

    @classmethod
    def collection(cls, params: TorchvisionParams) -> Collection:
        found = TorchvisionArrays(cls, cls._root(params.data))
        if not found.complete():
            if not params.download:
                raise UserError(
                    f"{cls.label} is not in {str(found.path)!r} (missing: {found.missing()}); give the folder that has "
                    f"it with --data, or fetch it with --set dataset.download=true."
                )
            found.download()
        return found

    @classmethod
    def _root(cls, data: str) -> Path:
        """The folder that torchvision calls the root; naming the set's own folder below it is fine too."""
        path = typed_path(data, "the data") if data.strip() else cache.folder() / "torchvision"
        parts = Path(cls.folder).parts
        return path.parents[len(parts) - 1] if parts and path.parts[-len(parts) :] == parts else path


class TorchvisionArrays(Arrays):
    """One of torchvision's sets. It checks the files of CIFAR and SVHN against their published sums before it opens them."""

    def __init__(self, source: type[TorchvisionSource], root: Path) -> None:
        super().__init__(root / source.folder)
        self.source, self.root = source, root

    def complete(self) -> bool:
        return not self.missing()

    def missing(self) -> str:
        """The files that are not there, for a sentence."""
        return ", ".join(name for name in self.source.files if not os.path.isfile(self.path / name))

    def download(self, tell: fetching.Tell | None = None) -> None:
        """Fetch what is missing. ``tell`` hears how many bytes have arrived, and may raise to stop it; None: lines on stderr.
        Raises :class:`UserError` without internet, and where strangers use this installation."""
        label = self.source.label
        if is_public():
            raise UserError(f"{label} is not fetched: this installation is public ({PUBLIC}).")
        hear = tell or fetching.tell_on_stderr(label, self.source.download_bytes)
        with cache.lock_key(f"fetch-{self.source.name}"):
            if self.complete():  # another process was quicker
                return
            try:
                archives = self._fetch_all(hear)
            except (OSError, UserError) as error:
                reason = " ".join(str(error).split()).rstrip(".")
                raise UserError(f"{label} cannot be downloaded: {reason}.") from None
            for archive in archives:
                fetching.unpack(archive, self.path, self.source.files)
            if lacking := self.missing():
                raise UserError(f"What was downloaded of {label} lacks {lacking}.")
            for archive in archives:
                archive.unlink(missing_ok=True)

    def _fetch_all(self, tell: fetching.Tell) -> list[Path]:
        archives: list[Path] = []
        before = 0
        for remote in self.source.remotes():

            def hear(done: int, seen: int = before) -> None:
                tell(seen + done)

            archives.append(fetching.fetch(remote, self.root / "downloads", hear))
            before += archives[-1].stat().st_size
        return archives

    def signature(self) -> str:
        about = [(self.path / name).stat() for name in self.source.files]
        return digest(f"{one.st_size}\0{one.st_mtime_ns}" for one in about)

    def read(self) -> list[tuple[np.ndarray, list[str], int]]:
        try:
            halves = [(self._open(True), TRAIN), (self._open(False), TEST)]
        except (OSError, RuntimeError, ValueError, AssertionError, EOFError, KeyError, TypeError) as error:
            reason = " ".join(str(error).split())[:200].rstrip(".") or "they are damaged"
            raise UserError(f"The files of {self.source.label} in {str(self.path)!r} cannot be read: {reason}.") from None
        names = [str(name) for name in getattr(halves[0][0], "classes", range(10))]
        parts = []
        for data, half in halves:
            pixels = np.asarray(data.data)
            labels = np.asarray(data.targets if hasattr(data, "targets") else data.labels)
            if len(pixels) != len(labels) or labels.min(initial=0) < 0 or labels.max(initial=0) >= len(names):
                raise UserError(f"The files of {self.source.label} in {str(self.path)!r} do not fit together.")
            if pixels.ndim == 4 and pixels.shape[1] == 3 and pixels.shape[-1] != 3:
                pixels = np.moveaxis(pixels, 1, -1)
            parts.append((pixels, [names[k] for k in labels.tolist()], half))
        return parts

    def _open(self, train: bool) -> Any:
        kind = getattr(torchvision().datasets, self.source.torchvision_name)
        if self.source.torchvision_name == "SVHN":
            return kind(str(self.root), split="train" if train else "test")
        return kind(str(self.root), train=train)


_IDX = tuple(f"{half}-{kind}-ubyte" for half in ("train", "t10k") for kind in ("images-idx3", "labels-idx1"))


@register
class Mnist(TorchvisionSource):
    name, label = "mnist", "MNIST"
    summary = "70,000 handwritten digits, 28×28 pixels, ten classes (LeCun et al. 1998)."
    family, mirrors = "digits", False
    torchvision_name, folder, files = "MNIST", "MNIST/raw", _IDX
    download_bytes = 11_594_722
    preset = preset_for(size=28, channels=1, classes=10, train=60_000)


@register
class FashionMnist(TorchvisionSource):
    name, label = "fashion_mnist", "FashionMNIST"
    summary = "70,000 pictures of clothes, 28×28 pixels, ten classes (Xiao et al. 2017, arXiv:1708.07747)."
    family, mirrors = "digits", True
    torchvision_name, folder, files = "FashionMNIST", "FashionMNIST/raw", _IDX
    download_bytes = 30_878_645
    preset = preset_for(size=28, channels=1, classes=10, train=60_000)


@register
class Cifar10(TorchvisionSource):
    name, label = "cifar10", "CIFAR-10"
    summary = "60,000 photographs, 32×32 pixels, ten classes (Krizhevsky 2009)."
    family, mirrors = "photos", True
    torchvision_name, folder = "CIFAR10", "cifar-10-batches-py"
    files = (*(f"data_batch_{k}" for k in range(1, 6)), "test_batch", "batches.meta")
    download_bytes = 170_498_071


@register
class Cifar100(TorchvisionSource):
    name, label = "cifar100", "CIFAR-100"
    summary = "60,000 photographs, 32×32 pixels, a hundred classes (Krizhevsky 2009)."
    family, mirrors = "photos", True
    torchvision_name, folder, files = "CIFAR100", "cifar-100-python", ("train", "test", "meta")
    download_bytes = 169_001_437


@register
class Svhn(TorchvisionSource):
    name, label = "svhn", "SVHN"
    summary = "99,289 photographs of house numbers, 32×32 pixels, ten classes (Netzer et al. 2011)."
    family, mirrors = "photos", False
    torchvision_name, files = "SVHN", ("train_32x32.mat", "test_32x32.mat")
    download_bytes = 246_316_178
