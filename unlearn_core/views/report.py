"""One self-contained HTML file for others: sentences, tables, pictures that still answer to the mouse, what repeats it."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from unlearn_core.views.picture import Picture

_STYLE = """
:root { color-scheme: $scheme; --page: #fff; --text: #0f1620; --quiet: #46505c; --line: #e1e5ea; --code: #f1f3f5;
  --link: #2f6391; }
$dark
body { font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--page); max-width: 62rem; margin: 0 auto;
  padding: 1.5rem; overflow-wrap: break-word; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .25rem; }
p { margin: .25rem 0 .75rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; }
th, td { text-align: right; padding: .3rem .7rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
.words :is(td, th) { white-space: normal; text-align: left; vertical-align: top; }
figure { margin: 0; }
figcaption { color: var(--quiet); font-size: .92rem; }
.images { display: grid; grid-template-columns: repeat(auto-fill, minmax(4.6rem, 1fr)); gap: .5rem; margin: 0 0 .75rem; }
.images img { width: 100%; aspect-ratio: 1; object-fit: contain; image-rendering: pixelated; border-radius: .25rem; }
.images figcaption { font-size: .78rem; line-height: 1.25; overflow-wrap: anywhere; }
.images .out { opacity: .55; }
a { color: var(--link); }
a.file { display: inline-block; border: 1px solid var(--link); border-radius: .4rem; padding: .5rem .9rem;
  margin: 0 .5rem .5rem 0; text-decoration: none; }
summary { cursor: pointer; color: var(--link); }
pre { background: var(--code); padding: .75rem; border-radius: .4rem; overflow-x: auto; font-size: .85rem; }
footer { color: var(--quiet); font-size: .85rem; border-top: 1px solid var(--line); margin-top: 2rem; padding-top: .75rem; }
@media (max-width: 640px) { body { padding: 1rem; } pre { white-space: pre-wrap; }
  :is(th, td):first-child { white-space: normal; min-width: 8rem; } :is(th, td) { padding: .3rem .4rem; } }
@media print { details:not([open]) { display: none; } figure, table { break-inside: avoid; } }
"""
_DARK = """@media (prefers-color-scheme: dark) { :root { --page: #12161c; --text: #e8ebee; --quiet: #a9b2bc; --line: #323a44;
  --code: #1d232b; --link: #8fbde6; } }"""


@dataclass(frozen=True)
class Shown:
    """A small image: its ``address`` (data), what it shows (``alt``), the ``caption`` below; ``faded``: it stands back."""

    address: str
    alt: str
    caption: str = ""
    faded: bool = False


@dataclass(frozen=True)
class Attached:
    """A file inside the report, to be saved: its ``name``, its ``address`` (data), the ``words`` of the link."""

    name: str
    address: str
    words: str


@dataclass(frozen=True)
class Section:
    """A part under its title: ``text`` in sentences, ``images``, ``table`` as it is, ``pictures``, ``files``, and ``code`` by
    title, to be copied.

    ``prose``: the table's cells are sentences; ``folded``: the table opens on a click.
    """

    title: str
    text: Sequence[str] = ()
    table: pd.DataFrame | None = None
    prose: bool = False
    folded: bool = False
    pictures: Sequence[Picture] = ()
    code: Mapping[str, str] = field(default_factory=dict)
    images: Sequence[Shown] = ()
    files: Sequence[Attached] = ()


def page(title: str, sections: Iterable[Section], closing: str) -> str:
    """The whole file, which asks the network for nothing. About 5 MB as soon as there is a picture: Plotly is inside, and such
    a page is light, since its pictures are. Without one it follows the reader's theme."""
    sections, drawn = list(sections), 0
    light = any(section.pictures for section in sections)
    style = _STYLE.replace("$scheme", "light" if light else "light dark").replace("$dark", "" if light else _DARK)
    parts = []
    for section in sections:
        parts.append(f"<h2>{html.escape(section.title)}</h2>" + _paragraphs(section.text))
        parts.append(_images(section.images))
        if section.table is not None:
            parts.append(_table(section.table, section.prose, section.folded))
        for picture in section.pictures:
            parts.append(_figure(picture, first=not drawn))
            drawn += 1
        parts += [_file(one) for one in section.files]
        for name, text in section.code.items():
            parts.append(f"<p><b>{html.escape(name)}</b></p><pre>{html.escape(text)}</pre>")
    head = (
        f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{html.escape(title)}</title><style>{style}</style></head>\n"
    )
    body = "\n".join(parts)
    return f"{head}<body>\n<h1>{html.escape(title)}</h1>\n{body}\n<footer>{html.escape(closing)}</footer>\n</body>\n</html>\n"


def _table(frame: pd.DataFrame, prose: bool, folded: bool) -> str:
    rows = frame.reset_index().to_html(index=False, border=0, classes="words" if prose else "numbers", escape=True)
    wide = f'<div class="wide">{rows}</div>'
    return f"<details><summary>{len(frame)} rows</summary>{wide}</details>" if folded else wide


def _paragraphs(sentences: Sequence[str]) -> str:
    return "".join(f"<p>{html.escape(sentence)}</p>" for sentence in sentences if sentence)


def _images(images: Sequence[Shown]) -> str:
    shown = "".join(
        f'<figure{" class=out" if one.faded else ""}><img alt="{html.escape(one.alt)}" src="{html.escape(one.address)}">'
        f"<figcaption>{html.escape(one.caption)}</figcaption></figure>"
        for one in images
    )
    return f'<div class="images">{shown}</div>' if shown else ""


def _file(one: Attached) -> str:
    return f'<a class="file" download="{html.escape(one.name)}" href="{html.escape(one.address)}">{html.escape(one.words)}</a>'


def _figure(picture: Picture, first: bool) -> str:
    drawn = picture.figure.to_html(full_html=False, include_plotlyjs=first, config={"displaylogo": False, "responsive": True})
    least = f' style="min-width: {picture.least_width}px"' if picture.least_width else ""
    data = picture.data.to_html(index=False, border=0, escape=True, max_rows=200)
    return (
        f'<figure role="group" aria-label="{html.escape(picture.alt)}">'
        f'<div class="wide"><div{least}>{drawn}</div></div>'
        f"<figcaption>{html.escape(picture.caption)}</figcaption></figure>"
        f'<details><summary>Numbers of this picture</summary><div class="wide">{data}</div></details>'
    )
