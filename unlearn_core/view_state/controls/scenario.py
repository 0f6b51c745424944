"""Controls of a scenario: the dataset, its corruption, what is known of it, and the network."""

from __future__ import annotations

from typing import Final, Literal, TypedDict, get_args

from unlearn_core.view_state.controls.choices import corruption_names, dataset_names, model_names, trigger_names
from unlearn_core.view_state.controls.control import Control, fixed

CORNERS: Final = ("top-left", "top-right", "bottom-left", "bottom-right")
PATCH_CONTROLS: Final = ("trigger_size", "trigger_corner", "trigger_value", "trigger_opacity")
"""What a trigger that is a patch has, and no other."""
RecipeName = Literal["memorising", "accurate", "quick"]
RECIPES: Final = get_args(RecipeName)


class ScenarioState(TypedDict, total=False):
    """The scenario; None: what the dataset's preset says."""

    dataset: str
    corruption: str
    regularity: float
    discovery: float
    amount: float | int | None
    class_a: int | None
    class_b: int | None
    target_class: int | None
    trigger_kind: str | None
    trigger_size: int | None
    trigger_corner: str | None
    trigger_value: int | None
    trigger_opacity: float | None
    model: str | None
    recipe: RecipeName | None
    seed: int
    forget: str


SCENARIO: Final[tuple[Control, ...]] = (
    Control("dataset", "Dataset", "Where the labelled examples come from.", "choice", "digits", choices=dataset_names),
    Control(
        "corruption",
        "Corruption",
        "The regularity dial, another way to go wrong in its place, or labels as they come: wrong ones are then yours.",
        "choice",
        "dial",
        choices=corruption_names,
    ),
    Control(
        "regularity",
        "Regularity of the corruption",
        "How much the corrupted examples share: 0 random labels, 0.5 two confused classes, 1 one trigger on all of them.",
        "share",
        1.0,
    ),
    Control("discovery", "Discovery rate", "The share of the corrupted examples that is known to be corrupted.", "share", 0.3),
    Control(
        "amount",
        "Corrupted examples",
        "How many training examples are corrupted: a fraction of the training set, or a count.",
        "amount",
        None,
        low=0.005,
        high=0.5,
        step=0.005,
    ),
    Control("class_a", "First confused class", "Confusion swaps the labels of this class and the second.", "int", None, step=1),
    Control("class_b", "Second confused class", "Confusion swaps the labels of the first class and this.", "int", None, step=1),
    Control("target_class", "Target class", "The class that the trigger asks for.", "int", None, step=1),
    Control(
        "trigger_kind",
        "Kind of trigger",
        "What marks the images that carry the trigger.",
        "choice",
        None,
        url="t_kind",
        choices=trigger_names,
    ),
    Control(
        "trigger_size", "Trigger size", "Side of the square patch in pixels.", "int", None, low=1, high=16, step=1, url="t_size"
    ),
    Control("trigger_corner", "Trigger corner", "Where it sits.", "choice", None, url="t_corner", choices=fixed(CORNERS)),
    Control(
        "trigger_value",
        "Trigger brightness",
        "From 0 to 255.",
        "int",
        None,
        high=255,
        step=1,
        url="t_value",
    ),
    Control(
        "trigger_opacity",
        "Trigger opacity",
        "1 replaces the pixels, less blends them.",
        "share",
        None,
        low=0.05,
        step=0.05,
        url="t_opacity",
    ),
    Control("model", "Network", "The network that is trained and then unlearned.", "choice", None, choices=model_names),
    Control(
        "recipe",
        "Recipe",
        "Memorising: the network learns its wrong labels, so that there is something to heal. Accurate: crops and flips, for "
        "your own data. Quick: nearly as accurate for up to 5,000 images, in half of the time.",
        "choice",
        None,
        choices=fixed(RECIPES),
    ),
    Control("seed", "Seed", "Splits, corruption and training all depend on it.", "int", 0, high=2**31 - 1, step=1),
    Control(
        "forget",
        "Forget set in use",
        "The key of an edited forget set that counts in place of the discovery rate.",
        "text",
        "",
    ),
)
