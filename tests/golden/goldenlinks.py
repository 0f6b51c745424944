"""Two hundred links that cover every control, made from the list of controls, and what each of them resolves to."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from goldentools import PLACEHOLDER, without_place

from unlearn_core import view_state as vs
from unlearn_core.view_state.lessons import lessons

COUNT = 200
PAGES = ("start", "craft", "compare", "boundary", "redirect", "embedding", "forget", "heatmap", "own", "lessons")
IMAGES = f"{PLACEHOLDER}/images"
_OWN = {"dataset": "images", "dataset.data": IMAGES}
_TEXTS = {"own": (IMAGES, "/etc/passwd"), "cell": ("rem,0.5,0.3", "x"), "forget": ("688743075eeb851d", "By hand & more")}
_HANDY: tuple[dict[str, str], ...] = (
    {**_OWN},
    {**_OWN, "regularity": "0.5", "seed": "3"},
    {**_OWN, "corruption": "found"},
    {**_OWN, "recipe": "memorising"},
    {**_OWN, "recipe": "accurate", "methods": "rem,retrain"},
    {**_OWN, "recipe": "memorising", "model": "cnn", "model.width": "8", "values": "paper"},
    {**_OWN, "dataset.size": "16", "dataset.limit": "60", "recipe": "memorising"},
    {"recipe": "accurate"},
    {"rem.epochs": "7"},
    {"rem.epochs": "0", "npo.beta": "2"},
    {"rem.keep_best": "false", "rem.statistics": "mixed", "rem.batch_size": "64"},
    {"rem.statistics": "loose"},
    {"npo.threshold": "0.1", "values": "paper"},
    {"values": "paper", "methods": "scrub,rem,npo", "rem.epochs": "7"},
    {"model": "mlp", "training.epochs": "9"},
    {"model.width": "8", "training.augment": "true", "training.learning_rate": "0.05"},
    {"dataset": "waves", "dataset.noise": "0.5", "model.depth": "2"},
    {"dataset": "spirals", "dataset.noise": "9"},
    {"rem.spin": "1", "ascent.passes": "5", "training.momentum": "1"},
    {"dataset": "images"},
    {"dataset": "images", "dataset.data": "/nowhere/photos"},
    {"model": "torchvision", "model.weights": "/nowhere/model.pt"},
    {"dataset": "cifar10"},
    {"dataset": "cifar10", "dataset.download": "true", "seed": "4"},
    {"hide": "plane,seed,options", "lock": "regularity,parameters"},
    {"hide": "everything", "lock": "plane"},
    {"hide": ",".join(vs.hideable())},
    {"lock": ",".join(vs.lockable())},
    {"colour": "red", "weather": "fine"},
    {"amount": "600", "regularity": "0.5", "class_a": "5"},
    {"discovery": "0.00001", "amount": "9000"},
    {f"rem.parameter_{k:03d}": "0.3333333333" for k in range(80)},
)


def all_links(folder: Path, revisions: Mapping[str, int]) -> dict[str, Any]:
    """The content of links.json."""
    made = list(itertools.islice(_distinct(), COUNT))
    pages = itertools.cycle(PAGES)
    return {
        "revisions": dict(revisions),
        "defaults": vs.default_state(),
        "links": [{"page": page or next(pages), "query": query, **resolve(query, folder, revisions)} for page, query in made],
    }


def resolve(query: str, folder: Path, revisions: Mapping[str, int]) -> dict[str, Any]:
    """What a link means: the state as far as it differs from the default, what it asks, what is said about it, the keys that
    it leads to, the command that computes it, and the link written again.

    Methods are taken in these ``revisions``: a link does not break when a method is improved.
    """
    pairs = [(name, value.replace(PLACEHOLDER, str(folder))) for name, value in parse_qsl(query, keep_blank_values=True)]
    state, notices, asked = vs.decode_asking(urlencode(pairs, safe=",.:"))
    scenario = vs.to_scenario(state)
    default: Mapping[str, object] = vs.default_state()
    specs = [
        spec.model_copy(update={"revision": revisions[spec.name]}) for spec in (*vs.to_methods(state), vs.to_search(state))
    ]
    again, more = vs.clamp_state(state)
    assert (again, more) == (state, []), query  # a state that is possible is left alone
    found = {
        "state": {name: value for name, value in state.items() if value != default[name]},
        "asks": [one for one in (*asked.paths, asked.download) if one],
        "notices": notices,
        "scenario": scenario.key,
        "original": scenario.original_key,
        "runs": {spec.name: scenario.run_key(spec) for spec in specs},
        "command": vs.as_cli(state),
        "link": vs.encode(state),
    }
    resolved: dict[str, Any] = _placeless(found, folder)
    return resolved


def _placeless(value: Any, folder: Path) -> Any:
    """Plain JSON that names no place on this machine, and not which components there are today: more may come."""
    if isinstance(value, dict):
        return {key: _placeless(item, folder) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_placeless(item, folder) for item in value]
    if isinstance(value, str):
        text, known, _ = without_place(value, folder).partition("known: ")
        return text + known
    return value


def _distinct() -> Iterator[tuple[str, str]]:
    seen = set()
    for page, query in itertools.chain(_lessons(), _each_control(), _by_hand(), _mixed()):
        if query not in seen:
            seen.add(query)
            yield page, query


def _lessons() -> Iterator[tuple[str, str]]:
    """The first and the last step of every lesson, as its own link sets them."""
    for lesson in lessons().values():
        for number in (1, len(lesson.steps)):
            yield lesson.steps[number - 1].page, vs.encode(lesson.state_at(number, vs.default_state()))


def _each_control() -> Iterator[tuple[str, str]]:
    for control in vs.CONTROLS:
        good, bad = values_of(control)
        yield "", _query({control.query_name: good[0]})
        yield "", _query({control.query_name: bad, "seed": "1"} if control.name != "seed" else {"seed": bad})


def _by_hand() -> Iterator[tuple[str, str]]:
    return (("", _query(pairs)) for pairs in _HANDY)


def _mixed() -> Iterator[tuple[str, str]]:
    """Some settings together, mostly good ones, always the same."""
    rng = random.Random(20261127)
    while True:
        chosen = rng.sample(vs.CONTROLS, rng.randint(3, 7))
        pairs = {}
        for control in chosen:
            good, bad = values_of(control)
            pairs[control.query_name] = rng.choice(good) if rng.random() < 0.9 else bad
        yield "", _query(pairs)


def values_of(control: vs.Control) -> tuple[list[str], str]:
    """Values of a control that are possible, none of them its default as far as there are others, and one that is not."""
    if control.kind in ("choice", "choices"):
        known = [name for name in control.choices() if name] if control.choices else []
        if control.name == "dataset":
            known = ["blobs", "waves", "spirals", "digits"]
        if control.kind == "choice":
            return [name for name in known if name != control.default][:6] or known, "nonsense"
        return [",".join(known[-3:-1]), ",".join(known[:2]), known[0]], ",".join(["nonsense", *known])
    if control.kind == "text":
        good, bad = _TEXTS.get(control.name, ("mine", "ein paar, übrig & mehr"))
        return [good], bad
    if control.kind == "amount":
        return ["60", "0.05"], "many"
    if control.kind == "share":
        return ["0.25", "0.8", "1"], "7"
    low = int(control.low)
    return [str(low + 1), str(min(low + 7, int(control.high)))], "1.5e9"


def _query(pairs: Mapping[str, str]) -> str:
    return urlencode(pairs, safe=",.:{}/")
