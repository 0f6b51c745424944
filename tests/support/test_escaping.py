"""What others wrote is shown as it is written: in Markdown, LaTeX and CSV for spreadsheets."""

from __future__ import annotations

import io
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some

from unlearn_core.datasets import Roster
from unlearn_core.forget_sets import ForgetSet, Listed, read_list, write_csv
from unlearn_core.results.table_export import csv_text, latex
from unlearn_core.support.escaping import JOINER, escape_latex, escape_markdown, neutral_cell, plain_cell

FORMULAS = ("=1+1", "+cmd", "-cmd", "@SUM(A1)", "\tx", "\rx", "=x.png", '=HYPERLINK("http://e","x")', "'=x", "''-x")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("![p](x)", r"!\[p\](x)"),
        ("[l](x) **b** _i_ `c` $m$ <b>", r"\[l\](x) \*\*b\*\* \_i\_ \`c\` \$m\$ \<b\>"),
        ("# h", r"\# h"),
        ("- one\n- two", r"\- one - two"),
        ("1. one", r"1\. one"),
        ("> q", r"\> q"),
        ("&lt;", r"\&lt;"),
        ("a\\", "a\\\\"),
        ("http://e/x", f"http:{JOINER}//e/x"),
        ("www.e.org and me@e.org", f"www{JOINER}.e.org and me{JOINER}@e.org"),
        (":red[x] :smile:", f":{JOINER}red\\[x\\] :{JOINER}smile:"),
        ("a ratio of 1:2, C:\\x, tcp://h:1", "a ratio of 1:2, C:\\\\x, tcp://h:1"),
        ("There is nothing at '/home/x/my.png'.", "There is nothing at '/home/x/my.png'."),
    ],
)
def test_markdown_shows_text_as_it_is_written(text: str, written: str) -> None:
    assert escape_markdown(text) == written


def test_latex_has_ten_special_characters() -> None:
    assert escape_latex(r"\{}$&#_%~^") == (r"\textbackslash{}\{\}\$\&\#\_\%\textasciitilde{}\textasciicircum{}")
    table = pd.DataFrame({"r 1 · 5%": ["0.5"]}, index=["a_{b}^2~$x$ \\input"])
    row = latex(table).splitlines()[4]
    assert row == r"a\_\{b\}\textasciicircum{}2\textasciitilde{}\$x\$ \textbackslash{}input & 0.5 \\"


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_is_a_formula_in_a_spreadsheet(text: str) -> None:
    assert neutral_cell(text) == f"'{text}"


@pytest.mark.parametrize("cell", [-0.5, -3, "-0.5", "+1e-3", "x=1", "a@b", "", None, "'quoted'", True])
def test_numbers_and_other_text_stay(cell: object) -> None:
    assert neutral_cell(cell) is cell


@given(some.text(alphabet="'=+-@\t\r.a1", max_size=6))
def test_every_text_comes_back(text: str) -> None:
    cell = neutral_cell(text)
    assert plain_cell(cell) == text
    assert cell == text or cell[1:] == text


def test_a_table_as_csv() -> None:
    table = pd.DataFrame(
        {"=name": ["=1+1", "fine"], "value": [-0.5, 2.0], "kind": pd.Categorical(["@x", "y"]), "ok": [True, False]}
    )
    back = pd.read_csv(io.StringIO(csv_text(table)))
    assert back.to_dict("list") == {
        "'=name": ["'=1+1", "fine"],
        "value": [-0.5, 2.0],
        "kind": ["'@x", "y"],
        "ok": [True, False],
    }
    assert table["=name"].tolist() == ["=1+1", "fine"]  # what was given is as it was


def test_a_forget_list_of_files_called_like_formulas_comes_back() -> None:
    paths = ("=x/1.png", "@y/-2.png", "'=x/1.png", "ant/=x.png")
    content = ForgetSet((0, 2), (), {0: "=x", 2: "@y"}, {0: "=HYPERLINK(1)", 2: "-"})
    text = write_csv(content, paths)
    assert not re.search(r"(^|,)\"?[=+@\t\r-]", text, re.MULTILINE)
    roster = Roster(4, paths, np.array([1, 1, 0, 2]), np.zeros(4, bool), np.arange(4))
    listed = read_list(text.encode(), roster, ("=x", "@y", "ant"))
    assert listed == Listed(content.indices, content.labels, content.notes, (), (0, 2))
    by_path = "path\n" + "\n".join(neutral_cell(paths[k]) for k in content.indices)
    assert read_list(by_path.encode(), roster, ("=x", "@y", "ant")).positions == content.indices
