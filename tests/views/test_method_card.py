"""What is said about a method: from the registry, the presets and the tuned file, and nothing that is not known."""

from __future__ import annotations

import pytest

from unlearn_core import presets
from unlearn_core.methods import registry
from unlearn_core.views.text.method_card import aim, linked, method_card


@pytest.mark.parametrize("name", registry.names())
def test_every_method_has_everything_to_say(name: str) -> None:
    known = method_card(name, "digits")
    assert known.label
    assert known.family
    assert known.paper
    assert known.summary.count(".") >= 2
    assert known.needs
    assert known.aim
    assert known.source.endswith(".")
    assert not set(known.needs) & set(known.without)


def test_citations_become_links_and_other_words_stay() -> None:
    assert linked("arXiv:2004.14340, arXiv:1703.04730 (x)") == (
        "[arXiv:2004.14340](https://arxiv.org/abs/2004.14340), [arXiv:1703.04730](https://arxiv.org/abs/1703.04730) (x)"
    )
    assert linked("upper bound") == "upper bound"


def test_regions_are_said_in_words() -> None:
    assert aim((0, 1), (0, 1)) == "any corruption, at any discovery rate"
    assert aim((0.75, 1), (0.9, 1)) == "triggers (regularity 0.75 to 1), with at least 90 % of it discovered"
    assert aim((0.6, 0.8), (0, 0.5)) == "mixtures (regularity 0.6 to 0.8), with 0 to 50 % of it discovered"


def test_a_point_is_inside_a_region_with_its_edges() -> None:
    known = method_card("npo", "digits")
    assert known.aims_at(0.75, 0.0)
    assert not known.aims_at(0.74, 0.5)


def test_the_tuned_file_is_named_with_its_provenance(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = {"params": {"epochs": 9}, "score": 0.8123, "preset_score": 0.5, "seeds": [100, 101], "tried": 25}
    found = {"methods": {"scrub": entry, "npo": {"params": {}}}}
    monkeypatch.setattr(presets, "tuned", lambda family: found)
    known = method_card("scrub", "digits")
    assert known.source == (
        "Tuned by the held-out-F rule on seeds 100, 101, score 0.81 (its preset: 0.50), 25 configurations tried."
    )
    assert known.preset["epochs"] == 9
    assert method_card("npo", "digits").source == "Tuned by the held-out-F rule."
