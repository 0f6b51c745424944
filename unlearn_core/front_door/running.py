"""``run`` and ``discover``: plan, compute what the store lacks, and hand back what there is."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unlearn_core import specs
from unlearn_core.errors import UserError
from unlearn_core.front_door.answer import answer
from unlearn_core.front_door.found import Found
from unlearn_core.front_door.places import open_engine, open_store
from unlearn_core.front_door.results import Part, Results
from unlearn_core.front_door.scenario import Scenario
from unlearn_core.front_door.watching import follow
from unlearn_core.specs import MethodSpec, Scalar

if TYPE_CHECKING:
    from unlearn_core.engine import Engine
    from unlearn_core.presets import Values
    from unlearn_core.store import Store

METHODS = ("finetune", "npo", "retrain", "oracle_retrain", "rem")
"""What runs where no method is named; oracles only where it is known what is wrong."""
SEARCH = "rem_discover"


def run(
    scenario: specs.Scenario | str = "digits",
    methods: str | Sequence[str] | None = None,
    *,
    values: Values = "tuned",
    overrides: Mapping[str, Scalar] | None = None,
    seeds: Iterable[int] | None = None,
    rmia: bool = False,
    store: Store | str | Path | None = None,
    engine: str = "inline",
    workers: int | None = None,
    device: str = "auto",
    progress: bool | None = None,
) -> Results:
    """Corrupt a dataset, train on it, unlearn with some methods, and compare what healed.

    What the store has is not computed again. Ctrl-C stops at once; what is finished stays in the store, and the same call goes
    on from there.

    Args:
        scenario: from :meth:`Scenario.make`, :meth:`Scenario.from_url` or :func:`load_images`, or a dataset's name.
        methods: names that :func:`unlearn_core.methods` lists, as a list or separated by commas; None: the five of the command
            line.
        values: a method's values: "tuned", or its publication's, "paper"; "rem" gives REM's ablations those found for REM.
        overrides: "method.parameter" → value, such as {"rem.epochs": 5}.
        seeds: the scenario under each of these seeds; None: its own alone.
        rmia: train four reference models for the membership attack RMIA.
        store: a :class:`Store`, a folder or a database address; None: ``$UNLEARN_STORE``, or the user's data folder.
        engine: "inline" computes in this process, "local" in worker processes (``workers`` of them), "tcp://host:8786" on a
            Dask scheduler.
        device: "auto", "cpu" or "cuda".
        progress: whether to show a bar; by default on a terminal and in a notebook.

    Raises:
        UserError: in one sentence, for what cannot be.
        RuntimeError: where no method came to an end. Where only some failed, each is said by a :class:`UserWarning`, and
            :attr:`Results.failed` has the causes.

    Source: the protocol is that of arXiv:2505.17730; docs/metrics.md has every number's formula.

    Example:
        >>> import unlearn_core as eunoe
        >>> scenario = eunoe.Scenario.make("blobs", overrides={"training.epochs": 10})
        >>> results = eunoe.run(scenario, ["finetune", "rem"])
        >>> [row["method"] for row in results.rows]
        ['finetune', 'rem']
        >>> results.rows[1]["metrics"]["healed"] > results.rows[0]["metrics"]["healed"]
        True
    """
    from unlearn_core.stages.reference_models import plan_reference_models
    from unlearn_core.stages.unlearn import plan_runs

    base = Scenario.make(scenario) if isinstance(scenario, str) else scenario
    kept = open_store(store)
    parts, stages = [], list[Any]()
    for one in _seeded(base, seeds):
        _check_data(one)
        chosen = _specs(one, methods, values, overrides)
        parts.append((one, chosen))
        stages += [*plan_runs(one, chosen), *(plan_reference_models(one) if rmia else ())]
    with open_engine(kept, engine, workers, device) as machine:
        for sentence in _measure_checkpoints(machine, kept, [one for one, _ in parts], progress):
            warnings.warn(sentence, UserWarning, stacklevel=2)
        view = follow(machine, machine.submit(stages, "run"), progress)
    found = Results(kept, [Part(Scenario.of(one), chosen, answer(kept, one, chosen, view)) for one, chosen in parts])
    _say_failures(found)
    return found


def discover(
    scenario: specs.Scenario | str = "digits",
    *,
    precision: float = 0.9,
    overrides: Mapping[str, Scalar] | None = None,
    store: Store | str | Path | None = None,
    engine: str = "inline",
    workers: int | None = None,
    device: str = "auto",
    progress: bool | None = None,
) -> Found:
    """Rank the examples that are probably corrupted too, from the few that are known to be.

    Args:
        scenario: from :meth:`Scenario.make`, :meth:`Scenario.from_url` or :func:`load_images`, or a dataset's name; its
            forget set is what is known.
        precision: as many suspects are accepted as keep this expected precision, above 0 to 1.
        overrides: parameters of the search, such as {"rem_discover.rounds": 1}.
        store, engine, workers, device, progress: as for :func:`run`.

    Raises:
        UserError: in one sentence, for what cannot be.
        RuntimeError: where the search failed.

    Source: docs/discovery.md.

    Example:
        >>> import unlearn_core as eunoe
        >>> scenario = eunoe.Scenario.make("blobs", overrides={"training.epochs": 10})
        >>> found = eunoe.discover(scenario, overrides={"rem_discover.rounds": 1, "rem_discover.epochs": 1})
        >>> list(found.frame.columns)
        ['index', 'given_label', 'score', 'probability', 'says', 'accepted']
        >>> eunoe.run(found.scenario_with_accepted, ["finetune"]).rows[0]["method"]
        'finetune'
    """
    from unlearn_core.stages.unlearn import plan_runs

    if not 0 < precision <= 1:
        raise UserError(f"The precision must be above 0 and at most 1 (got {precision:g}).")
    known = Scenario.make(scenario) if isinstance(scenario, str) else scenario
    kept = open_store(store)
    _check_data(known)
    spec = _specs(known, [SEARCH], "tuned", overrides)[0]
    with open_engine(kept, engine, workers, device) as machine:
        for sentence in _measure_checkpoints(machine, kept, [known], progress):
            warnings.warn(sentence, UserWarning, stacklevel=2)
        view = follow(machine, machine.submit(plan_runs(known, [spec]), "discover"), progress)
    if broken := next((stage for stage in view.stages if stage.state == "failed"), None):
        raise RuntimeError(f"The search failed: {broken.message}")
    return Found(kept, Scenario.of(known), spec, precision)


def _seeded(scenario: specs.Scenario, seeds: Iterable[int] | None) -> list[specs.Scenario]:
    if seeds is None:
        return [scenario]
    wanted = list(seeds)
    if not wanted or len(set(wanted)) < len(wanted):
        raise UserError(f"The seeds must be one or more different whole numbers (got {wanted}).")
    if scenario.forget is not None and wanted != [scenario.seed]:
        raise UserError(
            "A forget set that names its examples belongs to one seed: under another one their numbers mean others."
        )
    return [scenario.parse(scenario.model_dump(mode="json") | {"seed": seed}) for seed in wanted]


def _specs(
    scenario: specs.Scenario, methods: str | Sequence[str] | None, values: Values, overrides: Mapping[str, Scalar] | None
) -> list[MethodSpec]:
    """Complete methods; raises :class:`UserError` for names and parameters that mean nothing here."""
    from unlearn_core.corruption import truth_known
    from unlearn_core.methods import registry
    from unlearn_core.presets import SECTIONS, check_overrides, make_method, method_overrides
    from unlearn_core.stages.validate import check_task

    if values not in ("tuned", "paper", "rem"):
        raise UserError(f"A method's values are tuned, paper or rem (got {values!r}).")
    if methods is None:
        check_task(scenario)
        known = truth_known(scenario)
        names = [name for name in METHODS if known or not registry.get(name).oracle]
    else:
        names = [name.strip() for name in methods.split(",")] if isinstance(methods, str) else list(methods)
    if not names or len(set(names)) < len(names):
        raise UserError(f"Name one or more methods, none twice (got {names}).")
    given = dict(overrides or {})
    if section := next((key for key in given if key.partition(".")[0] in SECTIONS), ""):
        raise UserError(f"{section!r} belongs to the scenario: give it to Scenario.make(overrides=…).")
    check_overrides(given, names)
    return [make_method(name, scenario, method_overrides(given, name), values) for name in names]


def _check_data(scenario: specs.Scenario) -> None:
    """Refuse amounts and discovery rates that cannot be, where the dataset's size is known without loading it."""
    from unlearn_core import corruption
    from unlearn_core.datasets import registry

    sizes = registry.get(scenario.dataset.name).sizes
    if sizes is not None:
        corruption.check_counts(scenario, sizes[0])


def _measure_checkpoints(
    machine: Engine, store: Store, scenarios: Sequence[specs.Scenario], progress: bool | None
) -> list[str]:
    """What networks that were trained elsewhere are worth on their training labels, in sentences, before anything else runs."""
    from unlearn_core.evaluation import fit_sentences
    from unlearn_core.stages.checkpoint_fit import plan_fit

    said: list[str] = []
    for scenario in scenarios:
        if stages := plan_fit(scenario):
            view = follow(machine, machine.submit(stages, "checkpoint"), progress)
            record = store.get(stages[0].key)
            if record is None:
                raise UserError(view.stages[0].message or "The checkpoint could not be measured.")
            said += [*record.payload["words"], *fit_sentences(dict(record.payload))]
    return list(dict.fromkeys(said))


def _say_failures(found: Results) -> None:
    """A warning for every method that failed; raises RuntimeError where none came to an end."""
    causes = [f"{entry['method']}: {entry['cause']}" for entry in found.failed]
    if not found.rows:
        raise RuntimeError(f"No method came to an end. {causes[0]}")
    for cause in causes:
        warnings.warn(f"Failed: {cause}", UserWarning, stacklevel=3)
