"""The project's settings for a server under proof. Nothing of the application is replaced.

- `FAULTS_LIMITS`, as "no_progress=1.0 total=5": shorter deadlines for providers; a test need not wait for minutes then.
- `FAULTS_GIVE_UP`: seconds of failing writes after which calls are ended.
- A file `die-at` in the data folder (see death.py): the process kills itself, or others, around the so manieth commit
  from then on, be it of a transaction or of a single statement, or around what it tells by way of Redis. The drivers
  are where that is counted: `sqlite3` takes connections of any class, Django tells of each new one to PostgreSQL.
- A file `tell` lets it write what it holds into the file `held`: threads, tasks that have not ended, open files.
"""

import asyncio
import gc
import json
import os
import sqlite3
import sys
import threading
from dataclasses import replace
from typing import Any

from django.db.backends.signals import connection_created

from conversations.providers import call
from tests.faults.death import Death

wished = dict(word.split("=") for word in os.environ.get("FAULTS_LIMITS", "").split())
# Before anything that uses them is imported. They are numbers of the code, not settings of an installation.
call.DEFAULT_LIMITS = replace(call.DEFAULT_LIMITS, **{name: float(value) for name, value in wished.items()})  # type: ignore[arg-type]

from chatsite.settings import *  # noqa: E402, F403
from chatsite.settings import DATA, DATABASES, REDIS_URL  # noqa: E402


def give_up_sooner(**_: Any) -> None:
    from conversations.generation import recorder

    recorder.GIVE_UP_AFTER = float(os.environ["FAULTS_GIVE_UP"])


if "FAULTS_GIVE_UP" in os.environ:
    connection_created.connect(give_up_sooner)

WRITING = ("INSERT", "UPDATE", "DELETE", "REPLACE")
death = Death(DATA)


class MortalConnection(sqlite3.Connection):
    """A connection that may take the server along when it commits."""

    def commit(self) -> None:
        death.around("commit", super().commit)

    def cursor(self, factory: Any = sqlite3.Cursor) -> Any:
        return super().cursor(_mortal(factory))


def _mortal(factory: Any) -> Any:
    """Django's cursors, whose statements outside transactions are commits of their own."""
    if factory not in _cursors:
        mortal: Any = type("MortalCursor", (factory,), {"execute": lambda self, *args: _executed(factory, self, args)})
        _cursors[factory] = mortal
    return _cursors[factory]


_cursors: dict[Any, Any] = {}


def _executed(factory: Any, cursor: Any, args: tuple[Any, ...]) -> Any:
    is_commit = not cursor.connection.in_transaction and args[0].lstrip()[:7].upper().startswith(WRITING)
    if is_commit:
        return death.around("commit", lambda: factory.execute(cursor, *args))
    return factory.execute(cursor, *args)


def mortal_on_postgresql(connection: Any, **_: Any) -> None:
    """Each new connection to PostgreSQL: its commits, and the statements that are commits of their own."""
    if connection.vendor == "postgresql":
        commit = connection.connection.commit
        connection.connection.commit = lambda: death.around("commit", commit)
        if _stated not in connection.execute_wrappers:
            connection.execute_wrappers.append(_stated)


def _stated(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    if context["connection"].get_autocommit() and sql.lstrip()[:7].upper().startswith(WRITING):
        return death.around("commit", lambda: execute(sql, params, many, context))
    return execute(sql, params, many, context)


def mortal_on_redis() -> None:
    """Whatever is told by way of Redis: the logs of replies, in pipelines, and Celery's tasks, one by one."""
    import redis

    execute, push = redis.client.Pipeline.execute, redis.Redis.lpush

    def executed(pipeline: Any, *args: Any, **options: Any) -> Any:
        if any(command[0][0] in ("XADD", "ZADD") for command in pipeline.command_stack):
            return death.around("publish", lambda: execute(pipeline, *args, **options))
        return execute(pipeline, *args, **options)

    redis.client.Pipeline.execute = executed  # type: ignore[method-assign,assignment]
    redis.Redis.lpush = lambda self, *args: death.around("publish", lambda: push(self, *args))  # type: ignore[method-assign,assignment]


def tell_when_asked() -> None:
    """Look for the file ten times a second."""
    asked, part = DATA / "tell", DATA / "held.part"
    while not threading.Event().wait(0.1):
        if asked.exists():
            asked.unlink()
            gc.collect()
            # By type: `isinstance` asks for __class__, at which Django's lazy objects wake up.
            tasks = [one for one in gc.get_objects() if issubclass(type(one), asyncio.Task) and not one.done()]
            counts = {"threads": threading.active_count(), "tasks": len(tasks)}
            part.write_text(json.dumps(counts | {"files": len(os.listdir("/proc/self/fd"))}))
            part.rename(DATA / "held")


if "serve" in sys.argv:
    threading.Thread(target=tell_when_asked, name="tell", daemon=True).start()
if DATABASES["default"]["ENGINE"] == "chatsite.sqlite":
    options = DATABASES["default"]["OPTIONS"] | {"factory": MortalConnection}
    DATABASES = {"default": DATABASES["default"] | {"OPTIONS": options}}
else:
    connection_created.connect(mortal_on_postgresql)
if REDIS_URL:
    mortal_on_redis()
