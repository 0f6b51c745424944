"""Values that people and attackers give where a number, a name, a path or a list is expected."""

from __future__ import annotations

import random
from collections.abc import Sequence

NASTY: tuple[str, ...] = (
    "", " ", "0", "-1", "1", "0.5", "0,02", "1e308", "1e-308", "-inf", "nan", "NaN", "1_000", "0x10", "１２", "²", "10**9",
    "99999999999999999999", "true", "null", "None", "[]", "{}", "()", "'", '"', "`", "\\", "%", "%00", "%zz", "\0", "a\0b",
    "\n", "\r\nX: y", "\t", "﻿", "‮txt", "😀", "é", "e\u0301", "\ud800".encode("utf-8", "replace").decode(), "A" * 300,
    "<script>alert(1)</script>", "![x](http://127.0.0.1:9/x.png)", "[x](javascript:alert(1))", "**b** $x^2$ :red[x]",
    "=1+1", "@x", "../../../../etc/passwd", "/etc/passwd", "/", ".", "..", "~", "~root", "/proc/self/environ", "/dev/zero",
    "C:\\x", "file:///etc/passwd", "http://127.0.0.1:9/", "sqlite:////etc/passwd", "postgresql://u:secret@127.0.0.1:9/x",
    "tcp://127.0.0.1:9", "a=b&c=d", "rem,rem", "rem,", ",", ";", "rem;retrain", "rem,0.5,0.3", "rem,2,nan", "images", "digits",
    "{0}", "%s%s%n", "${HOME}", "$(id)", "`id`", "; rm -rf x", "' OR 1=1 --", "\u202e", "a/b\\c", "-", "--help", "con", "nul",
)  # fmt: skip
"""Literals that broke something somewhere once."""


def value(rng: random.Random, plausible: Sequence[str]) -> str:
    """One value: often something that fits, else something nasty, a number from anywhere, or two of them joined."""
    kind = rng.random()
    if kind < 0.4 and plausible:
        return rng.choice(plausible)
    if kind < 0.75:
        return rng.choice(NASTY)
    if kind < 0.9:
        return repr(rng.choice((rng.uniform(-2, 2), rng.gauss(0, 1e6), float(rng.randint(-5, 5000)), rng.randint(-9, 99))))
    if kind < 0.97:
        return rng.choice(NASTY) + rng.choice((",", "", ".", " ")) + rng.choice(NASTY)
    return "".join(chr(rng.choice((rng.randint(0, 127), rng.randint(128, 0xD7FF)))) for _ in range(rng.randint(1, 40)))
