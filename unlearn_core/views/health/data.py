"""Data health as it is stored and shown: findings as records, tables and forget lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from unlearn_core.canonical import content_key
from unlearn_core.discovery.health.examine import REVISION
from unlearn_core.discovery.health.findings import Finding, Health
from unlearn_core.forget_sets import ForgetSet, write_csv
from unlearn_core.results.reader import Results
from unlearn_core.specs import DatasetSpec, Scenario

LEVELS = {"image": "Single images", "data set": "The set as a whole"}
"""The two levels in the words on the screen."""


def health_key(spec: DatasetSpec, seed: int) -> str:
    """Key of what is found in these data; nothing but the data and their split decides it."""
    return content_key("health", REVISION, spec, seed)


def remote_key(scenario: Scenario) -> str:
    """Key of the outliers in the original network's features."""
    return content_key("health_outliers", REVISION, scenario.original_key)


def to_payload(health: Health) -> dict[str, Any]:
    """All but the members, as JSON."""
    about = [
        {name: getattr(one, name) for name in ("name", "level", "title", "sentence", "rule", "measure", "tested")}
        for one in health.findings
    ]
    return {"findings": about, "examined": list(health.examined), "left_out": list(health.left_out)}


def to_arrays(health: Health) -> dict[str, np.ndarray]:
    """The members and what was measured of them, as the store takes them."""
    return {
        "members": np.concatenate([*(one.members for one in health.findings), np.empty(0, np.int64)]).astype(np.int64),
        "values": np.concatenate([*(one.values for one in health.findings), np.empty(0)]).astype(np.float64),
        "sizes": np.array([len(one) for one in health.findings], np.int64),
    }


def read_health(store: Results, key: str) -> Health:
    """What a stage has stored. Raises LookupError where it is not there."""
    record = store.get(key)
    if record is None:
        raise LookupError(f"no data health is stored under {key}")
    arrays = store.arrays(key, "health")
    ends = arrays["sizes"].cumsum()[:-1]
    parts = zip(np.split(arrays["members"], ends), np.split(arrays["values"], ends), strict=True)
    about = record.payload["findings"]
    findings = tuple(
        Finding(members=members, values=values, **one) for one, (members, values) in zip(about, parts, strict=False)
    )
    return Health(findings, tuple(record.payload["examined"]), tuple(record.payload["left_out"]))


def as_json(health: Health, names: Sequence[str]) -> dict[str, Any]:
    """As a command prints it; ``names`` of the training images, empty where they have none."""
    findings = []
    for one, about in zip(health.findings, to_payload(health)["findings"], strict=True):
        members = one.members.tolist()
        files = {"files": [names[k] for k in members]} if names else {}
        findings.append(about | {"count": len(one), "indices": members, "values": one.values.tolist()} | files)
    return {
        "sentence": health.sentence,
        "findings": findings,
        "examined": list(health.examined),
        "not_examined": list(health.left_out),
    }


def as_forget_list(finding: Finding, names: Sequence[str]) -> str:
    """The members as a forget list in CSV, each with what was measured as its note."""
    notes = {int(k): _note(finding, float(v)) for k, v in zip(finding.members, finding.values, strict=True)}
    return write_csv(ForgetSet(tuple(sorted(notes)), (), {}, notes), names)


def _note(finding: Finding, value: float) -> str:
    return f"{finding.title}: {finding.measure} {value:.3g}"


def summary(health: Health) -> pd.DataFrame:
    """One row a finding: columns level, finding, images, what, rule."""
    rows = [(LEVELS[one.level], one.title, len(one), one.sentence, one.rule) for one in health.findings]
    return pd.DataFrame(rows, columns=["level", "finding", "images", "what", "rule"])


def members_table(finding: Finding, given: Mapping[int, str], names: Sequence[str]) -> pd.DataFrame:
    """One row a member: columns index, given, value, and file where there are names."""
    members = [int(k) for k in finding.members]
    table = pd.DataFrame({"index": members, "given": [given[k] for k in members], "value": finding.values})
    return table.assign(file=[names[k] for k in members]) if names else table
