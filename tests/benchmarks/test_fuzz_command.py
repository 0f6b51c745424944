"""The fuzz command's own ground: it outlives every command line, also one that hands its process to another program."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from typer.main import get_command

from benchmarks.measure.fuzzing.arguments import attempt, make_vector
from benchmarks.measure.fuzzing.files import make_seeds, mutate
from benchmarks.measure.fuzzing.queries import make_query
from benchmarks.measure.serving import PAGES
from unlearn_core.cli import app

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", get_command(app).commands)  # type: ignore[attr-defined]
def test_a_command_that_refuses_does_so_in_words(name: str) -> None:
    assert attempt([name, "--no-such-option"]) == ""


def test_a_command_that_becomes_another_program_leaves_the_next_one_as_it_was(tmp_path: Path) -> None:
    before = dict(os.environ)
    assert attempt(["app", "--store", str(tmp_path / "elsewhere"), "--engine", "inline"]) == ""
    assert dict(os.environ) == before


def test_what_is_tried_is_of_every_kind_and_follows_from_the_seed(tmp_path: Path) -> None:
    made = [[make_vector(random.Random(k), ["x.csv"]) for k in range(100)] for _ in range(2)]
    assert made[0] == made[1]
    assert {vector[0] for vector in made[0]} >= set(get_command(app).commands)  # type: ignore[attr-defined]
    assert len({make_query(random.Random(k)) for k in range(100)}) > 95
    seeds = make_seeds(tmp_path)
    assert all(mutate(path.read_bytes(), random.Random(1)) != path.read_bytes() for path in seeds.values())


def test_every_page_of_the_app_is_opened() -> None:
    pages = {path.stem for path in (ROOT / "pages").glob("*.py")} - {"__init__", "start"}
    assert set(PAGES) == pages | {""}
