"""Every text of the theme has at least 4.5:1 and every mark at least 3:1, on the light and on the dark background."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from unlearn_core.methods import registry as methods
from unlearn_core.views.palette import ACCENT, GROUPS, KINDS, NEUTRAL, contrast, ink_on, method_styles

THEME = tomllib.loads((Path(__file__).parents[2] / ".streamlit" / "config.toml").read_text())["theme"]
MARKS = {
    "accent": ACCENT,
    "neutral": NEUTRAL,
    **{f"group {name}": style.color for name, style in GROUPS.items()},
    **{f"kind {name}": color for name, (color, _) in KINDS.items()},
    **{f"method {name}": style.color for name, style in method_styles(["original", *methods.names()]).items()},
}


def blend(front: str, share: float, back: str) -> str:
    mixed = [share * int(front[k : k + 2], 16) + (1 - share) * int(back[k : k + 2], 16) for k in (1, 3, 5)]
    return "#" + "".join(f"{round(part):02X}" for part in mixed)


def test_contrast_by_hand() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)  # WCAG's own example of a near miss
    assert contrast("rgb(119, 119, 119)", "#FFFFFF") == contrast("#FFFFFF", "#777777")
    assert ink_on("#FFFFFF") == "#000000"
    assert ink_on("#00224D") == "#FFFFFF"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_s_texts_can_be_read(scheme: str) -> None:
    colors = THEME[scheme]
    for back in (colors["backgroundColor"], colors["secondaryBackgroundColor"]):
        for name in ("textColor", "linkColor", "codeTextColor"):
            assert contrast(colors[name], back) >= 4.5, (name, back)
    # Streamlit writes captions and icons of the navigation in the text's colour at 60 %, and buttons in white on primary.
    back = colors["backgroundColor"]
    assert contrast(blend(colors["textColor"], 0.6, back), back) >= 4.5
    assert contrast("#FFFFFF", colors["primaryColor"]) >= 4.5
    assert contrast(colors["primaryColor"], back) >= 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("mark", MARKS)
def test_every_mark_stands_out_from_the_page(mark: str, scheme: str) -> None:
    assert contrast(MARKS[mark], THEME[scheme]["backgroundColor"]) >= 3
