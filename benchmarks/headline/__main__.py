"""Collect the rows of the headline sweeps from a store, and write docs/headline.md from all rows that are committed.

    python -m unlearn_core sweep benchmarks/headline/digits.yaml --store STORE      (and the other plans of this folder)
    python -m benchmarks.headline --store STORE [--data FOLDER]      adds what STORE has of these plans to the .csv files here
    python -m benchmarks.headline      writes the page anew

A sweep can be stopped and run again; rows that are collected stay when the store is gone. Seeds are none that anything was
developed or tuned on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from benchmarks.headline.report import page
from benchmarks.headline.rows import PLANS, add, read, stored

FOLDER = Path(__file__).parent
PAGE = FOLDER.parents[1] / "docs" / "headline.md"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", help="folder or address of the swept results")
    parser.add_argument("--data", help="the images that the photographs' sweeps were run on")
    options = parser.parse_args()
    tables: dict[str, pd.DataFrame] = {}
    for name in PLANS:
        path = FOLDER / f"{name}.csv"
        rows = read(path)
        if options.store:
            found = stored(name, options.store, options.data)
            rows = add(rows, found)
            if len(rows):
                rows.to_csv(path, index=False, float_format="%.6g")
            print(f"{name}: {len(found)} rows in the store, {len(rows)} in {path.name}")
        if len(rows):
            tables[name] = rows
    PAGE.write_text(page(tables), encoding="utf-8")


if __name__ == "__main__":
    main()
