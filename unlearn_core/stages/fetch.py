"""The stage that fetches a public dataset from the internet, and reads it once, so that a page finds it ready."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unlearn_core.canonical import content_key
from unlearn_core.datasets import load_dataset
from unlearn_core.datasets import registry as datasets
from unlearn_core.specs import DatasetSpec
from unlearn_core.stages.execution import report_step
from unlearn_core.stages.stage import Stage, register_stage

if TYPE_CHECKING:
    from unlearn_core.stages.recorder import Progress
    from unlearn_core.store import Store

MEGABYTE = 10**6
"""Progress is counted in these, one step each."""


def plan_fetching(dataset: str) -> Stage:
    """The stage after which this dataset's files are in the cache folder. Its record says that they came, not that they are
    still there: it has to be deleted before they are fetched again."""
    title = f"Getting {datasets.get(dataset).label}"
    return Stage("fetching", content_key("fetching", dataset), title, {"dataset": dataset}, lane="look")


@register_stage("fetching")
def fetch_dataset(stage: Stage, store: Store, device: str, reporter: Progress) -> None:
    """Fetch the files that are missing, check and unpack them, and decode the images into the image cache."""
    source: Any = datasets.get(stage.payload["dataset"])
    steps = -(-source.download_bytes // MEGABYTE)
    report_step(reporter, 0, steps)
    source.fetch(lambda done: report_step(reporter, min(done // MEGABYTE, steps), steps))
    split = load_dataset(DatasetSpec(name=source.name, params=source.full_params({})), 0)
    counts = {"train": len(split.train), "test": len(split.test)}
    store.put(stage.key, "fetching", dict(stage.payload), counts, {})
