"""Your own photographs, from an image folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from unlearn_core.datasets import DatasetSource, Preset, Split, register
from unlearn_core.datasets._images import loading
from unlearn_core.datasets._images.opening import open_collection
from unlearn_core.errors import UserError
from unlearn_core.parts import PartParams
from unlearn_core.specs import Scalar, TrainingSpec


@register
class Images(DatasetSource):
    name, label = "images", "Your own images"
    summary = "A folder of photographs: train/<class>/… and test/<class>/…, or <class>/… split by the seed."
    family = "photos"
    flip = True
    needs_data = True
    preset = Preset(
        model="resnet9",
        model_params={"width": 0.25},
        training=TrainingSpec(epochs=15, batch_size=64, learning_rate=0.05, augment=True),
        class_a=3,
        class_b=5,
    )

    class Params(PartParams):
        data: str = Field("", description="Folder of images")
        content: str = Field(
            "",
            pattern=r"^(sha-[0-9a-f]{32})?$",
            description="What the files hold; filled in",
            json_schema_extra={"filled_in": True},
        )
        size: int = Field(0, ge=0, le=256, description="Side in pixels after resizing; 0: the images' own, up to 32")
        channels: Literal["auto", "colour", "grey"] = Field("auto", description="Colour or grey; auto: as the files are")
        limit: int = Field(0, ge=0, description="Training images, every class in its share; 0 takes all")
        test_limit: int = Field(0, ge=0, description="Test images, every class in its share; 0 takes all")
        test_share: float = Field(0.2, ge=0.01, le=0.9, description="Held out for testing where the folder has no test half")
        flip: bool = Field(True, description="Whether a mirror image keeps its class")

    @classmethod
    def full_params(cls, values: dict[str, Any] | None = None) -> dict[str, Scalar]:
        """Everything that depends on the files is filled in; raises :class:`UserError` where they cannot be used."""
        given = cls.params(values)
        if given.content and given.size and given.channels != "auto":
            return dict(given.model_dump(mode="json"))  # complete already; loading checks that the files are still these
        facts = cls.facts(given.data)
        channels = {"colour": 3, "grey": 1}.get(given.channels, facts.channels)
        size = given.size or facts.size
        filled = given.model_dump(mode="json") | {
            "data": str(loading.check_path(given.data)),
            "content": facts.content,
            "size": size,
            "channels": "colour" if channels == 3 else "grey",
            "flip": given.flip if "flip" in (values or {}) else channels == 3,
        }
        return filled | _within_memory(filled, facts, channels * size**2)

    @classmethod
    def facts(cls, data: str) -> loading.Facts:
        """What the files at ``data`` hold, remembered for some seconds."""
        if not data:
            raise UserError(f"The dataset {cls.name!r} needs files: give a folder of images with --data.")
        path = loading.check_path(data)
        found = loading.recent(str(path))
        if found is None:
            found = loading.facts(open_collection(path))
            loading.remember(str(path), found)
        return found

    @classmethod
    def preset_for(cls, params: Mapping[str, Any]) -> Preset:
        return cls.preset

    @classmethod
    def load(cls, params: Any, seed: int) -> Split:
        wanted = loading.Wanted(
            params.content,
            params.size,
            1 if params.channels == "grey" else 3,
            params.limit,
            params.test_limit,
            params.test_share,
        )
        split = loading.load(None, wanted, seed) or loading.load(open_collection(loading.check_path(params.data)), wanted, seed)
        assert split is not None
        return split


def _within_memory(filled: Mapping[str, Any], facts: loading.Facts, each: int) -> dict[str, Scalar]:
    """Limits that keep what is decoded within memory, where nobody gave any."""
    most = loading.MAX_DECODED // each
    train, test = filled["limit"] or facts.train, filled["test_limit"] or facts.test
    if train + test <= most or filled["limit"]:
        return {}
    share = most / (train + test)
    return {"limit": int(train * share), "test_limit": int(test * share)}
