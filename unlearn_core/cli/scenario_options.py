"""The options that say which scenario is meant, written once for every command that takes one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from unlearn_core.cli.forget_option import with_forget, with_trusted
from unlearn_core.cli.options import DataOption, DatasetOption, RecipeOption, chosen_recipe, parse_overrides, with_data
from unlearn_core.errors import UserError
from unlearn_core.specs import Scalar

if TYPE_CHECKING:
    from unlearn_core.specs import Scenario
    from unlearn_core.store import Store

TORCHVISION = "torchvision"
"""The network that ``--checkpoint`` and ``--architecture`` mean."""


class Chosen(NamedTuple):
    """Dataset and network by name, and the overrides with everything that an option of its own says of them."""

    dataset: str
    model: str | None
    overrides: dict[str, Scalar]


@dataclass(frozen=True, kw_only=True)
class ScenarioOptions:
    """A scenario as typed; a field's annotation is what ``--help`` says of it."""

    dataset: DatasetOption = None
    data: DataOption = None
    regularity: Annotated[float, typer.Option(help="0 random labels, 0.5 class confusion, 1 trigger.")] = 1.0
    discovery: Annotated[float, typer.Option(help="Share of the corruption that is known, 0 to 1.")] = 0.3
    forget: Annotated[
        str | None,
        typer.Option(
            "--forget",
            help="Use this forget set in place of the discovery rate: a CSV file (path or index, and perhaps clean_label and "
            "note), or the name or key of a set made on the page Forget set.",
        ),
    ] = None
    trusted: Annotated[
        str | None,
        typer.Option(
            "--trusted",
            help="Examples that you have looked at and found right, for methods that need some: a CSV file (path or index).",
        ),
    ] = None
    found: Annotated[
        bool,
        typer.Option(
            "--found",
            help="Labels as they come: add no corruption. Needs --forget, or a table with a clean_label for every training "
            "image.",
        ),
    ] = False
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0
    amount: Annotated[str | None, typer.Option(help="Corrupted examples: a count or a fraction up to 0.5.")] = None
    model: Annotated[str | None, typer.Option(help="Network; `models` lists them.")] = None
    checkpoint: Annotated[
        str | None,
        typer.Option("--checkpoint", help="Your own trained torchvision classifier: .safetensors, or .pt of weights."),
    ] = None
    architecture: Annotated[
        str | None, typer.Option("--architecture", help="torchvision's name of the network, such as resnet18.")
    ] = None
    input_size: Annotated[
        int | None, typer.Option("--input-size", help="Side in pixels that the network takes. [default: that of the images]")
    ] = None
    normalise: Annotated[
        str | None, typer.Option("--normalise", help="imagenet, none, or m1,m2,m3/s1,s2,s3 for pixels from 0 to 1.")
    ] = None
    set_: Annotated[list[str] | None, typer.Option("--set", help="Override, such as rem.epochs=5 or trigger.size=3.")] = None
    recipe: RecipeOption = None

    def parse(self) -> Chosen:
        """What the words mean, before anything is opened; raises :class:`UserError` where two of them contradict."""
        overrides = parse_overrides(self.set_ or [])
        if self.found:
            if self.amount is not None:
                raise UserError("--found adds no corruption, so --amount has no meaning beside it.")
            overrides["corruption.found"] = True
        dataset = with_data(self.dataset, self.data, overrides)
        return Chosen(dataset, self._network(overrides), overrides)

    def make(self, methods: Sequence[str] = ()) -> Scenario:
        """The scenario without ``--forget``; ``methods`` are those whose fields ``--set`` may name."""
        from unlearn_core.presets import check_overrides, make_scenario

        chosen = self.parse()
        check_overrides(chosen.overrides, list(methods))
        return make_scenario(
            chosen.dataset,
            regularity=self.regularity,
            amount=self.amount,
            discovery=self.discovery,
            model=chosen.model,
            seed=self.seed,
            overrides=chosen.overrides,
            recipe=chosen_recipe(self.recipe),
        )

    def to_scenario(self, store: Store, methods: Sequence[str] = ()) -> Scenario:
        """The scenario with the forget set that ``--forget`` names, from a file or from ``store``, and the checked examples of
        ``--trusted``; :meth:`make` where neither is given."""
        return with_trusted(with_forget(store, self.make(methods), self.forget), self.trusted)

    def _network(self, overrides: dict[str, Scalar]) -> str | None:
        """Which network is meant; what the options say of a torchvision classifier joins the overrides."""
        options: dict[str, Scalar] = {
            "weights": self.checkpoint,
            "architecture": self.architecture,
            "size": self.input_size,
            "normalise": self.normalise,
        }
        given = {name: value for name, value in options.items() if value is not None}
        if not given:
            return self.model
        if self.model not in (None, TORCHVISION):
            raise UserError(f"--checkpoint and --architecture mean a network of torchvision, but --model says {self.model}.")
        if self.checkpoint is not None and not self.checkpoint.strip():
            raise UserError("--checkpoint needs a path, such as --checkpoint model.safetensors.")
        for name, value in given.items():
            if f"model.{name}" in overrides:
                raise UserError(f"Give model.{name} once: as an option or with --set.")
            overrides[f"model.{name}"] = value
        return TORCHVISION
