"""Sentences that read a result aloud: computed from its numbers, never written in advance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from unlearn_core.results.memorised import nothing_to_heal, sentence, share_in
from unlearn_core.views.picture import percent, short
from unlearn_core.views.task_map import position_name

if TYPE_CHECKING:
    from unlearn_core.views.heatmap.worst_case import WorstCase

TOO_FEW = (
    "Fewer than two tasks have results for it with these parameters: run it at another regularity or discovery rate first."
)


def outcome(frame: pd.DataFrame, discovery: float, edited: int = 0) -> str:
    """What a comparison shows, in at most four sentences. ``frame``: as for :mod:`unlearn_core.views.compare.figure`;
    ``edited``: the size of an edited forget set, if one is in use. No method is named where there was nothing to heal."""
    rows = {row["method"]: row for _, row in frame.iterrows() if pd.notna(row.get("healed"))}
    if not rows:
        return _outcome_unknown(frame, edited)
    parts, share = [], share_in(frame)
    if "original" in rows:
        took = f"memorised {percent(share[1])} of the wrong labels and " if share and not nothing_to_heal(share) else ""
        parts.append(
            f"The original model {took}predicts {percent(rows['original']['healed'])} of the corrupted examples right."
        )
    if nothing_to_heal(share):
        return " ".join([*parts, f"**{sentence(share)}**"])
    ranked = sorted(
        (r for n, r in rows.items() if n != "original" and not r["oracle"]), key=lambda r: -(r["healed_x_utility"] or 0)
    )
    if ranked:
        best, rest = ranked[0], ranked[1:]
        others = ", ".join(f"{short(r['label'])} {percent(r['healed'])}" for r in rest)
        told = f"an edited forget set of {edited} examples" if edited else f"{percent(discovery)} of the corruption known"
        parts.append(
            f"With {told}, {short(best['label'])} heals {percent(best['healed'])} of all "
            f"corrupted examples at {percent(best['utility'])} utility" + (f"; {others}." if others else ".")
        )
    oracle = next((r for r in rows.values() if r["oracle"]), None)
    if oracle is not None:
        parts.append(f"An oracle that knows every corrupted example reaches {percent(oracle['healed'])}.")
    return " ".join(parts)


UNKNOWN_HEALED = "How much is healed is **unknown**: nobody knows which labels are wrong."


def _outcome_unknown(frame: pd.DataFrame, edited: int) -> str:
    """The same where the truth is unknown: what can be said instead, and nothing else."""
    rows = [row for _, row in frame.iterrows()]
    parts, share = [UNKNOWN_HEALED], share_in(frame)
    if nothing_to_heal(share):
        parts.append(f"**{sentence(share)}**")
    if edited:
        given = ", ".join(f"{short(row['label'])} {percent(row['forget_accuracy'])}" for row in rows)
        parts.append(f"Still predicted as given, of the {edited:,} on your list: {given}.")
    told = [row for row in rows if pd.notna(row.get("healed_relabelled"))]
    if told:
        shares = ", ".join(f"{short(row['label'])} {percent(row['healed_relabelled'])}" for row in told)
        parts.append(f"Predicted as the right label that you gave: {shares}.")
    useful = ", ".join(f"{short(row['label'])} {percent(row['utility'])}" for row in rows)
    parts.append(f"Accuracy on your test images, which are taken as they are: {useful}.")
    return " ".join(parts)


def known(discovered: int, corrupted: int | None, train_size: int) -> str:
    """The discovery rate in examples; ``corrupted`` is None where it is unknown."""
    if corrupted is None:
        return f"{discovered} of {train_size:,} training examples are held to be wrong; how many are, nobody knows"
    return f"{discovered} of {corrupted} corrupted examples are known ({train_size:,} training examples in all)"


def rightly_labelled_line(count: int, target: str | None) -> str:
    """Why some corrupted examples carry their right label; ``target``: the class that the dial's trigger asks for, None where
    another corruption takes the dial's place."""
    if target is None:
        return (
            f"{count} of the corrupted examples keep their right label: what is wrong with them is the image. Such an example "
            "counts as healed as long as the model says what it truly is."
        )
    return (
        f"{count} of the corrupted examples carry the trigger and a right label, because they were of the class “{target}” "
        f"before: such an example counts as healed as long as the model says “{target}”."
    )


def scenario_line(scenario: Mapping[str, Any], dataset: str, values: str = "tuned") -> str:
    """A scenario in one line. ``scenario``: its spec as plain data; ``dataset``: the dataset's label; ``values``: the set of
    values that methods have, said where it is not the usual one."""
    return _scenario_line(scenario, dataset) + (" · **the papers’ values**" if values == "paper" else "")


def _scenario_line(scenario: Mapping[str, Any], dataset: str) -> str:
    corruption = scenario["corruption"]
    if corruption.get("found"):
        told = known_line(scenario) if scenario.get("forget") or scenario["discovery"] else "nothing known to be wrong"
        return f"**{dataset}** · labels as found · {told} · {scenario['model']['name']} · seed {scenario['seed']}"
    amount = corruption["amount"]
    many = f"{amount} examples" if isinstance(amount, int) else f"{percent(amount, 1)} of the data".replace(".0 %", " %")
    dial = corruption["regularity"]
    return (
        f"**{dataset}** · regularity {dial:g} ({position_name(dial)}) · {many} corrupted · "
        f"{known_line(scenario)} · {scenario['model']['name']} · seed {scenario['seed']}"
    )


def known_line(scenario: Mapping[str, Any]) -> str:
    """What is known in a scenario (its spec as plain data), in a few words."""
    edited = scenario.get("forget")
    return f"{len(edited):,} in an edited forget set" if edited else f"{percent(scenario['discovery'])} discovered"


def reference_note(discovery: float, edited: int = 0, truth_known: bool = True) -> str:
    """How far retraining can be trusted as a reference at this discovery rate, or with an edited forget set."""
    if not truth_known:
        without = f"leaves out the {edited:,} examples of the forget list and learns" if edited else "learns"
        return (
            f"Retraining {without} whatever else is wrong: it is a reference, not the goal. Test accuracy is as good as the "
            "labels of your test images. There is no oracle, because nobody knows all that is wrong."
        )
    if edited:
        return (
            f"Retraining leaves out the {edited:,} examples of the edited forget set and learns what is wrong with the rest: "
            "it is a reference, not the goal. The oracle leaves out all of the corruption, which only an experiment can know."
        )
    if discovery == 0:
        return "Nothing is discovered, so there is nothing to retrain without: the oracle is the only reference."
    if discovery < 1:
        return (
            f"Retraining leaves out the {percent(discovery)} that were discovered and learns the rest of the corruption again: "
            "it is a reference, not the goal. The oracle leaves out all of it, which only an experiment can know."
        )
    return "Everything is discovered, so retraining is exact unlearning: the gold standard, and the oracle's equal."


def worst_place(worst: WorstCase) -> str:
    """Where a method does worst, short enough for a button."""
    return f"{percent(worst.value)} at regularity {worst.regularity:g}, {percent(worst.discovery)} discovered"


def worst_sentence(worst: WorstCase) -> str:
    """What the button did, and what it rests on."""
    seeds = f"the mean of {worst.seeds} seeds" if worst.seeds > 1 else f"seed {worst.seed}"
    some = f", {worst.precomputed} of them" if worst.precomputed < worst.seeds else ""
    source = f"{some or ','} from the gallery" if worst.precomputed else ""
    return (
        f"{short(worst.label)} does worst at regularity {worst.regularity:g} ({position_name(worst.regularity)}) with "
        f"{percent(worst.discovery)} discovered: healed × utility is {percent(worst.value)} ({seeds}{source}), the lowest of "
        f"{worst.tasks} {'tasks with results' if worst.precomputed else 'stored tasks'}, and the dials are set to it."
    )


def share_healed(share: float, memorised: float | None = None) -> str:
    """How much of the corruption a model predicts right; no healing where the original memorised too little to heal."""
    if memorised is not None and nothing_to_heal(("memorised", memorised)):
        return f"predicts {percent(share)} of the corruption right"
    return f"heals {percent(share)}"


def said(answers: Sequence[tuple[str, str]]) -> str:
    """What each model predicts of one example; those that agree are named together."""
    voters: dict[str, list[str]] = {}
    for model, name in answers:
        voters.setdefault(name, []).append(model)
    return " · ".join(f"predicted {name} by {', '.join(models)}" for name, models in voters.items())


def duration(seconds: float | None) -> str:
    """Seconds as a person says them."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def time_left(seconds: float | None) -> str:
    """How long something still takes, in words; nothing where that cannot be told. What is measured after the last counted
    step takes a moment, too."""
    if seconds is None:
        return ""
    return f"about {duration(seconds)} left" if seconds >= 0.5 else "almost done"


def megabytes(count: int) -> str:
    """A number of bytes as a person says it."""
    return f"{count / 2**20:,.0f} MB" if count >= 10 * 2**20 else f"{max(count, 10_000) / 2**20:.2g} MB"


def progress(done: float, total: float) -> float:
    """Counted work as a share between 0 and 1."""
    return min(1.0, max(0.0, done / total)) if total else 0.0
