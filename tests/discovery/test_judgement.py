"""What discovery promises: no example is scored by a model that knew it, probabilities rise with the score, and few known
examples or a clean set are said to be so."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch

from unlearn_core.discovery import MIN_KNOWN, ModelOutputs, fold_of, judge, out_of_fold, registry
from unlearn_core.discovery.fusion import fuse, refine
from unlearn_core.discovery.judgement import Judgement, judge_table
from unlearn_core.discovery.mixture import bins_of, fit_mixture

COUNT, CORRUPTED = 600, 48
LABELS = np.arange(COUNT) % 4


def made_up(known: int, seed: int = 0, gap: float = 3.0) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Scores of three kinds (one of them noise), which examples are known, and which are corrupted."""
    rng = np.random.default_rng(seed)
    corrupted = np.zeros(COUNT, bool)
    corrupted[rng.permutation(COUNT)[:CORRUPTED]] = True
    forget = np.zeros(COUNT, bool)
    forget[rng.permutation(corrupted.nonzero()[0])[:known]] = True
    table = {
        name: rng.normal(size=COUNT) * 0.4 + gap * corrupted * share
        for name, share in (("healed_margin", 1.0), ("change", 0.6), ("learned_late", 0.0))
    }
    return table, forget, corrupted


def judged(known: int = 10, seed: int = 0, gap: float = 3.0) -> tuple[Judgement, np.ndarray]:
    table, forget, corrupted = made_up(known, seed, gap)
    return judge_table(table, forget, LABELS), corrupted


def random_view(known: list[int], seed: int, count: int = 60) -> ModelOutputs:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(4, (count,), generator=torch.Generator().manual_seed(0))
    flags = torch.zeros(count, dtype=torch.bool)
    flags[known] = True
    logits, features = torch.randn(count, 4, generator=generator), torch.randn(count, 5, generator=generator)
    masked, original = torch.randn(count, 4, generator=generator), torch.randn(count, 4, generator=generator)
    return ModelOutputs(labels, flags, original, features.flip(0), logits, features, masked)


def test_folds_hold_every_known_example_out_once_and_are_even() -> None:
    fold = fold_of(10, 4, seed=3)
    assert sorted(torch.bincount(fold).tolist()) == [2, 2, 3, 3]
    assert torch.equal(fold, fold_of(10, 4, seed=3))
    assert len(fold_of(2, 4, seed=0).unique()) == 2


def test_a_known_example_is_never_scored_by_a_view_that_knew_it() -> None:
    forget = torch.zeros(60, dtype=torch.bool)
    forget[:6] = True
    # The second view knew examples 0 to 2; what it says of them must not matter.
    one, two = random_view([3, 4, 5], 1), random_view([0, 1, 2], 2)
    before = out_of_fold([one, two], forget)
    changed = two.logits.clone()
    changed[:3] = 50 * torch.eye(4)[:3]
    after = out_of_fold([one, ModelOutputs(**{**two.__dict__, "logits": changed})], forget)
    for name in ("healed_loss", "healed_margin", "change", "redirect_gain"):
        assert torch.equal(before[name][:3], after[name][:3]), name
        assert torch.isfinite(before[name]).all()
    # Of those that the second view did not know, it has a say.
    other = two.logits.clone()
    other[3] = torch.tensor([50.0, 0, 0, 0])
    assert (
        after["healed_loss"][3]
        != out_of_fold([one, ModelOutputs(**{**two.__dict__, "logits": other})], forget)["healed_loss"][3]
    )


def test_what_every_view_knew_has_no_score() -> None:
    forget = torch.zeros(60, dtype=torch.bool)
    forget[:6] = True
    table = out_of_fold([random_view([0, 1], 1), random_view([0, 2], 2)], forget)
    assert all(torch.isnan(values[0]) and torch.isfinite(values[1:]).all() for values in table.values())


def test_every_score_describes_itself_and_ranks_all_examples() -> None:
    view = random_view([0, 1, 2, 3], 5)
    assert len(registry) >= 8
    for score in registry:
        values = score.compute(view)
        assert score.label
        assert score.summary.endswith(".")
        if values is not None:
            assert values.shape == (60,), score.name
            assert torch.isfinite(values).all(), score.name


def test_a_mistake_within_the_known_changes_no_weight_that_it_is_ranked_with() -> None:
    """Leave-one-out: a known example that looks clean keeps its low rank, however the others are ranked."""
    table, forget, _ = made_up(10)
    odd = forget.nonzero()[0][0]
    for values in table.values():
        values[odd] = -1.0
    fusion = fuse(table, forget)
    assert fusion.fused[odd] < np.quantile(fusion.fused[~forget], 0.2)
    assert fusion.auc["healed_margin"] > fusion.auc["learned_late"]
    assert refine(fusion, table, forget).fused[odd] < np.median(fusion.fused[~forget])


@pytest.mark.parametrize("seed", range(5))
def test_probability_never_falls_as_the_score_rises(seed: int) -> None:
    judgement, corrupted = judged(seed=seed)
    assert judgement.state == "judged"
    order = np.argsort(judgement.fusion.fused)
    assert (np.diff(judgement.probability[order]) >= 0).all()
    assert ((judgement.probability >= 0) & (judgement.probability <= 1)).all()
    assert judgement.probability[corrupted].mean() > 0.8 > 0.2 > judgement.probability[~corrupted].mean()


@pytest.mark.parametrize("seed", range(5))
def test_the_curve_is_a_curve_and_the_estimates_hold(seed: int) -> None:
    judgement, corrupted = judged(seed=seed)
    curve, suspects = judgement.curve, judgement.suspects
    assert len(curve) == len(suspects) == COUNT - 10
    assert (np.diff(curve["threshold"]) <= 0).all()
    assert (np.diff(curve["recall"]) >= 0).all()
    for name in ("precision", "recall"):
        low, middle, high = (curve[column] for column in (f"{name}_low", name, f"{name}_high"))
        assert ((low >= 0) & (low <= middle + 1e-9) & (middle <= high + 1e-9) & (high <= 1)).all()
    taken = judgement.accept_count(0.9)
    true = corrupted[suspects[:taken]].mean()
    assert abs(curve["precision"][taken - 1] - true) <= 0.1
    assert corrupted[suspects[:taken]].sum() >= 0.8 * (CORRUPTED - 10)
    assert judgement.accept_count(0.99) <= taken
    assert judgement.accept_count(0.9, most=3) == 3
    low, high = judgement.undiscovered[1:]
    assert low <= CORRUPTED - 10 <= high


def test_expected_precision_is_the_mean_probability_of_those_taken() -> None:
    judgement, _ = judged()
    probability = judgement.probability[judgement.suspects]
    assert probability[0] > 0.9
    for count in (1, 2, 10, 300):
        assert judgement.curve["precision"][count - 1] == pytest.approx(probability[:count].mean(), abs=1e-12)


def test_the_interval_of_the_precision_holds_the_true_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """90 % intervals over made-up sets in which the two groups overlap; at least as wide as drawing the mistakes makes them."""
    monkeypatch.setattr("unlearn_core.discovery.judgement.REPLICATES", 8)  # of which the width takes a small part
    low, high = [], []
    for seed in range(40):
        judgement, corrupted = judged(10, seed, gap=1.5)
        count = int(1.5 * (CORRUPTED - 10))
        row = judgement.curve.iloc[count - 1]
        true = corrupted[judgement.suspects[:count]].mean()
        low.append(row["precision_low"] <= true)
        high.append(true <= row["precision_high"])
        drawn = 1.645 * (row["precision"] * (1 - row["precision"]) / count) ** 0.5
        assert row["precision"] - row["precision_low"] >= min(drawn, row["precision"])
        assert row["precision_high"] - row["precision"] >= min(drawn, 1 - row["precision"])
    assert np.mean(low) >= 0.95
    assert np.mean(high) >= 0.95
    assert np.mean(np.array(low) & np.array(high)) >= 0.9


def test_nothing_improbable_is_taken_though_the_average_would_allow_it() -> None:
    judgement, _ = judged()
    count = 20
    curve = pd.DataFrame({"precision": np.full(count, 0.95)})
    probability = judgement.probability.copy()
    probability[judgement.suspects[:count]] = np.r_[np.full(15, 0.99), 0.8, 0.79, 0.5, 0.3, 0.1]
    doubtful = dataclasses.replace(judgement, curve=curve, probability=probability)
    assert doubtful.accept_count(0.9) == 16
    assert doubtful.accept_count(0.96) == 0


def test_where_everything_is_known_no_more_is_expected() -> None:
    judgement, _ = judged(CORRUPTED)
    assert judgement.state == "judged"
    assert judgement.accept_count(0.9) == 0
    assert "No more" in judgement.sentence
    assert "About" in judged(10)[0].sentence


def test_few_known_examples_leave_a_wider_interval() -> None:
    few, many = judged(MIN_KNOWN)[0].curve, judged(25)[0].curve
    assert few["precision_low"][10] < many["precision_low"][10]
    assert (few["recall_high"] - few["recall_low"])[10] > (many["recall_high"] - many["recall_low"])[10]


def test_a_second_hump_is_not_taken_for_clean() -> None:
    """Known examples sit at the top of a hump with a long lower tail; the gap below it belongs to neither."""
    rng = np.random.default_rng(1)
    hump = 3 - rng.gamma(2.0, 0.35, 60)
    pool, known = np.concatenate([rng.normal(size=1000) * 0.3, hump]), np.sort(hump)[-9:]
    probability = fit_mixture(*bins_of(pool, known), known)(hump)
    assert (probability > 0.5).mean() > 0.9


def test_fewer_than_five_known_are_ranked_only() -> None:
    judgement, _ = judged(MIN_KNOWN - 1)
    assert judgement.state == "ranked"
    assert judgement.curve.empty
    assert judgement.accept_count(0.9) == 0
    assert np.isnan(judgement.probability).all()
    assert "Fewer than 5" in judgement.sentence
    assert len(judgement.suspects) == COUNT - MIN_KNOWN + 1


@pytest.mark.parametrize("seed", range(10))
def test_a_forget_set_that_nothing_sets_apart_looks_clean(seed: int) -> None:
    table, _, _ = made_up(10, seed, gap=0.0)
    forget = np.zeros(COUNT, bool)
    forget[np.random.default_rng(100 + seed).permutation(COUNT)[:10]] = True
    judgement = judge_table(table, forget, LABELS)
    assert judgement.accept_count(0.9) <= 0.01 * COUNT
    assert judgement.state == "clean"
    assert "looks clean" in judgement.sentence


def test_a_class_that_all_looks_suspect_is_hardly_ever_evidence() -> None:
    """REM told of clean examples damages their class: their peers are as suspect as they are. One set in twenty may fool it."""
    fooled = 0
    for seed in range(60):
        table, _, _ = made_up(10, seed, gap=0.0)
        forget = np.zeros(COUNT, bool)
        forget[np.random.default_rng(seed).permutation((LABELS == 2).nonzero()[0])[:10]] = True
        for values in table.values():
            values += 3.0 * (LABELS == 2)
        judgement = judge_table(table, forget, LABELS)
        assert judgement.fusion.held_out_auc > 0.8
        fooled += judgement.state != "clean"
    assert fooled <= 0.1 * 60


def test_the_same_views_give_the_same_judgement() -> None:
    one, two = judged(seed=3)[0], judged(seed=3)[0]
    assert np.array_equal(one.probability, two.probability)
    assert one.curve.equals(two.curve)
    forget = torch.zeros(60, dtype=torch.bool)
    forget[:6] = True
    views = [random_view([3, 4, 5], 1), random_view([0, 1, 2], 2)]
    assert np.array_equal(judge(views, forget).suspects, judge(views, forget).suspects)
