"""Which database there is, how connections to it behave, and how a server knows that it is alone with it."""

import fcntl
import sqlite3
import warnings
from pathlib import Path
from typing import IO, Any

import environ
from django.conf import settings

from chatsite import env

SQLITE, POSTGRESQL = "django.db.backends.sqlite3", "django.db.backends.postgresql"
ALONE = 0x63686174  # "chat": the number of PostgreSQL's advisory lock that the only server of a database holds

NOT_ALONE = (
    "Another server is already using this database and data folder. Stop it first; several processes need"
    " CHATSITE_ENGINE=celery and REDIS_URL."
)

_held: list[sqlite3.Connection | IO[str] | Any] = []


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
    try:
        import psycopg  # noqa: F401
    except ImportError:
        raise env.Misconfigured(
            "DATABASE_URL names PostgreSQL, for which more has to be installed: pip install -r requirements-scale.txt."
        ) from None
    return {
        # No pool: requests run in a handful of standing threads, and one connection each is all a pool could give
        # them. While the database is away a new connection is refused at once, a pool would wait for one.
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,  # a connection that the database has dropped is replaced before a request uses it
        "DISABLE_SERVER_SIDE_CURSORS": True,  # so that PgBouncer may stand in between
        "OPTIONS": {"connect_timeout": 3, "application_name": "chatsite"} | options,
    }


def hold_open() -> None:
    """One connection that nobody uses: while it is open, SQLite keeps its write-ahead log. Until the process ends.

    Threads open and close connections. When the last one closes, SQLite copies the log into the database, deletes it
    and waits for the disk; the next one makes it anew. That costs more than a request.
    """
    if not _is_sqlite():
        return
    connection = sqlite3.connect(settings.DATABASES["default"]["NAME"], check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    _held.append(connection)


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


def _lock_database() -> bool:
    """By a connection of its own, which nobody else uses."""
    from django.db import connection

    holder = connection.copy()
    holder.inc_thread_sharing()
    with holder.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [ALONE])
        (taken,) = cursor.fetchone()
    _held.append(holder)
    return bool(taken)


def _is_sqlite() -> bool:
    return bool(settings.DATABASES["default"]["ENGINE"] == "chatsite.sqlite")
