"""Controls of the pages that craft a corruption and compare methods."""

from __future__ import annotations

from typing import Final, Literal, TypedDict

from unlearn_core.view_state.controls.choices import family_names, knowledge, method_names, metric_names
from unlearn_core.view_state.controls.control import Control, fixed

DEMO_METHODS: Final = ("finetune", "npo", "retrain", "oracle_retrain", "rem")
MIN_METHODS: Final = 2
MAX_METHODS: Final = 6
HEADLINES: Final = (
    "healed_x_utility",
    "healed",
    "healed_discovered",
    "healed_undiscovered",
    "utility",
    "forget_accuracy",
    "attack_success",
    "confused_accuracy",
    "seconds",
)
"""The columns of a comparison that is not asked for others."""
UNKNOWN_HEADLINES: Final = (
    "healed_relabelled",
    "forget_accuracy",
    "retain_accuracy",
    "utility",
    "agreement_original",
    "agreement_retrain",
    "seconds",
)
"""The same where it is not known what is wrong, and so not what is healed."""
DRAW: Final = ("off", "on")
BY_CLASS: Final = ("healed", "utility")
MATRICES: Final = ("test", "corrupted")
TABS: Final = ("map", "classes", "exposure", "cost", "returns", "export", "meanings", "added")
TIME_AXES: Final = ("work", "round")
VALUE_SETS: Final = ("tuned", "paper")
"""The sets of a method's values to choose from; a stored run of REM's ablations may have a third (``presets.Values``)."""


class CompareState(TypedDict, total=False):
    """Which methods with which values, and how their results are shown."""

    examples: int
    draw: str
    families: tuple[str, ...]
    knows: tuple[str, ...]
    methods: tuple[str, ...]
    values: Literal["tuned", "paper", "rem"]
    metric: str
    pace: str
    columns: tuple[str, ...]
    by_class: str
    matrix: str
    tab: str


COMPARE: Final[tuple[Control, ...]] = (
    Control(
        "examples",
        "Examples shown",
        "How many corrupted examples the preview shows.",
        "int",
        12,
        low=12,
        high=48,
        step=12,
        scenario=False,
    ),
    Control(
        "draw",
        "Draw your own",
        "On points in the plane: lasso some, give them a wrong label, and say which of them are known.",
        "choice",
        "off",
        choices=fixed(DRAW),
        scenario=False,
    ),
    Control(
        "families",
        "Families of methods",
        "Offer only methods of these families; none chosen means all. What is already chosen stays.",
        "choices",
        (),
        choices=family_names,
        scenario=False,
    ),
    Control(
        "knows",
        "Like with like",
        "Offer only methods that are told this beside the model and the data that are left; none chosen means all. What is "
        "already chosen stays.",
        "choices",
        (),
        choices=knowledge,
        scenario=False,
    ),
    Control(
        "methods",
        "Methods",
        "Two to six methods side by side.",
        "choices",
        DEMO_METHODS,
        low=MIN_METHODS,
        high=MAX_METHODS,
        choices=method_names,
        scenario=False,
    ),
    Control(
        "values",
        "Values",
        "What methods start from: values tuned on this kind of data, by given labels alone, or those of their papers, as far "
        "as these carry over.",
        "choice",
        "tuned",
        choices=fixed(VALUE_SETS),
        scenario=False,
    ),
    Control(
        "metric",
        "Metric over time",
        "What the trajectories show.",
        "choice",
        "healed_x_utility",
        choices=metric_names,
        scenario=False,
    ),
    Control(
        "pace",
        "Time axis",
        "Share of the method's own work, so that long and short methods can be compared, or its rounds.",
        "choice",
        "work",
        choices=fixed(TIME_AXES),
        scenario=False,
    ),
    Control(
        "columns",
        "Columns of the table",
        "Which metrics the table shows.",
        "choices",
        HEADLINES,
        choices=metric_names,
        scenario=False,
    ),
    Control(
        "by_class",
        "Shown for each class",
        "The share of corrupted examples that healed, or the accuracy on clean test data.",
        "choice",
        "healed",
        choices=fixed(BY_CLASS),
        scenario=False,
    ),
    Control(
        "matrix",
        "Confusions on",
        "Which class is taken for which: on clean test data, or on the corrupted training examples by their clean label.",
        "choice",
        "test",
        choices=fixed(MATRICES),
        scenario=False,
    ),
    Control(
        "tab",
        "Open tab",
        "Which tab below the table is open.",
        "choice",
        "map",
        choices=fixed(TABS),
        scenario=False,
    ),
)
