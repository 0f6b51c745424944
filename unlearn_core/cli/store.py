"""``store du|prune|export|import|verify``: how much a store holds, what may go, one archive of it, whether it is sound."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unlearn_core.cli.ages import parse_age, parse_moment, size_text
from unlearn_core.cli.options import FAILED, Device, DeviceOption, JsonOption, StoreOption, parse_names, print_json, say
from unlearn_core.errors import UserError

if TYPE_CHECKING:
    from unlearn_core.store import Store

store_app = typer.Typer(
    no_args_is_help=True, help="Keep a store in order: what it holds, what may go, archives of it, whether it is sound."
)
USUAL_AGE = "30d"
OlderOption = Annotated[str | None, typer.Option("--older-than", help="Records that are older: 12h, 30d, 8w, 1y.")]
SinceOption = Annotated[str | None, typer.Option(help="Only what was stored since: a day (2026-11-01), or an age (30d).")]


@store_app.command("du")
def du(
    older_than: OlderOption = USUAL_AGE,
    store: StoreOption = None,
    device: DeviceOption = Device.auto,
    json: JsonOption = False,
) -> int:
    """Say how many records there are and how much room they take, by kind, dataset and age; the largest; and what `store prune
    --older-than` would free."""
    from unlearn_core.cli.store_text import show_contents
    from unlearn_core.engine.lease import has_ended
    from unlearn_core.store.upkeep import Rule, count, plan_prune

    age = older_than or USUAL_AGE
    rule = Rule(older=parse_age(age, "--older-than"), recent=RECENT)
    place = _open(store)
    found, plan = count(place), plan_prune(place, rule, has_ended)
    if json:
        datasets = {name or "": asdict(part) for name, part in found.by_dataset.items()}
        print_json(
            asdict(found)
            | {"by_dataset": datasets}
            | {"prune": {"older_than": age, "records": len(plan.goes), "bytes": plan.bytes, "kept": dict(plan.kept)}}
        )
    else:
        show_contents(found, plan, age)
    return 0


RECENT = 60
"""So many of the last runs stay, unless it is said otherwise: those that the app looks through for its list on Start."""


@store_app.command("prune")
def prune(
    older_than: OlderOption = None,
    kind: Annotated[
        str | None, typer.Option(help="Only records of these kinds, such as boundary,field; `du` lists them.")
    ] = None,
    dataset: Annotated[str | None, typer.Option(help="Only records about these datasets, such as blobs,digits.")] = None,
    keep_recent: Annotated[int, typer.Option(min=0, help="So many of the last runs stay.")] = RECENT,
    keep: Annotated[list[str] | None, typer.Option(help="A key, or its beginning, that stays; may be given again.")] = None,
    needed_too: Annotated[
        bool, typer.Option("--needed-too", help="Also what records that stay build on; it is computed again when asked for.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Remove them; otherwise it is only said what would go.")] = False,
    store: StoreOption = None,
    device: DeviceOption = Device.auto,
    json: JsonOption = False,
) -> int:
    """Remove results that can be computed again, also beside a running app: what is being computed, and what that builds on,
    stays. So does what people made (named forget sets, and runs on their data) and what other records that stay build on."""
    from unlearn_core.cli.store_text import plan_sentences, pruned_sentences
    from unlearn_core.engine.lease import has_ended
    from unlearn_core.store import upkeep

    rule = upkeep.Rule(
        older=None if older_than is None else parse_age(older_than, "--older-than"),
        kinds=_names(kind, "kind"),
        datasets=_names(dataset, "dataset"),
        recent=keep_recent,
        keep=_beginnings(keep or []),
        needed_too=needed_too,
    )
    place = _open(store)
    plan = upkeep.plan_prune(place, rule, has_ended)
    done = upkeep.prune(place, plan, has_ended) if yes and plan.goes else None
    if json:
        print_json(
            {
                "dry_run": not yes,
                "records": len(plan.goes) if done is None else done.records,
                "bytes": plan.bytes if done is None else done.bytes,
                "database_bytes": 0 if done is None else done.database,
                "by_kind": {name: asdict(part) for name, part in plan.by_kind.items()},
                "kept": dict(plan.kept),
                "computed_again": plan.again,
                "in_work": 0 if done is None else done.in_work,
                "note": None if done is None else done.note,
            }
        )
    else:
        for sentence in plan_sentences(plan) if done is None else pruned_sentences(plan, done):
            print(sentence)
        if done is None and plan.goes and not yes:
            say("Nothing was removed. The same command with --yes does it.")
    return 0


@store_app.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="The archive to write, such as results.zip.")],
    dataset: Annotated[str | None, typer.Option(help="Only records about these datasets.")] = None,
    methods: Annotated[str | None, typer.Option(help="Only records about these methods; `methods` lists them.")] = None,
    since: SinceOption = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    store: StoreOption = None,
    device: DeviceOption = Device.auto,
    json: JsonOption = False,
) -> int:
    """Write records and their arrays into one archive, with the checksum of everything. What they build on comes along. It is
    also a backup: programs may go on writing to the store meanwhile. Uploaded files are not in it."""
    from unlearn_core.store.upkeep import export_store
    from unlearn_core.store.upkeep.export import Choice
    from unlearn_core.support.typed_paths import typed_target

    chosen = Choice(
        _names(dataset, "dataset"), _names(methods, "method"), None if since is None else parse_moment(since, "--since")
    )
    target = typed_target(file, "the archive")
    if os.path.exists(target) and not force:
        raise UserError(f"The file {str(target)!r} is there already; --force replaces it.")
    done = export_store(_open(store), target, chosen)
    if json:
        print_json({"file": str(target)} | asdict(done))
        return 0
    print(f"Wrote {target}: {done.records:,} records with {done.files:,} files, {size_text(done.bytes)}.")
    if done.left_out:
        say(
            f"{len(done.left_out):,} records were left out, because their files are damaged or they were removed meanwhile: "
            f"{_some(done.left_out)}. `eunoe store verify` says which."
        )
    return 0


@store_app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="An archive that `store export` wrote.")],
    store: StoreOption = None,
    device: DeviceOption = Device.auto,
    json: JsonOption = False,
) -> int:
    """Add the records of an archive to a store, which is made if there is none. What is there already stays as it is. A damaged
    archive is refused whole."""
    from unlearn_core.store import Store
    from unlearn_core.store.upkeep import import_archive
    from unlearn_core.store.upkeep.archive import Archive
    from unlearn_core.support.typed_paths import typed_path

    path = typed_path(file, "the archive")
    Archive(path).close()  # before a store is made for it
    done = import_archive(Store.open(store), path)
    if json:
        print_json(asdict(done))
        return 0
    print(f"Imported {done.records:,} records with {done.files:,} files, {size_text(done.bytes)}.")
    if done.same:
        print(f"{done.same:,} were there already.")
    if done.other:
        print(f"{len(done.other):,} were there with another content, which stayed: {_some(done.other)}.")
    return 0


@store_app.command("verify")
def verify(
    mend: Annotated[
        bool, typer.Option("--mend", help="Drop what is damaged, so that it is computed again, and remove what is left over.")
    ] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Compare the sizes of files, not every byte.")] = False,
    store: StoreOption = None,
    device: DeviceOption = Device.auto,
    json: JsonOption = False,
) -> int:
    """Read every file and compare it with its recorded size and SHA-256, and the tables with each other. The exit code is 0
    where the store is sound, or was mended, and 1 where it is not."""
    from unlearn_core.cli.store_text import verified_sentences
    from unlearn_core.engine.lease import has_ended
    from unlearn_core.store.upkeep import verify as look

    done = look(_open(store), has_ended, mend=mend, quick=quick)
    if json:
        print_json(asdict(done) | {"sound": done.sound})
    else:
        for sentence in verified_sentences(done, quick):
            print(sentence)
    return 0 if done.sound else FAILED


def _open(location: str | None) -> Store:
    """The store that is there: none is made, and nothing is repaired by looking."""
    from unlearn_core.store import Store

    return Store.open(location, sweep=False, create=False)


def _names(text: str | None, noun: str) -> frozenset[str]:
    return frozenset() if text is None else frozenset(parse_names(text, noun))


def _beginnings(keys: list[str]) -> tuple[str, ...]:
    if any(not key.strip() for key in keys):
        raise UserError("--keep needs a key, or its beginning.")
    return tuple(key.strip() for key in keys)


def _some(keys: list[str] | tuple[str, ...], most: int = 5) -> str:
    more = f" and {len(keys) - most:,} more" if len(keys) > most else ""
    return ", ".join(keys[:most]) + more
