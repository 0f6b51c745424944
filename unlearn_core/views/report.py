"""One self-contained HTML file for others: sentences, tables, pictures that still answer to the mouse, what repeats it."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from unlearn_core.views.picture import Picture

_STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #0f1620; max-width: 62rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .25rem; }
p { margin: .25rem 0 .75rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; }
th, td { text-align: right; padding: .3rem .7rem; border-bottom: 1px solid #e1e5ea; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
.words :is(td, th) { white-space: normal; text-align: left; vertical-align: top; }
figure { margin: 0; }
figcaption { color: #46505c; font-size: .92rem; }
summary { cursor: pointer; color: #2f6391; }
pre { background: #f1f3f5; padding: .75rem; border-radius: .4rem; overflow-x: auto; font-size: .85rem; }
footer { color: #46505c; font-size: .85rem; border-top: 1px solid #e1e5ea; margin-top: 2rem; padding-top: .75rem; }
@media print { details:not([open]) { display: none; } figure, table { break-inside: avoid; } }
"""


@dataclass(frozen=True)
class Section:
    """A part under its title: ``text`` in sentences, ``table`` as it is, ``pictures``, and ``code`` by title, to be copied.

    ``prose``: the table's cells are sentences; ``folded``: the table opens on a click.
    """

    title: str
    text: Sequence[str] = ()
    table: pd.DataFrame | None = None
    prose: bool = False
    folded: bool = False
    pictures: Sequence[Picture] = ()
    code: Mapping[str, str] = field(default_factory=dict)


def page(title: str, sections: Iterable[Section], closing: str) -> str:
    """The whole file, which asks the network for nothing. About 5 MB as soon as there is a picture: Plotly is inside."""
    drawn = 0
    parts = []
    for section in sections:
        parts.append(f"<h2>{html.escape(section.title)}</h2>" + _paragraphs(section.text))
        if section.table is not None:
            parts.append(_table(section.table, section.prose, section.folded))
        for picture in section.pictures:
            parts.append(_figure(picture, first=not drawn))
            drawn += 1
        for name, text in section.code.items():
            parts.append(f"<p><b>{html.escape(name)}</b></p><pre>{html.escape(text)}</pre>")
    head = (
        f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head>\n"
    )
    body = "\n".join(parts)
    return f"{head}<body>\n<h1>{html.escape(title)}</h1>\n{body}\n<footer>{html.escape(closing)}</footer>\n</body>\n</html>\n"


def _table(frame: pd.DataFrame, prose: bool, folded: bool) -> str:
    rows = frame.reset_index().to_html(index=False, border=0, classes="words" if prose else "numbers", escape=True)
    wide = f'<div class="wide">{rows}</div>'
    return f"<details><summary>{len(frame)} rows</summary>{wide}</details>" if folded else wide


def _paragraphs(sentences: Sequence[str]) -> str:
    return "".join(f"<p>{html.escape(sentence)}</p>" for sentence in sentences if sentence)


def _figure(picture: Picture, first: bool) -> str:
    drawn = picture.figure.to_html(full_html=False, include_plotlyjs=first, config={"displaylogo": False, "responsive": True})
    data = picture.data.to_html(index=False, border=0, escape=True, max_rows=200)
    return (
        f'<figure role="group" aria-label="{html.escape(picture.alt)}">{drawn}'
        f"<figcaption>{html.escape(picture.caption)}</figcaption></figure>"
        f'<details><summary>Numbers of this picture</summary><div class="wide">{data}</div></details>'
    )
