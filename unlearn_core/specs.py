"""What to run: frozen models with limits, canonical JSON and a content key. Equal spec → equal key → computed once."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from unlearn_core.canonical import FOR_KEY, content_key, plain_data
from unlearn_core.person import PersonSpec
from unlearn_core.spec_input import Spec, parse_amount, parse_indices, parse_relabelled

Corner = Literal["top-left", "top-right", "bottom-left", "bottom-right"]
Scalar = bool | int | float | str | None
Precision = Literal["usual", "bfloat16"]
PRECISION = "bfloat16: on a processor too; faster where it has instructions for that (avx512_bf16, AMX), slower elsewhere"
LOCATION = frozenset({"data", "download", "weights"})
"""Parameters that say where files are, not what they hold (``content`` does): no part of any key."""


Amount = Annotated[int | float, BeforeValidator(parse_amount)]
Share = Annotated[float, Field(ge=0, le=1)]
Params = dict[str, Scalar]


class ComponentSpec(Spec):
    """A registered part by name, with all of its parameters (filled in by :mod:`unlearn_core.presets`)."""

    name: str
    params: Params = Field(default_factory=dict)


class FileSpec(ComponentSpec):
    """A part that may come from files. Those that moved are the same: canonical JSON leaves :data:`LOCATION` out."""

    @model_serializer(mode="wrap")
    def _what_not_where(self, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        plain: dict[str, Any] = handler(self)
        if info.context == FOR_KEY:
            plain["params"] = {name: value for name, value in plain["params"].items() if name not in LOCATION}
        return plain


class DatasetSpec(FileSpec):
    """Which dataset."""


class ModelSpec(FileSpec):
    """Which network."""


class MethodSpec(ComponentSpec):
    """Which unlearning method, every parameter spelled out, and the revision of its code. ``given``: what it takes from a
    person beside the forget set (:func:`.presets.given_to`), so that runs with other right labels are others."""

    revision: int = 1
    given: Params = Field(default_factory=dict)

    @model_serializer(mode="wrap")
    def _plain(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data: dict[str, Any] = handler(self)  # where nothing is given nothing is written: keys stay what they were
        return data if self.given else {name: value for name, value in data.items() if name != "given"}


class TriggerSpec(Spec):
    """What a trigger looks like on an image (2-D data has a fixed displacement instead)."""

    size: int = Field(3, ge=1, le=16, description="Side of the square patch in pixels")
    corner: Corner = Field("bottom-right", description="Where the patch sits")
    value: int = Field(255, ge=0, le=255, description="Brightness of the patch, 0 to 255")
    opacity: float = Field(1.0, gt=0, le=1, description="1 replaces the pixels, less blends")
    kind: str = Field("patch", description="The kind of trigger; the fields above are those of the patch")
    params: Params = Field(default_factory=dict, description="What another kind than the patch is made of")

    @model_validator(mode="before")
    @classmethod
    def _without_a_patch(cls, data: Any) -> Any:
        if not isinstance(data, dict) or data.get("kind", "patch") == "patch":
            return data
        return {name: data[name] for name in ("kind", "params") if name in data}

    @model_serializer(mode="wrap")
    def _of_its_kind(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        plain: dict[str, Any] = handler(self)  # of a patch what it had before there were other kinds: its keys stay
        other = {"kind": plain.pop("kind"), "params": plain.pop("params")}
        return plain if self.kind == "patch" else other


class CorruptionSpec(Spec):
    """How the training labels (and images) are corrupted: the regularity dial and its options; or ``found``: nothing is
    added, the data carry their own corruption. All other fields then have no meaning and are neither kept nor part of a key.
    """

    regularity: float = Field(1.0, ge=0, le=1, description="0 random labels · 0.5 class confusion · 1 trigger")
    amount: Amount = Field(0.06, description="How many training examples: a count, or a fraction up to 0.5")
    class_a: int = Field(3, ge=0, description="First of the two confused classes")
    class_b: int = Field(5, ge=0, description="Second of the two confused classes")
    target_class: int = Field(0, ge=0, description="The class that the trigger asks for")
    trigger: TriggerSpec = TriggerSpec()
    found: bool = Field(False, description="Labels as they come: no corruption is added")
    kind: str = Field("", max_length=60, description="A kind of corruption in the dial's place; empty: the dial")
    options: Params = Field(default_factory=dict, description="That corruption's own parameters; filled in")

    @model_validator(mode="before")
    @classmethod
    def _as_found(cls, data: Any) -> Any:
        return {"found": True} if isinstance(data, dict) and data.get("found") in (True, "true") else data

    @model_serializer(mode="wrap")
    def _plain(self, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        # Where a corruption is made nothing is written about this field, so that keys stay what they were before it was there.
        if self.found:
            return {"found": True}
        data: dict[str, Any] = handler(self)
        data.pop("found")
        if not self.kind:
            data.pop("kind")
            data.pop("options")
        elif info.context == FOR_KEY and "content" in self.options:  # what the file holds, not where it lies
            data["options"].pop("file", None)
        return data

    @model_validator(mode="after")
    def _two_classes(self) -> Self:
        if self.class_a == self.class_b:
            raise ValueError(f"class_a and class_b must differ (both are {self.class_a})")
        return self


class TrainingSpec(Spec):
    """The recipe of the original model, used again by every method that trains from scratch."""

    epochs: int = Field(ge=1, le=1000, description="Passes over the training data")
    batch_size: int = Field(ge=1, le=8192)
    learning_rate: float = Field(gt=0, le=10)
    optimizer: Literal["sgd", "adam"] = "sgd"
    momentum: float = Field(0.9, ge=0, lt=1)
    weight_decay: float = Field(5e-4, ge=0, le=1)
    warmup: float = Field(0.01, ge=0, le=0.5, description="Share of the steps with a rising learning rate")
    final: float = Field(0.2, ge=0, le=1, description="Learning rate at the end, as a share of the highest")
    augment: bool = Field(False, description="Random crop and, where mirror images make sense, flip")
    crop: int = Field(4, ge=0, le=16, description="Pixels by which a random crop moves an image at most; 0: flips alone")
    clip: float = Field(0.0, ge=0, description="Largest gradient norm; 0 leaves gradients alone")
    precision: Precision = Field("usual", description=PRECISION)
    whiten: bool = Field(
        False, description="Start from first filters that whiten the images' patches; for convolutional networks"
    )
    small: float = Field(
        0.0, ge=0, le=0.9, description="Share of the steps, the first ones, on images of five eighths of their side"
    )

    @model_serializer(mode="wrap")
    def _plain(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # What is as it was before there was this field is not written: keys stay what they were.
        later = {"crop": 4, "precision": "usual", "whiten": False, "small": 0.0}
        return {name: value for name, value in handler(self).items() if name not in later or later[name] != value}


class Scenario(Spec):
    """Everything up to the unlearning method: dataset, corruption, discovery, model, training, seed.

    The forget set is the discovered part of the corruption, or exactly ``forget`` where that is given: an edited set, which
    may hold clean examples too. The discovery rate then has no meaning and is neither kept nor part of any key.
    """

    dataset: DatasetSpec
    corruption: CorruptionSpec
    discovery: Share = Field(0.3, description="Share of the corruption that is known")
    model: ModelSpec
    training: TrainingSpec
    seed: int = Field(0, ge=0, le=2**31 - 1)
    forget: Annotated[tuple[int, ...] | None, BeforeValidator(parse_indices)] = Field(
        None, description="Training indices of an edited forget set, in place of the discovery rate"
    )
    relabelled: Annotated[tuple[tuple[int, str], ...], BeforeValidator(parse_relabelled)] = Field(
        (), description="Right labels that you gave for examples of the edited forget set"
    )
    person: PersonSpec = PersonSpec()

    @model_validator(mode="before")
    @classmethod
    def _either(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("forget") is not None:
            return {name: value for name, value in data.items() if name != "discovery"}
        return data

    @model_serializer(mode="wrap")
    def _plain(self, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        # Without an edited set nothing is written about it, so that keys stay what they were before there was such a field.
        data: dict[str, Any] = handler(self)
        data.pop("forget" if self.forget is None else "discovery", None)
        # Few methods see what a person gives; those have it in their own spec. All others' runs are the same with and without.
        for name, empty in (("relabelled", not self.relabelled), ("person", self.person == PersonSpec())):
            if empty or info.context == FOR_KEY:
                data.pop(name, None)
        return data

    @property
    def key(self) -> str:
        """Content key of all of it (16 hex digits), what a simulated person gives included."""
        return content_key("Scenario", self, *([] if self.person == PersonSpec() else [self.person]))

    @property
    def edited(self) -> bool:
        """Whether the forget set is named example by example."""
        return self.forget is not None

    @property
    def nothing_known(self) -> bool:
        """Whether there is no forget set at all."""
        return self.forget is None and self.discovery == 0

    def at_rate(self, discovery: float) -> Self:
        """The same with the discovered part of the corruption at this rate as forget set."""
        return self.model_copy(update={"discovery": discovery, "forget": None, "relabelled": ()})

    def knowing(self, forget: object, relabelled: object = (), trusted: object = None) -> Self:
        """The same with exactly these training indices as forget set; raises :class:`UserError` for what is no such set.

        ``relabelled``: index → class name, the right labels that the user gave. ``trusted``: others that were found right.
        """
        plain = self.model_dump(mode="json") | {"forget": forget, "relabelled": relabelled}
        if trusted is not None:  # then no simulated person checks any
            plain["person"] = plain.get("person", {}) | {"trusted": trusted} | ({"checked": 0} if trusted else {})
        return self.parse(plain)

    @property
    def corruption_key(self) -> str:
        """Key of the corrupted training set: independent of model, training and discovery."""
        return content_key("corruption", self.dataset, self.corruption, self.seed)

    @property
    def sets_key(self) -> str:
        """Key of the data that named forget sets belong to: :attr:`corruption_key` before a list's images joined them."""
        plain = {name: value for name, value in self.dataset.params.items() if name != "listed"}
        return content_key("corruption", DatasetSpec(name=self.dataset.name, params=plain), self.corruption, self.seed)

    @property
    def original_key(self) -> str:
        """Key of the original model: independent of the discovery rate and of every method."""
        return content_key("original", self.dataset, self.corruption, self.seed, self.model, self.training)

    def run_key(self, method: MethodSpec) -> str:
        """Key of one method on this scenario."""
        return content_key("run", self, method)

    @property
    def setting_key(self) -> str:
        """Key of everything but the seed and the two dials: what all cells of one method × task table share."""
        plain = plain_data(self)
        plain.pop("seed")
        plain.pop("discovery", None)
        plain["corruption"].pop("regularity", None)
        return content_key("setting", plain)

    def cell_key(self, method: MethodSpec) -> str:
        """Key of everything but the seed: two runs share a table cell only where it is the same."""
        plain = plain_data(self)
        plain.pop("seed")
        return content_key("cell", plain, method)


class SweepSpec(Spec):
    """A plan: every combination of the lists, for every method."""

    dataset: str = "digits"
    regularity: list[Share] = Field(default=[0.0, 0.5, 1.0], min_length=1)
    discovery: list[Share] = Field(default=[0.1, 0.3, 0.5, 0.75, 1.0], min_length=1)
    methods: list[str] = Field(default=["finetune", "retrain", "rem"], min_length=1)
    seeds: list[Annotated[int, Field(ge=0, le=2**31 - 1)]] = Field(default=[0, 1, 2], min_length=1)
    amount: list[Amount] | None = Field(default=None, min_length=1)
    model: str | None = None
    recipe: Literal["memorising", "accurate", "quick"] | None = None
    values: list[Literal["tuned", "paper", "rem"]] = Field(["tuned"], min_length=1, description="A method's sets of values")
    set: dict[str, Scalar] = Field(default_factory=dict, description="Overrides, such as rem.epochs: 5")
