"""A search by looks as a report for a colleague: what was wrong, on what evidence, what it cost, and what healing changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from unlearn_core.discovery.inquiry import Inquiry
from unlearn_core.front_door.report import made_with
from unlearn_core.results.reader import Results, scenario_data
from unlearn_core.results.table_export import csv_text
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.views.embedding.examples import pictures
from unlearn_core.views.looks.cards import describe_card
from unlearn_core.views.report import Attached, Section, Shown, page
from unlearn_core.views.report_images import embed, embed_file

if TYPE_CHECKING:
    from unlearn_core.discovery.cards import Card

TITLE = "What is wrong with these labels"
KINDS = {
    "together": "lie together",
    "pair": "two classes",
    "patch": "share a patch",
    "doubted": "doubted by the watched run",
    "suspects": "like what was called wrong",
    "part": "half of a mixed card",
    "sample": "sample of a class",
    "like": "like one that was picked",
}
"""Kinds of groups in the words of a table."""
NUMBERS = {
    "retain_accuracy": "Given labels outside the list that are predicted (%)",
    "forget_accuracy": "Wrong labels of the list that are still predicted (%)",
    "utility": "Test labels that are predicted (%)",
}
"""What somebody knows who does not know the truth."""
SIMULATED = {"healed": "Simulated truth: corrupted examples predicted right (%)"}
LONGEST = 40
"""Characters of a name below an image."""


def looks_report(
    store: Results, scenario: Scenario, inquiry: Inquiry, repeat: Mapping[str, str], specs: Sequence[MethodSpec] = ()
) -> str:
    """One self-contained HTML page. ``scenario``: the data, of which nothing was known; ``inquiry``: with its answers;
    ``repeat``: title → commands or addresses that lead to the same; ``specs``: methods whose runs on what was called wrong are
    shown beside the original, as far as they are in ``store``."""
    listed = corrected_list(scenario, inquiry)
    sections = [
        _came_out(scenario, inquiry),
        *_evidence(scenario, inquiry),
        _spent(inquiry),
        _healed(store, scenario, inquiry, specs),
        _list_section(listed),
        Section("To repeat it", code=repeat),
    ]
    return page(TITLE, sections, made_with())


def _came_out(scenario: Scenario, inquiry: Inquiry) -> Section:
    from unlearn_core.datasets import load_dataset
    from unlearn_core.datasets import registry as datasets

    questions, rest = inquiry.questions, inquiry.rest
    split = load_dataset(scenario.dataset, scenario.seed)
    label = datasets.get(scenario.dataset.name).label
    rows = [
        ("Data", split.note or f"{label}, {len(split.train):,} training and {len(split.test):,} test examples"),
        ("Looks of a person", f"{questions.looks:,}"),
        ("Called wrong", f"{len(questions.wrong()):,}"),
        ("Called right", f"{len(questions.right()):,}"),
        ("Expected beside these", f"about {rest.expected:.0f} ({rest.low:.0f} to {rest.high:.0f}, 90 %)"),
    ]
    marked = _truth_rows(scenario, inquiry)
    text = [inquiry.sentence]
    if marked:
        text.append(
            "The corruption of these data was simulated, so the truth is known here. Rows that say so are nothing that "
            "could be known of other data; nothing was chosen by them."
        )
    return Section("What was wrong", text, _named([*rows, *marked]), prose=True)


def _named(rows: Sequence[tuple[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["", " "]).set_index("")


def _is_simulated(scenario: Scenario) -> bool:
    from unlearn_core.corruption import truth_known

    return not scenario.corruption.found and truth_known(scenario)


def _truth_rows(scenario: Scenario, inquiry: Inquiry) -> list[tuple[str, str]]:
    """What only a simulation knows."""
    if not _is_simulated(scenario):
        return []
    corrupted = scenario_data(scenario).corrupted.truth.corrupted.numpy()
    wrong = inquiry.questions.wrong()
    hits = int(np.isin(wrong, corrupted).sum())
    return [("Simulated truth", f"{hits:,} of {len(wrong):,} called wrong are corrupted; {len(corrupted):,} are in all")]


def _evidence(scenario: Scenario, inquiry: Inquiry) -> list[Section]:
    """Every card that was answered, with its images."""
    train = scenario_data(scenario).corrupted.train
    names = train.class_names
    found, words = (
        [],
        "Below each image stand the given label and, after the arrow, what the network says that saw no such group.",
    )
    for look, one in enumerate((one for one in inquiry.questions.asked if one.answers), start=1):
        card, marked = one.card, one.marked
        says = " then ".join(one.answers)
        text = [describe_card(card, names, inquiry.evidence.given_up), _doubts(inquiry, card)]
        if one.split:
            text.append("Its halves are groups of their own.")
        images = _images(scenario, card, inquiry, marked) if train.is_image else ()
        if images and look == 1:
            text.append(words)
        if not images:
            text.append(f"Examples {', '.join(map(str, card.shown.tolist()))}.")
        found.append(Section(f"Group {look}: called {says}", text, images=images))
    return found


def _doubts(inquiry: Inquiry, card: Card) -> str:
    """What spoke for it before anybody looked."""
    doubt = inquiry.evidence.doubt
    apart, watched = (float(values[card.shown].mean()) for values in (doubt.apart, doubt.watched))
    return (
        f"{len(card):,} of {len(card.group):,} in this group were shown; about {card.expected:.0f} of them were expected to be "
        f"wrong. A network that was trained without such groups doubts their labels by {apart:.0%} on average, a training run "
        f"that was only watched by {watched:.0%}."
    )


def _images(scenario: Scenario, card: Card, inquiry: Inquiry, marked: np.ndarray | None) -> list[Shown]:
    train = scenario_data(scenario).corrupted.train
    indices = [int(index) for index in card.shown]
    names, says = train.class_names, inquiry.evidence.doubt.says
    shown = []
    for place, (index, pixels) in enumerate(zip(indices, pictures(scenario, indices), strict=True)):
        given = names[int(train.labels[index])]
        faded = marked is not None and not bool(marked[place])
        words = f"training example {index}, given label {given}" + (", called right" if faded else "")
        caption = f"{given[:LONGEST]} → {names[int(says[index])][:LONGEST]}"
        shown.append(Shown(embed(pixels), words, caption, faded))
    return shown


def _spent(inquiry: Inquiry) -> Section:
    """Looks by kind of group and answer."""
    rows = [(KINDS[one.card.group.kind], answer) for one in inquiry.questions.asked for answer in one.answers]
    if not rows:
        return Section("Looks spent", ["No card was answered."])
    table = pd.DataFrame(rows, columns=["kind", "answer"]).groupby(["kind", "answer"], sort=False).size().unstack(fill_value=0)
    table = table.rename_axis("Kind of group").rename_axis(None, axis=1)
    return Section("Looks spent", ["One answer to one group is one look."], table)


def _healed(store: Results, scenario: Scenario, inquiry: Inquiry, specs: Sequence[MethodSpec]) -> Section:
    """The original beside what methods made of it that were told of the list."""
    from unlearn_core.results.tables import comparison

    title, wrong = "Before and after", tuple(int(k) for k in inquiry.questions.wrong())
    if not wrong or not specs:
        return Section(title, ["Nothing was called wrong, so nothing was healed." if not wrong else "Nothing was healed yet."])
    frame = comparison(store, scenario.knowing(wrong), specs)
    columns = NUMBERS | (SIMULATED if _is_simulated(scenario) else {})
    there = {name: words for name, words in columns.items() if name in frame and frame[name].notna().any()}
    table = (100 * frame.set_index("label")[list(there)].astype(float)).rename(columns=there).T
    text = ["Test images keep the labels that they came with. Nothing here was chosen by them."]
    if len(frame) < 2:
        text.append("Nothing was healed yet with this list: use “Heal with it” on the page Forget set, or `run --forget`.")
    shown = table.map(lambda value: "–" if np.isnan(value) else f"{value:.1f}").rename_axis("").rename_axis(None, axis=1)
    return Section(title, text, shown)


def corrected_list(scenario: Scenario, inquiry: Inquiry) -> pd.DataFrame:
    """One row for each example that was called wrong: path where there are files, index, given_label, network_says (what the
    network prefers that was trained without its group: a suggestion, no correction) and note."""
    from unlearn_core.datasets import load_dataset

    train, paths = scenario_data(scenario).corrupted.train, load_dataset(scenario.dataset, scenario.seed).names
    names, says = train.class_names, inquiry.evidence.doubt.says
    wrong = [int(k) for k in inquiry.questions.wrong()]
    cards = {int(k): one.card.number for one in inquiry.questions.asked if one.answers for k in one.card.shown}
    return pd.DataFrame(
        {
            **({"path": [paths[k] for k in wrong]} if paths else {}),
            "index": wrong,
            "given_label": [names[int(train.labels[k])] for k in wrong],
            "network_says": [names[int(says[k])] for k in wrong],
            "note": [f"called wrong on card {cards[k]}" for k in wrong],
        }
    )


def _list_section(listed: pd.DataFrame) -> Section:
    if listed.empty:
        return Section("The list", ["Nothing was called wrong."])
    text = [
        f"{len(listed):,} training examples whose label was called wrong. What a network says instead is a suggestion; nobody "
        "has checked it. The file is a forget list, which --forget and the page Forget set take."
    ]
    address = embed_file("text/csv", csv_text(listed, lineterminator="\n"))
    file = Attached("wrong-labels.csv", address, f"Save the list as CSV ({len(listed):,} lines)")
    return Section("The list", text, listed.set_index(listed.columns[0]), folded=True, files=[file])
