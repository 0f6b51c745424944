"""Your own photographs: a folder, a zip, a table of paths and labels, or arrays."""

from __future__ import annotations

from unlearn_core.datasets import register
from unlearn_core.datasets.files.listing import Collection
from unlearn_core.datasets.files.opening import check_path, open_collection
from unlearn_core.datasets.files.source import ImageParams, ImageSource
from unlearn_core.errors import UserError


@register
class Images(ImageSource):
    name, label = "images", "Your own images"
    summary = (
        "A folder or a zip with train/<class>/… and test/<class>/…, or <class>/… split by the seed; a CSV or Parquet table "
        "with the columns path and label; or an .npz of arrays."
    )
    family = "photos"

    @classmethod
    def collection(cls, params: ImageParams) -> Collection:
        if not params.data.strip():
            raise UserError("The dataset 'images' needs files: give a folder of images, a zip, a table or an .npz with --data.")
        return open_collection(check_path(params.data))
