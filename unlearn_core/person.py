"""What a person gives a method beside the forget set: right labels that were typed, and examples that were checked."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from unlearn_core.spec_input import parse_checked

STAND_IN, STAND_IN_SHARE = "stand_in", 0.05
"""What a run is given in place of checked examples where a person gave none, and how many of the training examples these are:
those that are learned best (``methods/shared/trusted.py``). Nobody looked at them, and every table says so."""


class PersonSpec(BaseModel):
    """What the person gives. ``typed``, ``slips`` and ``checked`` are for a simulated one, whose answers come from the ground
    truth; ``trusted`` are training indices that a real one has looked at and found right."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)

    typed: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of the forget set whose right label a simulated person types as well",
        json_schema_extra={"label": "Right labels, share of F"},
    )
    slips: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of the typed labels that are wrong, drawn at random",
        json_schema_extra={"label": "Slips, share of these"},
    )
    checked: int = Field(
        0,
        ge=0,
        le=1_000_000,
        description="Training examples outside the forget set that a simulated person checked and found right",
        json_schema_extra={"label": "Checked examples"},
    )
    trusted: Annotated[tuple[int, ...], BeforeValidator(parse_checked)] = Field(
        (), description="Training indices of a list of checked examples", json_schema_extra={"filled_in": True}
    )

    @model_serializer(mode="wrap")
    def _what_is_given(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data: dict[str, Any] = handler(self)
        return {name: value for name, value in data.items() if getattr(self, name) != type(self).model_fields[name].default}

    @property
    def gives_nothing(self) -> bool:
        """Whether there is nothing beside the forget set."""
        return not (self.typed or self.checked or self.trusted)
