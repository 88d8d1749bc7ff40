"""The project's settings for a server under proof. Nothing of the application is replaced.

- `FAULTS_LIMITS`, as "no_progress=1.0 total=5": shorter deadlines for providers; a test need not wait for minutes then.
- `FAULTS_GIVE_UP`: seconds of failing writes after which calls are ended.
- A file `die-at` in the data folder, as "7 before" or "7 after": the server kills itself around the seventh commit from
  then on, be it of a transaction or of a single statement. Python's own `sqlite3` has the place for that: a connection
  may be of any class.
- A file `tell` lets it write what it holds into the file `held`: threads, tasks that have not ended, open files.
"""

import asyncio
import gc
import json
import os
import signal
import sqlite3
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.db.backends.signals import connection_created

from conversations.providers import call

wished = dict(word.split("=") for word in os.environ.get("FAULTS_LIMITS", "").split())
# Before anything that uses them is imported. They are numbers of the code, not settings of an installation.
call.DEFAULT_LIMITS = replace(call.DEFAULT_LIMITS, **{name: float(value) for name, value in wished.items()})  # type: ignore[arg-type]

from chatsite.settings import *  # noqa: E402, F403
from chatsite.settings import DATA, DATABASES  # noqa: E402


def give_up_sooner(**_: Any) -> None:
    from conversations.generation import recorder

    recorder.GIVE_UP_AFTER = float(os.environ["FAULTS_GIVE_UP"])


if "FAULTS_GIVE_UP" in os.environ:
    connection_created.connect(give_up_sooner)

DIE_AT = DATA / "die-at"
WRITING = ("INSERT", "UPDATE", "DELETE", "REPLACE")


class Death:
    """Counts commits once the file is there."""

    def __init__(self, order: Path) -> None:
        self._order, self._lock, self._commits = order, threading.Lock(), 0

    def around(self, commit: Any) -> Any:
        """Do it, and die before or after it where it is the one."""
        if not self._order.exists():
            return commit()
        number, when = self._order.read_text().split()
        with self._lock:
            self._commits += 1
            is_it = self._commits == int(number)
        if is_it and when == "before":
            self._die()
        done = commit()
        if is_it:
            self._die()
        return done

    def _die(self) -> None:
        os.killpg(os.getpgid(0), signal.SIGKILL)


death = Death(DIE_AT)


class MortalConnection(sqlite3.Connection):
    """A connection that may take the server along when it commits."""

    def commit(self) -> None:
        death.around(super().commit)

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
        return death.around(lambda: factory.execute(cursor, *args))
    return factory.execute(cursor, *args)


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
