"""Redirect neurons: what base and redirect channels do for each group, and what happens when the latter are dropped."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from pages.cache import catalog
from pages.cache import channels as inside
from pages.session import binding
from pages.session.services import job_for, store
from pages.widgets import channels, jobs, more_like, show, similarity
from pages.widgets.page import end_on_error, end_page, page, redrawn_alone
from unlearn_core import view_state as vs
from unlearn_core.errors import UserError
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.views.channels import changes as moved
from unlearn_core.views.channels import changes_figure
from unlearn_core.views.channels import data as look
from unlearn_core.views.channels import figure as channels_figure
from unlearn_core.views.channels import strength as turned
from unlearn_core.views.channels import strength_figure as dial
from unlearn_core.views.text.sentences import scenario_line

if TYPE_CHECKING:
    from unlearn_core.views.channels.data import Opened

_PARTS = {
    "channels": "All channels",
    "channel": "One channel",
    "maps": "Maps of the plane",
    "changes": "Changed parameters",
    "similarity": "Layer by layer",
}


def strength_part(state: vs.State) -> None:
    """The slider, the bars and the course over all strengths; for points in the plane the boundary as well."""
    strength = state["strength"]
    try:
        run = inside.open_run(scenario, spec)
        if inside.unfinished(scenario, spec, strength):
            st.rerun()  # the slider was moved: the page says what is computed
        inside.fill(run, spec, strength)
    except LookupError:
        st.rerun()
    flat = not run.data.corrupted.train.is_image
    if not binding.hidden(state, "strength"):
        st.slider(min_value=0.0, max_value=1.0, step=0.05, **binding.widget_args(state, "strength"))
    left, right = st.columns(2, gap="large")
    if not binding.hidden(state, "redirect_numbers"):
        with left:
            show.picture(dial.strength_bars(turned.frame(run, strength), strength), "strength")
    if flat and not binding.hidden(state, "redirect_boundary"):
        with right:
            plane, chances = turned.boundary(run, strength)
            names = run.data.corrupted.train.class_names
            show.picture(dial.strength_boundary(plane, chances, names, strength), "strength-boundary")
    if not binding.hidden(state, "redirect_curve"):
        with st.container() if flat else right:
            curve = dial.strength_curve(turned.curve(run), strength, 290 if flat else 330)
            show.picture(curve, "strength-course")


def layer_of(run: Opened) -> int:
    """The chosen layer, or that of the redirect channel which tells most."""
    best, count = int(look.ranked(run.channels, "redirect")["layer"].iloc[0]), len(run.layers)
    asked = state["redirect_layer"]
    if asked is not None and asked > count:
        st.info(f"This network has {count} hidden layers, so layer {best} is shown instead of {asked}.", icon=":material/info:")
        asked = None
    shown = asked or best
    if not binding.hidden(state, "redirect_layer"):
        st.selectbox(
            options=range(1, count + 1),
            format_func=lambda k: f"{k}: {run.layers[k - 1].base} base and {run.layers[k - 1].redirect} redirect channels",
            **binding.widget_args(state, "redirect_layer", show=lambda _: shown),
        )
    return shown


def channel_of(run: Opened, layer: int) -> int:
    """The chosen channel of the layer, or the redirect channel of it which tells most."""
    rows = look.ranked(run.channels[run.channels["layer"] == layer])
    best = int(rows.loc[rows["kind"] == "redirect", "channel"].iloc[0])
    asked = state["redirect_channel"]
    if asked is not None and asked >= len(rows):
        st.info(f"Layer {layer} has {len(rows)} channels, so there is no channel {asked}.", icon=":material/info:")
        asked = None
    shown = best if asked is None else asked
    names = {int(row["channel"]): f"{row['name']} · effect {row['effect']:+.2f}" for row in rows.to_dict("records")}
    if not binding.hidden(state, "redirect_channel"):
        st.selectbox(
            options=list(names),
            format_func=lambda k: names[k],
            **binding.widget_args(state, "redirect_channel", show=lambda _: shown),
        )
    return shown


def channels_part(run: Opened) -> None:
    left, right = st.columns([1, 1.15], gap="large")
    with left:
        st.markdown("**Which channels tell corrupted from clean**")
        ranking = inside.cached_picture(run, ("ranking",), lambda: channels_figure.channel_ranking(look.ranked(run.channels)))
        show.picture(ranking, "channel-ranking")
    with right:
        layer = layer_of(run)
        heatmap = inside.cached_picture(run, ("heatmap", layer), lambda: channels_figure.channel_heatmap(run.channels, layer))
        show.picture(heatmap, "channel-heatmap")


def channel_part(run: Opened) -> None:
    first, second = st.columns(2, gap="large")
    with first:
        layer = layer_of(run)
    with second:
        channel = channel_of(run, layer)
    values, name = look.values(run, layer, channel), run.layers[layer - 1].name(channel)
    top = look.top(values)
    flat = not run.data.corrupted.train.is_image
    with first:
        unit = "no unit" if flat else "mean over the image’s positions, no unit"
        show.picture(channels_figure.distribution(values, name, unit), "channel-values")
    with second:
        if flat:
            plane, maps = look.maps(run)
            kind = name.split()[0]
            show.picture(channels_figure.neuron_map(plane, maps[layer - 1][channel], name, kind, top), "channel-map")
        elif top.empty:
            st.info(f"{name} of layer {layer} is never above 0 on the training data; choose another channel.")
        else:
            st.markdown(f"**Training images that activate {name} most**")
            channels.top_images(run, top)
            show.caption("Look for what these have in common; the number is the activation.", top, "channel-top")
            more_like.section(state, scenario, top["index"].tolist(), "channel")


def maps_part(run: Opened) -> None:
    left, _ = st.columns(2, gap="large")
    with left:
        layer = layer_of(run)
    plane, maps = look.maps(run)
    rows = look.ranked(run.channels[run.channels["layer"] == layer])
    picture = inside.cached_picture(
        run, ("drawn maps", layer), lambda: channels_figure.neuron_maps(plane, maps[layer - 1], rows)
    )
    show.picture(picture, "channel-maps")


def changes_part() -> None:
    try:
        found = inside.changed(scenario, spec)
    except LookupError:
        st.info("The weights of this run or of the original are not in the store any more; run it again to see what changed.")
        return
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**By layer**")
        anew = not catalog.starts_from_original(spec.name)
        show.picture(changes_figure.changed_layers(found.layers, anew), "changed-layers")
    with right:
        st.markdown("**The output channels that changed most**")
        show.picture(changes_figure.changed_channels(moved.most_changed(found), len(found.channels)), "changed-channels")


def models() -> dict[str, str]:
    """Every method's label, with a mark where its run with this view's parameters is stored."""
    try:
        what, names = vs.to_scenario(state), list(catalog.methods())
        keys = {name: what.run_key(spec) for name, spec in zip(names, vs.to_methods(state, names), strict=True)}
    except UserError:
        return {name: catalog.method_label(name) for name in catalog.methods()}
    done = store().has(keys.values())
    return {name: catalog.method_label(name) + (" ✓" if key in done else "") for name, key in keys.items()}


with page(
    "Redirect neurons",
    see="the channels that unlearning added to take up the wrong labels, and what the model says with and without them.",
    attempt="move the strength from 1 to 0 and watch where the wrong labels go.",
) as (state, corner):
    choose, words, run_place = st.columns([1.7, 3.6, 1], vertical_alignment="bottom", gap="medium")
    with choose:
        if not binding.hidden(state, "inspected"):
            labels = models()
            st.selectbox(options=list(labels), format_func=lambda name: labels[name], **binding.widget_args(state, "inspected"))
    with end_on_error("Change the scenario in Craft, or choose another model."):
        scenario = vs.to_scenario(state)
        (spec,) = vs.to_methods(state, [state["inspected"]])
        stages = plan_runs(scenario, [spec])
    with corner:
        show.share(state, [spec.name], fresh=True)

    job = job_for(stages)
    stored = store().has(stage.key for stage in stages)
    missing = [stage for stage in stages if stage.key not in stored]
    words.markdown(scenario_line(scenario.model_dump(), catalog.dataset_label(state["dataset"]), state["values"]))

    title = f"{catalog.dataset_label(state['dataset'])}: {catalog.method_label(spec.name)}"
    jobs.run_button(run_place, "Run" if missing else "Cached", bool(missing), stages, title)
    jobs.panel(stages, job)
    if missing:
        if jobs.may_ask(job):
            st.info(
                f"{catalog.method_label(spec.name)} has not been run on this scenario yet. Press **Run**: it trains what is "
                "missing, and its channels appear here.",
                icon=":material/play_arrow:",
            )
        end_page()

    record = store().get(stages[-1].key)
    if record is not None and record.payload.get("redirect_layers"):
        measured = inside.unfinished(scenario, spec, state["strength"])
        if measured and not jobs.at_once(measured, "Redirect channels"):
            end_page()
        try:
            opened = inside.open_run(scenario, spec)
            inside.fill(opened, spec, state["strength"])
        except LookupError:
            st.info("The weights of this run are not in the store any more. Reload the page to compute it again.")
            end_page()
        redrawn_alone(state, strength_part)
        if not binding.hidden(state, "redirect_parts"):
            left_out = {"maps"} if opened.data.corrupted.train.is_image else set()
            left_out |= {"similarity"} if binding.hidden(state, "similarity") else set()
            parts = [part for part in _PARTS if part not in left_out]
            shown = state["redirect_part"] if state["redirect_part"] in parts else "channel"
            binding.segments(state, "redirect_part", {part: _PARTS[part] for part in parts}, show=lambda _: shown)
            draw: dict[str, Callable[[Opened], None]] = {
                "channels": channels_part,
                "channel": channel_part,
                "maps": maps_part,
                "changes": lambda _: changes_part(),
                "similarity": lambda _: similarity.section(scenario, spec),
            }
            draw[shown](opened)
    else:
        with_channels = [method.label for method in catalog.methods().values() if method.family == "redirection"]
        st.info(
            f"{catalog.method_label(spec.name)} adds no redirect channels; what it changed is shown instead. Methods with "
            f"redirect channels: {', '.join(with_channels)}.",
            icon=":material/info:",
        )
        changes_part()
        if not binding.hidden(state, "similarity"):
            st.markdown("**Layer by layer: how alike the original and the healed model see the same examples**")
            similarity.section(scenario, spec)
