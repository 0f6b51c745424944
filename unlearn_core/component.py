"""What datasets, models and methods share: a name, a label, and parameters that become widgets and command-line options."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Generic, cast, get_args

from annotated_types import Ge, Gt
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.fields import FieldInfo
from typing_extensions import TypeVar

from unlearn_core import plugins
from unlearn_core.errors import UserError
from unlearn_core.plugins import Plugin
from unlearn_core.registry import Registry, file_of
from unlearn_core.spec_input import explain
from unlearn_core.specs import Scalar


class ComponentParams(BaseModel):
    """Base of every component's parameters: typed fields with defaults, limits and a one-line description."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)


P = TypeVar("P", bound=ComponentParams, default=ComponentParams)


def _is_params(argument: object) -> bool:
    """Whether an argument in a base's brackets is a class of parameters, not a variable that a subclass has yet to fill."""
    return isinstance(argument, type) and issubclass(argument, ComponentParams)


class Component(Generic[P]):
    """A named, described, parameterised piece. Subclasses name their parameters in the brackets, ``Source[MineParams]``, which
    makes them :attr:`Params` and the type of what is handed to them."""

    name: ClassVar[str]
    label: ClassVar[str]
    summary: ClassVar[str] = ""

    Params: ClassVar[type[ComponentParams]] = ComponentParams
    later: ClassVar[frozenset[str]] = frozenset()
    """Parameters that older specs do not have. Where they have their default nothing is written of them: older keys stay."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "Params" not in cls.__dict__:
            arguments = [one for base in cls.__dict__.get("__orig_bases__", ()) for one in get_args(base)]
            cls.Params = next(filter(_is_params, arguments), cls.Params)

    @classmethod
    def params(cls, values: dict[str, Any] | None = None) -> P:
        """Validate ``values`` into this component's ``Params``; raises :class:`UserError` in one sentence."""
        try:
            return cast(P, cls.Params.model_validate(values or {}))
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

    @classmethod
    def stamp(cls, plugin: Plugin) -> None:
        """Make results tell which version of a plug-in's source they come from, where this kind of component is part of a
        result's key; called when a plug-in registers it."""

    @classmethod
    def faults(cls) -> list[str]:
        """What it lacks to be listed, explained and set: one clause each, none where it is complete."""
        found = [f"it has no {field}" for field in ("name", "label", "summary") if not getattr(cls, field, "")]
        for name, field in cls.Params.model_fields.items():
            if len((field.description or "").splitlines()) != 1:
                found.append(f"its parameter {name!r} has no description of one line")
            if is_number(field) and not is_limited(field, Ge, Gt):
                found.append(f"its parameter {name!r} has no smallest value")
        return found


class SourceComponent(Component[P]):
    """A component that a scenario names: one from a plug-in has its version among the parameters, and so in every key."""

    @classmethod
    def stamp(cls, plugin: Plugin) -> None:
        version = plugin.digest[:16]

        def same(given: str) -> str:
            if given != version:
                raise ValueError(f"the plug-in {plugin.name} has another version here than where this was made")
            return given

        about = Field(version, description="Version of the plug-in; filled in", json_schema_extra={"filled_in": True})
        kind: Any = Annotated[str, AfterValidator(same)]
        title = f"{cls.Params.__name__}Of{cls.__name__}"
        cls.Params = create_model(title, __base__=cls.Params, plugin_version=(kind, about))


def is_number(field: FieldInfo) -> bool:
    """Whether a parameter is a number, which needs limits."""
    return field.annotation in (int, float)


def is_limited(field: FieldInfo, *limits: type) -> bool:
    """Whether a parameter has a limit of one of these kinds: ``Ge``, ``Gt``, ``Le``, ``Lt``."""
    return any(isinstance(limit, limits) for limit in field.metadata)


C = TypeVar("C", bound=Component[Any], default=Any)
S = TypeVar("S", bound=type[Component[Any]])


class ComponentRegistry(Registry[type[C]]):
    """A registry whose ``register`` is a class decorator that lets complete components in; those of plug-ins are stamped."""

    def register(self: ComponentRegistry[Any], part: S) -> S:
        """Add ``part``. One that lacks something is disabled while the package is being loaded, so that the others are there;
        registered by hand it raises ValueError."""
        if faults := part.faults():
            reason = f"{file_of(part.__module__)}, class {part.__qualname__}: {'; '.join(faults)}"
            if not self._loading and plugins.current() is None:
                raise ValueError(reason)
            self.disable(getattr(part, "name", "") or part.__qualname__, reason)
            return part
        if (plugin := plugins.owner(part.__module__)) is not None:
            part.stamp(plugin)
        self.add(part.name, part)
        return part
