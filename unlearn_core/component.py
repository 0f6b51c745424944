"""What datasets, models and methods share: a name, a label, and parameters that become widgets and command-line options."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from unlearn_core.errors import UserError
from unlearn_core.registry import Registry
from unlearn_core.spec_input import explain
from unlearn_core.specs import Scalar


class ComponentParams(BaseModel):
    """Base of every part's parameters: typed fields with defaults, limits and a one-line description."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)


class Component:
    """A named, described, parameterised piece. Subclasses replace ``Params``."""

    name: ClassVar[str]
    label: ClassVar[str]
    summary: ClassVar[str] = ""

    Params: ClassVar[type[ComponentParams]] = ComponentParams
    later: ClassVar[frozenset[str]] = frozenset()
    """Parameters that older specs do not have. Where they have their default nothing is written of them: older keys stay."""

    @classmethod
    def params(cls, values: dict[str, Any] | None = None) -> Any:
        """Validate ``values`` into this part's ``Params``; raises :class:`UserError` in one sentence."""
        try:
            return cls.Params.model_validate(values or {})
        except ValidationError as error:
            raise UserError(explain(error, prefix=f"{cls.name}.")) from None

    @classmethod
    def full_params(cls, values: dict[str, Any] | None = None) -> dict[str, Scalar]:
        """``values`` plus every default (of those in :attr:`later` only what differs), as plain data ready for a spec."""
        full = cls.all_params(values)
        fields = cls.Params.model_fields
        return {name: value for name, value in full.items() if name not in cls.later or value != fields[name].default}

    @classmethod
    def all_params(cls, values: dict[str, Any] | None = None) -> dict[str, Scalar]:
        """``values`` plus every default without exception, to be shown or compared."""
        return dict(cls.params(values).model_dump(mode="json"))

    @classmethod
    def describe(cls) -> dict[str, Any]:
        """Name, label, summary and parameters as plain data (the command line's ``methods``, ``datasets``, ``models``)."""
        schema = cls.Params.model_json_schema().get("properties", {})
        return {"name": cls.name, "label": cls.label, "summary": cls.summary, "parameters": schema}


P = TypeVar("P", bound=type[Component])


class ComponentRegistry(Registry[type[Any]]):
    """A registry whose ``register`` is a class decorator."""

    def register(self, part: P) -> P:
        self.add(part.name, part)
        return part
