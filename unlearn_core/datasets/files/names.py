"""Names of files and classes as text that every page, file and database can hold."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence


def readable(name: str) -> str:
    """``name`` with every byte that is no UTF-8 text written as ``%E9``, as in an address; other names stay as they are.

    Python holds such bytes as lone surrogates, which can be neither printed nor stored. NUL is written as ``%00``.
    """
    if name.isascii() and "\0" not in name:
        return name
    return "".join(_escaped(letter) if "\ud800" <= letter <= "\udfff" or letter == "\0" else letter for letter in name)


def compose(text: str) -> str:
    """The text with letter and accent as one character (NFC): two ways to write it that look the same are the same."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def compose_name(name: str) -> str:
    """:func:`readable` and composed: Macs write the same name with a letter and an accent apart."""
    return compose(readable(name))


def _escaped(letter: str) -> str:
    code = ord(letter)
    if 0xDC80 <= code <= 0xDCFF:  # a byte from 0x80 to 0xFF that came through "surrogateescape"
        return f"%{code - 0xDC00:02X}"
    return f"%u{code:04X}" if code else "%00"


def judge_class_names(raw: Iterable[str]) -> list[str]:
    """One sentence each for classes whose name is no UTF-8 text, is written in two ways, or differs in case alone.

    ``raw``: the names of all class folders as the disk or the archive has them.
    """
    forms: dict[str, set[str]] = {}
    for name in set(raw):
        forms.setdefault(compose_name(name), set()).add(name)
    found = []
    if odd := sorted(name for name, written in forms.items() if any(readable(form) != form for form in written)):
        noun = "name of the class" if len(odd) == 1 else "names of the classes"
        found.append(f"The {noun} {some(odd)} {are(odd)} not UTF-8 text; other bytes are written as % and two digits.")
    if double := sorted(name for name, written in forms.items() if len(written) > 1):
        noun = "name of the class" if len(double) == 1 else "names of the classes"
        found.append(
            f"The {noun} {some(double)} {are(double)} written in two ways (accents apart or composed); such folders are joined."
        )
    twins: dict[str, list[str]] = {}
    for name in sorted(forms):
        twins.setdefault(name.casefold(), []).append(name)
    if alike := [name for names in twins.values() if len(names) > 1 for name in names]:
        found.append(f"The classes {some(alike, 4)} differ in capital letters alone and count as different classes.")
    return found


def some(names: Sequence[str], most: int = 3) -> str:
    """The first few names in quotes: 'a', 'b' and 7 more."""
    shown = ", ".join(repr(readable(name)[:60]) for name in names[:most])
    return shown + (f" and {len(names) - most:,} more" if len(names) > most else "")


def are(names: Sequence[str]) -> str:
    """The verb for them."""
    return "is" if len(names) == 1 else "are"
