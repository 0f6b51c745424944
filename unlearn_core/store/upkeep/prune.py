"""Which records may go, which stay and why, and removing them beside programs that go on working.

What goes is only what can be computed again: what people made stays, so do the records that other kept ones build on, those
that somebody computes or builds on at this moment, and those that came with the program.
"""

from __future__ import annotations

import functools
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from unlearn_core.errors import UserError
from unlearn_core.store.database import in_chunks
from unlearn_core.store.leases import Lease, keys_in_work
from unlearn_core.store.schema import records, runs
from unlearn_core.store.store import Store
from unlearn_core.store.upkeep.contents import Sum, database_bytes
from unlearn_core.store.upkeep.lineage import ADOPTED, HAND_MADE, builds_on, dataset_of, edited_data
from unlearn_core.store.upkeep.reclaim import reclaim
from unlearn_core.store.upkeep.rows import BRIEF, Brief, briefs, present_sets

HasEnded = Callable[[Lease], bool]
"""Whether the holder of a lease is known to be no more."""
_NEW = 3600.0  # seconds: what a job has just computed is there for its next stages, which do not hold anything yet
_BATCH = 200  # records that go in one transaction: others wait no longer than for that
MADE_BY_HAND, FROM_GALLERY, IN_WORK = "made by people", "came with the program", "in work"
NEW = "new, while something is computed"
ASKED, ON_NAMED, RECENT, NEEDED = "asked to stay", "on data with named forget sets", "recent runs", "needed by what stays"


@dataclass(frozen=True)
class Rule:
    """What may go: records that are older (seconds), of these kinds, of these datasets; where one is left out it does not
    matter. ``recent``: so many of the last runs stay; ``keep``: beginnings of keys that stay; ``needed_too``: also records that
    others build on may go, which are computed again when they are asked for."""

    older: float | None = None
    kinds: frozenset[str] = frozenset()
    datasets: frozenset[str] = frozenset()
    recent: int = 0
    keep: tuple[str, ...] = ()
    needed_too: bool = False

    def query(self, now: float) -> sa.Select[Any]:
        """The records that are meant, as far as the database can tell; their datasets are in their specs."""
        query = BRIEF if self.older is None else BRIEF.where(records.c.created < now - self.older)
        return query.where(records.c.kind.in_(self.kinds)) if self.kinds else query


@dataclass
class Plan:
    """``goes``: key → its token and bytes. ``kept``: why → how many of those that were meant stay. ``again``: how many of those
    that go are needed by others that stay, and would be computed again."""

    goes: dict[str, tuple[str, int]] = field(default_factory=dict)
    by_kind: dict[str, Sum] = field(default_factory=dict)
    kept: Counter[str] = field(default_factory=Counter)
    again: int = 0

    @property
    def bytes(self) -> int:
        """Of their files."""
        return sum(size for _, size in self.goes.values())


@dataclass(frozen=True)
class Pruned:
    """``bytes``: of files. ``in_work``: were taken into work meanwhile and stay. ``database``: by how many bytes it shrank.
    ``note``: why it did not shrink, if it should have."""

    records: int
    bytes: int
    in_work: int
    database: int
    note: str | None


def plan_prune(store: Store, rule: Rule, has_ended: HasEnded, now: float | None = None) -> Plan:
    """Look at every record and decide; changes nothing. Raises :class:`UserError` for a rule that means everything, or that
    names what is no record that can be computed again."""
    if rule.older is None and not rule.kinds and not rule.datasets:
        raise UserError("Say what may go: by age (--older-than 30d), kind (--kind boundary) or dataset (--dataset blobs).")
    if by_hand := sorted(rule.kinds & HAND_MADE):
        raise UserError(f"Records of kind {by_hand[0]} were made by people and cannot be computed again: they stay.")
    moment = time.time() if now is None else now

    def plan(db: sa.Connection) -> Plan:
        stored = set(db.execute(sa.select(records.c.kind).distinct()).scalars())
        if strange := sorted(rule.kinds - stored):
            known = ", ".join(sorted(stored - HAND_MADE)) or "none"
            raise UserError(f"There are no records of kind {strange[0]!r} here; there are: {known}.")
        made, meant = Plan(), dict[str, tuple[str, int, str]]()
        reason = _reasons(db, rule, keys_in_work(db, has_ended), moment)
        for one in briefs(db, rule.query(moment)):
            if rule.datasets and dataset_of(one.spec) not in rule.datasets:
                continue
            if why := reason(one):
                made.kept[why] += 1
            else:
                meant[one.key] = one.token, one.size, one.kind
        needed = _needed(db, set(meant)) if meant else set()
        if rule.needed_too:
            made.again = len(needed)
        else:
            made.kept[NEEDED] += len(needed)
            meant = {key: about for key, about in meant.items() if key not in needed}
        sums = defaultdict[str, Sum](Sum)
        for key, (token, size, kind) in meant.items():
            made.goes[key] = token, size
            sums[kind].add(size)
        made.by_kind, made.kept = dict(sums), +made.kept
        return made

    return store.inside.db.read(plan)


def prune(store: Store, plan: Plan, has_ended: HasEnded) -> Pruned:
    """Remove what a plan names, unless it was taken into work or written anew meanwhile. Then give the room back.

    Raises :class:`UserError` where nothing can be written; what was removed until then is whole and gone.
    """
    place = store.inside
    place.db.check_writable()
    place.records.check_owner()
    before = database_bytes(place.db)
    removed, freed, spared = 0, 0, 0
    for part in in_chunks(plan.goes, _BATCH):
        found = place.db.read(functools.partial(_those, keys=part))
        rows = [(one.key, one.token, one.files) for one in found if one.token == plan.goes[one.key][0]]
        working = set[str]()

        def in_work(db: sa.Connection, working: set[str] = working) -> set[str]:
            working.clear()
            working.update(keys_in_work(db, has_ended))
            return working

        gone = place.records.drop_all(rows, in_work)
        removed += len(gone)
        freed += sum(plan.goes[key][1] for key in gone)
        spared += sum(key in working for key, _, _ in rows)
    note = reclaim(place.db)
    return Pruned(removed, freed, spared, max(0, before - database_bytes(place.db)), note)


def _reasons(db: sa.Connection, rule: Rule, working: set[str], now: float) -> Callable[[Brief], str | None]:
    """Why a record stays whatever the rule says, besides being needed by others."""
    named = {one.of for one in present_sets(db)}
    newest = sa.select(runs.c.key).order_by(runs.c.number.desc()).limit(rule.recent)
    recent = set(db.execute(newest).scalars()) if rule.recent and sa.inspect(db).has_table(runs.name) else set[str]()

    def reason(one: Brief) -> str | None:
        if one.kind in HAND_MADE:
            return MADE_BY_HAND
        if ADOPTED in one.environment and ADOPTED in json.loads(one.environment):
            return FROM_GALLERY
        if one.key in working:
            return IN_WORK
        if working and one.created > now - _NEW:
            return NEW
        if one.key.startswith(rule.keep):
            return ASKED
        if one.key in recent:
            return RECENT
        return ON_NAMED if named and edited_data(one.spec) in named else None

    return reason


def _needed(db: sa.Connection, meant: set[str]) -> set[str]:
    """Those that what stays builds on, or what these build on."""
    needed = set[str]()
    for one in briefs(db):
        if one.key not in meant:
            needed |= builds_on(one.key, one.spec) & meant
    fresh = needed
    while fresh:
        fresh = _built_on_by(db, fresh) & meant - needed
        needed = needed | fresh
    return needed


def _those(db: sa.Connection, keys: list[str]) -> list[Brief]:
    return list(briefs(db, BRIEF.where(records.c.key.in_(keys))))


def _built_on_by(db: sa.Connection, keys: Iterable[str]) -> set[str]:
    """What these records build on."""
    found = set[str]()
    for part in in_chunks(keys):
        for one in _those(db, part):
            found |= builds_on(one.key, one.spec)
    return found
