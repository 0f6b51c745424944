"""The page of every ``--set`` field, from the models that check it."""

from __future__ import annotations

from typing import Any

from benchmarks.report.methods import ours
from benchmarks.report.site import fields
from benchmarks.report.site.text import table
from unlearn_core.corruption import registry as corruptions
from unlearn_core.corruption import trigger_kinds
from unlearn_core.datasets import registry as datasets
from unlearn_core.models import registry as models
from unlearn_core.specs import CorruptionSpec, TrainingSpec, TriggerSpec

HEAD = """# Options

Everything that `--set KEY=VALUE`, the `set` of a sweep's plan and a link can change, with what it takes. Values are checked
before anything runs, and a wrong one is refused in one sentence. A dash in the column *default* means that the preset of the
data decides; `run --json` prints every value that was used.
"""
SCENARIO = (
    ("Corruption", "corruption.", CorruptionSpec, "How the training labels and images are corrupted."),
    ("Trigger", "trigger.", TriggerSpec, "What a trigger looks like on an image."),
    ("Training", "training.", TrainingSpec, "How the original is trained, and whatever is trained from scratch."),
)


def page() -> str:
    """The whole page."""
    lines = [HEAD]
    for title, prefix, spec, words in SCENARIO:
        lines += [f"## {title}", "", words, "", *table(fields.HEAD, fields.rows(spec, prefix))]
    lines += [
        "## Kinds of corruption",
        "",
        "With `corruption.kind=NAME`; what each is and costs: [Kinds of corruption](kinds.md).",
        "",
    ]
    lines += [line for source in corruptions if _is_ours(source) for line in _part(source, "corruption.")]
    lines += ["## Kinds of trigger", "", "With `trigger.kind=NAME`; the patch's own fields are above.", ""]
    lines += [line for kind in trigger_kinds if kind.name != "patch" for line in _part(kind, "trigger.")]
    lines += ["## Datasets", "", "Keys begin with `dataset.`, whichever dataset is meant.", ""]
    lines += [line for source in datasets if _is_ours(source) for line in _part(source, "dataset.")]
    lines += ["## Networks", "", "Keys begin with `model.`, whichever network is meant.", ""]
    lines += [line for source in models if _is_ours(source) for line in _part(source, "model.")]
    lines += ["## Methods", "", "Keys begin with the method's name. The defaults here are the class's; a kind of data has its "]
    lines += ["tuned values, and a publication its own, on the method's page.", ""]
    lines += [line for method in ours() for line in _part(method, f"{method.name}.")]
    return "\n".join(lines)


def _part(part: Any, prefix: str) -> list[str]:
    """One registered thing: its name, and its fields."""
    heading = f"### {part.label} (`{part.name}`)"
    found = fields.rows(part.Params, prefix)
    return [heading, "", *(table(fields.HEAD, found) if found else ["It has none.", ""])]


def _is_ours(part: Any) -> bool:
    return str(part.__module__).startswith("unlearn_core.")
