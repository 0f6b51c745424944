"""Every text of the theme has at least 4.5:1 and every mark at least 3:1, on the light and on the dark background."""

from __future__ import annotations

import tomllib
from itertools import combinations
from pathlib import Path

import numpy as np
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


SEEN_AS = {
    "as most see": np.eye(3),
    "protanopia": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    "deuteranopia": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]),
    "tritanopia": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]]),
}
"""Machado, Oliveira and Fernandes (2009), severity 1: what becomes of linear red, green and blue."""


def lab(color: str, seen: np.ndarray) -> np.ndarray:
    """A colour in CIE L*a*b* (D65), seen through such eyes."""
    srgb = np.array([int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)])
    linear = np.clip(seen @ np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4), 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ linear
    f = np.where((t := xyz / (0.9505, 1, 1.089)) > 0.008856, np.cbrt(t), 7.787 * t + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("eyes", SEEN_AS)
def test_groups_are_told_apart_by_colour_blind_eyes(eyes: str) -> None:
    assert np.linalg.norm(lab("#FFFFFF", SEEN_AS[eyes]) - lab("#000000", SEEN_AS[eyes])) == pytest.approx(100, abs=1)
    for one, other in combinations([GROUPS[name] for name in ("clean", "discovered", "undiscovered", "redirect")], 2):
        apart = np.linalg.norm(lab(one.color, SEEN_AS[eyes]) - lab(other.color, SEEN_AS[eyes]))
        assert apart > 15, (one.label, other.label, apart)  # about 2 is just noticed
