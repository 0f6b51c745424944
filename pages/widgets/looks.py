"""Cards to look at where no error is known: one question at a time, its answers, and what they come to."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from pages.cache import catalog
from pages.cache import looks as stored_looks
from pages.session import audience, binding, drafts
from pages.session.notices import errors_as_notices
from pages.session.services import job_for, store
from pages.widgets import examples, jobs, look_card, show
from unlearn_core import view_state as vs
from unlearn_core.support.escaping import escape_markdown
from unlearn_core.views.embedding.examples import pictures
from unlearn_core.views.looks.cards import card_frame, common_pictures, describe_card
from unlearn_core.views.looks.data import LIKE
from unlearn_core.views.looks.figure import card_points
from unlearn_core.views.looks.stage import plan_judging, plan_looks

if TYPE_CHECKING:
    from pages.session.searches import Search
    from unlearn_core.discovery.cards import Card
    from unlearn_core.forget_sets import ForgetSet
    from unlearn_core.specs import Scenario
    from unlearn_core.stages.stage import Stage
    from unlearn_core.views.looks.data import Standing

SEE, ATTEMPT = (
    "examples that belong together, one card at a time; no error is known yet.",
    "say of every card whether its labels are wrong, with the keys ← ↑ → or the buttons; ten looks often suffice.",
)
ANSWERS = (
    ("w", "Wrong", "left", "(Nearly) all of these given labels are wrong"),
    ("m", "Mixed", "up", "Some are wrong, some right: the card comes again in halves"),
    ("r", "Right", "right", "(Nearly) all of these given labels are right"),
)
"""Letter, word, key and help of every answer, in the order of the keys on a keyboard."""
NAME = "Found by looks"
HEALERS = ("rem", "rem_discover")
_STYLE = """<style>
.eunoe-looks {margin: 0; line-height: 1.5; display: flex; flex-wrap: wrap; column-gap: 1.4rem;}
.eunoe-looks b {font-weight: 600; font-size: 1.1rem;}
.eunoe-common {display: flex; flex-wrap: wrap; gap: .8rem;}
.eunoe-common figure {margin: 0; width: 104px; font-size: .82rem; line-height: 1.3;}
.eunoe-common img {width: 100%; aspect-ratio: 1; object-fit: contain; image-rendering: pixelated; border-radius: 6px;
 display: block;}
.st-key-look-answers button {min-height: 2.9rem;}
@media (max-width: 640px) {
 .st-key-look-answers kbd {display: none;}
 .st-key-look-answers {position: sticky; bottom: 0; z-index: 9; padding: .5rem 0; background: $page;}
}
</style>"""


def _style() -> str:
    return _STYLE.replace("$page", show.page_colour())


def section(search: Search) -> bool:
    """The way from nothing known; whether it has begun. ``search``: of a scenario with an empty forget set."""
    state, scenario = search.state, search.scenario
    stages = plan_looks(scenario)
    job = job_for(stages)
    missing = {stage.key for stage in stages} - store().has(stage.key for stage in stages)
    if missing:
        if not jobs.running(job):
            _offer(state, stages)
        jobs.panel(stages, job, redraw=len(stages))
        return False
    standing = _standing(search)
    place = st.empty()
    if standing.waiting is not None and _judge(search, standing, standing.waiting):
        standing = _standing(search)
    with place:
        _progress(standing)
    if standing.card is not None:
        _card(state, scenario, standing, standing.card)
    else:
        if standing.waiting is None:
            st.success(standing.inquiry.sentence, icon=":material/done_all:")
        if not audience.visitor():
            _undo(standing, scenario)
    _healing(standing, search.draft)
    _report(search, standing)
    return True


def _judge(search: Search, standing: Standing, known: tuple[int, ...]) -> bool:
    """Let discovery look, told of what is known; whether it has. Until then what it does, with progress."""
    words = st.empty()
    words.markdown(
        f"**{len(standing.found):,} called wrong** are enough for discovery to look for more of their kind: REM runs several "
        "times, each time not told of another part of them. The next cards follow."
    )
    title = f"{catalog.dataset_label(search.state['dataset'])}: discovery looks"
    if not jobs.at_once([plan_judging(search.scenario, search.spec, known)], title):
        return False
    words.empty()
    return True


def pretend_button() -> None:
    """Where errors are known: leave that aside, and start as if none were."""
    st.button(
        "Start from nothing", key="from-nothing", icon=":material/visibility:", type="tertiary",
        on_click=lambda: binding.change(discovery=0.0, cut=None, suspect=None),
        help="As if no error were known: look at cards, and say whether their labels are wrong",
    )  # fmt: skip


def _offer(state: vs.State, stages: Sequence[Stage]) -> None:
    """What it means to start, and the button that does."""
    if audience.visitor():
        return
    words, place = st.columns([4.2, 1], vertical_alignment="center")
    answers = " Your answers are kept and count once the cards are there." if state["looks"] else ""
    words.info(
        "**Is something wrong with these data?** Nothing has to be known. Two networks are trained here, each with half of "
        "the epochs: one is watched, one never sees what belongs together. Then you look at one card at a time, and say "
        f"whether its labels are wrong.{answers}",
        icon=":material/visibility:",
    )
    title = f"{catalog.dataset_label(state['dataset'])}: what belongs together"
    place.button(
        "Start from nothing", key="look-start", type="primary", icon=":material/play_arrow:", width="stretch",
        on_click=jobs.hand_over, args=(stages, title),
    )  # fmt: skip


def _standing(search: Search) -> Standing:
    """Where the looks stand by the link's answers, or by those that this session gave to these cards before."""
    memory: dict[str, str] = st.session_state.setdefault("looks-of", {})
    state, scenario, of = search.state, search.scenario, search.scenario.original_key
    found = stored_looks.standing(scenario, search.spec, state["looks"] or memory.get(of, ""))
    if found.strange:
        if state["looks"] not in memory.values():
            st.warning("The answers in this link belong to other cards, so they do not count here.", icon=":material/info:")
        found = stored_looks.standing(scenario, search.spec, memory.get(of, ""))
    state["looks"] = st.session_state["state"]["looks"] = memory[of] = found.text if found.before is not None else ""
    return found


def _answer(scenario: Scenario, text: str) -> None:
    """A callback: the answers are these now."""
    st.session_state.setdefault("looks-of", {})[scenario.original_key] = text
    binding.change(looks=text)


def _progress(standing: Standing) -> None:
    """How many looks, what they found, and what is left."""
    questions, rest = standing.inquiry.questions, standing.inquiry.rest
    parts = [f"<b>{questions.looks}</b> {'look' if questions.looks == 1 else 'looks'}"]
    parts.append(f"<b>{len(questions.wrong()):,}</b> called wrong")
    if questions.looks:
        parts.append(f"about <b>{rest.expected:.0f}</b> more expected ({rest.low:.0f} to {rest.high:.0f})")
    if standing.card is not None:
        parts.append(f"another look would find about <b>{questions.expected_find():.0f}</b>")
    spans = "".join(f"<span>{part}</span>" for part in parts)
    st.html(f'{_style()}<p class="eunoe-looks" role="status">{spans}</p>')


def _card(state: vs.State, scenario: Scenario, standing: Standing, card: Card) -> None:
    """One card with its question and the answers."""
    names = vs.class_names(state)
    with st.container(border=True, key="look"):
        why = describe_card(card, names, standing.inquiry.evidence.given_up)
        st.markdown(f"**Are these given labels wrong?** {escape_markdown(why)}")
        left, right = st.columns([4.4, 1], gap="medium")
        with left:
            if vs.has_images(state):
                _images(state, scenario, standing, card)
            else:
                show.picture(card_points(card_frame(scenario, card), names, 280), "look-points")
            if not audience.visitor():
                _buttons(scenario, standing)
                if vs.has_images(state):
                    st.caption("Press a picture for a card with more like it.")
        with right:
            _common(scenario, card)


def _images(state: vs.State, scenario: Scenario, standing: Standing, card: Card) -> None:
    indices = [int(index) for index in card.shown]
    addresses = [examples.address(pixels, 64) for pixels in pictures(scenario, indices)]
    names, labels = vs.class_names(state), standing.inquiry.evidence.labels

    def more_like(index: int) -> None:
        _answer(scenario, standing.after(f"{LIKE}{index}"))

    asks = None if audience.visitor() else more_like
    look_card.draw(indices, addresses, [names[int(labels[index])] for index in indices], asks)


def _buttons(scenario: Scenario, standing: Standing) -> None:
    with st.container(horizontal=True, gap="small", key="look-answers", vertical_alignment="center"):
        number = standing.inquiry.questions.looks
        for letter, word, key, words in ANSWERS:
            # A key of its own for every card: a press that comes twice must not answer a card that was not seen yet.
            st.button(
                word, key=f"look-{word.lower()}-{len(standing.text)}-{number}", shortcut=key, help=words, width="stretch",
                on_click=_answer, args=(scenario, standing.after(letter)),
            )  # fmt: skip
        _undo(standing, scenario)


def _undo(standing: Standing, scenario: Scenario) -> None:
    st.button(
        "Undo", key="look-undo", shortcut="Backspace", icon=":material/undo:", type="tertiary", on_click=_answer,
        disabled=standing.before is None, args=(scenario, standing.before or ""), help="Take the last answer back",
    )  # fmt: skip


def _common(scenario: Scenario, card: Card) -> None:
    """What the images share: their average, and how it departs from their classes."""
    shared = common_pictures(scenario, card)
    if shared is None:
        return
    figures = "".join(
        f"<figure>{examples.image(pixels, html.escape(words))}<figcaption>{words}</figcaption></figure>"
        for pixels, words in ((shared.mean, "their average"), (shared.difference, "less the average of their classes"))
    )
    st.html(f'{_style()}<div class="eunoe-common">{figures}</div>')


def _healing(standing: Standing, draft: drafts.Draft) -> None:
    """What was called wrong becomes a named forget set, and the way leads to Compare."""
    found = standing.found
    if not found.indices or audience.visitor():
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            f"**{len(found):,} called wrong** become a forget set, which REM unlearns, and with discovery what resembles it.",
            width="stretch",
        )
        if st.button("Heal with it", key="look-heal", type="primary", icon=":material/healing:") and _use(draft, found):
            binding.finish(st.session_state["state"])
            st.switch_page("pages/compare.py")


def _report(search: Search, standing: Standing) -> None:
    """The search as one file for a colleague, made when it is asked for."""
    if not standing.inquiry.questions.looks or audience.visitor():
        return
    place, state, scenario = store(), search.state, search.scenario
    specs = vs.to_methods(state, list(HEALERS))
    address = audience.address_of("forget") if audience.shared() else st.context.url or ""
    repeat = {"Address of these looks": f"{address}?{vs.encode(state)}", "Terminal: cards to look at": vs.as_questions(state)}
    repeat["Terminal: heal with the list"] = f"{vs.as_cli(state, list(HEALERS))} --forget wrong-labels.csv"

    def made() -> str:
        from unlearn_core.front_door.looks_report import looks_report

        return looks_report(place, scenario, standing.inquiry, repeat, specs)

    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.download_button(
            "Report", data=made, file_name="eunoe-looks.html", mime="text/html", key="look-report", on_click="ignore",
            icon=":material/description:",
        )  # fmt: skip
        st.caption(
            "One HTML file for a colleague: the groups with their images, what spoke for them, the list, and before and after "
            "once Compare has healed with it. It opens offline."
        )


def _use(draft: drafts.Draft, found: ForgetSet) -> bool:
    """Make a named set of it, unless there is one that holds the same, and put it to use on all pages."""
    with errors_as_notices():
        audience.refuse_visitors()
        key = draft.sets.keep(found)
        same = next((one for one in draft.sets.all() if one.key == key), None)
        made = same or draft.sets.create(draft.sets.free_name(NAME), found, "called wrong on cards")
        drafts.show(draft, made.id)
        binding.change(forget=made.key, methods=HEALERS, cut=None, suspect=None)
        return True
    return False
