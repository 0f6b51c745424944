"""Forget set: who else is probably corrupted, on what evidence, and what an edited forget set changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from pages.cache import catalog
from pages.cache import suspects as stored_suspects
from pages.session import audience, binding, drafts
from pages.session.searches import Search, gather
from pages.session.services import job_for, store
from pages.widgets import absent_files, datamap, examples, jobs, looks, set_editor, show, suspects
from pages.widgets.page import end_page, page
from unlearn_core import view_state as vs
from unlearn_core.errors import UserError
from unlearn_core.results import memorised
from unlearn_core.support.escaping import escape_markdown
from unlearn_core.views.suspects import figure as suspects_figure
from unlearn_core.views.suspects import forget_set_edits as edits
from unlearn_core.views.text.sentences import duration, scenario_line

if TYPE_CHECKING:
    from unlearn_core.specs import MethodSpec, Scenario
    from unlearn_core.views.suspects.data import Suspects

SEARCHES = {"quick": "Quick", "thorough": "Thorough"}
TRUTHS = {"shown": "Truth shown", "hidden": "Hidden"}


def controls(state: vs.State) -> None:
    """How to search, and whether the truth is shown."""
    search, truth = st.columns([1, 1.15])
    for place, name, words in ((search, "search", SEARCHES), (truth, "truth", TRUTHS)):
        if name == "truth" and not vs.truth_known(state):  # there is nothing to show
            continue
        binding.segments(state, name, words, place, "stretch")


def estimate(wanted: Sequence[tuple[Scenario, MethodSpec]]) -> str:
    """How long something that is not stored would take, as far as is known."""
    keys = tuple(scenario.run_key(spec) for scenario, spec in wanted)
    seconds = stored_suspects.expected_seconds(store().location, keys, wanted)
    return f"It takes about {duration(seconds)}." if seconds else "How long it takes is not known before the first run here."


def verdict(found: Suspects) -> None:
    """What the search says in a sentence, and on request how it went."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{found.sentence}**" + (f" {found.stopped}" if found.stopped != found.sentence else ""), width="stretch")
        with st.popover("Rounds", icon=":material/history:", type="tertiary", help="How the search went, round by round"):
            course = found.course()
            column = st.column_config.NumberColumn("told apart", format="%.3f", help="Area under the ROC curve, held out")
            st.dataframe(course, hide_index=True, column_config={"found": column}, key="rounds")
            show.caption("“Taken” are those that joined the forget set; a later round may withdraw some.", course, "rounds")


def threshold(search: Search, found: Suspects) -> int:
    """The slider, what is expected of it beside what is true, and the button that accepts everything above."""
    state, draft = search.state, search.draft
    start, n = found.start(), len(found)
    asked = state["cut"]
    if asked is not None and asked > n:
        st.info(f"There are {n:,} suspects, so the threshold is not {asked:,}.", icon=":material/info:")
        asked = None
    count = start if asked is None else asked
    slider, precision, recall, accept = st.columns([2.6, 1.3, 1.3, 1.2], vertical_alignment="center", gap="medium")
    if not binding.hidden(state, "cut"):
        most = min(n, max(60, 3 * start, count))
        # The label says what the number means: "the first 36".
        slider.slider(min_value=0, max_value=most, **binding.widget_args(state, "cut", int, show=lambda _: count))
    for place, (label, value, remark) in zip(
        (precision, recall), suspects_figure.threshold(found.at(count), search.shown_truth), strict=True
    ):
        with place:
            suspects.fact(label, value, remark)
    if audience.visitor():
        return count
    new = edits.to_add(found.table, count, draft.content)
    accept.button(
        f"Accept {len(new)} above" if new else "All above accepted", key="accept-above", icon=":material/done_all:",
        type="primary", disabled=not new, on_click=drafts.add, args=(draft, new), width="stretch",
        help="Everything above the threshold goes into your set, but for what you rejected",
    )  # fmt: skip
    return count


def picture(search: Search, found: Suspects, count: int) -> None:
    """The expected curve, and the examples on both sides of the threshold: images first, which are seen sooner."""
    left, right = st.columns([1, 1.15], gap="medium")
    if not binding.hidden(search.state, "suspect_wall"):
        with right:
            if vs.has_images(search.state):
                walls(search, found, count)
                show.let_paint()
            else:
                roles = edits.roles(search.scenario, found, count)
                show.picture(suspects_figure.suspect_points(roles, vs.class_names(search.state), 390), "suspect-points")
    if not binding.hidden(search.state, "suspect_curve"):
        with left:
            shown = suspects_figure.expectation(found.curve, found.truth if search.shown_truth else None, count, 330)
            show.picture(shown, "suspect-curve")


def walls(search: Search, found: Suspects, count: int) -> None:
    """The images on both sides of the threshold."""
    rows = edits.marked(found.table, search.draft.content)
    for title, part in zip(("Last above", "First below"), edits.sides(rows, count), strict=True):
        st.markdown(f"**{title} the threshold**")
        if len(part):
            suspects.wall(search.scenario, part, search.groups)
        else:
            st.caption("None.")
    truth = f" Truly {examples.badge('undiscovered')} or {examples.badge('clean')}." if search.shown_truth else ""
    show.note(f"Given label in bold → what the healed model says, then the probability.{truth}")


def your_set(search: Search) -> None:
    """The line about the set that is edited, with what one does with it; a visitor edits none."""
    if audience.visitor() or binding.hidden(search.state, "forget_set"):
        return
    draft = search.draft
    name = draft.found.name if draft.found is not None else "Your set"
    words = f"**{escape_markdown(name)}** · {len(draft.content):,} examples"
    if draft.differs:
        words += f": {len(draft.added):,} added to the set in use, {len(draft.removed):,} taken out"
        words += ", with other right labels or trusted examples" if draft.told else ""
    else:
        words += ", the same as the set in use"
    if draft.joining:
        words += f"; {draft.joining:,} of them are no training images yet and join them when it is used"
    if search.shown_truth and search.stages:  # beside cards it would give away what is to be found
        truth = edits.set_counts(search.scenario, draft.content.indices)
        words += f". In truth {truth['right']:,} corrupted, {truth['wrong']:,} clean, {truth['left']:,} still outside"
    box = st.container(border=True, gap="small")
    box.markdown(f"{words}.")
    with box.container(horizontal=True, vertical_alignment="center", gap="small"):
        set_editor.undo(draft)
        st.button(
            "Run again", key="again", icon=":material/replay:", disabled=not search.missing_after, on_click=jobs.hand_over,
            args=(search.everything, f"{catalog.dataset_label(search.state['dataset'])}: edited forget set"),
        )  # fmt: skip
        st.button(
            "Use it", key="use", icon=":material/push_pin:", disabled=not search.fits, on_click=use, args=(draft,),
            help="All pages use this set in place of the discovery rate, and the search begins from it",
        )  # fmt: skip
        if vs.edited(search.state):
            back_to_the_rate()
        elif search.stages and not binding.locked(search.state, "discovery"):
            looks.pretend_button()


def back_to_the_rate() -> None:
    nothing = vs.nothing_known(st.session_state["state"] | {"forget": ""})
    st.button(
        "Back to the cards" if nothing else "Back to the rate", key="use-rate", icon=":material/keyboard_return:",
        on_click=lambda: binding.change(forget="", cut=None, suspect=None),
        help="Nothing is known again, and cards are looked at" if nothing
        else "The discovered part of the corruption counts again, everywhere",
    )  # fmt: skip


def use(draft: drafts.Draft) -> None:
    def act() -> None:
        key = draft.found.key if draft.found is not None else draft.sets.keep(draft.content)
        binding.change(forget=key, cut=None, suspect=None)

    drafts.attempt(act)


def going_through(search: Search, found: Suspects) -> None:
    """The list with its decisions, and the evidence for one suspect beside it."""
    draft, groups = search.draft, search.groups
    left, right = st.columns([1.55, 1], gap="large")
    with left:
        rows = edits.marked(found.table, draft.content)
        if groups is not None:
            rows = rows.assign(truth=["clean" if groups[index] == "clean" else "corrupted" for index in rows["index"]])
        first, end = suspects.page_of(len(rows), "suspects-page")
        key = f"suspects:{draft.found.key if draft.found else ''}:{first}"
        columns = ("rank", "index", "given", "says", "probability", "score", "status", "truth")
        words = f"Suspects {first + 1:,} to {end:,} of {len(rows):,}, the most suspect first."
        marked = suspects.listing(search.scenario, rows.iloc[first:end], columns, key, words, "suspects", one=True)
        suspects.decide(draft, marked)
    if not binding.hidden(search.state, "suspect_evidence"):
        with right:
            suspects.evidence(search.state, search.scenario, found, groups)


def what_changed(search: Search, found: Suspects) -> None:
    """The runs with the edited set against those with the set in use."""
    scenario, edited, rem, spec = search.scenario, search.edited, search.rem, search.spec
    if not search.fits:
        st.info("Your set is the one in use. Accept suspects or take examples out, and run again.", icon=":material/info:")
        return
    frame = edits.changed(store(), scenario, edited, [rem, spec])
    if frame.empty:
        wanted = [(scenario, rem), (edited, rem), (edited, spec)]
        st.info(f"Press **Run again** to see what your set changes. {estimate(wanted)}", icon=":material/replay:")
        return
    left, right = st.columns([1.2, 1], gap="large")
    with left:
        show.picture(suspects_figure.change(frame), "forget-change")
        if memorised.nothing_to_heal(share := memorised.of_stored(store(), scenario, [rem, spec])):
            st.caption(memorised.sentence(share))
    with right:
        try:
            after = stored_suspects.open_suspects_of(edited, spec)
        except LookupError:
            st.caption("The next suspects appear when the second search is done.")
            return
        st.markdown(f"**The next suspects.** {after.sentence}")
        rows = edits.next_suspects(found, after)
        words = "With your set: who is suspected now, and at which rank before (none: it was in the set in use)."
        suspects.listing(
            edited, rows, ("rank", "index", "given", "says", "probability", "before"), "next", words, "next-suspects"
        )


def details(search: Search, found: Suspects) -> None:
    """The tabs below: the list, the set and what it changes."""
    state, draft = search.state, search.draft
    parts: dict[str, tuple[str, Callable[[], None]]] = {
        "suspect_table": ("Suspects", lambda: going_through(search, found)),
        "forget_set": ("Your set", lambda: set_editor.editor(state, search.scenario, draft, search.shown_truth, found)),
        "forget_change": ("What your set changes", lambda: what_changed(search, found)),
        "data_map": ("Data map", lambda: datamap.section(search, found)),
    }
    show.tabs(dict(part for name, part in parts.items() if not binding.hidden(state, name)), "parts")


SEE, ATTEMPT = (
    "every example outside the forget set, ranked by how probably it is corrupted as well.",
    "move the threshold and watch the pictures on both sides of it; accept what lies above, run again, see what healed.",
)

with page(
    "Forget set",
    see=lambda state: looks.SEE if vs.nothing_known(state) else SEE,
    attempt=lambda state: looks.ATTEMPT if vs.nothing_known(state) else ATTEMPT,
) as (state, corner):
    try:
        search = gather(state)
    except UserError as error:
        if not absent_files.absent():  # which is said above
            st.error(f"{escape_markdown(audience.told(error))} Change the scenario in Craft.", icon=":material/error:")
        if vs.edited(state):
            back_to_the_rate()
        end_page()
    with corner:
        computed = vs.searching(state)
        listing = ("Terminal: list the suspects", vs.as_discover(computed), "bash")
        if not search.stages:
            listing = ("Terminal: cards to look at", vs.as_questions(state), "bash")
        show.share(state, [search.spec.name], computed, [listing])

    choose, words, run_place = st.columns([2.3, 2.7, 1], vertical_alignment="center", gap="medium")
    with choose:
        if search.stages:
            controls(state)
    dataset = catalog.dataset_label(state["dataset"])
    (words if search.stages else st).markdown(scenario_line(search.scenario.model_dump(), dataset, state["values"]))
    if search.unusable:
        st.warning(f"Your set cannot be used: {escape_markdown(search.unusable)}", icon=":material/info:")
    if not search.stages:
        if binding.hidden(state, "look_cards") or not looks.section(search):
            st.info(
                "Nothing is known to be corrupted yet. Add examples by their number or from a file, and use that set"
                + ("; or raise the discovery rate in Craft." if vs.truth_known(state) else "."),
                icon=":material/info:",
            )
        your_set(search)
        datamap.beside_set(search)
        end_page()
    job, missing = job_for(search.everything), bool(search.missing)
    jobs.run_button(run_place, "Run" if missing else "Cached", missing, search.stages, f"{dataset}: {state['search']} search")
    jobs.panel(search.everything, job)
    if missing:
        if jobs.may_ask(job):
            st.info(
                f"Nobody has searched with this forget set yet. Press **Run**: REM runs several times, each time not told of "
                f"another part of what is known, and every other example is ranked. "
                f"{estimate([(search.scenario, search.spec)])}",
                icon=":material/play_arrow:",
            )
        your_set(search)
        end_page()
    try:
        outcome = stored_suspects.open_suspects_of(search.scenario, search.spec)
    except LookupError:  # what was stored has just been found damaged, and dropped
        st.info(
            "The outcome of this search is not in the store any more; reload the page to run it again.", icon=":material/info:"
        )
        end_page()
    verdict(outcome)
    picture(search, outcome, threshold(search, outcome))
    your_set(search)
    details(search, outcome)
