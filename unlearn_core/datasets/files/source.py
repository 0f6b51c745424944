"""The base of every dataset whose images come from files: parameters, what is filled in from the files, presets, loading."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field
from typing_extensions import TypeVar

from unlearn_core.component import ComponentParams
from unlearn_core.datasets.base import DatasetSource, Preset, Split
from unlearn_core.datasets.files import decoding, loading
from unlearn_core.datasets.files.facts import Facts, find_facts, forget_facts, recall_facts, remember_facts
from unlearn_core.datasets.files.listed import PATTERN
from unlearn_core.datasets.files.listing import Collection
from unlearn_core.datasets.files.originals import Original, look_at_originals
from unlearn_core.datasets.files.presets import preset_for
from unlearn_core.errors import UserError
from unlearn_core.specs import Scalar
from unlearn_core.support.deferring import NotRead


class ImageParams(ComponentParams):
    """What every such dataset takes."""

    data: str = Field("", max_length=4096, description="Where the files are")
    content: str = Field(
        "",
        pattern=r"^(sha-[0-9a-f]{32})?$",
        description="What the files hold; filled in",
        json_schema_extra={"filled_in": True},
    )
    size: int = Field(0, ge=0, le=512, description="Side in pixels after resizing; 0: the images' own, up to 32")
    channels: Literal["auto", "colour", "grey"] = Field("auto", description="Colour or grey; auto: as the files are")
    limit: int = Field(0, ge=0, description="Training images, every class in its share; 0 takes all")
    test_limit: int = Field(0, ge=0, description="Test images, every class in its share; 0 takes all")
    test_share: float = Field(0.2, ge=0.01, le=0.9, description="Held out for testing where the files have no test half")
    listed: str = Field(
        "",
        pattern=PATTERN,
        description="Images that a forget list names outside of the training part, by position; they join it; filled in",
        json_schema_extra={"filled_in": True},
    )
    flip: bool = Field(True, description="Whether a mirror image keeps its class")


F = TypeVar("F", bound=ImageParams, default=ImageParams)
T = TypeVar("T")


class ImageSource(DatasetSource[F]):
    """Subclasses say where the files are (``collection``)."""

    needs_data = True
    mirrors: ClassVar[bool | None] = None  # whether a mirror image keeps its class; None: if the images have colours
    preset: ClassVar[Preset] = preset_for(size=32, channels=3, classes=10, train=50_000)

    Params: ClassVar[type[ComponentParams]] = ImageParams

    @classmethod
    def collection(cls, params: F) -> Collection:
        """The files; raises :class:`UserError` where there are none. Cheap: nothing is decoded."""
        raise NotImplementedError

    @classmethod
    def full_params(cls, values: dict[str, Any] | None = None) -> dict[str, Scalar]:
        """Everything that depends on the files is filled in; raises :class:`UserError` where they cannot be used."""
        given = cls.params(values)
        if given.content and given.size and given.channels != "auto":
            return _plain(given)  # complete already; loading checks that the files are still these
        found = cls.facts(given)
        if given.content and given.content != found.content:
            raise UserError(
                f"The images at {found.place!r} are not those that were meant; they may have changed, or an earlier version "
                "read them differently."
            )
        channels = {"colour": 3, "grey": 1}.get(given.channels, found.channels)
        size = given.size or found.size
        mirrored = (channels == 3) if cls.mirrors is None else cls.mirrors
        filled = _plain(given) | {
            "data": found.place,
            "content": found.content,
            "size": size,
            "channels": "colour" if channels == 3 else "grey",
            "flip": given.flip if "flip" in (values or {}) else mirrored,
        }
        return filled | _within_memory(filled, found, channels * size**2)

    @classmethod
    def for_input(cls, values: dict[str, Any], side: int) -> dict[str, Any]:
        given = cls.params(values)
        if not side:
            return values
        if given.size >= side:
            return values
        try:
            found = cls.facts(given)
        except UserError:
            return values  # said where the parameters are filled in
        fitting = max(4, min(side, found.side))
        if not given.size:
            return values | {"size": fitting}
        if given.size < fitting:
            raise UserError(
                f"dataset.size={given.size} keeps the images at {given.size}×{given.size} pixels, and the network takes "
                f"{side}×{side}: it would see enlarged thumbnails of files that have more. Leave dataset.size out, or give "
                f"{given.size} as the input size of the network."
            )
        return values

    @classmethod
    def largest_side(cls, params: F) -> int:
        try:
            return cls.facts(params).side
        except UserError:  # the files are gone, what was decoded is still there
            return 0

    @classmethod
    def facts(cls, params: F) -> Facts:
        """What the files hold; within some seconds they are not looked at twice."""
        memo = (cls.name, params.data)
        found = recall_facts(memo)
        if found is None:
            with cls._name_what_to_read(params, None):
                found = find_facts(cls.collection(params))
            for data in {params.data, found.place}:
                remember_facts((cls.name, data), found)
        return found

    @classmethod
    def look(cls, params: F) -> None:
        cls.facts(params)

    @classmethod
    def look_again(cls, params: F) -> None:
        forget_facts((cls.name, params.data))

    @classmethod
    def problems(cls, params: F) -> tuple[str, ...]:
        try:
            found = cls.facts(params)
        except UserError:  # the files are gone, what was decoded is still there
            return ()
        if params.content not in ("", found.content):
            return (f"The files at {found.place!r} have changed; the images shown here are those read before.",)
        return found.problems

    @classmethod
    def preset_for(cls, params: Mapping[str, Any]) -> Preset:
        """Network and recipe by size and kind; what the files hold is remembered from filling in the parameters."""
        try:
            found = cls.facts(cls.params(dict(params)))
        except UserError:  # the files are gone, what was decoded is still there
            return cls.preset
        return preset_for(
            size=int(params["size"]),
            channels=1 if params["channels"] == "grey" else 3,
            classes=found.classes,
            train=int(params["limit"]) or found.train,
        )

    @classmethod
    def load(cls, params: F, seed: int) -> Split:
        wanted = decoding.Wanted(
            content=params.content,
            size=params.size,
            channels=1 if params.channels == "grey" else 3,
            limit=params.limit,
            test_limit=params.test_limit,
            test_share=params.test_share,
            listed=params.listed,
        )
        with cls._name_what_to_read(params, seed):
            return loading.load(wanted, seed, lambda: cls.collection(params))

    @classmethod
    def originals(cls, params: F, split: Split, look: Callable[[Original], T]) -> list[T | None] | None:
        found = cls.facts(params)
        if params.content not in ("", found.content):
            raise UserError(f"The files at {found.place!r} have changed.")
        with cls._name_what_to_read(params, None):
            return look_at_originals(cls.collection(params), split.roster.positions, found.ranges, look)

    @classmethod
    @contextlib.contextmanager
    def _name_what_to_read(cls, params: F, seed: int | None) -> Iterator[None]:
        """Say what has to be read where that is not done in this thread."""
        try:
            yield
        except NotRead as missing:
            missing.dataset, missing.params, missing.seed = cls.name, params.model_dump(mode="json"), seed
            raise


def _plain(params: ImageParams) -> dict[str, Scalar]:
    """As plain data. Without a list nothing is written about it, so that keys stay what they were before there was one."""
    data = dict(params.model_dump(mode="json"))
    if not data["listed"]:
        del data["listed"]
    return data


def _within_memory(filled: Mapping[str, Any], found: Facts, each: int) -> dict[str, Scalar]:
    """Limits that keep what is decoded within memory, where none were given."""
    most = decoding.MAX_DECODED // each
    train, test = filled["limit"] or found.train, filled["test_limit"] or found.test
    if train + test <= most or filled["limit"]:
        return {}
    share = most / (train + test)
    return {"limit": int(train * share), "test_limit": int(test * share)}
