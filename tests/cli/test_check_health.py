"""``check``: data health as text, as JSON, and its groups as forget lists."""

from __future__ import annotations

from pathlib import Path

import pytest
from clitools import ask
from healthtools import make_clean, plant

from unlearn_core.cli import main

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("photos")
    plant(make_clean(root, train=100, test=4))
    return root


def test_every_finding_is_printed_with_its_threshold_and_written_as_a_forget_list(
    photos: Path, tmp_path: Path, capsys: Capture
) -> None:
    assert main(["check", "--data", str(photos), "--groups", str(tmp_path / "groups")]) == 0
    out = capsys.readouterr().out
    assert "- Blurry (image): " in out
    assert "- In training and test (data set): 1 of 8 test images" in out
    assert "Iglewicz and Hoaglin 1993" in out
    assert "Outliers are not looked for: they need a network" in out
    told = ask(capsys, "check", "--data", str(photos))["health"]
    groups = {one["name"]: one for one in told["findings"]}
    assert groups["dark"]["files"] == [f"train/bee/{k:03}.png" for k in (int(name[-7:-4]) for name in groups["dark"]["files"])]
    assert groups["dark"]["count"] == len(groups["dark"]["values"]) == 3
    assert {path.stem for path in (tmp_path / "groups").glob("*.csv")} == {*groups}
    again = ask(capsys, "check", "--data", str(photos), "--forget", str(tmp_path / "groups" / "dark.csv"))
    assert again["forget"]["size"] == 3
    assert {again["forget"]["first"], again["forget"]["last"]} <= {*groups["dark"]["files"]}


def test_it_can_be_left_out_and_mistakes_get_a_sentence(photos: Path, tmp_path: Path, capsys: Capture) -> None:
    assert "health" not in ask(capsys, "check", "--data", str(photos), "--no-health")
    assert main(["check", "--data", str(photos), "--no-health", "--groups", str(tmp_path / "g")]) == 2
    assert "--no-health has no meaning" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert main(["check", "--data", str(photos), "--groups", str(tmp_path / "file")]) == 2
    assert "is a file" in capsys.readouterr().err
