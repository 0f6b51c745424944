"""The checks of one plug-in file: that it can be imported, registers something, and that each component keeps its contract."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from unlearn_core import plugins
from unlearn_core.contracts.contract import Outcome, apply, line_of
from unlearn_core.contracts.corruptions import CORRUPTION_CHECKS, make_case
from unlearn_core.contracts.measures import METRIC_CHECKS, SCORE_CHECKS, MetricCase, ScoreCase, make_view
from unlearn_core.contracts.methods import CHECKS as METHOD_CHECKS
from unlearn_core.contracts.methods import Case, shortened
from unlearn_core.contracts.pictures import PICTURE_CHECKS, PictureCase, make_frame
from unlearn_core.contracts.sources import DATASET_CHECKS, NETWORK_CHECKS, DatasetCase, NetworkCase
from unlearn_core.contracts.trained import Trained, train
from unlearn_core.corruption import registry as corruptions
from unlearn_core.datasets import registry as datasets
from unlearn_core.discovery import registry as scores
from unlearn_core.evaluation import registry as metrics
from unlearn_core.methods import registry as methods
from unlearn_core.models import registry as models
from unlearn_core.stages.stage import stage_kinds
from unlearn_core.training import deterministic
from unlearn_core.views.added import registry as pictures

IMPORTED, REGISTERED, COMPLETE = "can be imported", "registers a component", "is complete"
_SMALL = {"training.epochs": 8}


def check_file(text: str | Path) -> Iterator[Outcome]:
    """Every check of a plug-in file, one after the other; raises :class:`UserError` where there is no such file.

    Its code runs in this process. Data and networks are tiny: points in the plane, and for methods the digits as well.
    """
    path = plugins.check_file(text)
    plugins.name_files([str(path)])
    _load_all()
    plugins.refresh()
    yield from check_plugin(_find(path))


def check_plugin(plugin: plugins.Plugin) -> Iterator[Outcome]:
    """Every check of a plug-in that was found (:func:`unlearn_core.plugins.known`)."""
    if plugin.reason:
        yield Outcome(plugin.name, IMPORTED, plugin.reason)
        return
    yield Outcome(plugin.name, IMPORTED)
    for name, reason in plugin.incomplete.items():
        yield Outcome(name, COMPLETE, reason)
    registered = list(plugin.components)
    if not registered and not plugin.incomplete:
        yield Outcome(plugin.name, REGISTERED, "it registers nothing; decorate a class with @register")
    with deterministic(threads=1):
        for noun, name in registered:
            yield from _CHECKS[noun](name)


def _load_all() -> None:
    for registry in (methods, datasets, models, metrics, scores, corruptions, pictures):
        registry.names()
    stage_kinds()


def _find(path: Path) -> plugins.Plugin:
    real = os.path.realpath(path)
    found = plugins.known()
    same = [plugin for plugin in found if plugin.path == real]
    # The same text may be here under another name: in the folder where the app keeps what was added.
    return same[0] if same else next(plugin for plugin in found if plugin.digest == plugins.digest_of(path))


@functools.cache
def _trained(dataset: str) -> Trained:
    return train(dataset, **_SMALL)


def _check_method(name: str) -> Iterator[Outcome]:
    method = methods.get(name)
    for dataset, family in (("waves", "points"), ("digits", "digits")):
        case = Case(method, _trained(dataset), shortened(method, family))
        component = f"method {name} on {dataset}"
        yield from apply(METHOD_CHECKS, component, case, line_of(method))


def _check_dataset(name: str) -> Iterator[Outcome]:
    source = datasets.get(name)
    if source.needs_data:
        yield Outcome(f"dataset {name}", "needs files, so that nothing more can be checked without them")
        return
    yield from apply(DATASET_CHECKS, f"dataset {name}", DatasetCase(source), line_of(source))


def _check_model(name: str) -> Iterator[Outcome]:
    source = models.get(name)
    yield from apply(NETWORK_CHECKS, f"model {name}", NetworkCase(source), line_of(source))


def _check_metric(name: str) -> Iterator[Outcome]:
    metric = metrics.get(name)
    yield from apply(METRIC_CHECKS, f"metric {name}", MetricCase(metric, _trained("waves")), line_of(metric))


def _check_score(name: str) -> Iterator[Outcome]:
    score = scores.get(name)
    yield from apply(SCORE_CHECKS, f"score {name}", ScoreCase(score, make_view()), line_of(score))


def _check_picture(name: str) -> Iterator[Outcome]:
    picture = pictures.get(name)
    yield from apply(PICTURE_CHECKS, f"picture {name}", PictureCase(picture, make_frame()), line_of(picture))


def _check_corruption(name: str) -> Iterator[Outcome]:
    corruption = corruptions.get(name)
    for dataset in ("waves", "digits"):
        yield from apply(
            CORRUPTION_CHECKS, f"corruption {name} on {dataset}", make_case(corruption, dataset), line_of(corruption)
        )


def _check_stage(kind: str) -> Iterator[Outcome]:
    yield Outcome(f"stage {kind}", "is registered; what it computes can be checked by its own test alone")


_CHECKS: dict[str, Callable[[str], Iterator[Outcome]]] = {
    "method": _check_method,
    "dataset": _check_dataset,
    "model": _check_model,
    "metric": _check_metric,
    "score": _check_score,
    "picture": _check_picture,
    "corruption": _check_corruption,
    "stage": _check_stage,
}
