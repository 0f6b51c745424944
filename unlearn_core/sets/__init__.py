"""Edited forget sets: what one holds, CSV in and out, and named sets with their history in the store."""

from unlearn_core.sets._content import MAX_NOTE, ForgetSet, Outside
from unlearn_core.sets._csv import write_csv
from unlearn_core.sets._list import MAX_BYTES, MAX_ROWS, Listed, read_list
from unlearn_core.sets._named import MAX_NAME, Change, NamedSet, NamedSets

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
