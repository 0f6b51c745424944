"""Cards as one self-contained HTML page: pictures, what they share, three answers, and a button that saves them as CSV."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Sequence

import numpy as np

from unlearn_core.discovery.cards import Card
from unlearn_core.discovery.questions import ANSWERS
from unlearn_core.front_door.card_answers import COLUMNS, AnswerRow, write_answers
from unlearn_core.training import DeviceData
from unlearn_core.views.looks.cards import describe_card, share_of

SIDE = 96
"""Pixels a side at which small images are shown."""

_STYLE = """
:root { color-scheme: light dark; --line: #8886; --accent: #0072b2; }
body { font: 16px/1.45 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
section { border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1rem; margin: 1rem 0; }
h2 { font-size: 1.05rem; margin: 0 0 .25rem; }
p { margin: .25rem 0 .5rem; }
.shown { display: grid; grid-template-columns: repeat(auto-fill, minmax(5.5rem, 1fr)); gap: .5rem; }
figure { margin: 0; text-align: center; font-size: .8rem; overflow-wrap: anywhere; }
img { width: 100%; max-width: 6rem; image-rendering: pixelated; border: 1px solid var(--line); }
.common { display: flex; flex-wrap: wrap; gap: 1rem; margin: .75rem 0 0; }
.common figure { width: 6.5rem; }
fieldset { border: 0; padding: .5rem 0 0; margin: 0; display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; }
label { display: inline-flex; gap: .4rem; align-items: center; min-height: 2.75rem; }
button { font: inherit; padding: .6rem 1rem; border-radius: .5rem; border: 1px solid var(--accent);
  background: var(--accent); color: #fff; }
footer { position: sticky; bottom: 0; background: Canvas; padding: .75rem 0; border-top: 1px solid var(--line); }
"""
_SCRIPT = """
const sections = [...document.querySelectorAll("section")];
const say = () => { const done = document.querySelectorAll("input:checked").length;
  document.querySelector("output").textContent = done + " of " + sections.length + " answered"; };
document.addEventListener("change", say); say();
document.querySelector("button").addEventListener("click", () => {
  const before = document.querySelector("template").innerHTML;
  const lines = sections.map(s => { const on = s.querySelector("input:checked");
    return [s.dataset.round, s.dataset.card, on ? on.value : "", "", s.dataset.shown].join(","); });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([before + lines.join("\\n") + "\\n"], { type: "text/csv" }));
  link.download = "answers.csv"; link.click(); });
"""


def write_sheet(
    cards: Sequence[Card],
    turn: int,
    data: DeviceData,
    names: Sequence[str] | None = None,
    paths: Sequence[str] = (),
    earlier: Sequence[AnswerRow] = (),
    about: str = "",
    explain: Callable[[Card, Sequence[str] | None], str] = describe_card,
) -> str:
    """The page. ``turn``: the round of questions; ``names`` of the classes, ``paths`` of the examples where they are files;
    ``earlier``: answers of earlier rounds, which the saved file repeats; ``about``: how it stands; ``explain``: why the
    examples of a card belong together."""
    body = "".join(_section(card, turn, data, names, paths, explain(card, names)) for card in cards)
    begin = html.escape(write_answers(earlier) if earlier else ",".join(COLUMNS) + "\n")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Cards to look at</title><style>{_STYLE}</style></head><body><main><h1>Are these labels wrong?</h1>"
        f"<p>{html.escape(about)} One answer a card: <b>wrong</b> if (nearly) all of its given labels are wrong, <b>right</b> "
        f"if (nearly) none is, else <b>mixed</b>.</p>{body}</main><footer><output></output> "
        f"<button>Save answers</button></footer><template>{begin}</template><script>{_SCRIPT}</script></body></html>\n"
    )


def _section(card: Card, turn: int, data: DeviceData, names: Sequence[str] | None, paths: Sequence[str], why: str) -> str:
    shown = " ".join(str(int(index)) for index in card.shown)
    pictures = "".join(_figure(int(index), data, names, paths) for index in card.shown)
    choices = "".join(
        f'<label><input type="radio" name="card{card.number}" value="{answer}">{answer}</label>' for answer in ANSWERS
    )
    return (
        f'<section data-round="{turn}" data-card="{card.number}" data-shown="{shown}"><h2>Card {card.number}</h2>'
        f"<p>{html.escape(why)}</p>"
        f'<div class="shown">{pictures}</div>{_common(card, data)}<fieldset>{choices}</fieldset></section>'
    )


def _figure(index: int, data: DeviceData, names: Sequence[str] | None, paths: Sequence[str]) -> str:
    label = int(data.labels[index])
    given = html.escape(names[label] if names else str(label))
    name = html.escape(paths[index] if paths else f"#{index}")
    example = data.inputs[index].cpu().numpy()
    if example.ndim == 3:
        inside = f'<img alt="example {index}, given label {given}" src="{_png(_to_bytes(example, data))}">'
    else:
        inside = html.escape(", ".join(f"{value:.2f}" for value in example.ravel()[:4]))
    return f"<figure>{inside}<figcaption>{given}<br>{name}</figcaption></figure>"


def _common(card: Card, data: DeviceData) -> str:
    if data.inputs.dim() != 4:
        return ""
    shared = share_of(card, data.inputs, data.labels)
    scale = max(1e-6, float(np.abs(shared.difference).max()))
    difference = (128 + 127 * shared.difference / scale).clip(0, 255).astype(np.uint8)
    pictures = (("their average", _png(_to_bytes(shared.mean, data))), ("less their class", _png(difference)))
    shown = "".join(
        f'<figure><img alt="{words}" src="{picture}"><figcaption>{words}</figcaption></figure>' for words, picture in pictures
    )
    return f'<div class="common">{shown}</div>'


def _to_bytes(example: np.ndarray, data: DeviceData) -> np.ndarray:
    """Pixels from 0 to 255; floats are stretched to what the data hold."""
    if example.dtype != np.uint8 and data.inputs.is_floating_point():
        low, high = float(data.inputs.min()), float(data.inputs.max())
        example = (example - low) * 255 / max(high - low, 1e-6)
    pixels: np.ndarray = example.clip(0, 255).astype(np.uint8)
    return pixels


def _png(pixels: np.ndarray) -> str:
    """A data address of an image (C, H, W) of bytes; small ones are enlarged by whole numbers."""
    from PIL import Image

    shape = pixels[:3].transpose(1, 2, 0) if len(pixels) >= 3 else pixels[0]
    image = Image.fromarray(np.ascontiguousarray(shape))
    times = max(1, SIDE // max(image.size))
    image = image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
