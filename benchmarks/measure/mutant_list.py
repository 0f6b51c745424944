"""The mutants: small changes of the code, each with the tests that should notice."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.paths import ROOT


@dataclass(frozen=True)
class Mutant:
    """``old`` stands once in ``file`` (below ``unlearn_core``) and becomes ``new``; ``tests`` are what should notice."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


SIGNS = ("tests/methods/test_signs_and_scores.py",)
REM = ("tests/methods/test_rem.py", *SIGNS)
EFFECTS = "tests/methods/test_effects.py"
DISTILLING = ("tests/methods/test_distillation.py",)
DAMPENING = ("tests/methods/test_dampening.py",)
JUDGEMENT = ("tests/discovery/test_judgement.py",)
MEASURES = ("tests/evaluation",)


def effect(name: str) -> tuple[str, ...]:
    """The test of one method's effect."""
    return (f"{EFFECTS}::test_a_method_does_what_it_is_for[{name}-digits]",)


MUTANTS = (
    Mutant("NPO lowers the loss", "methods/ascent/npo.py", "-bounded_loss(", "bounded_loss(", SIGNS),
    Mutant(
        "NPO without reference losses",
        "methods/ascent/npo.py",
        "before[ids], self.p.beta",
        "0 * before[ids], self.p.beta",
        SIGNS,
    ),
    Mutant("ascent descends", "methods/ascent/ascent.py", "-ce.mean()", "ce.mean()", effect("ascent")),
    Mutant("the proxy has no floor", "methods/shared/rounds.py", "(1 - max(0.2, forget))", "(1 - forget)", SIGNS),
    Mutant("the proxy ignores forgetting", "methods/shared/rounds.py", "retain * (1 - max(0.2, forget))", "retain", SIGNS),
    Mutant(
        "a flush shares redirection's optimiser",
        "methods/redirection/rem.py",
        "self._forget_steps(make_base_optimizer(self.model, self.p, self.p.flush_rate))",
        "self._forget_steps(self.optimizer)",
        SIGNS,
    ),
    Mutant(
        "REM's removal lowers the loss", "methods/redirection/rem.py", "return -bounded_loss(ce", "return bounded_loss(ce", REM
    ),
    Mutant(
        "REM's repair raises the loss",
        "methods/redirection/rem.py",
        "return bounded_loss(ce, before, beta)",
        "return -bounded_loss(ce, before, beta)",
        REM,
    ),
    Mutant(
        "REM removes everything",
        "methods/redirection/rem.py",
        "removed = torch.where(member, removal, 0)",
        "removed = removal",
        REM,
    ),
    Mutant(
        "REM's removal starts from the masked loss",
        "methods/redirection/references.py",
        'self.p.removal_reference == "masked" or mask is None',
        'self.p.removal_reference == "dropped" or mask is None',
        REM,
    ),
    Mutant(
        "statistics are not measured after a round",
        "methods/shared/rounds.py",
        "seen = measure_statistics(model, self.task.data, self.reporter, self.looked_at)",
        "seen = None\n        model.eval()",
        ("tests/methods/test_rounds.py",),
    ),
    Mutant(
        "no round ever falls",
        "methods/shared/rounds.py",
        "if kept >= best - max(FALL",
        "if kept >= -max(FALL",
        ("tests/methods/test_rounds.py",),
    ),
    Mutant(
        "a network in ruins that rises a little was given back",
        "methods/shared/rounds.py",
        "if not since or kept < best / 2:",
        "if not since:",
        ("tests/methods/test_rounds.py",),
    ),
    Mutant(
        "a class that was lost is pushed on",
        "methods/redirection/rem.py",
        "run.sparing = class_collapsed(model, run.answers, task)",
        "run.sparing = False",
        ("tests/methods/test_safeguards.py",),
    ),
    Mutant(
        "a configuration that loses a class is tuned for",
        "tuning/held_out.py",
        "return products if products.isfinite().all() and not self.lost else",
        "return products if products.isfinite().all() else",
        ("tests/tuning/test_tuning.py",),
    ),
    Mutant(
        "DEL without its reset",
        "methods/localised/del_.py",
        "reset(model, task.fresh_model(task.seed + 1), masks)",
        "task.fresh_model(task.seed + 1)",
        SIGNS,
    ),
    Mutant(
        "DEL goes back to where the original began",
        "methods/localised/del_.py",
        "task.fresh_model(task.seed + 1)",
        "task.fresh_model(task.seed)",
        SIGNS,
    ),
    Mutant(
        "one order of channels for all layers",
        "models/redirect/layers.py",
        "seed * 1_000_003 + layer",
        "seed * 1_000_003",
        SIGNS,
    ),
    Mutant(
        "NegGrad+ lowers both losses",
        "methods/ascent/neggrad_plus.py",
        "- p.forget_weight * raised",
        "+ p.forget_weight * raised",
        effect("neggrad_plus"),
    ),
    Mutant("SCRUB's ascent descends", "methods/distillation/scrub.py", "return -kl if", "return kl if", DISTILLING),
    Mutant(
        "a divergence without its temperature",
        "methods/distillation/teachers.py",
        "return temperature**2 * F.kl_div",
        "return F.kl_div",
        DISTILLING,
    ),
    Mutant("dampening amplifies", "methods/dampening/dampening.py", ".clamp(max=1)", ".clamp(min=1)", DAMPENING),
    Mutant(
        "what matters least is dampened", "methods/dampening/dampening.py", "ratio > threshold", "ratio < threshold", DAMPENING
    ),
    Mutant(
        "random labels for the retain set",
        "methods/shared/relabelling.py",
        "torch.where(is_forget[ids], drawn, y)",
        "torch.where(is_forget[ids], y, drawn)",
        effect("random_label"),
    ),
    Mutant(
        "retraining learns the forget set",
        "methods/retraining/retrain.py",
        ".fit(task.retain)",
        ".fit(task.everything)",
        effect("retrain"),
    ),
    Mutant(
        "expected precision of one example more",
        "discovery/judgement.py",
        "probability.cumsum() / taken",
        "probability.cumsum() / (taken + 1)",
        JUDGEMENT,
    ),
    Mutant(
        "the interval's lower end at a tenth of a sigma",
        "discovery/judgement.py",
        "precision - _Z * doubt",
        "precision - 0.1 * doubt",
        JUDGEMENT,
    ),
    Mutant(
        "the least probable is taken", "discovery/judgement.py", "LEAST_PROBABILITY = 0.8", "LEAST_PROBABILITY = 0.0", JUDGEMENT
    ),
    Mutant(
        "prediction in train mode",
        "training/loop.py",
        "    model.eval()\n    with torch.no_grad(), autocast",
        "    with torch.no_grad(), autocast",
        ("tests/training/test_training.py",),
    ),
    Mutant("membership upside down", "evaluation/membership.py", "return (own - others)", "return (others - own)", MEASURES),
    Mutant(
        "healed is what was given",
        "evaluation/base.py",
        ".argmax(1) == self.corrupted.truth.clean_labels[indices]",
        ".argmax(1) == self.corrupted.train.labels[indices]",
        MEASURES,
    ),
    Mutant(
        "the dial turned round",
        "corruption/dial.py",
        "return max(0.0, 1 - 2 * regularity),",
        "return max(0.0, 2 * regularity - 1),",
        ("tests/corruption/test_corruption.py",),
    ),
    Mutant(
        "forget sets are not nested",
        "corruption/truth.py",
        "return self.corrupted[: discovered_count(",
        "return self.corrupted[-discovered_count(",
        ("tests/corruption/test_corruption.py",),
    ),
    Mutant(
        "nothing is ever too little memorised",
        "results/memorised.py",
        "share[1] < TAKEN_UP",
        "share[1] < 0",
        ("tests/results/test_memorised.py",),
    ),
    Mutant(
        "a costly run competes",
        "results/harm.py",
        "now < KEPT * before",
        "now < 0 * before",
        ("tests/views/test_choices.py",),
    ),
    Mutant(
        "formulas leave in a CSV",
        "support/escaping.py",
        'return f"\'{value}" if formula else value',
        "return value",
        ("tests/support/test_escaping.py",),
    ),
)


def check_fits(mutant: Mutant) -> None:
    """Raise ValueError unless the text to change stands exactly once in its file, and the tests are there."""
    text = (ROOT / "unlearn_core" / mutant.file).read_text()
    if (count := text.count(mutant.old)) != 1:
        raise ValueError(f"{mutant.name}: {mutant.old!r} stands {count} times in {mutant.file}")
    for test in mutant.tests:
        if not (ROOT / test.partition("::")[0]).exists():
            raise ValueError(f"{mutant.name}: there is no {test}")
