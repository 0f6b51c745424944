"""A search by looks as one file: whole, offline, small, escaped, with the list inside and nothing a person could not know."""

from __future__ import annotations

import base64
import csv
import html
import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import unlearn_core as eunoe
from unlearn_core.datasets import load_dataset
from unlearn_core.datasets.base import LabelledData
from unlearn_core.discovery.groups import Doubt, Group
from unlearn_core.discovery.inquiry import Evidence, Inquiry
from unlearn_core.forget_sets import read_list
from unlearn_core.forget_sets.in_use import in_numbers_of, roster_of
from unlearn_core.front_door import looks_report as reports
from unlearn_core.presets import make_method
from unlearn_core.results.reader import scenario_data
from unlearn_core.specs import Scenario
from unlearn_core.store import Store
from unlearn_core.views.report_images import embed


def inquiry_of(scenario: Scenario, answers: str, groups: int = 25) -> Inquiry:
    """Answers to cards of groups of sixteen, in their order: w, r or m each."""
    labels = scenario_data(scenario).corrupted.train.labels.numpy()
    found = [Group("together", np.arange(16 * k, 16 * k + 16), int(labels[16 * k])) for k in range(groups)]
    doubt = Doubt(np.full(len(labels), 0.8), np.full(len(labels), 0.3), (labels + 1) % 10, (labels + 2) % 10)
    inquiry = Inquiry(Evidence(labels, doubt, tuple(found), np.zeros(len(labels)), np.zeros((len(labels), 2), np.float32)))
    words = {"w": "wrong", "r": "right", "m": "mixed"}
    for letter in answers:
        (card,) = inquiry.ask()
        inquiry.answer(card, words[letter])  # type: ignore[arg-type]
    return inquiry


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path)


def digits() -> Scenario:
    return eunoe.Scenario.make("digits", discovery=0.0, overrides={"training.epochs": 1})


def test_twenty_looks_fit_into_three_megabytes_and_ask_the_network_for_nothing(store: Store) -> None:
    inquiry = inquiry_of(digits(), "wr" * 10)
    text = reports.looks_report(store, digits(), inquiry, {"Terminal": "eunoe discover"})
    assert len(text.encode()) < 3_000_000
    assert text.count("<img ") == 20 * 16
    assert not re.search(r'(?:src|href)="(?!data:)', text)
    assert not re.search(r"url\(|@import|<script|<link", text)
    assert "prefers-color-scheme: dark" in text
    assert 'name="viewport"' in text
    assert f"<td>{len(inquiry.questions.wrong())}</td>" in text


@pytest.mark.parametrize("side", [8, 32, 40, 41, 64, 224])
def test_images_of_any_size_stay_small_whatever_they_show(side: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    address = embed(noise)
    assert 20 * 16 * len(address) < 2_800_000  # twenty looks at the worst
    image = Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2])))
    assert max(image.size) <= 64
    if side <= 40:
        assert (np.asarray(image) == noise).all()


def test_the_list_inside_is_a_forget_list(store: Store) -> None:
    inquiry = inquiry_of(digits(), "wwr")
    text = reports.looks_report(store, digits(), inquiry, {})
    found = re.search(r'download="wrong-labels.csv" href="data:text/csv;base64,([^"]+)"', text)
    assert found is not None
    content = base64.b64decode(found[1])
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert [int(row["index"]) for row in rows] == inquiry.questions.wrong().tolist()
    assert {row["note"] for row in rows} <= {"called wrong on card 1", "called wrong on card 2"}
    split = load_dataset(digits().dataset, 0)
    listed = read_list(content, roster_of(digits()), split.train.class_names, "The list")
    assert [*in_numbers_of(split, listed).indices] == inquiry.questions.wrong().tolist()
    assert not listed.labels  # what a network says is no right label


def test_the_truth_is_there_only_where_it_was_simulated_and_is_marked(store: Store) -> None:
    simulated = reports.looks_report(store, digits(), inquiry_of(digits(), "w"), {})
    assert "Simulated truth" in simulated
    assert "nothing was chosen by them" in simulated
    found = eunoe.Scenario.make("digits", discovery=0.0, overrides={"corruption.found": True})
    plain = reports.looks_report(store, found, inquiry_of(found, "w"), {})
    assert "imulated" not in plain
    assert "corrupted" not in re.sub(r"<(style|footer)>.*?</\1>", "", plain, flags=re.DOTALL).lower().replace(
        "corrupted data", ""
    )


def test_names_of_classes_and_files_stay_text(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario, evil = digits(), '<script>alert("x")</script>'
    data = scenario_data(scenario)
    train = data.corrupted.train
    named = LabelledData(train.inputs, train.labels, (evil, *train.class_names[1:]))
    spoiled = replace(data, corrupted=replace(data.corrupted, train=named))
    for place in ("unlearn_core.front_door.looks_report", "unlearn_core.views.embedding.examples"):
        monkeypatch.setattr(f"{place}.scenario_data", lambda _: spoiled)
    inquiry = inquiry_of(scenario, "wwwww")
    text = reports.looks_report(store, scenario, inquiry, {evil: evil})
    assert "<script" not in text
    assert html.escape(evil)[:30] in text


def test_before_and_after_are_numbers_of_a_practitioner(store: Store) -> None:
    scenario = digits()
    inquiry = inquiry_of(scenario, "ww")
    spec = make_method("finetune", scenario, {"epochs": 1})
    before = reports.looks_report(store, scenario, inquiry, {}, [spec])
    assert "Nothing was healed yet with this list" in before
    told = scenario.knowing(tuple(int(k) for k in inquiry.questions.wrong()))
    results = eunoe.run(told, ["finetune"], overrides={"finetune.epochs": 1}, store=store)
    text = reports.looks_report(store, scenario, inquiry, {}, [spec])
    (row,) = results.frame[results.frame["method"] == "finetune"].to_dict("records")
    for name, words in reports.NUMBERS.items():
        line = re.search(rf"<td>{re.escape(html.escape(words))}</td>(.*?)</tr>", text, re.DOTALL)
        assert line is not None, name
        assert line[1].split("<td>")[-1].startswith(f"{100 * row[name]:.1f}<")
    assert "Simulated truth: corrupted examples predicted right" in text
