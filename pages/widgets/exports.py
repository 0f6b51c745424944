"""A repaired model as a file: the same as the command ``export`` writes, made on request."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pages.cache import catalog
from pages.session import audience
from pages.session.services import borrowed, store
from pages.widgets import show
from unlearn_core import view_state as vs
from unlearn_core.errors import UserError

if TYPE_CHECKING:
    from unlearn_core.results.export import Exported
    from unlearn_core.specs import MethodSpec, Scenario
    from unlearn_core.store import Store

FORMS = {
    ".safetensors": "weights, .safetensors",
    ".pt": "weights, .pt",
    ".pt2": "torch.export archive, .pt2",
}
_lock = threading.Lock()
_last: dict[tuple[str, str, str], Exported] = {}
"""The latest export alone: its two files are one computation, and a model can be large."""


def tab(state: vs.State, scenario: Scenario, specs: Sequence[MethodSpec], frame: pd.DataFrame) -> None:
    """A report for others; which model, in which form, and the buttons that hand it out."""
    if audience.visitor():  # a file is made in the app's process
        st.info(audience.refusal(), icon=":material/lock:")
        return
    _report(state, scenario, specs, frame)
    if audience.guest():  # a model's file is made in the app's process, and many of them at once would fill its memory
        st.caption("A public server gives no models away; the command in the report makes this one on your own computer.")
    else:
        _model(scenario, specs, frame)


def _model(scenario: Scenario, specs: Sequence[MethodSpec], frame: pd.DataFrame) -> None:
    """The model of one method, in the form that is chosen."""
    stored = store().has(frame["key"])
    there = [spec for spec in specs if scenario.run_key(spec) in stored]
    if not there:
        st.info("No method has finished yet; press **Run** above, then its model can be exported here.", icon=":material/info:")
        return
    by_name = {spec.name: spec for spec in there}
    usual = "rem" if "rem" in by_name else there[-1].name
    left, right = st.columns(2, gap="large")
    name = left.selectbox(
        "Model after", list(by_name), list(by_name).index(usual), format_func=catalog.method_label, key="export-method",
        help="The model that this method leaves, without its redirect channels",
    )  # fmt: skip
    forms = _forms(scenario)
    form = right.selectbox(
        "Form", forms, format_func=lambda suffix: FORMS[suffix], key=f"export-form:{len(forms)}",
        help="Weights load into torchvision's network of the same name; an archive runs in plain torch without any code",
    )  # fmt: skip
    place, spec = store(), by_name[name]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Model", data=lambda: _made(place, scenario, spec, form).data, file_name=f"healed-{name}{form}",
            mime="application/octet-stream", key="export-model", type="primary", on_click="ignore", icon=":material/download:",
        )  # fmt: skip
        st.download_button(
            "What to know of it", data=lambda: _about(place, scenario, spec, form), file_name=f"healed-{name}{form}.json",
            mime="application/json", key="export-about", on_click="ignore", icon=":material/data_object:",
        )  # fmt: skip
    came = (
        "as the checkpoint came, with its names, nesting and precision" if scenario.model.params.get("content")
        else "that torchvision's network of this name loads" if form != ".pt2" else "that plain torch runs"
    )  # fmt: skip
    st.warning(_training_on(), icon=":material/warning:")
    show.note(
        f"The network in a form {came}. The second file says which input it takes and which classes it names. In a terminal "
        "<code>python -m unlearn_core export</code> writes both."
    )


def _report(state: vs.State, scenario: Scenario, specs: Sequence[MethodSpec], frame: pd.DataFrame) -> None:
    """The comparison as one file, made when it is asked for."""
    place, origin = store(), borrowed(frame["key"])
    names = [spec.name for spec in specs]
    repeat = {"Terminal": vs.as_cli(state, names), "Python": vs.as_python(state, names)}

    def made() -> str:
        from unlearn_core.front_door.report import comparison_report

        with _lock:
            return comparison_report(place, scenario, specs, frame, repeat, origin)

    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Report", data=made, file_name="eunoe-report.html", mime="text/html", key="export-report", on_click="ignore",
            icon=":material/description:",
        )  # fmt: skip
        st.caption("One HTML file for others: pictures, numbers, settings, and the command that repeats it. It opens offline.")


def _training_on() -> str:
    from unlearn_core.results.export import TRAINING_ON

    return TRAINING_ON


def _forms(scenario: Scenario) -> list[str]:
    """The forms this network has; first the one that its checkpoint came in, if there was one."""
    from unlearn_core.results.export import check_form

    found = []
    for suffix in FORMS:
        try:
            check_form(scenario, suffix)
        except UserError:
            continue
        found.append(suffix)
    came = str(scenario.model.params.get("weights", "")).lower()
    return sorted(found, key=lambda suffix: not came.endswith((suffix, suffix.replace(".pt", ".pth"))))


def _made(place: Store, scenario: Scenario, spec: MethodSpec, form: str) -> Exported:
    from unlearn_core.results.export import export

    key = place.location, scenario.run_key(spec), form
    with _lock:
        if key not in _last:
            _last.clear()
            try:
                _last[key] = export(place, scenario, spec, form)
            except LookupError:
                raise UserError("The weights of this run are not in the store any more; run it again.") from None
        return _last[key]


def _about(place: Store, scenario: Scenario, spec: MethodSpec, form: str) -> bytes:
    about = _made(place, scenario, spec, form).about
    return json.dumps(about, indent=2, ensure_ascii=False).encode() + b"\n"
