"""What the star-burst of the start page shows, in sentences that are made from the counted numbers."""

from __future__ import annotations

from typing import Final

from unlearn_core.results.memorised import TAKEN_UP
from unlearn_core.views.embedding.burst import AT_HOME
from unlearn_core.views.embedding.data import LISTED
from unlearn_core.views.picture import percent
from unlearn_core.views.start.burst import SignBurst
from unlearn_core.views.start.sentences import CLEAR

_DONE: Final = {
    "retrain": "Trained anew without {known}, on the other {rest} as they are",
    "finetune": "Trained on for a while without {known}",
    "rem": "REM redirects what it was told of, {known}, and drops it",
    "oracle_retrain": "Trained anew without any of the {all}, a list that nobody has",
}
NEARLY_ALL: Final = 0.9


def describe_method(burst: SignBurst, method: str) -> str:
    """What was done, and how many of the examples came home."""
    count, rest = len(burst.corrupted), len(burst.corrupted) - burst.known
    done = _DONE[method].format(known=f"the {burst.known} that are known", rest=rest, all=count)
    arrived, unknown = burst.arrived(method)
    before, _ = burst.arrived(burst.models[0])
    if arrived <= before + CLEAR * count:
        return f"{done}: {_few(arrived, count)}."
    among = "" if method == "oracle_retrain" or not rest else f", {unknown} of the {rest} that nobody found among them"
    if arrived >= NEARLY_ALL * count:
        return f"{done}: {'all' if arrived == count else 'nearly all'} fly home, {arrived} of {count}{among}."
    return f"{done}: {arrived} of {count} fly home{among}."


def _few(arrived: int, count: int) -> str:
    return f"none of the {count} leaves" if arrived == 0 else f"hardly any leaves, {arrived} of {count} come home"


def opening(burst: SignBurst) -> str:
    """What is in the picture, before any method is spoken of."""
    count, label = len(burst.corrupted), burst.classes[burst.scenario.corruption.target_class]
    whole = f"{count} of {len(burst.clean):,} road signs"
    said = f"{whole} carry a sticker and the label “{label}”; {burst.known} of them are known."
    if burst.memorised < TAKEN_UP:
        return f"{said} The original took up only {percent(burst.memorised)} of these labels: there is little to heal."
    return said


HOME: Final = (
    "Every picture is one of these signs, every dot another one, where the network's last hidden layer puts it (UMAP, one "
    f"plane for all models). Home: at least {AT_HOME} of the {LISTED} nearest neighbours are signs of its own kind without a "
    "sticker."
)
"""How the picture is to be read."""
