"""Collect the rows of the headline sweeps from a store, and write docs/headline.md from all rows that are committed.

    python -m unlearn_core sweep benchmarks/plans/headline/digits.yaml --store STORE      (and the other plans there)
    python -m benchmarks report headline --store STORE [--data FOLDER]      adds what STORE has of them to results/headline/
    python -m benchmarks report headline                                    writes the page anew

A sweep can be stopped and run again; rows that are collected stay when the store is gone. Seeds are none that anything was
developed or tuned on.
"""

from __future__ import annotations

import argparse

import pandas as pd

from benchmarks.paths import DOCS, RESULTS
from benchmarks.report.headline.report import page
from benchmarks.report.headline.rows import PLANS_OF, add, read, stored

FOLDER, PAGE = RESULTS / "headline", DOCS / "headline.md"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", help="folder or address of the swept results")
    parser.add_argument("--data", help="the images that the photographs' sweeps were run on")
    options = parser.parse_args()
    tables: dict[str, pd.DataFrame] = {}
    for name in PLANS_OF:
        path = FOLDER / f"{name}.csv"
        rows = read(path)
        if options.store:
            found = stored(name, options.store, options.data)
            rows = add(rows, found)
            if len(rows):
                path.parent.mkdir(exist_ok=True)
                rows.to_csv(path, index=False, float_format="%.6g")
            print(f"{name}: {len(found)} rows in the store, {len(rows)} in {path.name}")
        if len(rows):
            tables[name] = rows
    PAGE.write_text(page(tables), encoding="utf-8")
