"""Connections to the database: they wait while it is busy or away, and say in one sentence when they give up."""

from __future__ import annotations

import functools
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import exc

from unlearn_core.errors import StoreAway, UserError
from unlearn_core.store.location import cannot_be_written, no_driver, secrets, shown
from unlearn_core.store.lock_holder import who_holds
from unlearn_core.store.records import reason
from unlearn_core.store.waiting import Wait, piece

T = TypeVar("T")

PATIENCE = 60.0
"""Seconds that a read or a write waits for a database that is locked by another program or does not answer."""

CHUNK = 400
"""Keys in one SQL "IN", below every database's limit of parameters."""

_CONNECT_SECONDS = 10
_PAUSES = (0.05, 0.1, 0.2, 0.5, 1.0)
_LOCKS = 0x6C657468  # "leth": this program's advisory locks on a PostgreSQL server
_AWAY, _BUSY = "away", "busy"

# PostgreSQL's classes and codes (its manual, appendix A): connection lost; shut down, crashed or not up yet; too many
# connections. And for waiting in vain: a lock that was not released in time, a deadlock, a serialisation failure.
_AWAY_CODES = ("08", "57P01", "57P02", "57P03", "53300")
_BUSY_CODES = ("55P03", "40P01", "40001")


class Database:
    """One database. ``read`` and ``write`` take a function of a connection and may call it more than once: a write has to
    leave the same behind when it is done twice, because a connection can break after the commit and before the answer."""

    def __init__(self, url: sa.URL, patience: float | None = None) -> None:
        """Connects to nothing yet; raises :class:`UserError` where the driver is not installed.

        ``patience``: seconds that it waits, in place of :data:`PATIENCE`."""
        self.url = url
        self._patience = patience
        self.name = shown(url)
        self.sqlite = url.get_backend_name() == "sqlite"
        self.read_only = cannot_be_written(url)
        self._watch: sqlite3.Connection | None = None
        self._watching = threading.Lock()
        try:
            self._engine = _read_only_engine(url) if self.read_only else sa.create_engine(url, **_engine_options(url))
        except ImportError as error:
            raise no_driver(error) from None
        if self.read_only:
            return
        if self.sqlite:
            sa.event.listen(self._engine, "connect", _prepare_sqlite)
            sa.event.listen(self._engine, "begin", _begin_sqlite)
        elif self._postgresql:
            sa.event.listen(self._engine, "connect", _prepare_postgresql)

    @property
    def patience(self) -> float:
        """Seconds that a read or a write waits."""
        return PATIENCE if self._patience is None else self._patience

    @property
    def _postgresql(self) -> bool:
        return self.url.get_backend_name() == "postgresql"

    def check(self) -> None:
        """Connect to a server once without waiting: a wrong address is said at once. Raises :class:`UserError`."""
        if self.sqlite:
            return
        try:
            with self._engine.connect():
                pass
        except (exc.DBAPIError, exc.TimeoutError, sqlite3.Error) as error:
            raise self._sentence(error) from error

    def check_writable(self) -> None:
        """Raise :class:`UserError` where this user may only read it."""
        if self.read_only:
            raise UserError(f"The store {self.name} can only be read here: nothing new can be kept in it.")

    def rows(self, query: sa.Select[Any]) -> list[sa.RowMapping]:
        """The rows of a query as mappings."""
        return self.read(lambda db: list(db.execute(query).mappings().all()))

    def row(self, query: sa.Select[Any]) -> sa.RowMapping | None:
        """The first row of a query as a mapping, or None."""
        return self.read(lambda db: db.execute(query).mappings().first())

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        """What ``work`` returns; raises :class:`UserError` when the database refuses or stays away."""

        def once() -> T:
            with self._engine.connect() as db:
                self._wait_for_locks(db, self.patience)
                return work(db)

        return self._patiently(once, self.patience)

    def write(
        self, work: Callable[[sa.Connection], T], key: str | Iterable[str] | None = None, patience: float | None = None
    ) -> T:
        """The same in one transaction; ``key``, or each of several: at most one such transaction at a time, over all processes.

        ``IntegrityError`` goes to the caller, for whom it may mean no harm."""

        patience = self.patience if patience is None else patience
        self.check_writable()
        held = [key] if isinstance(key, str) else sorted(set(key or ()))  # in one order, or two would wait for each other

        def once() -> T:
            with self._engine.connect().execution_options(lethe_write=True) as db:
                self._wait_for_locks(db, patience)
                with db.begin():
                    for one in held if self._postgresql else ():  # SQLite has one writer at a time anyway
                        db.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCKS, sa.func.hashtext(one))))
                    return work(db)

        return self._patiently(once, patience)

    def stamp(self) -> int | None:
        """A number that is another once anything was written, by whoever; None where the database has no such number."""
        if not self.sqlite or self.read_only:
            return None
        with self._watching:
            try:
                if self._watch is None:  # one that never writes: SQLite tells each connection of the writes of all others
                    address = f"{Path(str(self.url.database)).absolute().as_uri()}?mode=rw"
                    self._watch = sqlite3.connect(address, uri=True, check_same_thread=False)
                return int(self._watch.execute("PRAGMA data_version").fetchone()[0])
            except sqlite3.Error:
                return None

    def close(self) -> None:
        """Close the connections (they reopen when used)."""
        self._engine.dispose()
        with self._watching:
            watch, self._watch = self._watch, None
            if watch is not None:
                watch.close()

    def _wait_for_locks(self, db: sa.Connection, seconds: float) -> None:
        """How long SQLite waits for another program's lock; for PostgreSQL it is said once, when it connects."""
        if self.sqlite:
            raw = db.connection.driver_connection
            assert raw is not None
            raw.execute(f"PRAGMA busy_timeout = {int(piece(seconds) * 1000)}")

    def _patiently(self, once: Callable[[], T], patience: float) -> T:
        start, tries, wait = time.monotonic(), 0, Wait()
        while True:
            try:
                found = once()
                wait.ends()
                return found
            except exc.IntegrityError:
                raise
            except (exc.DBAPIError, exc.TimeoutError, sqlite3.Error) as error:
                waited = time.monotonic() - start
                if _trouble(error) is None or waited >= patience:
                    raise self._sentence(error, waited) from error
                wait.goes_on(waited, functools.partial(self._why, error))
            time.sleep(_PAUSES[min(tries, len(_PAUSES) - 1)])
            tries += 1

    def _why(self, error: Exception) -> str:
        return str(self._sentence(error))

    def _sentence(self, error: Exception, waited: float | None = None) -> UserError:
        """One sentence; ``waited``: seconds that were tried for, None where nothing was waited for."""
        why, trouble = reason(getattr(error, "orig", None) or error), _trouble(error)
        for secret in secrets(self.url):
            why = why.replace(secret, "***")
        tried = f" (tried for {waited:.0f} s)" if waited is not None else ""
        if trouble == _BUSY:
            holder = who_holds(Path(str(self.url.database))) if self.sqlite else ""
            return StoreAway(f"The store {self.name} is busy, another program keeps it locked{tried}: {holder or why}.")
        if trouble == _AWAY:
            return StoreAway(f"The store {self.name} does not answer{tried}: {why}.")
        return UserError(f"The store {self.name} cannot be used: {why}.")


def in_chunks(keys: Iterable[str], size: int = CHUNK) -> Iterator[list[str]]:
    """The keys in parts that fit into one query."""
    everything = list(keys)
    for start in range(0, len(everything), size):
        yield everything[start : start + size]


def _trouble(error: Exception) -> str | None:
    """What waiting may mend: a database that is away or busy; None for any other error."""
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, sqlite3.Error):
        return _BUSY if isinstance(cause, sqlite3.OperationalError) and _locked(cause) else None
    if not isinstance(error, exc.DBAPIError):
        return None
    code = getattr(cause, "sqlstate", None) or ""
    if code.startswith(_BUSY_CODES):
        return _BUSY
    refused = isinstance(error, exc.OperationalError) and error.statement is None and not code
    return _AWAY if error.connection_invalidated or refused or code.startswith(_AWAY_CODES) else None


def _locked(error: sqlite3.Error) -> bool:
    return "locked" in str(error) or "busy" in str(error)


def _engine_options(url: sa.URL) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": PATIENCE, "check_same_thread": False}}
    options: dict[str, Any] = {"pool_pre_ping": True}  # a database server may have been restarted in the meantime
    if url.get_backend_name() == "postgresql" and "connect_timeout" not in url.query:
        options["connect_args"] = {"connect_timeout": _CONNECT_SECONDS}
    return options


def _read_only_engine(url: sa.URL) -> sa.Engine:
    """Connections to a SQLite file that must not be written to, each of them new: another user may write to it meanwhile.

    SQLite would make files for its log beside it, so it is told that nothing changes; unless a log is there, which has to be
    read too: a writer is at work, or was killed.
    """
    path = Path(str(url.database))

    def connect() -> sqlite3.Connection:
        log = Path(f"{path}-wal")
        still = "" if log.exists() and log.stat().st_size else "&immutable=1"
        return sqlite3.connect(f"{path.as_uri()}?mode=ro{still}", uri=True, check_same_thread=False)

    return sa.create_engine("sqlite://", creator=connect, poolclass=sa.NullPool)


def _prepare_postgresql(connection: Any, _record: Any) -> None:
    """No statement waits for a lock for ever."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = {int(PATIENCE * 1000)}")
    connection.commit()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """WAL, so that readers never wait for a writer; transactions are begun by :func:`_begin_sqlite` alone."""
    connection.isolation_level = None
    connection.execute("PRAGMA synchronous = FULL")
    if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
        return
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            # Switching to WAL ignores the busy timeout, and several processes may create the store at once.
            if not _locked(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _begin_sqlite(connection: sa.Connection) -> None:
    """Take the write lock at once: a reader that turns writer half-way could not wait for another writer."""
    if connection.get_execution_options().get("lethe_write"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
