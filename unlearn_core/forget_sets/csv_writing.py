"""Forget sets as CSV: one image or training example a line; :func:`read_list` reads it back."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from unlearn_core.forget_sets.content import ForgetSet
from unlearn_core.support.escaping import neutral_cell


def write_csv(content: ForgetSet, paths: Sequence[str] = ()) -> str:
    """The set as CSV, with the columns that hold something. ``paths``: the names of all training examples, where they come
    from files: images are then named by path alone, because a number means another image under another seed."""
    names = paths or range(max(content.indices, default=-1) + 1)
    rows = [(names[k], content.labels.get(k, ""), content.notes.get(k, "")) for k in content.indices]
    rows += [(path, one.label, one.note) for path, one in sorted(content.outside.items()) if one.held]
    held = [True, *(any(row[column] for row in rows) for column in (1, 2))]
    header = ("path" if paths else "index", "clean_label", "note")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([cell for cell, kept in zip(header, held, strict=True) if kept])
    writer.writerows([[neutral_cell(cell) for cell, kept in zip(row, held, strict=True) if kept] for row in rows])
    return text.getvalue()
