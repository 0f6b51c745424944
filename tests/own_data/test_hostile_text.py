"""Text from a link and names of classes on the pages: shown as written, whatever Markdown or HTML it looks like."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from ownpage import enter, opened, words
from streamlit.testing.v1 import AppTest

from unlearn_core.support.escaping import JOINER, escape_markdown

pytestmark = pytest.mark.usefixtures("at_the_root")

EVIL = "![p](http://evil.example/p.png)[l](http://evil.example)<img src=x>:red[r] www.evil.example"
_ALIVE = re.compile(rf"\]\(|<img|:red\[|http:(?!{JOINER})//|www\.")
NAME = "<img src=x>[l](http://evil.example)"


def obeyed(app: AppTest) -> list[str]:
    """What on the page would be rendered as markup that came from outside."""
    found = []
    for kind in (app.markdown, app.caption, app.info, app.warning, app.error, app.success):
        for element in kind:
            rest = re.sub(r"\\.", "", str(element.value))
            if re.search(r"evil|\bimg\b", str(element.value)) and re.search(
                rf"\]\(|<img|:red\[|http:(?!{JOINER})//|www\.", rest
            ):
                found.append(str(element.value))
    for element in app.main:
        if getattr(element, "type", "") == "html" and re.search(r"<img src=x|<a ", element.proto.body):
            found.append(element.proto.body)
    for chart in app.get("plotly_chart"):
        spec = chart.proto.spec.replace("\\u003c", "<").replace("\\u003e", ">")
        if "<img src=x" in spec or "<a " in spec:
            found.append(spec)
    return found


@pytest.mark.parametrize(
    "field", ["metric", "methods", "dataset", "corner", EVIL, f"x.{EVIL}", "rem.epochs", "model.architecture"]
)
def test_what_a_link_says_is_not_obeyed(field: str) -> None:
    app = opened(**{field.replace(".", "__") if "evil" not in field else field: EVIL})
    assert not obeyed(app)


def test_a_link_is_quoted_as_it_is_written() -> None:
    app = opened(metric="[l](http://evil.example)")
    assert escape_markdown("'[l](http://evil.example)'") in words(app)
    assert not obeyed(app)


def test_names_of_classes_are_not_obeyed(photos: Path) -> None:
    table = photos / "table.csv"
    with table.open("w", newline="") as file:
        rows = [(path.relative_to(photos), path.parent.name) for path in sorted(photos.rglob("*.png"))]
        named = [(path, NAME if label == "ant" else label, path.parts[0]) for path, label in rows]
        csv.writer(file).writerows([("path", "label", "split"), *named])
    app = enter(opened(), table)
    assert "What was read" in words(app)
    assert "&lt;img src=x&gt;[l](http://evil.example)" in words(app)  # the class is there, as text
    assert not obeyed(app)
    app.switch_page("pages/craft.py")
    app.run()
    assert not app.exception
    assert not obeyed(app)
