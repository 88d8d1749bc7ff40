"""A running set-up as the proofs see it: processes to kill, people who log in, a database to look into.

`Embedded` is one process on SQLite. A set-up of several processes is another class with the same methods and members.
"""

import socket
import sqlite3
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tests.bench.processes import descendants, memory_fields
from tests.faults.death import place_order, withdraw_order
from tests.live.browserless import Person
from tests.serving import PASSWORD, Server

MODEL = "aimlapi/google/gemini-2.5-flash"
KEY = "key-for-tests"
MIB = 1 << 20


class Site(Protocol):
    """What a proof may do with a set-up.

    members: the names of what can be killed, alone or together
    aftermath: seconds for which people go on with what is left after a kill
    """

    @property
    def url(self) -> str: ...

    @property
    def members(self) -> Sequence[str]: ...

    @property
    def aftermath(self) -> float: ...

    @property
    def log(self) -> str: ...

    def start(self) -> "Site": ...

    def restart(self, member: str = "") -> float:
        """Ask it to end, wait until it has, begin it anew; seconds that the end took."""

    def kill(self, member: str = "") -> None:
        """Nothing where it is gone already. Without a name, everything."""

    def is_alive(self, member: str = "") -> bool: ...

    def die_at(self, commit: int, when: str, member: str = "") -> None:
        """Let it die at its so manieth moment of this kind (see death.py) from now on; with 0 no more."""

    def pids(self) -> list[int]: ...

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What is in the database, by SQL that every database understands."""

    def files(self) -> set[str]:
        """The names of the pictures that are stored."""

    def damage(self) -> list[str]:
        """What the database itself finds wrong with its files."""


@dataclass
class Embedded(Server):
    """One process, one SQLite file."""

    members = ("server",)
    aftermath = 0.0

    def kill(self, member: str = "") -> None:
        if self.is_alive():
            super().kill()

    def is_alive(self, member: str = "") -> bool:
        return self.process is not None and self.process.poll() is None

    def die_at(self, commit: int, when: str, member: str = "") -> None:
        withdraw_order(self.data)
        if commit:
            assert self.process is not None
            place_order(self.data, commit, when, [self.process.pid])

    def restart(self, member: str = "") -> float:
        begun = time.monotonic()
        self.terminate()
        took = time.monotonic() - begun
        self.start()
        return took

    def pids(self) -> list[int]:
        assert self.process is not None
        return descendants(self.process.pid)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.data / "chatsite.sqlite3", timeout=30)) as database:
            return database.execute(query).fetchall()

    def files(self) -> set[str]:
        images = self.data / "images"
        return {str(path.relative_to(images)) for path in images.glob("*/*") if not path.name.startswith(".")}

    def damage(self) -> list[str]:
        found = [row[0] for row in self.rows("PRAGMA integrity_check")]
        return [line for line in found if line != "ok"] + [str(row) for row in self.rows("PRAGMA foreign_key_check")]


HAND_OVER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}
os.execv(sys.argv[2], sys.argv[2:])
"""


@dataclass
class Held(Embedded):
    """The same behind a socket that outlives it, as systemd holds one."""

    def __post_init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", self.port), backlog=512)

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-c", HAND_OVER, str(self._socket.fileno()), *super().command]

    @property
    def handed_over(self) -> tuple[int, ...]:
        return (self._socket.fileno(),)

    def __exit__(self, *_exc: object) -> None:
        super().__exit__()
        self._socket.close()


def embedded(data: Path, upstream: str, *people: str, kind: type[Embedded] = Embedded, **settings: str) -> Embedded:
    """A set-up that is not started yet, asking `upstream`, with accounts for these people."""
    data.mkdir(parents=True, exist_ok=True)
    # Several proofs run side by side; on one processor they would wait for each other.
    own = {"DJANGO_SETTINGS_MODULE": "tests.faults.observed", "CHATSITE_ONE_CORE": "false"}
    site = kind(data, vendors(upstream) | own | settings)
    site.add_people(*people)
    return site


def vendors(upstream: str) -> dict[str, str]:
    """Both providers, played by one."""
    names = ("SEGMIND", "AIMLAPI")
    return {f"{name}_API_KEY": KEY for name in names} | {f"{name}_BASE_URL": upstream for name in names}


def logged_in(url: str, name: str, *, timeout: float = 90.0) -> Person:
    person = Person(url, timeout=timeout)
    person.log_in(name, PASSWORD)
    return person


def in_another_thread(person: Person) -> Person:
    """The same browser profile, for a thread of its own."""
    twin = Person(person.base_url, timeout=person.timeout)
    twin.session.cookies.update(person.session.cookies)
    return twin


class Memory:
    """What a site's processes use beyond what they used before, in bytes; the kernel keeps the highest mark."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._before = self._sum("VmRSS")
        for pid in site.pids():
            Path(f"/proc/{pid}/clear_refs").write_text("5")

    def _sum(self, field: str) -> int:
        return sum(memory_fields(pid).get(field, 0) for pid in self._site.pids())

    @property
    def kept(self) -> int:
        """What is still in use now."""
        return max(0, self._sum("VmRSS") - self._before)

    @property
    def grown(self) -> int:
        return max(0, self._sum("VmHWM") - self._before)
