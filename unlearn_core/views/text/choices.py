"""What runs settled by themselves, in words: repeated after losing a class, tuned on held-out corruption, an earlier round;
and what they cost."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from unlearn_core.datasets import load_dataset
from unlearn_core.evaluation.calibration import LEAST
from unlearn_core.methods import registry as methods
from unlearn_core.results.harm import flips_in_words, harm_in_words, small_in_words
from unlearn_core.results.measured import original_metrics, run_metrics
from unlearn_core.results.reader import Results
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.support.escaping import escape_markdown


def choices(store: Results, scenario: Scenario, specs: Sequence[MethodSpec]) -> list[str]:
    """One sentence, as Markdown, for all stored runs of ``specs`` that had a stand-in for checked examples, for each that
    departed from its parameters or tried to, pruned or moved nothing, left examples out, returned another round than its last,
    or cost utility, one for all that turned right answers wrong, and one for classes that are too small to be the worst."""
    found, original, stand_ins, flips = list[str](), dict[str, Any](), dict[int, list[str]](), list[tuple[str, float | None]]()
    with contextlib.suppress(LookupError):  # not stored: nothing to compare with
        original = original_metrics(store, scenario, "utility")
    for spec in specs:
        label, record = methods.get(spec.name).label, store.get(scenario.run_key(spec))
        report = (record.payload.get("report") or {}) if record is not None else {}
        if tuning := report.get("tuning"):
            found.append(in_words(label, tuning))
        if rate := report.get("rate"):
            found.append(rate_in_words(label, rate))
        if stand_in := report.get("stand_in"):
            stand_ins.setdefault(stand_in["examples"], []).append(label)
        if report.get("pruned", {}).get("channels") == 0:
            found.append(f"{label} found no channel to switch off.")
        if report.get("strength", {}).get("alpha") == 0:
            found.append(f"{label} found no strength that is better than none, and left the model as it was.")
        if cutting := report.get("early_cutting"):
            found.append(cutting_in_words(label, cutting))
        if taken_back := report.get("taken_back"):
            found.append(taken_back_in_words(label, taken_back))
        if rounds := report.get("rounds"):
            found.append(round_in_words(label, rounds))
        if record is not None:
            found.append(harm_in_words(label, record.payload["metrics"], original))
            flips.append((label, run_metrics(store, scenario, spec, record.payload, "negative_flips")["negative_flips"]))
    marked = [stand_in_in_words(labels, examples) for examples, labels in stand_ins.items()]
    few = small_in_words(_tested(scenario), LEAST) if flips else ""
    return [sentence for sentence in (*marked, *found, flips_in_words(flips), few) if sentence]


def _tested(scenario: Scenario) -> dict[str, int]:
    """How many test examples every class has; a class without any is no group."""
    test = load_dataset(scenario.dataset, scenario.seed).test
    counts = test.labels.bincount(minlength=test.classes).tolist()
    return {escape_markdown(name): count for name, count in zip(test.class_names, counts, strict=True) if count}


def cutting_in_words(label: str, cutting: Mapping[str, Any]) -> str:
    """``cutting``: a run's report of what it trained on. "" where its first look failed, so that it left nothing out."""
    if not cutting["rounds"]:
        return ""
    cut = sum(entry["cut"] for entry in cutting["rounds"])
    early = f", but for {cut:,} that had been learned early and were contradicted later" if cut else ""
    return (
        f"{label} trained on {cutting['kept']:,} of {cutting['rounds'][0]['examples']:,} examples. What it left out was "
        f"learned late or not at all{early}."
    )


def round_in_words(label: str, rounds: Mapping[str, Any]) -> str:
    """``rounds``: a run's report of its rounds. "" where the last was returned, or the choice is the method's own."""
    if rounds["why"] != "fell":
        return ""
    number, retain = rounds["returned"], rounds["retain"]
    return (
        f"{label} returned its round {number} of {len(retain)}: of the labels outside the forget set that kept "
        f"{retain[number - 1]:.0%}, the last round {retain[-1]:.0%}."
    )


def stand_in_in_words(labels: Sequence[str], examples: int) -> str:
    """``labels`` of the methods whose runs had so many examples in place of checked ones."""
    return (
        f"{' and '.join(filter(None, (', '.join(labels[:-1]), labels[-1])))} had a stand-in for checked examples: "
        f"{examples:,} with the lowest loss, which nobody checked and some of which may be wrong."
    )


def taken_back_in_words(label: str, taken_back: Sequence[Mapping[str, float]]) -> str:
    """``taken_back``: a run's report of the rounds that were undone, each with its number and its flush's clip."""
    numbers = sorted({int(one["round"]) for one in taken_back})
    which = f"Round {numbers[0]}" if len(numbers) == 1 else f"Rounds {', '.join(map(str, numbers))}"
    softest = min(one["flush_clip"] for one in taken_back) / 2
    return (
        f"{which} of {label} lost a class, which shows on the labels outside the forget set: undone and made again, more "
        f"softly (`flush_clip` {softest:.3g})."
    )


def rate_in_words(label: str, rate: Mapping[str, Any]) -> str:
    """``rate``: a run's report of the learning rates it tried, and of held-out examples outside F before and after."""
    seen = rate["held_out"]
    share = f"{seen['after']:.0%} of {seen['examples']:,} held-out labels outside the forget set, where the original gave"
    if rate["stopped"]:
        return f"{label} left the network as it was: even at its best rate it would give {share} {seen['before']:.0%}."
    chosen = f"settled on {_values(rate['changed'])}" if rate["changed"] else "stayed with its learning rate"
    if rate["changed"] and "asked" in rate:
        chosen += f" in place of {rate['asked']:.3g}, at which this network's weights move too far,"
    trials = f"{len(rate['tried'])} trial{'s' * (len(rate['tried']) > 1)}"
    return f"{label} {chosen} after {trials}, and gives {share} {seen['before']:.0%}."


def in_words(label: str, tuning: Mapping[str, Any]) -> str:
    """``tuning``: a run's report, with what it changed, what it tried, and whether it was repeated; of a search also its
    second look (``again``) and what its last run says (``last``). "" for nothing to say."""
    if tuning.get("repeated"):
        changed = tuning["changed"]
        outcome = (
            f"the softer run ({_values(changed)}) kept more of the rest" if changed else "a softer run kept no more of the rest"
        )
        return f"{label} lost a class and was repeated: {outcome}."
    sentences = [_search(label, tuning), in_words("Its last run", tuning["last"]) if tuning.get("last") else ""]
    return " ".join(filter(None, sentences))


def _search(label: str, tuning: Mapping[str, Any]) -> str:
    changed, tried, again = tuning["changed"], len(tuning["tried"]), tuning.get("again")
    if changed.get("epochs") == 0:
        return f"{label} left the network as it was: on what is known, no run of REM was better than none."
    if changed:
        twice = " and a second look" if again else ""
        return f"{label} settled on {_values(changed)}" + (f" after {tried} trials{twice}." if tried > 1 else ".")
    if again:
        best = _values(again[-1]["changed"])
        return f"{label} stayed with its preset after {tried} trials: {best} was no better at a second look."
    return f"{label} stayed with its preset after {tried} trials." if tried > 1 else ""


def _values(changed: Mapping[str, Any]) -> str:
    return ", ".join(f"`{name}` {value:.4g}" for name, value in changed.items())
