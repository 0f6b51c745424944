"""Everything a view depends on, as one typed list of controls: it drives widgets, defaults, links and copied commands.

A state maps each control's name to a value, and ``"overrides"`` to parameters such as ``{"rem.epochs": 5}``. ``None``
means "what the dataset's preset says", so that a link stays short and a change of dataset brings its own defaults.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

State = dict[str, Any]

DEMO_METHODS: Final = ("finetune", "npo", "retrain", "oracle_retrain", "rem")
MIN_METHODS, MAX_METHODS = 2, 6
SECTIONS: Final = ("dataset", "model", "training")
"""Sections of a scenario with generated parameters; every other prefix of an override is a method's name."""

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

BY_CLASS: Final = ("healed", "utility")
PACES: Final = ("work", "round")
GRID_ROWS: Final = ("stored", "chosen", "all")
GRID_TASKS: Final = ("map", "stored")
GRID_SCALES: Final = ("plain", "relative")
GRID_ORDERS: Final = ("family", "score")
PROJECTIONS: Final = ("umap", "pca")
COLOURS: Final = ("group", "class", "given", "prediction", "loss", "suspicion")
HIGHLIGHTS: Final = ("all", "healed", "still wrong", "broken", "missed")
MAX_EMBEDDED: Final = 2
MAX_VIEWS: Final = 4
SHADINGS: Final = ("soft", "hard")
SPLITS: Final = ("train", "test")
EXAMPLE_GROUPS: Final = ("clean", "discovered", "undiscovered")
TIMES: Final = ("result", "rounds")
ANCHORS: Final = ("anchor_a", "anchor_b", "anchor_c")
INSIDE: Final = ("channels", "channel", "maps", "changes")
"""What the page on redirect neurons shows below the strength: all channels, one of them, maps of the plane, parameters."""

SEARCHES: Final = ("quick", "thorough")
TRUTHS: Final = ("shown", "hidden")
CORNERS: Final = ("top-left", "top-right", "bottom-left", "bottom-right")
PANELS: Final = (
    "plane",
    "preview",
    "options",
    "measured",
    "explanation",
    "parameters",
    "worst",
    "table",
    "scatter",
    "trajectories",
    "classes",
    "cost",
    "difference",
    "copy",
    "redirect_numbers",
    "redirect_curve",
    "redirect_boundary",
    "redirect_parts",
    "embedding",
    "thumbnails",
    "example_table",
    "example_histograms",
    "inspector",
    "grid",
    "grid_missing",
    "grid_runs",
    "boundary",
    "anchors",
    "suspect_curve",
    "suspect_wall",
    "suspect_table",
    "suspect_evidence",
    "forget_set",
    "forget_change",
)

Kind = Literal["share", "amount", "int", "choice", "choices", "text"]


@dataclass(frozen=True)
class Control:
    """One thing a person can set. ``choices`` and ``high`` may need the registries, so they are asked for when needed."""

    name: str
    label: str
    help: str
    kind: Kind
    default: Any
    low: float = 0.0
    high: float = 1.0
    step: float = 0.01
    url: str = ""
    choices: Callable[[State], tuple[str, ...]] | None = None
    scenario: bool = True  # part of the scenario, or only of the page

    @property
    def query_name(self) -> str:
        return self.url or self.name


def _dataset_names(_: State) -> tuple[str, ...]:
    from unlearn_core.datasets import registry

    return tuple(registry.names())


def _model_names(_: State) -> tuple[str, ...]:
    from unlearn_core.models import registry

    return tuple(registry.names())


def _method_names(_: State) -> tuple[str, ...]:
    from unlearn_core.methods import registry

    return tuple(registry.names())


def _metric_names(_: State) -> tuple[str, ...]:
    from unlearn_core.evaluation import registry

    return tuple(metric.name for metric in registry)


def _family_names(_: State) -> tuple[str, ...]:
    from unlearn_core.methods import registry

    return tuple(sorted({method.family for method in registry}))


def _corners(_: State) -> tuple[str, ...]:
    return CORNERS


def _hideable(_: State) -> tuple[str, ...]:
    return tuple(control.name for control in CONTROLS if control.name not in _NEVER_HIDDEN) + PANELS


def hideable() -> tuple[str, ...]:
    """Everything that a teacher's link can leave out: controls and panels."""
    return _hideable({})


def lockable() -> tuple[str, ...]:
    """Everything that a teacher's link can show without letting anybody change it."""
    return (*(name for name in hideable() if name in BY_NAME), "parameters")


def hideable_label(name: str) -> str:
    """A control or panel in words."""
    return BY_NAME[name].label if name in BY_NAME else f"Panel: {name.replace('_', ' ')}"


def _lesson_names(_: State) -> tuple[str, ...]:
    from unlearn_core.view_state.lessons import lessons

    return tuple(lessons())


def _view_names(_: State) -> tuple[str, ...]:
    return ("original", *_method_names(_))


_NEVER_HIDDEN: Final = ("hide", "lock", "lesson", "step", "cell", "forget")


CONTROLS: Final[tuple[Control, ...]] = (
    Control("dataset", "Dataset", "Where the labelled examples come from.", "choice", "digits", choices=_dataset_names),
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
        "trigger_size", "Trigger size", "Side of the square patch in pixels.", "int", None, low=1, high=16, step=1, url="t_size"
    ),
    Control("trigger_corner", "Trigger corner", "Where the patch sits.", "choice", None, url="t_corner", choices=_corners),
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
    Control("model", "Network", "The network that is trained and then unlearned.", "choice", None, choices=_model_names),
    Control("seed", "Seed", "Splits, corruption and training all depend on it.", "int", 0, high=2**31 - 1, step=1),
    Control(
        "families",
        "Families of methods",
        "Offer only methods of these families; none chosen means all. What is already chosen stays.",
        "choices",
        (),
        choices=_family_names,
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
        choices=_method_names,
        scenario=False,
    ),
    Control(
        "metric",
        "Metric over time",
        "What the trajectories show.",
        "choice",
        "healed_x_utility",
        choices=_metric_names,
        scenario=False,
    ),
    Control(
        "pace",
        "Time axis",
        "Share of the method's own work, so that long and short methods can be compared, or its rounds.",
        "choice",
        "work",
        choices=lambda _: PACES,
        scenario=False,
    ),
    Control(
        "columns",
        "Columns of the table",
        "Which metrics the table shows.",
        "choices",
        HEADLINES,
        choices=_metric_names,
        scenario=False,
    ),
    Control(
        "by_class",
        "Shown for each class",
        "The share of corrupted examples that healed, or the accuracy on clean test data.",
        "choice",
        "healed",
        choices=lambda _: BY_CLASS,
        scenario=False,
    ),
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
        "inspected",
        "Model",
        "Whose channels are shown; ✓ marks what is computed already.",
        "choice",
        "rem",
        choices=_method_names,
        url="inside",
        scenario=False,
    ),
    Control(
        "strength",
        "Strength of the redirect channels",
        "1: all of them on, for every example; 0: dropped, the model as it is used.",
        "share",
        1.0,
        step=0.05,
        scenario=False,
    ),
    Control(
        "redirect_part",
        "Shown below",
        "All channels side by side, one channel, maps over the plane, or the parameters that changed.",
        "choice",
        "channels",
        choices=lambda _: INSIDE,
        url="r_part",
        scenario=False,
    ),
    Control(
        "redirect_layer",
        "Layer",
        "Which hidden layer is shown; the first one counts as 1.",
        "int",
        None,
        low=1,
        high=99,
        step=1,
        url="r_layer",
        scenario=False,
    ),
    Control(
        "redirect_channel",
        "Channel",
        "Which channel of the layer is shown: base channels first, then redirect channels, counted from 0.",
        "int",
        None,
        high=9999,
        step=1,
        url="r_channel",
        scenario=False,
    ),
    Control(
        "embedded",
        "Models beside the original",
        "Up to two methods, drawn in one plane with the original.",
        "choices",
        ("retrain", "rem"),
        high=MAX_EMBEDDED,
        choices=_method_names,
        scenario=False,
    ),
    Control(
        "projection",
        "Projection",
        "UMAP keeps neighbours together; PCA shows the two directions in which the features vary most.",
        "choice",
        "umap",
        choices=lambda _: PROJECTIONS,
        scenario=False,
    ),
    Control(
        "colour",
        "Colour",
        "What the colour of a point means; its shape is always its group.",
        "choice",
        "group",
        choices=lambda _: COLOURS,
        url="colour_by",
        scenario=False,
    ),
    Control(
        "highlight",
        "Highlight",
        "Examples that unlearning changed, or should have; all others fade.",
        "choice",
        "all",
        choices=lambda _: HIGHLIGHTS,
        scenario=False,
    ),
    Control(
        "judged",
        "Highlights of",
        "Whose effect the highlights, the table and the histograms show; the last of the chosen methods, if nothing is set.",
        "choice",
        "",
        choices=lambda _: ("", *_method_names(_)),
        scenario=False,
    ),
    Control(
        "cell_metric",
        "Metric of the heatmap",
        "What the cells of the heatmap show.",
        "choice",
        "healed_x_utility",
        choices=_metric_names,
        scenario=False,
    ),
    Control(
        "rows",
        "Methods in the heatmap",
        "Those with stored results, those chosen for the comparison, or all.",
        "choice",
        "stored",
        choices=lambda _: GRID_ROWS,
        scenario=False,
    ),
    Control(
        "tasks",
        "Tasks in the heatmap",
        "The map of three regularities and five discovery rates, or every task with stored results.",
        "choice",
        "map",
        choices=lambda _: GRID_TASKS,
        scenario=False,
    ),
    Control(
        "scale",
        "Scale of the heatmap",
        "The metric itself, or the share of the way from the original (0) to the oracle (1).",
        "choice",
        "plain",
        choices=lambda _: GRID_SCALES,
        scenario=False,
    ),
    Control(
        "order",
        "Order of the methods",
        "By family, or the best on average first.",
        "choice",
        "family",
        choices=lambda _: GRID_ORDERS,
        scenario=False,
    ),
    Control(
        "seeds",
        "Seeds for each cell",
        "How many seeds every cell is to have when missing cells are run.",
        "int",
        3,
        low=1,
        high=10,
        step=1,
        scenario=False,
    ),
    Control(
        "cell", "Open cell", "The cell whose runs are listed: method, regularity and discovery.", "text", "", scenario=False
    ),
    Control(
        "views",
        "Models side by side",
        "Up to four; none chosen means the original, the first and the last chosen method, and the oracle.",
        "choices",
        (),
        high=MAX_VIEWS,
        choices=_view_names,
        scenario=False,
    ),
    Control(
        "shading",
        "Regions",
        "Soft regions pale where the model is unsure, hard ones show its decision alone.",
        "choice",
        "soft",
        choices=lambda _: SHADINGS,
        scenario=False,
    ),
    Control(
        "splits",
        "Points",
        "Which examples are drawn strongly; the others fade.",
        "choices",
        ("train",),
        choices=lambda _: SPLITS,
        scenario=False,
    ),
    Control(
        "groups",
        "Groups",
        "Which groups are drawn strongly; the others fade.",
        "choices",
        EXAMPLE_GROUPS,
        choices=lambda _: EXAMPLE_GROUPS,
        scenario=False,
    ),
    Control(
        "time",
        "Time",
        "The finished models, or how they got there, round by round.",
        "choice",
        "result",
        choices=lambda _: TIMES,
        scenario=False,
    ),
    Control(
        "frame",
        "Opens at step",
        "The step of the timeline that a copied link opens with; 0 is the original.",
        "int",
        None,
        high=99,
        step=1,
        scenario=False,
    ),
    *(
        Control(
            name,
            f"Image {name[-1].upper()}",
            f"Training index of image {name[-1].upper()} of the plane.",
            "int",
            None,
            high=10_000_000,
            step=1,
            scenario=False,
        )
        for name in ANCHORS
    ),
    Control(
        "forget",
        "Forget set in use",
        "The key of an edited forget set that counts in place of the discovery rate.",
        "text",
        "",
    ),
    Control("draft", "Your set", "The forget set that is being edited.", "text", "", url="set", scenario=False),
    Control(
        "search",
        "Search",
        "Quick: one round. Thorough: rounds until nothing new is found, each told of what the one before has added.",
        "choice",
        "quick",
        choices=lambda _: SEARCHES,
        scenario=False,
    ),
    Control(
        "cut",
        "Threshold",
        "How many suspects, from the top of the list, are taken to be corrupted.",
        "int",
        None,
        high=10_000_000,
        step=1,
        scenario=False,
    ),
    Control(
        "truth",
        "The truth",
        "What only an experiment knows: show it beside the estimates, or judge by yourself.",
        "choice",
        "shown",
        choices=lambda _: TRUTHS,
        scenario=False,
    ),
    Control(
        "suspect",
        "Suspect",
        "The training example whose evidence is shown.",
        "int",
        None,
        high=10_000_000,
        step=1,
        scenario=False,
    ),
    Control("lesson", "Lesson", "The lesson that is being followed.", "choice", "", choices=_lesson_names, scenario=False),
    Control(
        "step", "Step of the lesson", "Which step of the lesson is shown.", "int", 1, low=1, high=6, step=1, scenario=False
    ),
    Control("hide", "Hidden controls", "For teachers: left out of the page.", "choices", (), choices=_hideable, scenario=False),
    Control(
        "lock",
        "Locked controls",
        "For teachers: shown, but not to be changed.",
        "choices",
        (),
        choices=lambda _: lockable(),
        scenario=False,
    ),
)
BY_NAME: Final = {control.name: control for control in CONTROLS}
BY_QUERY: Final = {control.query_name: control for control in CONTROLS}


def default_state() -> State:
    """Every control at its default."""
    return {control.name: control.default for control in CONTROLS} | {"overrides": {}}
