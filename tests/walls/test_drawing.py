"""The picture in ARCHITECTURE.md is drawn from the imports as they are."""

from __future__ import annotations

import re

from tests.walls.draw import TARGET, direct, draw, rooms


def test_the_committed_picture_has_todays_rooms_and_arrows() -> None:
    def without_sizes(text: str) -> str:
        return re.sub(r">[^<]*lines</text>", "></text>", text)

    assert without_sizes(TARGET.read_text()) == without_sizes(draw()), "python -m tests.walls.draw"


def test_an_arrow_that_a_longer_way_implies_is_left_out() -> None:
    arrows = direct({room: others for room, (_, others) in rooms().items()})
    assert "stages" in arrows["views"]
    assert "models" in rooms()["views"][1] - arrows["views"]  # by way of what stands between them
