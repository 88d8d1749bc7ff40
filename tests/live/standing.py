"""One server for all tests of a worker: put back to its first state between them, begun anew where need be."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from requests.cookies import RequestsCookieJar

from tests.live.browserless import Person
from tests.serving import PASSWORD, Server
from tests.simulator import Simulator

KEY = "key-for-tests"
PEOPLE = ("alice", "bob", "root")
STARTED = ("chatsite.sqlite3", "secret-key")
# Processes remember what these hold; after a change a test would have to wait until they have forgotten. What is in
# the last cannot be taken away again.
REMEMBERED = ("connection", "offeredmodel", "offeredmodel_groups", "ownkey", "notices", "budget", "spending", "look")
GOES_ON = "SELECT 1 FROM conversations_message WHERE status IN ('pending', 'streaming', 'waiting')"


def settings_for(simulator: Simulator) -> dict[str, str]:
    return {
        "SEGMIND_API_KEY": KEY,
        "SEGMIND_BASE_URL": simulator.base_url,
        "AIMLAPI_API_KEY": KEY,
        "AIMLAPI_BASE_URL": simulator.base_url,
    }


@dataclass
class Standing:
    """`template`: a migrated data folder with PEOPLE in it. `folder`: where servers may have theirs."""

    template: Path
    folder: Path
    simulator: Simulator = field(default_factory=lambda: Simulator(key=KEY, delay_ms=2, first_ms=0))
    server: Server | None = None

    def __enter__(self) -> Self:
        self.simulator.start()
        self._first = self.folder / "first.sqlite3"
        self._logins: dict[str, RequestsCookieJar] = {}
        self._lent: set[str] = set()
        self._begun = 0
        return self

    def __exit__(self, *_exc: object) -> None:
        self._end()
        self.simulator.close()

    def settle(self) -> None:
        """Before a test: nothing runs, and the simulator knows of nothing."""
        if not self._is_quiet():
            self._end()
        self.simulator.begin_anew()
        self._lent.clear()

    def fresh(self) -> Server:
        """The server, as the first test found it."""
        if self.server is None:
            self.server = self._begin()
        else:
            self._put_back(self.server)
        return self.server

    def login(self, url: str, name: str) -> RequestsCookieJar | None:
        """The cookies of a log-in from before the test, once for each person and only for this server."""
        if self.server is None or url != self.server.url or self._is_changed(self.server) or name in self._lent:
            return None
        self._lent.add(name)
        return self._logins.get(name)

    def _begin(self) -> Server:
        self._begun += 1
        data = self.folder / str(self._begun)
        data.mkdir()
        for name in STARTED:
            shutil.copyfile(self.template / name, data / name)
        if self._logins:
            shutil.copyfile(self._first, data / STARTED[0])
        server = Server(data, settings_for(self.simulator)).start()
        self._as_begun = replace(server)
        if not self._logins:
            self._remember(server)
        return server

    def _remember(self, server: Server) -> None:
        for name in PEOPLE:
            person = Person(server.url, timeout=90)
            person.log_in(name, PASSWORD)
            self._logins[name] = person.session.cookies
        with closing(sqlite3.connect(server.data / STARTED[0])) as live, closing(sqlite3.connect(self._first)) as copy:
            live.backup(copy)

    def _end(self) -> None:
        for server in (self.server, self._as_begun if self.server else None):
            if server and server.process and server.process.poll() is None:
                server.kill()
        self.server = None

    def _is_changed(self, server: Server) -> bool:
        """Whether a test ended the process, or began it again in another way."""
        return server != self._as_begun or server.process is None or server.process.poll() is not None

    def _is_quiet(self) -> bool:
        if self.server is None or self._is_changed(self.server):
            return False
        with self._opened(self.server) as database:
            same = all(self._is_same(database, f"conversations_{table}") for table in REMEMBERED)
            return same and database.execute(GOES_ON).fetchone() is None

    def _opened(self, server: Server) -> "closing[sqlite3.Connection]":
        database = sqlite3.connect(server.data / STARTED[0], timeout=60, isolation_level=None)
        database.execute("ATTACH ? AS first", [str(self._first)])
        return closing(database)

    @staticmethod
    def _is_same(database: sqlite3.Connection, table: str) -> bool:
        now, then = (database.execute(f"SELECT * FROM {place}.{table}").fetchall() for place in ("main", "first"))
        return now == then

    def _put_back(self, server: Server) -> None:
        """Rows, files and the log. Keys of rows are not given away twice: processes know replies by them."""
        with self._opened(server) as database:
            names = "SELECT name FROM first.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            tables = [name for (name,) in database.execute(names)]
            database.execute("BEGIN IMMEDIATE")
            for table in tables:
                database.execute(f"DELETE FROM main.{table}")
                database.execute(f"INSERT INTO main.{table} SELECT * FROM first.{table}")
            database.execute("COMMIT")
        shutil.rmtree(server.data / "images", ignore_errors=True)
        (server.data / "server.log").write_bytes(b"")
