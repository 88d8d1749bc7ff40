"""Which database there is, how connections to it behave, and how a server knows that it is alone with it."""

import fcntl
import logging
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import environ
from django.conf import settings
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from chatsite import env

logger = logging.getLogger(__name__)

POSTGRESQL = "django.db.backends.postgresql"
# Numbers of PostgreSQL's advisory locks: the only server holds the first alone, several hold it together.
ALONE, STARTING = 0x63686174, 0x63686175

NOT_ALONE = (
    "Another server is already using this database and data folder. Stop it first; several processes need"
    " CHATSITE_ENGINE=celery and REDIS_URL."
)

_held: list[sqlite3.Connection | IO[str]] = []
_places: list[tuple[str, BaseDatabaseWrapper]] = []  # locks of PostgreSQL, each with the connection that holds it


def configured(url: str, data: Path) -> dict[str, Any]:
    """Django's entry for the database that DATABASE_URL names, by default an SQLite file in the data folder."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the sentence below says it
        entry: dict[str, Any] = environ.Env.db_url_config(url or f"sqlite:///{data / 'chatsite.sqlite3'}")
    match entry.get("ENGINE"):
        case "django.db.backends.sqlite3":
            return entry | _sqlite(data)
        case "django.db.backends.postgresql" if entry["NAME"]:
            return entry | _postgresql(entry.get("OPTIONS", {}))
    raise env.Misconfigured("DATABASE_URL must be sqlite:////path or postgres://user:password@host/name.")


def _sqlite(data: Path) -> dict[str, Any]:
    return {
        "ENGINE": "chatsite.sqlite",
        # Request threads are few and keep theirs; workers close theirs themselves, and an open stream has none.
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            # Deferred transactions that turn into writers lose to "database is locked"; immediate ones wait their turn.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA secure_delete=ON;",
        },
        "TEST": {"NAME": data / "test.sqlite3"},
    }


def _postgresql(options: dict[str, Any]) -> dict[str, Any]:
    env.need("psycopg", "DATABASE_URL=postgres://…")
    return {
        # No pool: requests run in a handful of standing threads, and one connection each is all a pool could give
        # them. While the database is away a new connection is refused at once, a pool would wait for one.
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,  # a connection that the database has dropped is replaced before a request uses it
        "DISABLE_SERVER_SIDE_CURSORS": True,  # so that PgBouncer may stand in between
        "OPTIONS": {"connect_timeout": 3, "application_name": "chatsite"} | options,
    }


def is_shared(entry: dict[str, Any]) -> bool:
    """Whether several processes on several machines can use it."""
    return bool(entry["ENGINE"] == POSTGRESQL)


def hold_open() -> None:
    """One connection that nobody uses: while it is open, SQLite keeps its write-ahead log. Until the process ends.

    Threads open and close connections. When the last one closes, SQLite copies the log into the database, deletes it
    and waits for the disk; the next one makes it anew. That costs more than a request.
    """
    if not _is_sqlite():
        return
    held = sqlite3.connect(settings.DATABASES["default"]["NAME"], check_same_thread=False)
    held.execute("PRAGMA journal_mode=WAL")
    held.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    _held.append(held)


def take_part() -> bool:
    """Become one of several processes that use the database; False where one wants to be alone with it."""
    return bool(_places) or _lock_database(shared=True)


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Of several servers that start together, one after the other goes through this."""
    if not is_shared(settings.DATABASES["default"]):
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [STARTING])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [STARTING])


def take_alone() -> bool:
    """Become the only server of this database until the process ends; False where another one is already.

    Replies that are found running at the start are then known to be nobody's.
    """
    if _alone:
        return True
    taken = _lock_folder() if _is_sqlite() else _lock_folder() and _lock_database()
    if taken:
        _alone.append(True)
    return taken


_alone: list[bool] = []


def _lock_folder() -> bool:
    lock = (settings.DATA / "server.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return False
    _held.append(lock)
    return True


def _lock_database(*, shared: bool = False) -> bool:
    """By a connection of its own, which nobody else uses."""
    holder = connection.copy()
    holder.inc_thread_sharing()
    lock = "pg_try_advisory_lock_shared" if shared else "pg_try_advisory_lock"
    taken = _ask_for(lock, holder)
    if taken:
        _places.append((lock, holder))
    return taken


def _ask_for(lock: str, holder: BaseDatabaseWrapper) -> bool:
    with holder.cursor() as cursor:
        cursor.execute(f"SELECT {lock}(%s)", [ALONE])
        (taken,) = cursor.fetchone()
    return bool(taken)


def keep_place() -> None:
    """Take the lock again where PostgreSQL has forgotten it, since it was restarted. For one thread, now and then.

    Raises OperationalError while it is away.
    """
    for lock, holder in _places:
        if holder.connection is None or not holder.is_usable():
            holder.close()
            if not _ask_for(lock, holder):
                logger.critical("another server has taken this database; stop one of the two")


def forget_removed() -> None:
    """Let what was removed also go from SQLite's log, as far as nobody reads there now; the next time does the rest."""
    if _is_sqlite() and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _is_sqlite() -> bool:
    return bool(settings.DATABASES["default"]["ENGINE"] == "chatsite.sqlite")
