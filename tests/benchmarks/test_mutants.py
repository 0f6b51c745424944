"""The list of mutants still fits the code: what each would change is there, once, and so are the tests that should notice."""

from __future__ import annotations

import pytest

from benchmarks.measure.mutant_list import MUTANTS, Mutant, check_fits


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_fits_the_code(mutant: Mutant) -> None:
    check_fits(mutant)
    assert mutant.old != mutant.new


def test_there_are_enough_of_them_and_no_two_alike() -> None:
    assert len({(mutant.file, mutant.old, mutant.new) for mutant in MUTANTS}) == len(MUTANTS) >= 30
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
