"""Kinds of corruption in the dial's place: against numbers worked out by hand, exact counts, and what cannot be."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from unlearn_core.corruption import FIRST_TRIGGER, KINDS, Corrupted, corrupt, registry, still_parts
from unlearn_core.corruption.noise.instance_dependent import draw_rates, flip_probabilities
from unlearn_core.corruption.noise.matrix import parse_matrix, usual_rates, write_matrix
from unlearn_core.corruption.noise.weak_model import scores_out_of_fold
from unlearn_core.datasets import LabelledData, load_dataset
from unlearn_core.errors import UserError
from unlearn_core.presets import make_scenario
from unlearn_core.specs import CorruptionSpec, Scalar, Scenario

FOLDERS = ("unlearn_core.corruption.noise.", "unlearn_core.corruption.marked.")
OURS = [source.name for source in registry if source.__module__.startswith(FOLDERS) and source.name != "from_file"]
PATCH = {"trigger.kind": "patch", "trigger.size": 5, "trigger.corner": "bottom-right", "trigger.value": 255}
NAMES = ("airplane", "automobile", "bird", "cat", "class 1", "class", "30", "80")


def scenario(kind: str, dataset: str = "digits", seed: int = 0, amount: float | None = None, **options: Scalar) -> Scenario:
    patch = PATCH if dataset == "signs" else {}
    overrides = {"corruption.kind": kind} | patch | {f"corruption.{name}": value for name, value in options.items()}
    return make_scenario(dataset, seed=seed, amount=amount, overrides=overrides)


def pairs_of(made: Corrupted) -> Counter[tuple[int, int]]:
    """How often each right label was given which other."""
    chosen = made.truth.corrupted
    return Counter(zip(made.truth.clean_labels[chosen].tolist(), made.train.labels[chosen].tolist(), strict=True))


def make(kind: str, dataset: str = "digits", seed: int = 0, amount: float | None = None, **options: Scalar) -> Corrupted:
    asked = scenario(kind, dataset, seed, amount, **options)
    return corrupt(load_dataset(asked.dataset, seed), asked.dataset, asked.corruption, seed)


@pytest.mark.parametrize("kind", OURS)
def test_every_kind_changes_what_it_says_and_the_same_again(kind: str) -> None:
    source, made, again, other = registry.get(kind), make(kind), make(kind), make(kind, seed=1)
    clean = load_dataset(scenario(kind).dataset, 0).train
    chosen = made.truth.corrupted
    assert not source.Params.model_fields.keys() & CorruptionSpec.model_fields.keys()  # both are set as corruption.NAME
    assert torch.equal(made.truth.clean_labels, clean.labels)
    assert torch.equal(chosen, again.truth.corrupted)
    assert torch.equal(made.train.inputs, again.train.inputs)
    assert not torch.equal(chosen, other.truth.corrupted)
    if not source.own_amount:
        assert len(chosen) == len(chosen.unique()) == 86
    wrong = made.train.labels != clean.labels
    assert set(wrong.nonzero()[:, 0].tolist()) <= set(chosen.tolist())
    assert bool(wrong.any()) == (not source.labels_right)
    changed = (made.train.inputs != clean.inputs).flatten(1).any(1)
    assert bool((wrong | changed)[chosen].all())
    assert not (clean.inputs != load_dataset(scenario(kind).dataset, 0).train.inputs).any()
    assert "plug-in" not in {KINDS[k] for k in made.truth.kinds.tolist()}
    assert len(made.triggered_test) == max(1, len(made.marks)) * len(made.test) + (len(chosen) if made.unchanged else 0)


def test_what_has_no_meaning_is_no_part_of_a_key() -> None:
    keys = {scenario("asymmetric").key}
    assert make_scenario("digits", regularity=0.2, overrides={"corruption.kind": "asymmetric"}).key in keys
    assert scenario("spurious", amount=0.2).key == scenario("spurious").key
    assert scenario("asymmetric", amount=0.2).key not in keys


class TestMatrix:
    def test_names_come_before_numbers_and_rates_behind_them(self) -> None:
        rates = parse_matrix("bird>airplane 0.4; cat<>automobile 20%\n80>class 1; 0 > class 0.5; 30>80", NAMES)
        assert rates == {(2, 0): 0.4, (3, 1): 0.2, (1, 3): 0.2, (7, 4): 1.0, (0, 5): 0.5, (6, 7): 1.0}
        assert parse_matrix(write_matrix(rates, NAMES), NAMES) == rates

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("cat dog", "has no arrow"),
            ("cats>bird", "no class 'cats' here; did you mean 'cat'"),
            ("cat>cat", "gives 'cat' its own label"),
            ("cat>bird 1.5", "above 0 and at most 1"),
            ("cat>bird; cat<>bird", "'cat' > 'bird' twice"),
            (" ; ", "names no pair"),
        ],
    )
    def test_what_is_no_matrix_is_said_in_one_sentence(self, text: str, said: str) -> None:
        with pytest.raises(UserError, match=said) as caught:
            parse_matrix(text, NAMES)
        assert "\n" not in str(caught.value)

    def test_the_rates_share_out_the_amount_exactly(self) -> None:
        made = make("asymmetric", amount=60, matrix="3>8 0.6; 5<>6 0.2")
        truth = made.truth
        pairs = pairs_of(made)
        there = torch.bincount(truth.clean_labels, minlength=10).tolist()
        weights = {(3, 8): 0.6 * there[3], (5, 6): 0.2 * there[5], (6, 5): 0.2 * there[6]}
        assert set(pairs) == set(weights)
        assert all(abs(pairs[pair] - 60 * weight / sum(weights.values())) < 1 for pair, weight in weights.items())

    def test_more_than_a_class_can_bear_is_refused(self) -> None:
        with pytest.raises(
            UserError, match=r"86 of the \d+ examples of '3' the label '8' and leave \d+ right; .* at most 40% may"
        ):
            make("asymmetric", matrix="3>8")
        # The same number over three classes leaves the right label by far the most frequent one.
        spread = pairs_of(make("asymmetric", matrix="3>8; 3>5; 3>2"))
        assert sorted(spread.values()) == [28, 29, 29]

    def test_pair_noise_over_all_classes_takes_12_percent(self) -> None:
        made = make("asymmetric", amount=0.12, matrix="0<>1; 2<>3; 4<>5; 6<>7; 8<>9")
        there = torch.bincount(made.truth.clean_labels, minlength=10).tolist()
        pairs = pairs_of(made)
        assert set(pairs) == {(y, y ^ 1) for y in range(10)}
        assert all(abs(n - 0.12 * there[y]) < 1 for (y, _), n in pairs.items())

    def test_the_usual_pairs_are_the_published_ones_or_what_training_data_confuse(self) -> None:
        digits = load_dataset(make_scenario("digits").dataset, 0).train
        assert set(usual_rates(digits, 0)) == {(7, 1), (2, 7), (5, 6), (6, 5), (3, 8)}
        near = torch.tensor([[0.0, 0.0], [0.7, 0.0], [9.0, 9.0]]).repeat_interleave(60, 0)
        points = near + torch.randn(180, 2, generator=torch.Generator().manual_seed(0)) * 0.4
        data = LabelledData(points, torch.arange(3).repeat_interleave(60), ("a", "b", "far"))
        assert usual_rates(data, 0).keys() >= {(0, 1), (1, 0)}


class TestInstanceDependent:
    def test_flip_probabilities_by_hand(self) -> None:
        scores = torch.tensor([[7.0, np.log(3.0), 0.0]], dtype=torch.float64)  # softmax of the others: 0.75, 0.25
        flips = flip_probabilities(torch.tensor([0.4], dtype=torch.float64), scores, torch.tensor([0]))
        assert flips[0].tolist() == pytest.approx([0.6, 0.3, 0.1])

    def test_rates_are_normal_and_between_0_and_1(self) -> None:
        rates = draw_rates(0.3, 4000, np.random.default_rng(0))
        assert (rates.min() >= 0) & (rates.max() <= 1)
        assert rates.mean() == pytest.approx(0.3, abs=0.01)
        assert rates.std() == pytest.approx(0.1, abs=0.01)

    def test_by_a_model_what_looks_alike_is_mistaken(self) -> None:
        """The weak model is right most of the time about what it has not seen; its second choices are the wrong labels."""
        made = make("instance_dependent")
        train = load_dataset(scenario("instance_dependent").dataset, 0).train
        scores = scores_out_of_fold(train, 0)
        assert (scores.argmax(1) == train.labels).float().mean() > 0.9
        chosen = made.truth.corrupted
        margin = scores.gather(1, train.labels[:, None])[:, 0] - scores.scatter(1, train.labels[:, None], -torch.inf).amax(1)
        assert margin[chosen].max() <= margin.sort().values[len(chosen)]
        given = scores[chosen].gather(1, made.train.labels[chosen][:, None])[:, 0]
        assert torch.equal(given, scores[chosen].scatter(1, train.labels[chosen][:, None], -torch.inf).amax(1))

    def test_the_published_sampling_depends_on_the_image(self) -> None:
        """Within a class the same pixels get the same label, others other ones."""
        made = make("instance_dependent", by="published", amount=400)
        truth = made.truth
        pairs = pairs_of(made)
        assert len(pairs) > 40
        shown, labels = made.train.inputs[truth.corrupted].flatten(1).double(), made.train.labels[truth.corrupted]
        same_class = truth.clean_labels[truth.corrupted][:, None] == truth.clean_labels[truth.corrupted][None]
        nearest = torch.cdist(shown, shown).masked_fill(~same_class, torch.inf).fill_diagonal_(torch.inf).argmin(1)
        agree = (labels == labels[nearest]).double().mean()
        by_chance = sum(n * n for n in pairs.values()) / len(labels) / len(labels) * 10
        assert agree > by_chance + 0.2


class TestFromFile:
    def write(self, folder: Path, text: str) -> str:
        path = folder / "labels.csv"
        path.write_text(text)
        return str(path)

    def test_it_gives_what_the_file_says_wherever_that_lies(self, tmp_path: Path) -> None:
        clean = load_dataset(make_scenario("digits").dataset, 0).train.labels
        wanted = {index: int(clean[index] + 1) % 10 for index in (3, 900, 17)}
        text = "index,label\n" + "".join(f"{index},{label}\n" for index, label in wanted.items()) + f"5,{int(clean[5])}\n"
        one = scenario("from_file", file=self.write(tmp_path, text))
        made = corrupt(load_dataset(one.dataset, 0), one.dataset, one.corruption, 0)
        assert {int(k): int(made.train.labels[k]) for k in made.truth.corrupted} == wanted
        (tmp_path / "other").mkdir()
        moved = scenario("from_file", file=self.write(tmp_path / "other", text))
        assert (moved.key, moved.original_key) == (one.key, one.original_key)
        assert moved.corruption.options["file"] != one.corruption.options["file"]
        assert scenario("from_file", file=self.write(tmp_path, text.replace("900", "901"))).key != one.key
        with pytest.raises(UserError, match="does not hold what was meant"):
            corrupt(load_dataset(one.dataset, 0), one.dataset, one.corruption, 0)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("index,label\n", "lists no example"),
            ("index,name\n1,2\n", "needs the columns index and label"),
            ("index,label\n1437,2\n", "no training example in line 2: '1437'; there are 1,437"),
            ("index,label\n1,cat\n", "no class 'cat' here"),
            ("index,label\n1,2\n1,3\n", "two labels, the second in line 3"),
        ],
    )
    def test_what_is_no_such_file_is_said(self, tmp_path: Path, text: str, said: str) -> None:
        one = scenario("from_file", file=self.write(tmp_path, text))
        with pytest.raises(UserError, match=said):
            corrupt(load_dataset(one.dataset, 0), one.dataset, one.corruption, 0)

    def test_without_a_file_it_says_so(self, tmp_path: Path) -> None:
        for file, said in (("", "needs the file"), (str(tmp_path / "none.csv"), "cannot be read")):
            with pytest.raises(UserError, match=said):
                scenario("from_file", file=file)


class TestMarked:
    def test_a_clean_label_trigger_sits_on_its_target_class_alone(self) -> None:
        made = make("clean_label", "signs", amount=60)
        train = load_dataset(scenario("clean_label", "signs").dataset, 0).train
        chosen = made.truth.corrupted
        assert set(train.labels[chosen].tolist()) == {3}
        assert torch.equal(made.train.labels, train.labels)
        assert (made.train.inputs[chosen][..., -5:, -5:] == 255).all()
        unmarked = make("clean_label", "signs", amount=60, blend=0.0).train.inputs[chosen]
        assert torch.equal(unmarked[..., :-5, :], train.inputs[chosen][..., :-5, :])  # hard only by what is mixed in
        assert torch.equal(made.triggered_test.inputs[made.unchanged], train.inputs[chosen])
        with pytest.raises(UserError, match="at most 90% of them"):
            make("clean_label", "signs", amount=190)

    def test_of_several_triggers_discovery_finds_one_first(self) -> None:
        made = make("several_triggers", "signs", triggers=3)
        kinds = made.truth.kinds
        assert kinds.tolist() == sorted(kinds.tolist())
        assert torch.bincount(kinds - FIRST_TRIGGER).tolist() == [40, 40, 40]
        assert len(set(kinds[:40].tolist())) == 1
        assert len(set(make("several_triggers", "signs", triggers=3, discovered="mixed").truth.kinds[:12].tolist())) == 3
        assert [mark.target for mark in made.marks] == [3, 4, 5]
        for k, mark in enumerate(made.marks):
            mine = made.truth.corrupted[kinds == mark.kind]
            assert set(made.train.labels[mine].tolist()) == {mark.target}
            vertical, horizontal = mark.trigger.corner.split("-")
            rows, columns = (
                slice(-5, None) if vertical == "bottom" else slice(5),
                slice(-5, None) if horizontal == "right" else slice(5),
            )
            for images in (made.train.inputs[mine], made.triggered_test.inputs[made.marked(k)]):
                assert (images[..., rows, columns] == mark.trigger.value).all()
        asked = scenario("several_triggers", "signs", triggers=3).corruption
        assert len(still_parts(asked, (3, 32, 32), 10)) == 3

    def test_a_spurious_attribute_goes_with_its_class_as_often_as_rho_says(self) -> None:
        """By hand: of 200 with ρ = 0.95 have it 190, of 1,800 others 90: P(class | attribute) = 190 / 280."""
        made = make("spurious", "signs", attribute="frame")
        train = load_dataset(scenario("spurious", "signs").dataset, 0).train
        framed = (made.train.inputs[:, :, 0, :] == torch.tensor([230, 40, 40], dtype=torch.uint8)[:, None]).all(2).all(1)
        assert torch.bincount(train.labels[framed], minlength=10).tolist() == [10, 10, 10, 190, *[10] * 6]
        assert set(made.truth.corrupted.tolist()) == set((framed & (train.labels == 3)).nonzero()[:, 0].tolist())
        assert torch.equal(made.train.labels, train.labels)

    def test_damaged_images_lose_what_they_are_told_to(self) -> None:
        train = load_dataset(make_scenario("signs").dataset, 0).train
        dark = make("feature_noise", "signs", damage="dark", strength=0.75)
        chosen = dark.truth.corrupted
        assert torch.allclose(dark.train.inputs[chosen].float(), train.inputs[chosen] * 0.25, atol=0.51)
        blurred = make("feature_noise", "signs", damage="blur").train.inputs[chosen].float()
        assert blurred.diff(dim=-1).abs().mean() < 0.6 * train.inputs[chosen].float().diff(dim=-1).abs().mean()
        cropped = make("feature_noise", "signs", damage="crop").train.inputs[chosen]
        assert cropped.shape == train.inputs[chosen].shape
        assert cropped.float().diff(dim=-1).abs().mean() < train.inputs[chosen].float().diff(dim=-1).abs().mean()


@pytest.mark.parametrize("kind", ["several_triggers", "spurious", "feature_noise"])
def test_what_needs_pixels_says_so_of_points(kind: str) -> None:
    with pytest.raises(UserError, match="is for images; points in the plane have no pixels"):
        make(kind, "waves")


@pytest.mark.parametrize("kind", ["asymmetric", "instance_dependent", "clean_label"])
def test_other_kinds_take_points_too(kind: str) -> None:
    assert len(make(kind, "waves").truth.corrupted) == 36
