"""Your own: bring images, say what is known to be wrong, choose a model, and see what was read before anything runs."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.cache import catalog
from pages.session import audience, binding
from pages.session.services import keep_upload, store
from pages.widgets import data_health, examples, get_data, jobs, own_checkpoint, own_list, own_words, reading, show
from pages.widgets.page import end_on_error, end_page, page
from unlearn_core import view_state as vs
from unlearn_core.errors import UserError
from unlearn_core.results.preprocessing import how_read
from unlearn_core.support import uploads
from unlearn_core.support.deferring import NotRead
from unlearn_core.support.escaping import escape_markdown, without_paths
from unlearn_core.support.limits import limits
from unlearn_core.views.own_data.figure import class_counts
from unlearn_core.views.text.sentences import duration, megabytes, scenario_line

if TYPE_CHECKING:
    from unlearn_core.specs import Scenario
    from unlearn_core.views.own_data.data import Reading

AGAIN = "own-again"
CORRUPTIONS = {"found": "Labels as they come", "dial": "Corrupt them here"}
_STYLE = """<style>
.eunoe-own {display: grid; grid-template-columns: repeat(auto-fill, minmax(62px, 1fr)); gap: 6px;}
.eunoe-own div {font-size: .74rem; line-height: 1.25; white-space: nowrap; overflow: hidden; text-overflow: ellipsis;}
.eunoe-own img {width: 100%; aspect-ratio: 1; image-rendering: pixelated; border-radius: 4px; display: block;}
.eunoe-problems {margin: 0 0 4px; padding-left: 1.1rem; font-size: .92rem; line-height: 1.4;}
</style>"""


def wanted_params() -> dict[str, Any]:
    """What is to be read, as parameters of the dataset of images; empty before anybody said where."""
    path = state["own"].strip()
    if not path and vs.is_own(state) and state["dataset"] == "images":
        kept = {key.partition(".")[2]: value for key, value in state["overrides"].items() if key.startswith("dataset.")}
        return kept if kept.get("data") else {}
    sizes = {"size": state["own_size"], "limit": state["own_limit"], "test_limit": state["own_test_limit"]}
    return {"data": path} | {name: value for name, value in sizes.items() if value} if path else {}


def images_step() -> None:
    """Where the images are."""
    st.markdown("**1 · Your images**")
    if audience.guest():
        hand_over()
    elif not binding.hidden(state, "own"):
        by_path, by_upload = st.tabs(["A path on this computer", "Hand over a file"])
        with by_path:
            shown = wanted_params().get("data", "")
            bound = binding.widget_args(state, "own", lambda text: str(text).strip(), lambda _: shown)
            st.text_input(placeholder="~/photos", max_chars=400, **bound)
        with by_upload:
            hand_over()
    with st.expander("Size and number of images", icon=":material/tune:"):
        for place, name in zip(st.columns(3), ("own_size", "own_limit", "own_test_limit"), strict=True):
            if not binding.hidden(state, name):
                low, high = int(vs.BY_NAME[name].low), int(vs.BY_NAME[name].high)
                place.number_input(min_value=low, max_value=high, step=1, **binding.widget_args(state, name, int))


def hand_over() -> None:
    """The field for a file; what it takes, and how long it is kept."""
    most, kept = uploads.MAX_BYTES >> 20, f"{uploads.MAX_TOTAL >> 30} GB of them, the longest unused go first"
    if audience.guest():
        most, kept = limits().upload_mb, f"{limits().uploads_mb} MB of them, for {limits().upload_hours} hours"
    file = st.file_uploader(
        f"A zip of such a folder, or an .npz of arrays: at most {most} MB, kept beside the results ({kept})",
        type=[kind.removeprefix(".") for kind in uploads.KINDS], key="own-upload", max_upload_size=most,
        disabled=binding.locked(state, "own"),
    )  # fmt: skip
    if file is not None and st.session_state.get("own-uploaded") != file.file_id:
        st.session_state["own-uploaded"] = file.file_id
        try:
            binding.change(own=str(keep_upload(file.name, file.getvalue())))
            st.rerun()
        except UserError as error:
            st.error(escape_markdown(audience.told(error)), icon=":material/error:")


def adopt(found: Reading) -> None:
    """The view is on these images from now on; the page is then drawn again."""
    asked = wanted_params() | {"data": found.dataset.params["data"]}
    mine = {f"dataset.{name}": value for name, value in asked.items()}
    now = {key: value for key, value in state["overrides"].items() if key.startswith("dataset.")}
    if state["dataset"] == "images" and now == mine:
        return
    others = {key: value for key, value in state["overrides"].items() if key.partition(".")[0] in state["methods"]}
    changes: vs.State = {} if vs.is_own(state) else {"corruption": "found", "model": None}
    changes |= {"dataset": "images", "overrides": others | mine, "forget": "", "cut": None, "suspect": None}
    binding.change(**changes)
    st.rerun()


def model_step() -> None:
    """The network that is trained here, or a checkpoint."""
    st.markdown("**3 · Your model**")
    if own_checkpoint.NETWORK in known_models() and not audience.guest():
        given = state["model"] == own_checkpoint.NETWORK
        choice = st.segmented_control(
            "Model", ["Train one here", "A checkpoint"], default="A checkpoint" if given else "Train one here",
            label_visibility="collapsed", key=f"own-model:{given}", required=True, disabled=binding.locked(state, "model"),
        )  # fmt: skip
        if (choice == "A checkpoint") != given:
            binding.change(model=None if given else own_checkpoint.NETWORK)
            st.rerun()
        if given:
            own_checkpoint.step(state)
            return
    network, epochs = st.columns([1.6, 1])
    if not binding.hidden(state, "model"):
        offered = [name for name in vs.fitting_models(state) if name != own_checkpoint.NETWORK]
        network.selectbox(options=offered, format_func=catalog.model_label, **binding.widget_args(state, "model"))
    field = next(field for field in vs.section_fields(state, "training") if field.name == "epochs")
    if not binding.hidden(state, "parameters"):
        binding.parameter(state, "training", field, epochs)


def known_models() -> list[str]:
    from unlearn_core.models import registry

    return registry.names()


def dial() -> None:
    """The usual dials, for those who want to corrupt their data in a controlled way."""
    for name in ("regularity", "discovery"):
        if not binding.hidden(state, name):
            form = "percent" if name == "discovery" else None
            st.slider(min_value=0.0, max_value=1.0, step=0.01, format=form, **binding.widget_args(state, name))
    st.caption("The labels you bring count as true, and wrong ones are made from them. All options are on the page Craft.")


def read_again() -> None:
    """A button for files that have changed. Its key is known as long as this page is the one that is shown."""
    if st.button("Read again", key=AGAIN, icon=":material/replay:"):
        own_list.look_again(params)
        st.rerun()


def overview(found: Reading, problems: Sequence[str]) -> None:
    """What was read, in a sentence, and its problems."""
    said, again = st.columns([4, 1], vertical_alignment="center")
    said.markdown(f"**4 · What was read.** {escape_markdown(' '.join(filter(None, (found.note, found.right_labels))))}")
    with again:
        read_again()
    if found.preprocessing:
        st.caption(escape_markdown(how_read(found.preprocessing)))
    if not problems:
        st.success("No problems found.", icon=":material/check:")
        return
    items = "".join(f"<li>{html.escape(without_paths(problem))}</li>" for problem in problems[:12])
    more = f"<li>… and {len(problems) - 12} more</li>" if len(problems) > 12 else ""
    st.warning(f"{len(problems)} thing{'s' if len(problems) != 1 else ''} to look at", icon=":material/rule:")
    st.html(f'{_STYLE}<ul class="eunoe-problems">{items}{more}</ul>')


def pictures(found: Reading) -> None:
    """Images per class, and a few of them."""
    show.picture(class_counts(found.classes), "own-classes")
    cards = "".join(
        f"<div>{examples.image(pixels, f'training image {index}, labelled {html.escape(label)}')}{html.escape(label)}</div>"
        for index, label, pixels in own_list.samples(found)
    )
    st.html(f'{_STYLE}<div class="eunoe-own">{cards}</div>')
    show.note("A few training images of every class with the label they carry: look whether they are what you expect.")


def expected(scenario: Scenario) -> None:
    """How long training takes and how much memory, from a few steps that a worker times."""
    from unlearn_core.views.own_data.data import Cost
    from unlearn_core.views.own_data.stage import plan_cost

    stage = plan_cost(scenario)
    if not store().has([stage.key]) and not jobs.at_once([stage], "What training will cost"):
        return
    record = store().get(stage.key)
    if record is None:
        return
    found = Cost(**record.payload)
    start = "Your checkpoint is used as it is. " if scenario.model.params.get("weights") else ""
    st.caption(
        f"{start}Training {scenario.model.name} ({found.parameters:,} parameters) for {found.epochs} epochs takes about "
        f"**{duration(found.seconds)}** on one core of this computer, retraining as long again; a worker needs "
        f"**{megabytes(found.nbytes)}** for the images."
    )


def go(measured: bool) -> None:
    """Where to go from here; ``measured``: what the checkpoint is worth is known, or there is none."""
    listed = vs.edited(state)
    nothing, refused = vs.nothing_known(state), own_checkpoint.refused(state)
    compare, find = st.columns(2)
    if compare.button(
        "Compare methods", key="own-compare", type="primary", icon=":material/balance:", width="stretch",
        disabled=nothing or refused or not measured,
    ):  # fmt: skip
        binding.finish(state)
        st.switch_page("pages/compare.py")
    if find.button("Find the rest", key="own-find", icon=":material/checklist:", width="stretch"):
        binding.finish(state)
        st.switch_page("pages/forget.py")
    if refused:
        show.note("The checkpoint cannot be used as it was given, so there is nothing to compare yet: see step 3.")
    elif not measured:
        show.note("Methods can be compared once it is known what your checkpoint says about your training labels.")
    elif nothing:
        show.note("To compare methods something must be known to be wrong: give a list, or mark images on “Find the rest”.")
    elif listed:
        show.note("“Compare methods” repairs the model with your list; “Find the rest” searches for others that are wrong.")


def taken_up(scenario: Scenario) -> None:
    """What the original memorised of the wrong labels, once a method has run on these images."""
    from unlearn_core.results import memorised

    if said := memorised.sentence(memorised.of_stored(store(), scenario, vs.to_methods(state))):
        st.caption(said)


with page(
    "Your own",
    see="what your files hold and what is wrong with them, before anything is trained.",
    attempt=own_words.attempt,
) as (state, corner):
    if audience.visitor():
        if audience.shared():
            st.info(f"This page reads files on the lecturer’s computer. {audience.refusal()}", icon=":material/lock:")
        end_page()
    params = wanted_params()
    steps, picture = st.columns([1, 1.25], gap="large")
    with steps:
        images_step()
    if not params:
        with steps:
            if not binding.hidden(state, "own_sets"):
                get_data.offer()
        with picture:
            st.info(own_words.begin(), icon=":material/folder_open:")
            show.note(
                "A folder has <code>train/&lt;class&gt;/…</code> and <code>test/&lt;class&gt;/…</code>, or "
                "<code>&lt;class&gt;/…</code>, of which a part is held out. A table has the columns <code>path</code> "
                "and <code>label</code>, and if known <code>clean_label</code> and <code>split</code>."
            )
        end_page()

    side = own_checkpoint.side(state)
    try:
        found = own_list.read(params, state["seed"], side, opened=AGAIN not in st.session_state)
    except NotRead as missing:
        with picture:
            reading.wait_for(missing)
        end_page()
    except UserError as error:
        with picture:
            st.error(escape_markdown(audience.told(error)), icon=":material/error:")
            read_again()
        end_page()
    adopt(found)
    problems = list(found.problems)
    with steps:
        if not binding.hidden(state, "own_list"):
            st.markdown("**2 · What is wrong with them**")
            chosen = state["corruption"]  # the page Craft has more to choose from
            words = {chosen: catalog.corruption_label(chosen)} | CORRUPTIONS
            binding.segments(state, "corruption", words, width="stretch")
            if vs.as_found(state):
                problems += own_list.step(state, found)
            else:
                dial()
        if not binding.hidden(state, "own_model"):
            model_step()
    with steps, end_on_error(advice=""):
        scenario = vs.to_scenario(state)
        own_list.check(scenario)
    with corner:
        show.share(state, list(state["methods"]))
    with picture:
        overview(found, problems)
        go(own_checkpoint.measured(scenario))
        expected(scenario)
        taken_up(scenario)
        if not binding.hidden(state, "own_read"):
            pictures(found)
    data_health.section(state, scenario)
    st.caption(scenario_line(scenario.model_dump(), catalog.dataset_label(state["dataset"])))
