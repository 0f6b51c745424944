"""What to see at one setting of the start page's sliders: sentences that are made from the counted numbers."""

from __future__ import annotations

from typing import Any, Final

from unlearn_core.results.memorised import TAKEN_UP
from unlearn_core.views.picture import percent
from unlearn_core.views.start.data import Scene

WORDS: Final[dict[str, Any]] = {
    "rounds": {"retrain": "epoch", "rem": "round"},
    "known": "{known} of {all}",
    "waiting": {
        "original": "is being trained …",
        "retrain": "comes after the original",
        "rem": "comes after the original",
    },
    "seed": "seed {seed}",
}
"""Words that the picture puts together in the browser."""
CLEAR: Final = 0.05
"""Share of the corrupted examples, or accuracy, that two models must differ by before a sentence says so."""


def describe(scene: Scene) -> dict[str, Any]:
    """``sentence``: what the films end with; of a live run how far it is. ``done``: whether all films are there."""
    if scene.done:
        return {"sentence": " ".join(_sentences(scene)), "done": True}
    if "original" not in scene.films:
        return {"sentence": "The original is being trained on everything as given …", "done": False}
    parts = [f"{words} {percent(scene.shares.get(name, 1.0))}" for name, words in _WORK.items()]
    return {"sentence": f"The original is trained. {', '.join(parts)} …", "done": False}


_WORK: Final = {"retrain": "Retraining", "rem": "REM"}


def position_word(regularity: float) -> str:
    """The position of the dial, as a number and a word."""
    return f"{regularity:g} · {_NAMED.get(regularity, 'mixed')}"


_NAMED: Final = {0.0: "random labels", 0.5: "confusion", 1.0: "trigger"}


def _sentences(scene: Scene) -> list[str]:
    count, known = len(scene.corrupted), scene.known
    healed = {name: int(film.healed[-1]) for name, film in scene.films.items()}
    wrong = {name: count - number for name, number in healed.items()}
    if scene.memorised is not None and scene.memorised < TAKEN_UP:
        return [
            f"Little to heal: this network took up only {percent(scene.memorised)} of the wrong labels, so "
            f"{healed['original']} of {count} points are right before anything is done."
        ]
    said = []
    if known == count:
        said.append(
            f"All {count} are discovered: retraining without them is the reference, and {_points(wrong['retrain'])} wrong."
        )
    else:
        said.append(
            f"{known} of {count} wrong labels are discovered. Retraining learns the other {count - known} again: "
            f"{_points(wrong['retrain'])} wrong."
        )
    gap = wrong["retrain"] - wrong["rem"]
    if gap > CLEAR * count:
        said.append(f"Under REM the ground changes hands: {_points(wrong['rem'])} wrong.")
    elif gap < -CLEAR * count:
        said.append(f"REM heals fewer here: {_points(wrong['rem'])} wrong.")
    else:
        said.append(f"REM does about as well: {_points(wrong['rem'])} wrong.")
    utility = {name: float(film.utility[-1]) for name, film in scene.films.items()}
    if utility["rem"] < utility["retrain"] - CLEAR:
        said.append(f"It costs: {percent(utility['rem'])} of new points right, against {percent(utility['retrain'])}.")
    return said


def _points(count: int) -> str:
    return "none stays" if count == 0 else "1 stays" if count == 1 else f"{count} stay"
