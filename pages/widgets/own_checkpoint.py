"""The checkpoint of “Your own”: its fields are taken into the view once they describe a network that can be used."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.session import binding
from pages.session.services import job_for, store
from pages.widgets import jobs, own_list, show
from unlearn_core import view_state as vs
from unlearn_core.errors import UserError
from unlearn_core.support.escaping import escape_markdown

if TYPE_CHECKING:
    from unlearn_core.specs import Scenario

NETWORK = "torchvision"
"""The network that is read from a checkpoint."""
_EXAMPLES = {"weights": "~/model.safetensors", "architecture": "resnet18", "normalise": "imagenet"}
_SHOWN, _WRONG = "checkpoint-shown", "checkpoint-wrong"


def step(state: vs.State) -> None:
    """The widgets of this step, and what is wrong with what they say."""
    fields = {field.name: field for field in vs.section_fields(state, "model")}
    _follow(state, fields)
    _field(state, fields.pop("weights"))
    for place, field in zip(st.columns(len(fields)), fields.values(), strict=True):
        _field(state, field, place)
    if wrong := st.session_state.get(_WRONG):
        st.error(escape_markdown(wrong), icon=":material/error:")
    elif not state["overrides"].get("model.weights"):
        st.caption("Until a file is given, a network of this architecture is trained here. A checkpoint is read, never run.")


def refused(state: vs.State) -> bool:
    """Whether what the fields say cannot be used; the view then still has what they said before."""
    return state["model"] == NETWORK and bool(st.session_state.get(_WRONG))


def side(state: vs.State) -> int:
    """The pixels that the network in the view takes, 0 where it takes the images as they are."""
    from unlearn_core.presets import input_side

    mine = {key.partition(".")[2]: value for key, value in state["overrides"].items() if key.startswith("model.")}
    try:
        return input_side(state["model"], mine)
    except UserError:  # said where the scenario is made
        return 0


def measured(scenario: Scenario) -> bool:
    """What the checkpoint is worth on the given labels, as a worker measures it; whether that is known, or there is none."""
    from unlearn_core.evaluation import fit_sentences
    from unlearn_core.stages.checkpoint_fit import plan_fit

    stages = plan_fit(scenario)
    if not stages:
        return True
    job = job_for(stages)
    record = store().get(stages[0].key)
    if record is None:
        if job is None:
            jobs.hand_over(stages, "Checkpoint")
            job = job_for(stages)
        jobs.panel(stages, job)
        if job is not None and job.state == "cancelled":
            st.button("Measure the checkpoint", key="own-measure", on_click=jobs.hand_over, args=(stages, "Checkpoint"))
        return False
    sentences = fit_sentences(record.payload)
    if record.payload["state"] == "fine":
        st.success(sentences[0], icon=":material/check:")
    else:
        st.warning(" ".join(sentences), icon=":material/warning:")
    for words in record.payload["words"]:
        show.note(html.escape(words))
    return True


def _follow(state: vs.State, fields: Mapping[str, vs.ParamField]) -> None:
    """The widgets show the view whenever it has changed by other means than by them."""
    now = {name: state["overrides"].get(f"model.{name}", field.default) for name, field in fields.items()}
    if st.session_state.get(_SHOWN) != now or not all(_key(name) in st.session_state for name in fields):
        st.session_state.update({_key(name): value for name, value in now.items()})
        st.session_state[_SHOWN] = now
        st.session_state.pop(_WRONG, None)


def _key(name: str) -> str:
    return f"checkpoint:{name}"


def _field(state: vs.State, field: vs.ParamField, place: Any = st) -> None:
    common: dict[str, Any] = {
        "label": field.label,
        "help": field.help or field.limits(),
        "key": _key(field.name),
        "disabled": binding.locked(state, "parameters"),
        "on_change": _given,
    }
    if field.kind == "int":
        low, high, step = field.bounds()
        place.number_input(min_value=low, max_value=high, step=step, format="%d", **common)
    else:
        place.text_input(placeholder=_EXAMPLES.get(field.name), **common)


def _given() -> None:
    """Take the fields into the view, or say why not and leave them as they were typed."""
    memory = st.session_state
    state: vs.State = memory["state"]
    fields = vs.section_fields(state, "model")
    typed = {field.name: memory[_key(field.name)] for field in fields}
    others = {key: value for key, value in state["overrides"].items() if not key.startswith("model.")}
    mine = {f"model.{field.name}": typed[field.name] for field in fields if typed[field.name] != field.default}
    try:
        own_list.check(vs.to_scenario(state | {"overrides": others | mine}))
    except UserError as error:
        memory[_WRONG] = str(error)
        return
    memory.pop(_WRONG, None)
    memory[_SHOWN] = typed
    binding.change(overrides=others | mine)
