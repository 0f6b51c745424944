"""Names, labels and explanations from the registries, in the form that widgets want."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from unlearn_core import view_state as vs
from unlearn_core.views.task_map import MethodRegion

if TYPE_CHECKING:
    from unlearn_core.views.added import ComparisonPicture
    from unlearn_core.views.text.method_card import About

REFERENCES = ("retrain", "oracle_retrain")
ASIDE = "Right labels and checked examples"
"""What a person may give beside the forget set, as the panel on Craft is called."""


def methods() -> dict[str, Any]:
    """Every registered method by name."""
    from unlearn_core.methods import registry

    return {method.name: method for method in registry}


def disabled_methods() -> dict[str, str]:
    """Methods that are here but cannot be used, with the reason."""
    from unlearn_core.methods import registry

    return registry.disabled


def method_label(name: str) -> str:
    """A method's label; oracles are marked."""
    method = methods()[name]
    return f"{method.label} (sees the truth)" if method.oracle and "racle" not in method.label else str(method.label)


def families() -> dict[str, int]:
    """Every family that has methods, with how many."""
    return dict(sorted(Counter(method.family for method in methods().values()).items()))


def knowledge() -> dict[str, str]:
    """What methods are told, in words, with how many of them are told just that."""
    from unlearn_core.view_state.controls.choices import knowledge, told

    counts = Counter(told(method.knows()) for method in methods().values())
    words = {told(method.knows()): " · ".join(method.knows()) or "nothing" for method in methods().values()}
    return {name: f"{words[name]} {counts[name]}" for name in knowledge()}


def fits(state: vs.State, name: str) -> bool:
    """Whether a method is of the chosen families, and told what was chosen; of any, where nothing is chosen."""
    from unlearn_core.view_state.controls.choices import told

    method = methods()[name]
    families, knows = state["families"], state["knows"]
    return (not families or method.family in families) and (not knows or told(method.knows()) in knows)


def narrowed(state: vs.State) -> str:
    """By what methods are narrowed, as a sentence; "" where all are shown."""
    parts = [", ".join(state["families"])] if state["families"] else []
    parts += ["told " + ", ".join(name.replace("-", " · ") for name in state["knows"])] if state["knows"] else []
    return f"Only methods of these kinds: {'; '.join(parts)}." if parts else ""


def offered(state: vs.State) -> list[str]:
    """The methods that fit what was chosen, and those that are chosen already."""
    return [name for name in methods() if fits(state, name) or name in state["methods"]]


def starts_from_original(name: str) -> bool:
    """Whether the first thing a method has is the original; retraining and methods with an original of their own do not."""
    method = methods()[name]
    return method.family != "retraining" and not method.needs_own_original


def method_card(name: str, state: vs.State) -> About:
    """What there is to say about a method on this view's data."""
    from unlearn_core.views.text.method_card import method_card

    return method_card(name, state["dataset"], vs.augmented(state), state["values"], vs.foreign(state))


def dataset_names(state: vs.State) -> list[str]:
    """The datasets to choose from: your own files while the view has such files, public sets once they are here or where their
    results come with Eunoe."""
    from unlearn_core.datasets import registry

    here = [
        source.name
        for source in registry
        if not source.needs_data or source.known or (source.download_bytes and not source.missing())
    ]
    return here if state["dataset"] in here else [*here, state["dataset"]]


def absent_datasets() -> list[str]:
    """The public sets that can be fetched, the smallest first."""
    from unlearn_core.datasets import registry

    absent = [source for source in registry if source.download_bytes and source.missing()]
    return [source.name for source in sorted(absent, key=lambda source: source.download_bytes)]


def download_bytes(name: str) -> int:
    """What fetching this dataset brings from the internet."""
    from unlearn_core.datasets import registry

    return int(registry.get(name).download_bytes)


def corruption_names(state: vs.State) -> list[str]:
    """What can go wrong with this view's data: the dial, corruptions that need neither file nor drawing, what files bring."""
    from unlearn_core.corruption import registry

    own = ["found"] if vs.is_own(state) or vs.as_found(state) else []
    others = [
        kind.name
        for kind in registry
        if kind.name == state["corruption"] or not {"file", "flips"} & kind.Params.model_fields.keys()
    ]
    return ["dial", *others, *own]


def corruption_label(name: str) -> str:
    from unlearn_core.corruption import registry

    words = {"dial": "The regularity dial", "found": "As found: labels as they come"}
    return words.get(name) or str(registry.get(name).label)


def corruption_summary(state: vs.State) -> str:
    """What the corruption that takes the dial's place does, in a sentence; "" where none does."""
    from unlearn_core.corruption import registry

    on = vs.on_dial(state) or vs.as_found(state)
    return "" if on else str(registry.get(state["corruption"]).summary)


def trigger_label(name: str) -> str:
    from unlearn_core.corruption import trigger_kinds

    return str(trigger_kinds.get(name).label)


def trigger_summary(name: str) -> str:
    from unlearn_core.corruption import trigger_kinds

    return str(trigger_kinds.get(name).summary)


def dataset_label(name: str) -> str:
    from unlearn_core.datasets import registry

    return str(registry.get(name).label)


def dataset_summary(name: str) -> str:
    from unlearn_core.datasets import registry

    return str(registry.get(name).summary)


def model_label(name: str) -> str:
    from unlearn_core.models import registry

    return str(registry.get(name).label)


def metrics() -> dict[str, Any]:
    """Every registered metric by name."""
    from unlearn_core.evaluation import registry

    return {metric.name: metric for metric in registry}


def added_pictures() -> list[type[ComparisonPicture]]:
    """Pictures of a comparison that plug-ins add."""
    from unlearn_core.views.added import registry

    return list(registry)


def recorded_metrics(chosen: str) -> list[str]:
    """The metrics that are measured in every round, and the chosen one."""
    return [name for name, metric in metrics().items() if metric.each_round or name == chosen]


def metric_label(name: str) -> str:
    return str(metrics()[name].label)


def regions(names: Sequence[str]) -> list[MethodRegion]:
    """Where on the plane these methods aim."""
    known = methods()
    return [
        MethodRegion(name, known[name].label, known[name].designed_for.regularity, known[name].designed_for.discovery)
        for name in names
        if not known[name].oracle
    ]


def split_by_need(state: vs.State) -> tuple[list[str], list[str]]:
    """The chosen methods with the references, and those of them that cannot run without a forget set."""
    wanted = [*state["methods"], *(name for name in REFERENCES if name not in state["methods"])]
    blocked = blocked_by(state, wanted)
    return [name for name in wanted if name not in blocked], blocked


def blocked_by(state: vs.State, names: Sequence[str]) -> list[str]:
    """Those of these methods that cannot run here: without a forget set, as an oracle where the truth is not known, or without
    what a person would have to give."""
    nothing, known = vs.nothing_known(state), vs.truth_known(state)
    return [
        name
        for name in names
        if (methods()[name].needs_forget and nothing) or (methods()[name].oracle and not known) or lacking_input(state, name)
    ]


def lacking_input(state: vs.State, name: str) -> str:
    """What a person would have to give before this method can run here, as the rest of a sentence; "" where nothing lacks."""
    from unlearn_core.stages import validate

    if not (methods()[name].needs_right_labels or methods()[name].needs_trusted):
        return ""
    return validate.lacking_input(vs.to_methods(state, [name])[0], vs.to_scenario(state))


def why_blocked(state: vs.State, blocked: Sequence[str], to: str) -> str:
    """Why these methods cannot run, and what to do ``to`` "use" or "see" them."""
    oracles = [name for name in blocked if methods()[name].oracle and not vs.truth_known(state)]
    lacking = [] if vs.nothing_known(state) else [name for name in blocked if lacking_input(state, name)]
    others = [name for name in blocked if name not in (*oracles, *lacking)]
    parts = []
    if others and vs.as_found(state) and not vs.truth_known(state):
        parts.append(
            f"Nothing is known to be wrong, and these need a forget set: {_labels(others)}. Give a forget list on the page "
            f"**Your own**, or add examples on **Forget set**, to {to} them."
        )
    elif others:
        parts.append(
            f"At a discovery rate of 0 nothing is known to be wrong, and these need a forget set: {_labels(others)}. "
            f"Raise the discovery rate in Craft to {to} them."
        )
    if oracles:
        parts.append(f"Nobody knows here which labels are wrong, so these cannot run: {_labels(oracles)}.")
    for what, names in _by_input(lacking).items():
        where = "Type them on **Forget set**, under “Your set”" if what == "right labels" else "Check some on **Forget set**"
        if vs.truth_known(state):
            where += f"; or on **Craft**, “{ASIDE}”, a simulated person gives them"
        elif what == "right labels":
            where += ", or give a forget list with them in a column clean_label"
        parts.append(f"These need {what}, and there are none: {_labels(names)}. {where}.")
    return " ".join(parts)


def _by_input(names: Sequence[str]) -> dict[str, list[str]]:
    """What these methods lack → their names."""
    right = [name for name in names if methods()[name].needs_right_labels]
    found = {"right labels": right, "checked examples": [name for name in names if name not in right]}
    return {what: some for what, some in found.items() if some}


def _labels(names: Sequence[str]) -> str:
    return ", ".join(method_label(name) for name in names)
