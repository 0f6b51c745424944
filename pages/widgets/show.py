"""Pictures with caption and download, notices, links to copy, the two lines that open every page."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import pandas as pd
import streamlit as st

from pages.session import audience, binding
from unlearn_core import view_state as vs
from unlearn_core.results.table_export import csv_text
from unlearn_core.support.escaping import escape_markdown
from unlearn_core.views.picture import Picture

STYLE = """<style>
.stMainBlockContainer {max-width: 1240px; padding-top: 4.4rem; padding-bottom: 3rem;}
.eunoe-lead {font-size: 1.02rem; line-height: 1.45; margin: 0;}
.eunoe-lead b {font-weight: 600;}
.eunoe-texts {border-collapse: collapse; font-size: .92rem; line-height: 1.4;}
.eunoe-texts :is(th, td) {text-align: left; vertical-align: top; padding: .35rem .7rem .35rem 0;
  border-bottom: 1px solid rgba(138,143,152,.35);}
.eunoe-wide {overflow-x: auto;}
.eunoe-save {display: block; padding: .4rem 0; font: inherit; font-size: .9rem; color: inherit; background: none; border: 0;
  cursor: pointer;}
.eunoe-save:is(:hover, :focus-visible) {text-decoration: underline;}
.eunoe-save::before {content: "⤓"; padding-right: .6rem;}
.eunoe-caption {font-size: .9rem; opacity: .78; line-height: 1.35; margin: 0;}
/* What a picture says that is wider than the page, and scrolls: see keep_readable. */
[class*="st-key-figure-"]::before {position: sticky; left: 0; display: block; width: max-content; font-size: .85rem;
  opacity: .78;}
/* By touch the toolbar would always be there, above what it covers. */
@media (hover: none) {.js-plotly-plot .modebar, [data-testid="stDataFrame"] [data-testid="stElementToolbar"]
  {display: none !important;}}
/* A finger is wider than a pointer. */
@media (pointer: coarse) {[data-testid="stButtonGroup"] button {min-height: 40px;}}
/* The greys that charts write in by default, and the one that is read on both backgrounds as a mark, are too faint for text. */
.js-plotly-plot text[style*="fill: rgb(128, 132, 149)"], .js-plotly-plot text[style*="fill: rgb(138, 143, 152)"]
  {fill: currentColor !important; fill-opacity: .8 !important;}
/* A part of a picture that is pointed out. */
.eunoe-seen {position: relative; display: block; flex: none; margin: 0;}
.eunoe-seen > i {position: absolute; box-sizing: content-box; margin: -2px; border: 2px solid #E8A33D; border-radius: 2px;
  box-shadow: 0 0 0 1px rgba(0,0,0,.55);}
/* Choices side by side go on in a second line where the screen is narrow, instead of being cut. */
[data-testid="stButtonGroup"] :is([role="radiogroup"], [role="group"]) {flex-wrap: wrap;}
/* The accent is a mark: on its own tint, as text, it is too faint. */
:is([data-testid="stButtonGroup"] button[data-selected="true"], [data-testid="stTab"]), :is([data-testid="stButtonGroup"]
  button[data-selected="true"], [data-testid="stTab"]) *, [data-testid="stCaptionContainer"] code {color: inherit !important;}
</style>"""
PRECOMPUTED = " Computed beforehand: ⋯ says where."
WIDER = "↔ Wider than this window: swipe or scroll sideways."
_PAINTED = "painted"
PAINT_SECONDS = 0.2
_SHARE = "share"
_SAVE = '<button type="button" class="eunoe-save" data-format="{format}" data-figure="{figure}">Picture as {words}</button>'
"""What it does is in :mod:`pages.session.in_browser`."""


def opening(title: str, see: str, attempt: str) -> None:
    """The page's title with its two lines: what you see, what to try."""
    title_line(title)
    st.html(f'<p class="eunoe-lead"><b>What you see</b> {see}<br><b>Try this</b> {attempt}</p>')


def page_colour() -> str:
    """The page's background in CSS, in either theme, for what lies over what scrolls below it."""
    light, dark = (st.get_option(f"theme.{name}.backgroundColor") for name in ("light", "dark"))
    return f"light-dark({light}, {dark})"


def title_line(title: str) -> None:
    """The page's title alone."""
    st.html(STYLE)
    st.subheader(title, anchor=False)


def notices() -> None:
    """What had to be changed in the link or in the last setting, said once."""
    for notice in st.session_state.pop("notices", []):
        st.warning(escape_markdown(notice), icon=":material/info:")


def picture(shown: Picture, name: str) -> None:
    """A figure, its caption and its data as CSV."""
    config = {
        "displaylogo": False,
        "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
        "toImageButtonOptions": {"format": "png", "scale": 2, "filename": f"eunoe-{name}"},
    }
    keep_readable(shown, f"figure:{name}")
    st.plotly_chart(shown.figure, key=f"figure:{name}", alt=shown.alt, config=config)
    caption(shown.caption, shown.data, name, figure=f"figure:{name}")


def let_paint() -> None:
    """Leave a browser that has just come the time to paint what it was sent, before figures come: Plotly, once a tab, keeps it
    busy for a second, in which not even a picture that is there appears."""
    if _PAINTED not in st.session_state and st.context.headers.get("User-Agent"):  # a test without a browser waits for nothing
        time.sleep(PAINT_SECONDS)
    st.session_state[_PAINTED] = True


def keep_readable(shown: Picture, key: str) -> None:
    """Where a picture needs more width than the page has, its element, which has the ``key``, scrolls it sideways and says
    so."""
    if not (least := shown.least_width):
        return
    part = f".st-key-{_in_css(key)}"
    rules = [
        f"{part} {{container-type: inline-size; overflow-x: auto; scroll-timeline: --sideways inline;}}",
        f"{part} > * {{min-width: {least}px;}}",
        f"@container (max-width: {least - 1}px) {{{part}::before {{content: '{WIDER}';}}}}",
    ]
    if shown.is_table:  # the names of its rows stay in view, in the place of what stands left of them
        beside = 44 if shown.figure.layout.yaxis.title.text else 0
        names = f"{part} .yaxislayer-above"
        rules += [
            f"@keyframes stay-{least} {{to {{transform: translateX(max(0px, {least - beside}px - 100cqw));}}}}",
            f"{names} {{animation: stay-{least} linear both; animation-timeline: --sideways;}}",
            f"{names} text {{paint-order: stroke; stroke: {page_colour()}; stroke-width: 8px; stroke-linejoin: round;}}",
        ]
    st.html(f"<style>{''.join(rules)}</style>")


def tabs(parts: Mapping[str, Callable[[], None]], key: str) -> None:
    """Tabs by their titles, of which only the open one is drawn: the page opens sooner."""
    if not parts:
        return
    for tab, draw in zip(st.tabs(list(parts), key=key, on_change="rerun"), parts.values(), strict=True):
        if tab.open:
            with tab:
                draw()


def tabs_in_link(state: vs.State, name: str, parts: Mapping[str, tuple[str, Callable[[], None]]]) -> None:
    """The same where the link keeps which one is open: the control ``name`` has the keys of ``parts`` as values; each part has
    its title."""
    if not parts:
        return
    key, names = f"control:{name}", {title: part for part, (title, _) in parts.items()}
    # The first one is what a link without a word about it opens.
    st.session_state[key] = parts[state[name]][0] if state[name] in parts else next(iter(names))  # type: ignore[literal-required]

    def changed() -> None:
        binding.change_one(name, names[st.session_state[key]])

    for tab, (_, draw) in zip(st.tabs(list(names), key=key, on_change=changed), parts.values(), strict=True):
        if tab.open:
            with tab:
                draw()


def note(text: str) -> None:
    """A quiet line of HTML: what others wrote must be escaped in it."""
    st.html(f'<p class="eunoe-caption">{text}</p>')


def text_table(frame: pd.DataFrame) -> None:
    """A table whose cells are sentences: they wrap, where a grid would cut them off."""
    head = "".join(f"<th>{html.escape(str(name))}</th>" for name in frame.columns)
    rows = ("".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) for row in frame.itertuples(index=False))
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    st.html(
        '<div class="eunoe-wide" tabindex="0" role="region" aria-label="Table">'
        f'<table class="eunoe-texts"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


Download = tuple[str, str, Callable[[], str]]
"""Ending, MIME type, and what makes the text once it is asked for."""


def caption(
    text: str,
    data: pd.DataFrame,
    name: str,
    more: Mapping[str, Download] | None = None,
    notes: Iterable[str] = (),
    figure: str = "",
) -> None:
    """A caption (plain text), and behind "⋯" what is said once one asks (``notes``: how a number is computed, where
    it comes from), the picture with the key ``figure`` as a file, a download of what is shown as CSV, and of ``more`` by the
    word on the button."""
    line = st.container(horizontal=True, vertical_alignment="center", wrap=False, gap="small")
    line.html(f'<p class="eunoe-caption">{html.escape(text)}</p>')
    files: dict[str, Download] = {"CSV": ("csv", "text/csv", lambda: csv_text(data)), **(more or {})}
    told = [note for note in notes if note]
    words = f"{'How this was made, ' if told else ''}{'the picture and its data' if figure else 'its data'} as a file"
    with line.popover("⋯", type="tertiary", help=words[0].upper() + words[1:], key=f"more:{name}", width="content"):
        for note in told:
            st.caption(note)
        if figure:
            st.html("".join(_SAVE.format(format=kind, figure=_in_css(figure), words=kind.upper()) for kind in ("png", "svg")))
        for word, (ending, mime, make) in files.items():
            st.download_button(
                f"Data as {word}", data=_bytes_of(make), file_name=f"eunoe-{name}.{ending}", mime=mime, key=f"{ending}:{name}",
                on_click="ignore", type="tertiary", icon=":material/download:",
            )  # fmt: skip


def _in_css(key: str) -> str:
    """A key of Streamlit's as it stands in the class of its element."""
    return re.sub("[^a-zA-Z0-9_-]", "-", key)


def _bytes_of(make: Callable[[], str]) -> Callable[[], bytes]:
    return lambda: make().encode()


def share(
    state: vs.State, methods: list[str], computed: vs.State | None = None, more: Sequence[tuple[str, str, str]] = (),
    fresh: bool = False,
) -> None:  # fmt: skip
    """The view as a link, a command, Python and a plan: each gives the same keys. ``computed``: what the commands compute,
    where that is not the state itself; ``more``: further entries of title, text and language; ``fresh``: draw the page again
    when this is opened, where parts of the page are redrawn alone."""
    computed = computed or state
    if binding.hidden(state, "copy"):
        return
    with st.popover(
        "Share", icon=":material/link:", help="This view as a link, a command, Python or a plan", width="stretch",
        key=f"{_SHARE}-{st.session_state.get(_SHARE, 0)}", on_change="rerun" if fresh else "ignore",
    ):  # fmt: skip
        query = vs.encode(state)
        address = audience.address_of(st.session_state["page"]) if audience.shared() else st.context.url or ""
        st.markdown("**Link to this view**")
        st.code(f"{address}?{query}" if query else address or "?", language=None, wrap_lines=True)
        for title, text, language in (
            *more,
            ("Terminal", vs.as_cli(computed, methods), "bash"),
            ("Python", vs.as_python(computed, methods), "python"),
            ("Plan for `sweep`", "" if vs.edited(state) else vs.as_yaml(computed, methods), "yaml"),
        ):
            if not text:  # a sweep is over discovery rates
                continue
            st.markdown(f"**{title}**")
            st.code(text, language=language, wrap_lines=True)
        words = "Hide or lock controls …"
        wanted = st.button(words, icon=":material/school:", key="teach", help="A link for a class", on_click=_close_share)
    if wanted:
        from pages.widgets import teacher

        teacher.dialog(state)


def _close_share() -> None:
    """A popover lies above a dialog, so it makes room for another one, which is closed. (Telling it to close gets lost where
    the message that it was opened is still on its way.)"""
    st.session_state[_SHARE] = st.session_state.get(_SHARE, 0) + 1
