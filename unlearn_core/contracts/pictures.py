"""What every picture that a plug-in adds must do."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from unlearn_core.contracts.contract import Checks, require
from unlearn_core.views.added import ComparisonPicture
from unlearn_core.views.picture import Picture


@dataclass
class PictureCase:
    """A picture with the table of a comparison that it is drawn from."""

    picture: type[ComparisonPicture]
    frame: pd.DataFrame


def make_frame() -> pd.DataFrame:
    """A made-up comparison of the original and two methods, with the columns that every comparison has."""
    healed, utility = [0.1, 0.5, 0.9], [0.9, 0.8, 0.9]
    names = {"original": "Original", "retrain": "Retraining", "rem": "REM"}
    columns = {"method": list(names), "label": list(names.values()), "healed": healed, "utility": utility}
    return pd.DataFrame(columns | {"oracle": [False] * 3, "seconds": [0.0, 9.0, 4.0]})


def describe_picture(case: PictureCase) -> None:
    """A name, a label and a summary."""
    require(not case.picture.faults(), "; ".join(case.picture.faults()))


def draw_with_words(case: PictureCase) -> None:
    """A figure with a caption, words for those who cannot see it, and its data; or None. The table is left as it was."""
    before = case.frame.copy(deep=True)
    drawn = case.picture.draw(case.frame)
    require(before.equals(case.frame), "it changes the table that it is drawn from")
    if drawn is None:
        return
    require(isinstance(drawn, Picture), f"it gives {type(drawn).__name__}, not a Picture")
    require(bool(drawn.caption.strip()), "its picture has no caption, a sentence that says what to look for")
    require(bool(drawn.alt.strip()), "its picture has no words for those who cannot see it (alt)")
    require(len(drawn.data) > 0, "its picture brings no data")
    require(len(drawn.figure.data) > 0, "its figure shows nothing")


PICTURE_CHECKS: Checks[PictureCase] = {
    "describes itself": describe_picture,
    "draws a figure with caption, words and data": draw_with_words,
}
