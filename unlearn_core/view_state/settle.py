"""The nearest state that describes something possible: within the dataset, within every parameter's limits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, Literal

from unlearn_core.errors import UserError
from unlearn_core.view_state.controls import (
    ANCHORS,
    BY_NAME,
    CORRUPTIONS,
    HEADLINES,
    SECTIONS,
    UNKNOWN_HEADLINES,
    State,
    by_name,
    default_state,
)
from unlearn_core.view_state.fields import quoted
from unlearn_core.view_state.settle_kinds import settle_corruption, settle_trigger, triggers_for
from unlearn_core.view_state.specs import (
    amount_of,
    as_found,
    as_text,
    on_dial,
    preset_of,
    section_fields,
    section_overrides,
    starts_quickly,
    to_scenario,
    with_defaults,
)

if TYPE_CHECKING:
    from unlearn_core.datasets import LabelledData
    from unlearn_core.specs import Scalar, Scenario

Capped = Literal["class_a", "class_b", "target_class", "trigger_size", "anchor_a", "anchor_b", "anchor_c"]
"""The controls whose highest value is the dataset's to say."""
CLASSES: Final[tuple[Capped, ...]] = ("class_a", "class_b", "target_class")


def clamp_state(state: State) -> tuple[State, list[str]]:
    """The nearest state that describes something possible, with one sentence per change.

    Classes, trigger and amount are brought within the dataset, overrides within their limits, and values that equal
    the dataset's preset become None.
    """
    notices: list[str] = []
    state = state.copy()
    listed = state.pop("listed", None)  # it may belong to the data of before; a page fills it in anew
    state["overrides"] = _settle_overrides(state, notices)
    _settle_files(state, notices)
    data = _training_data(state)
    preset = preset_of(state)
    if state["recipe"] is not None and preset["recipe"] is None:
        notices.append("This dataset has one recipe, which memorises; it is used.")
        state["recipe"] = None
    if state["recipe"] == "quick" and not starts_quickly(state):
        notices.append("The quick recipe is for ResNet-9 alone; the accurate one is used.")
        state["recipe"] = "accurate"
    if data is not None:
        _settle_classes(state, data.classes, preset, notices)
        settle_trigger(state, data, notices)
        if data.is_image:
            _cap(state, "trigger_size", min(data.shape[-2:]), preset, notices)
        _settle_amount(state, len(data), notices)
        for name in ANCHORS:
            if state[name] is not None:
                _cap(state, name, len(data) - 1, preset, notices)
    values = by_name(state)
    for key, usual in preset.items():
        if values[key] == usual and type(values[key]) is type(usual):
            values[key] = None
    settle_corruption(state, notices)
    _settle_whole(state, notices)
    if data is not None:
        _settle_discovery(state, len(data), notices)
    return state if listed is None else state | {"listed": listed}, notices


def _training_data(state: State) -> LabelledData | None:
    """The training half of the dataset, or None when it cannot be loaded here."""
    from unlearn_core.datasets import load_dataset, registry
    from unlearn_core.specs import DatasetSpec

    source = registry.get(state["dataset"])
    try:
        params = source.full_params(section_overrides(state["overrides"], "dataset"))
        return load_dataset(DatasetSpec(name=source.name, params=params), state["seed"]).train
    except UserError:
        return None


def _settle_files(state: State, notices: list[str]) -> None:
    """A dataset from files is kept only while they can be loaded, or where results of these very files come with the code."""
    from unlearn_core.datasets import load_dataset, registry

    source = registry.get(state["dataset"])
    if not source.needs_data or (source.known and "dataset.data" not in state["overrides"]):
        return
    # What else does not fit, such as a recipe or two classes that are one, is no reason to drop the data: it is settled later.
    alone: State = default_state() | {"dataset": state["dataset"], "seed": state["seed"], "overrides": _of_dataset(state)}
    try:
        load_dataset(to_scenario(alone).dataset, state["seed"])
    except UserError as error:
        notices.append(str(error) if source.known else f"{error} The dataset is {BY_NAME['dataset'].default} again.")
        if not source.known:
            state["dataset"], state["recipe"] = BY_NAME["dataset"].default, None
        gone = "dataset.data" if source.known else "dataset."
        state["overrides"] = {key: value for key, value in state["overrides"].items() if not key.startswith(gone)}


def _of_dataset(state: State) -> dict[str, Scalar]:
    return {key: value for key, value in state["overrides"].items() if key.startswith("dataset.")}


def _settle_classes(state: State, classes: int, preset: State, notices: list[str]) -> None:
    for name in CLASSES:
        _cap(state, name, classes - 1, preset, notices)
    whole = with_defaults(state)
    a, b = whole["class_a"], whole["class_b"]
    if a == b and b is not None:
        state["class_b"] = b - 1 if b == classes - 1 else b + 1
        notices.append(f"The two confused classes must differ; the second one is now {state['class_b']}.")


def _cap(state: State, name: Capped, high: int, preset: State, notices: list[str]) -> None:
    value = state[name]
    if value is None:
        value = preset.get(name)
    if value is not None and value > high:
        state[name] = high
        notices.append(f"{BY_NAME[name].label} can be at most {high} on this dataset (it was {value}).")


def _settle_amount(state: State, size: int, notices: list[str]) -> None:
    from unlearn_core.corruption import count_for_amount

    if state["amount"] is None and as_found(state):
        return
    amount = amount_of(state)
    count = count_for_amount(amount, size)
    if count > size // 2:
        state["amount"] = size // 2
        notices.append(f"At most half of the {size} training examples can be corrupted; {size // 2} are, not {count}.")
    if count < 1:
        state["amount"] = 1
        notices.append(f"An amount of {amount:g} corrupts none of the {size} training examples; one is corrupted instead.")


def _settle_discovery(state: State, size: int, notices: list[str]) -> None:
    from unlearn_core.corruption import corrupted_count, count_for_rate

    if not on_dial(state):
        corrupted = _known_corrupted(state)
        if not corrupted:  # none is known: what counts is a forget list, or nothing is known at all
            state["discovery"] = 0.0
            return
    else:
        corrupted = corrupted_count(amount_of(state), size)
    rate = state["discovery"]
    if rate > 0 and count_for_rate(rate, corrupted) == 0:
        state["discovery"] = math.ceil(0.5 / corrupted * 1e4) / 1e4
        notices.append(
            f"A discovery rate of {rate:g} finds none of the {corrupted} corrupted examples; one of them is known now."
        )


def _settle_whole(state: State, notices: list[str]) -> None:
    """What only the whole can tell: does the network fit the data, does the confusion leave the classes meaningful?"""
    try:
        _check_model(to_scenario(state), _training_data(state))
    except UserError as error:
        notices.append(f"{error} The network and the parameters are back at their defaults.")
        state["model"], state["overrides"] = None, _of_dataset(state)  # without its files a dataset would be gone
    if (most := largest_amount(state)) is not None:
        amount = amount_of(state)
        state["amount"] = most
        notices.append(
            f"An amount of {amount:g} would confuse more of the two classes than keeps the task meaningful; "
            f"{most} examples are corrupted."
        )


def _check_model(scenario: Scenario, data: LabelledData | None) -> None:
    """Raise :class:`UserError` when the network does not take this kind of data."""
    if data is None:
        return
    from unlearn_core.models import check_fit

    check_fit(scenario.model, data.shape, data.classes)


def largest_amount(state: State) -> int | None:
    """The most examples that can be corrupted at this position of the dial, or None when the state is within bounds."""
    from unlearn_core.corruption import corrupted_count

    data = _training_data(state)
    if data is None or state["corruption"] not in CORRUPTIONS or _corruptible(state, amount_of(state)):
        return None
    good, bad = 0, corrupted_count(amount_of(state), len(data))
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if _corruptible(state, middle) else (good, middle)
    return max(good, 1)


def _corruptible(state: State, amount: float) -> bool:
    from unlearn_core.corruption import corrupt
    from unlearn_core.datasets import load_dataset

    scenario = to_scenario(state | {"amount": amount})
    try:
        corrupt(load_dataset(scenario.dataset, scenario.seed), scenario.dataset, scenario.corruption, scenario.seed)
    except UserError:
        return False
    return True


def truth_known(state: State) -> bool:
    """Whether it is known which training examples are corrupted: always where the corruption is made here; for labels as they
    come only with a clean label for every one of them."""
    return not as_found(state) or _known_corrupted(state) is not None


def columns_shown(state: State) -> tuple[str, ...]:
    """The metrics of the table: those asked for, or the headlines that have a meaning here."""
    asked: tuple[str, ...] = state["columns"] or HEADLINES
    return UNKNOWN_HEADLINES if asked == HEADLINES and not truth_known(state) else asked


def metric_shown(state: State) -> str:
    """The metric over time: the one asked for; where what heals is unknown, one that is known in place of the default."""
    asked: str = state["metric"]
    return "forget_accuracy" if asked == BY_NAME["metric"].default and not truth_known(state) else asked


def _known_corrupted(state: State) -> int | None:
    """How many training examples are corrupted where the dial does not say so; None where that is not known."""
    from unlearn_core.corruption import summarize_corruption

    try:
        about = summarize_corruption(to_scenario(state | {"forget": "", "discovery": 0.0}))
    except UserError:
        return None
    return about.corrupted if about.known else None


def _settle_overrides(state: State, notices: list[str]) -> dict[str, Scalar]:
    """Overrides within their limits; those of methods that are not chosen, and those that equal the default, are dropped."""
    kept: dict[str, Scalar] = {}
    for key, raw in sorted(state["overrides"].items()):
        section, _, name = key.partition(".")
        if section not in (*SECTIONS, *state["methods"]):
            notices.append(f"{quoted(key)} sets nothing in this view and is ignored.")
            continue
        field = next((f for f in section_fields(state, section) if f.name == name), None)
        if field is None:
            notices.append(f"{section} has no parameter {quoted(name)}; it is ignored.")
            continue
        value, fine = field.clamp(raw)
        if not fine:
            notices.append(f"{key} must be {field.limits()}, not {quoted(str(raw))}; {as_text(value)} is used.")
        if value != field.default:
            kept[key] = value
    return kept


def class_names(state: State) -> tuple[str, ...]:
    """The names of the dataset's classes; empty when it cannot be loaded."""
    data = _training_data(state)
    return data.class_names if data else ()


def has_images(state: State) -> bool:
    """Whether the dataset consists of images."""
    data = _training_data(state)
    return data is not None and data.is_image


def fitting_triggers(state: State) -> list[str]:
    """The kinds of trigger that fit on this dataset's images; none for points."""
    return triggers_for(state, _training_data(state))


def fitting_models(state: State) -> list[str]:
    """The networks that take this dataset's examples."""
    from unlearn_core.models import registry

    data, fitting = _training_data(state), []
    for name in [source.name for source in registry if source.offered or source.name == state["model"]]:
        try:
            kept = {key: value for key, value in state["overrides"].items() if not key.startswith("model.")}
            _check_model(to_scenario(state | {"model": name, "overrides": kept}), data)
        except UserError:
            continue
        fitting.append(name)
    return fitting
