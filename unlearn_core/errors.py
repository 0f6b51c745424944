"""The errors that reach a person, each with one clear sentence."""

from __future__ import annotations


class UserError(ValueError):
    """Bad input. ``str(error)`` is one sentence that says what is wrong and what would be right."""


class StoreAway(UserError):
    """The store is locked by another program, or does not answer: nothing is wrong with what was asked."""


class Cancelled(Exception):
    """Raised inside a computation when its reporter says that it was cancelled."""
