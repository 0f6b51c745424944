"""What the ``store`` commands say to people."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from unlearn_core.cli.ages import size_text

if TYPE_CHECKING:
    from unlearn_core.store.upkeep import Contents, Finding, Plan, Pruned, Verified
    from unlearn_core.store.upkeep.contents import Sum

_SHOWN = 20


def show_contents(found: Contents, plan: Plan, age: str) -> None:
    """Print the tables of `du`."""
    print(f"The store {found.location} holds {found.total.records:,} records.")
    room = {"array files": found.files, "database": found.database, "uploaded files": found.uploads,
            "copies of databases before an upgrade": found.copies}  # fmt: skip
    print("Room: " + ", ".join(f"{name} {size_text(size)}" for name, size in room.items() if size) + ".")
    if found.failures:
        print(f"Failures remembered: {found.failures:,}.")
    _table("Kind", found.by_kind)
    _table("Dataset", {name or "(about none)": part for name, part in found.by_dataset.items()})
    _table("Younger than", found.by_age)
    if found.largest:
        print("\nThe largest:")
    for one in found.largest:
        about = ", ".join(filter(None, (one.kind, one.dataset, *one.methods)))
        day = dt.datetime.fromtimestamp(one.created, dt.UTC).date()
        print(f"  {size_text(one.bytes):>10}  {one.key}  {about}, {day}")
    print(f"\n`eunoe store prune --older-than {age}` would free {_amount(len(plan.goes), plan.bytes)}.")


def plan_sentences(plan: Plan) -> Iterator[str]:
    """What would go, and what stays though it was meant."""
    if not plan.goes:
        yield "Nothing would go."
    else:
        yield f"Would remove {_amount(len(plan.goes), plan.bytes)}: {_kinds(plan)}."
    yield from _kept(plan)


def pruned_sentences(plan: Plan, done: Pruned) -> Iterator[str]:
    """What went."""
    smaller = f", and the database is {size_text(done.database)} smaller" if done.database else ""
    yield f"Removed {_amount(done.records, done.bytes)}{smaller}."
    yield from _kept(plan)
    if done.in_work:
        yield f"{done.in_work:,} more were taken into work meanwhile and stay."
    if done.note:
        yield done.note


def verified_sentences(done: Verified, quick: bool) -> Iterator[str]:
    """What was looked at, and everything that was found."""
    how = "their sizes" if quick else "every byte"
    yield f"Looked at {done.records:,} records and {done.files:,} files ({size_text(done.bytes)}), {how}."
    counts = Counter(one.what for one in done.findings)
    for what, number in counts.items():
        some = [one for one in done.findings if one.what == what]
        yield f"{what.capitalize()}: {number:,}" + (", mended" if some[0] in done.mended else "") + "."
        yield from (f"  {_line(one)}" for one in some[:_SHOWN])
        if number > _SHOWN:
            yield f"  and {number - _SHOWN:,} more (--json lists all)"
    if done.sound:
        yield "The store is sound." if not done.mended else "The store is sound now."
    else:
        unmended = [one for one in done.findings if one not in done.mended]
        hint = "`eunoe store verify --mend` drops what is damaged, so that it is computed again."
        yield "The store is not sound." + (f" {hint}" if any(one.what == "damaged" for one in unmended) else "")


def _line(one: Finding) -> str:
    return f"{one.where}: {one.why}" if one.where else one.why


def _kept(plan: Plan) -> Iterator[str]:
    if plan.kept:
        yield "Of those that were meant stay: " + ", ".join(f"{number:,} {why}" for why, number in plan.kept.items()) + "."
    if plan.again:
        yield f"{plan.again:,} of them are needed by records that stay: they are computed again when these are looked into."


def _kinds(plan: Plan) -> str:
    parts = sorted(plan.by_kind.items(), key=lambda part: -part[1].bytes)
    return ", ".join(f"{part.records:,} {name} ({size_text(part.bytes)})" for name, part in parts)


def _amount(records: int, size: int) -> str:
    return f"{records:,} record{'' if records == 1 else 's'} with {size_text(size)} of array files"


def _table(name: str, parts: dict[str, Sum]) -> None:
    rows = [(key, part) for key, part in parts.items() if part.records]
    width = max(len(name), *(len(key) for key, _ in rows), 0) if rows else len(name)
    print(f"\n{name:<{width}}  {'records':>9}  {'files':>10}")
    for key, part in rows if name.startswith("Younger") else sorted(rows, key=lambda row: -row[1].bytes):
        print(f"{key:<{width}}  {part.records:>9,}  {size_text(part.bytes):>10}")
