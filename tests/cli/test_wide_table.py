"""A table wider than the terminal: every cell whole, every value there, each part no wider than the terminal."""

from __future__ import annotations

import itertools
import re

import pandas as pd
import pytest
from rich.cells import cell_len

from unlearn_core.cli.wide_table import lines


def made(columns: int, rows: int = 3) -> pd.DataFrame:
    values = {f"r {k} · 10%": [f"0.{k:02d}{n} ± 0.001 (3)" for n in range(rows)] for k in range(columns)}
    return pd.DataFrame(
        {"Setting": ["as usual"] * rows} | values, index=pd.Index([f"ℓ1 名 {n}" for n in range(rows)], name="Method")
    )


@pytest.mark.parametrize(("columns", "width"), itertools.product((1, 4, 9), (20, 60, 80, 200)))
def test_no_cell_is_cut_and_none_is_lost(columns: int, width: int) -> None:
    table = made(columns)
    title, *shown = lines(table, "T", ["Setting"], width)
    text = "\n".join(shown)
    wanted = [cell for name in table.columns[1:] for cell in table[name]]
    assert sorted(re.findall(r"0\.\d{3} ± 0\.001 \(3\)", text)) == sorted(wanted)
    assert all(f"r {k} · 10%" in text for k in range(columns))
    assert max(map(cell_len, shown)) <= max(width, 7 + 2 + 8 + 2 + 17)  # one column at least
    assert all(line == line.rstrip() for line in shown)
    parts = text.split("\n\n")
    assert title == ("T" if len(parts) == 1 else f"T; {len(parts)} parts, one below the other")
    for part in parts:  # a value stands under its column, and in the row of its method
        head, *rows = part.split("\n")
        ks = [int(k) for k in re.findall(r"r (\d+)", head)]
        for n, row in enumerate(rows):
            assert row.startswith(f"ℓ1 名 {n}")
            assert re.findall(r"(0\.\d{3}) ±", row) == [f"0.{k:02d}{n}" for k in ks]
    assert len({cell_len(line) for line in parts[0].split("\n")}) == 1  # they end at one line, whatever the letters' width


def test_as_many_columns_as_fit_stand_beside_one_another() -> None:
    assert "\n\n" not in "\n".join(lines(made(9), "T", ["Setting"], 200))
    wide = ["\n".join(lines(made(9), "T", ["Setting"], width)).count("\n\n") for width in (40, 60, 80, 120)]
    assert wide == sorted(wide, reverse=True)
    assert wide[0] == 8


def test_a_row_with_nothing_in_a_part_is_left_out_of_it() -> None:
    table = made(2)
    table.iloc[1, 2] = "–"
    _, *shown = lines(table, "T", ["Setting"], 40)
    first, second = "\n".join(shown).split("\n\n")
    assert "名 1" in first
    assert "名 1" not in second
    assert second.count("\n") == 2
