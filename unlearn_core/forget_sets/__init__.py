"""Edited forget sets: what one holds, CSV in and out, and named sets with their history in the store."""

from unlearn_core.forget_sets.content import MAX_NOTE, ForgetSet, Outside
from unlearn_core.forget_sets.csv_writing import write_csv
from unlearn_core.forget_sets.list_reading import MAX_BYTES, MAX_ROWS, Listed, read_list
from unlearn_core.forget_sets.named import MAX_NAME, Change, NamedSet, NamedSets

__all__ = [
    "MAX_BYTES",
    "MAX_NAME",
    "MAX_NOTE",
    "MAX_ROWS",
    "Change",
    "ForgetSet",
    "Listed",
    "NamedSet",
    "NamedSets",
    "Outside",
    "read_list",
    "write_csv",
]
