"""One connection that nobody uses: while it is open, SQLite keeps its write-ahead log.

Threads open and close connections for every request. When the last one closes, SQLite copies the log into the database,
deletes it and waits for the disk; the next one makes it anew. That costs more than the request itself.
"""

import sqlite3

from django.conf import settings

_held: list[sqlite3.Connection] = []


def hold_open() -> None:
    """Hold the log until the process ends."""
    connection = sqlite3.connect(settings.DATABASES["default"]["NAME"], check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    _held.append(connection)
