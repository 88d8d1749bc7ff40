"""A set-up past one process, as the proofs see it: PostgreSQL, Redis, two webs, two workers, beat, a store, nginx."""

import time
from pathlib import Path
from typing import Any

import psycopg

from tests.bench.processes import descendants
from tests.cluster.balancer import Balancer
from tests.cluster.processes import Cluster, Worker
from tests.faults.death import end_all, place_order, withdraw_order
from tests.faults.site import vendors
from tests.postgres import Postgres
from tests.serving import START_DEADLINE, Server, until

# What is killed together.
MEMBERS = {
    "web1": ("web1",),
    "worker1": ("worker1",),
    "redis": ("redis",),
    "web2": ("web2",),
    "both": ("worker1", "web1"),
    "worker2": ("worker2",),
    "postgres": ("postgres",),
    "all": ("web1", "worker1", "web2", "worker2"),
    "workers": ("worker2", "worker1"),
}
COUNTING = ("worker1", "web1")

DAMAGED_ROWS = """
    SELECT c.relname, v.blkno, v.offnum, v.msg FROM pg_class c, LATERAL verify_heapam(c.oid) v
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
"""
CHECK_INDEXES = """
    SELECT bt_index_check(i.indexrelid, true) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_am a ON a.oid = c.relam
    WHERE a.amname = 'btree' AND c.relnamespace = 'public'::regnamespace AND i.indisvalid
"""


class Clustered:
    """Everything behind one address. What is killed is started again by `start`."""

    members = tuple(MEMBERS)
    aftermath = 1.5

    def __init__(self, folder: Path, upstream: str, *people: str, **settings: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._people = people
        self.postgres = Postgres()
        own = {"DJANGO_SETTINGS_MODULE": "tests.faults.observed", "CHATSITE_BEHIND_PROXY": "true"}
        self.cluster = Cluster(folder, self.postgres, vendors(upstream) | own | settings)
        self.balancer = Balancer(folder, [web.port for web in self.cluster.webs])
        webs = {f"web{number}": web for number, web in enumerate(self.cluster.webs, 1)}
        workers = {worker.name: worker for worker in (*self.cluster.workers, self.cluster.beat)}
        self._ours: dict[str, Server | Worker] = {**webs, **workers}
        self._connection: psycopg.Connection[Any] | None = None

    @property
    def url(self) -> str:
        return self.balancer.url

    @property
    def log(self) -> str:
        return "\n".join(one.log for one in self._ours.values())

    # --- Life and death -----------------------------------------------------------------------------------------------
    def __enter__(self) -> "Clustered":
        self.postgres.__enter__()
        try:
            self.cluster.webs[0].add_people(*self._people)
            self.cluster.__enter__()
            self.balancer.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exc: object) -> None:
        if self._connection:
            self._connection.close()
        self.balancer.kill()
        self.cluster.__exit__()
        self.postgres.__exit__()

    def start(self) -> "Clustered":
        """Whatever is gone, as a supervisor would: all at once."""
        if not self._is_running("postgres"):
            self.postgres.start_again()
        if not self._is_running("redis"):
            self.cluster.redis.start()
        gone = [one for name, one in self._ours.items() if not self._is_running(name)]
        for one in gone:
            begin = one.launch if isinstance(one, Server) else one.start
            begin()
        for one in gone:
            is_ready = one.answers if isinstance(one, Server) else one.is_ready
            until(is_ready, "the start of a process", START_DEADLINE)
        return self

    def restart(self, member: str = "") -> float:
        begun = time.monotonic()
        for name in MEMBERS[member]:
            self._ours[name].terminate()
        took = time.monotonic() - begun
        self.start()
        return took

    def kill(self, member: str = "") -> None:
        end_all(self._leaders(member))
        for name in MEMBERS[member or "all"]:
            until(lambda name=name: not self._is_running(name), f"the end of {name}")  # type: ignore[misc]

    def is_alive(self, member: str = "") -> bool:
        return all(map(self._is_running, MEMBERS[member or "all"]))

    def die_at(self, commit: int, when: str, member: str = "") -> None:
        for one in self._ours.values():
            withdraw_order(one.data)
        if commit:
            mine = [name for name in MEMBERS[member or "all"] if name in self._ours]
            # Of several the one or the other counts, for Redis and PostgreSQL a worker or a web.
            counting = mine if len(mine) == 1 else COUNTING
            one = self._ours[counting[commit % len(counting)]]
            place_order(one.data, commit, when, self._leaders(member))

    def pids(self) -> list[int]:
        return [pid for name in self._ours if (leader := self._leader(name)) for pid in descendants(leader)]

    def _leaders(self, member: str) -> list[int]:
        return [leader for name in MEMBERS[member or "all"] if (leader := self._leader(name))]

    def _leader(self, name: str) -> int | None:
        if name == "postgres":
            return self.postgres.leader
        process = (self.cluster.redis.process if name == "redis" else self._ours[name]).process
        return process.pid if process and process.poll() is None else None

    def _is_running(self, name: str) -> bool:
        return self._leader(name) is not None

    # --- What is stored -----------------------------------------------------------------------------------------------
    def rows(self, query: str) -> list[tuple[Any, ...]]:
        for is_last in (False, True):
            try:
                if self._connection is None or self._connection.closed:
                    self._connection = psycopg.connect(self.postgres.url, autocommit=True)
                return self._connection.execute(query).fetchall()
            except psycopg.OperationalError:
                self._connection = None  # of a PostgreSQL that was killed
                if is_last:
                    raise
        raise AssertionError("never")

    def files(self) -> set[str]:
        return self.cluster.bucket.names()

    def damage(self) -> list[str]:
        """What PostgreSQL's own check of every row and every index finds."""
        with psycopg.connect(self.postgres.url, autocommit=True) as checking:
            checking.execute("CREATE EXTENSION IF NOT EXISTS amcheck")
            try:
                found = [str(row) for row in checking.execute(DAMAGED_ROWS)]
                checking.execute(CHECK_INDEXES)
            except psycopg.Error as error:
                return [f"{type(error).__name__}: {error}"]
        return found
